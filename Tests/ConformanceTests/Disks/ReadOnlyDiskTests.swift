// API §3: a file system that becomes read-only under the running server, and writable again.
//
// Promises: the kernel refuses to make a file system read-only while somebody writes to it, so each test takes one of the
// ways in which it happens all the same: an aborted journal, a read-only mount laid over, files made immutable.
// Must not know: which descriptors the server holds.

import Foundation
import Testing
import TestSupport

@Suite("A disk that turns read-only", .serialized, .enabled(if: Disk.isAvailable, "mounting a file system needs root and the right to do so"))
struct ReadOnlyDiskTests {
    private static let configuration = "log:\n  free-bytes-min: 0\n  segment-bytes-max: 1MiB\n"
    private static let words = ["read-only", "write", "writing", "written", "permi", "disk", "full", "space"]

    @Test("an ext4 that aborts its journal: 503, what is there is served, and all of it is there after a repair",
        .enabled(if: Disk.hasExt4, FullDiskTests.ext4IsMissing))
    func aborted() throws {
        try Disk.with(.ext4(errors: "remount-ro"), mebibytes: 32) { disk in
            let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            var load = CallbackLoad(paddingBytes: 0...3_000)
            try load.run(on: server) { $0.acknowledged.count >= 150 }
            try disk.abortJournal()
            try load.run(on: server) { $0.refusalCount >= 50 }
            try expectNotReady(server, load, naming: Self.words)
            #expect(try load.wrongRetries(on: server) == [])
            #expect(try server.terminate() == .exited(0), "\(server.child.standardError)")
            try disk.mountAnew()
            try expectKept(load, in: disk.directory, mayEndTorn: true)
            try expectSoundRestart(&load, in: disk.directory, configuration: Self.configuration)
        }
    }

    @Test("segments that nobody asked for before the disk turned read-only are answered from all the same",
        .enabled(if: Disk.hasExt4, FullDiskTests.ext4IsMissing))
    func abortedBeforeAnybodyAsked() throws {
        try Disk.with(.ext4(errors: "remount-ro"), mebibytes: 32) { disk in
            let before = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            var load = CallbackLoad(paddingBytes: 10_000...20_000)
            try load.run(on: before) { $0.acknowledged.count >= 300 }
            #expect(try before.terminate() == .exited(0), "\(before.child.standardError)")
            // It has opened no sealed segment and no index file for anybody yet.
            let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            try disk.abortJournal()
            let wrong = try load.wrongAnswers(of: server)
            #expect(wrong == [], "\(server.child.standardError)")
            #expect(try load.wrongRetries(on: server) == [])
            #expect(try server.get("/v1/requests?limit=100").status == 200)
            #expect(try server.terminate() == .exited(0), "\(server.child.standardError)")
        }
    }

    @Test("an ext4 whose files and directory are made immutable: 503, and 200 by itself once they are not",
        .enabled(if: Disk.hasExt4, FullDiskTests.ext4IsMissing))
    func immutable() throws {
        try Disk.with(.ext4(errors: "continue"), mebibytes: 32) { disk in
            let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            var load = CallbackLoad(paddingBytes: 0...3_000)
            for round in 1...2 {
                try load.run(on: server) { $0.acknowledged.count >= 150 * round }
                try disk.setImmutable(true)
                let refusals = load.refusalCount
                try load.run(on: server) { $0.refusalCount >= refusals + 50 }
                try expectNotReady(server, load, naming: Self.words)
                try disk.setImmutable(false)
                try expectRecovery(server, &load)
            }
            try server.child.kill9()
            try expectSoundRestart(&load, in: disk.directory, configuration: Self.configuration)
        }
    }

    @Test("a read-only mount laid over the log directory: nothing acknowledged is lost, and it is 200 once that is gone")
    func covered() throws {
        try Disk.with(.memory, mebibytes: 48) { disk in
            let server = try ServerProcess(directory: disk.directory, configuration: Self.configuration)
            var load = CallbackLoad(paddingBytes: 0...60_000)
            try load.run(on: server) { $0.acknowledged.count >= 20 }
            try disk.whileCoveredReadOnly {
                // Several segments' worth: a server may go on in what it has open, or refuse.
                let answered = load.acknowledged.count + load.refusalCount
                try load.run(on: server) { $0.acknowledged.count + $0.refusalCount >= answered + 120 }
                try expectKept(load, in: disk.directory, mayEndTorn: true)
                #expect(try load.wrongAnswers(of: server) == [])
            }
            try expectRecovery(server, &load)
            try server.child.kill9()
            try expectSoundRestart(&load, in: disk.directory, configuration: Self.configuration)
        }
    }
}
