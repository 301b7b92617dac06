// API §3: a disk whose writes are I/O errors, a real one; and one whose power goes.
//
// Promises: an ext4 on a loop device on a store that refuses new blocks while callbacks come in. What the page cache holds
// proves nothing: before the last look the file system is unmounted, checked and mounted anew.
// Must not know: which of the file system's writes fails first.

import Foundation
import Testing
import TestSupport

@Suite("A failing store", .serialized, .enabled(if: Disk.hasExt4, FullDiskTests.ext4IsMissing))
struct FailingStoreTests {
    private static let configuration = "log:\n  free-bytes-min: 0\n  segment-bytes-max: 1MiB\n"
    /// What a reason may say: the file system is read-only, or its writes fail.
    private static let words = ["read-only", "write", "writing", "written", "i/o", "disk", "space"]

    @Test(
        "an ext4 whose store errors, with each way to bear errors: what was acknowledged is there after a repair",
        arguments: ["continue", "remount-ro"], [SIGTERM, SIGKILL])
    func journalled(errors: String, signal: Int32) throws {
        try Disk.with(.ext4(errors: errors), mebibytes: 48) { disk in
            let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            var load = CallbackLoad(paddingBytes: 0...20_000)
            try load.run(on: server) { $0.acknowledged.count >= 150 }
            try disk.breakStore()
            try load.run(on: server) { $0.refusalCount >= 50 }
            try expectNotReady(server, load, naming: Self.words)
            // Nothing can be written any more, so nothing may be promised.
            let promised = load.acknowledged.count
            try load.run(on: server) { $0.refusalCount >= 200 }
            #expect(load.acknowledged.count == promised)

            server.child.send(signal: signal)
            #expect(try server.child.waitForExit() == (signal == SIGTERM ? .exited(0) : .signalled(SIGKILL)), "\(server.child.standardError)")
            try disk.mendStore()
            try disk.mountAnew()
            try expectKept(load, in: disk.directory, mayEndTorn: true)
            try expectSoundRestart(&load, in: disk.directory, configuration: Self.configuration)
        }
    }

    @Test("an ext4 that writes again once its store is mended: the server goes on by itself")
    func mended() throws {
        try Disk.with(.ext4WithoutJournal, mebibytes: 48) { disk in
            let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            var load = CallbackLoad(paddingBytes: 0...20_000)
            for round in 1...3 {
                try load.run(on: server) { $0.acknowledged.count >= 150 * round }
                try disk.breakStore()
                let refusals = load.refusalCount
                try load.run(on: server) { $0.refusalCount >= refusals + 50 }
                try expectNotReady(server, load, naming: Self.words)
                try disk.mendStore()
                try expectRecovery(server, &load)
            }
            try load.run(on: server, ending: .killed) { $0.acknowledged.count >= 600 }
            try disk.mountAnew()
            try expectKept(load, in: disk.directory, mayEndTorn: true)
            try expectSoundRestart(&load, in: disk.directory, configuration: Self.configuration)
        }
    }

    @Test("an ext4 whose power goes under load: the device alone has everything acknowledged", arguments: [1, 40, 300, 900])
    func powerCut(acknowledged: Int) throws {
        try Disk.with(.ext4(errors: "continue"), mebibytes: 32) { disk in
            var load = CallbackLoad(paddingBytes: 0...6_000, seed: UInt64(acknowledged))
            for round in 1...2 {
                let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
                #expect(try load.wrongAnswers(of: server) == [])
                try load.run(on: server, ending: .killed) { $0.acknowledged.count >= acknowledged * round }
                try disk.cutPower()
            }
            // Damage is what happened to bytes once durable; a cut of power tears at most what was not.
            try expectSoundRestart(&load, in: disk.directory, configuration: Self.configuration)
        }
    }
}
