// API §3, §5: a disk without room, a real one. 503 and not ready while it is full, 200 again once it is not.
//
// Promises: the disks are mounted by the test, of a few mebibytes, and filled to the last byte by another file or by the log
// itself while callbacks come in; what was acknowledged is looked for on the disk, and asked for after a restart.
// Must not know: which call of the server meets the end of the disk.

import Foundation
import Testing
import TestSupport

@Suite("A full disk", .serialized, .enabled(if: Disk.isAvailable, "mounting a file system needs root and the right to do so"))
struct FullDiskTests {
    private static let words = ["space", "full"]
    static let ext4IsMissing: Comment = "mounting an ext4 needs root, a loop device and mkfs.ext4"

    private func configuration(freeMin: String, segment: String = "1MiB") -> String {
        "log:\n  free-bytes-min: \(freeMin)\n  segment-bytes-max: \(segment)\n"
    }

    /// Full, room, full, room; then a kill, and a start on what is left.
    private func fillTwice(_ kind: Disk.Kind, freeMin: String) throws {
        try Disk.with(kind, mebibytes: 24) { disk in
            let configuration = configuration(freeMin: freeMin)
            let server = try ServerProcess(directory: disk.directory, configuration: configuration)
            var load = CallbackLoad(paddingBytes: 0...3_000)
            for round in 1...2 {
                try load.run(on: server) { $0.acknowledged.count >= 100 * round }
                try disk.fill()
                let refusals = load.refusalCount
                try load.run(on: server) { $0.refusalCount >= refusals + 50 }
                try expectNotReady(server, load, naming: Self.words)
                try expectKept(load, in: disk.directory, mayEndTorn: true)
                try disk.unfill()
                try expectRecovery(server, &load)
            }
            try load.run(on: server, ending: .killed) { $0.acknowledged.count >= 500 }
            try expectSoundRestart(&load, in: disk.directory, configuration: configuration)
        }
    }

    @Test("a tmpfs filled by another file: 503, then 200 by itself, nothing acknowledged lost", arguments: ["0", "1MiB"])
    func memory(freeMin: String) throws { try fillTwice(.memory, freeMin: freeMin) }

    @Test(
        "an ext4 filled by another file: 503, then 200 by itself, nothing acknowledged lost",
        .enabled(if: Disk.hasExt4, ext4IsMissing), arguments: ["0", "1MiB"])
    func ext4(freeMin: String) throws { try fillTwice(.ext4(errors: "remount-ro"), freeMin: freeMin) }

    /// The log meets the end of the disk where it happens to: in the middle of a batch, of padding, of a new segment.
    private func fillByLog(_ kind: Disk.Kind, leaving: Int, seed: UInt64) throws {
        try Disk.with(kind, mebibytes: 16) { disk in
            let configuration = configuration(freeMin: "0")
            try disk.fill(leaving: leaving)
            var server = try ServerProcess(directory: disk.directory, configuration: configuration)
            var load = CallbackLoad(paddingBytes: 0...40_000, seed: seed)
            try load.run(on: server, connections: 4) { $0.refusalCount >= 30 }
            #expect(!load.acknowledged.isEmpty)
            #expect(try load.wrongAnswers(of: server) == [])
            try expectKept(load, in: disk.directory, mayEndTorn: true)

            // A start on a full disk serves what there is, and takes what comes once there is room.
            for isLast in [false, true] {
                try server.child.kill9()
                server = try ServerProcess(directory: disk.directory, configuration: configuration)
                #expect(try load.wrongAnswers(of: server) == [])
                #expect(try load.wrongRetries(on: server) == [])
                let refusals = load.refusalCount
                try load.run(on: server, connections: 4) { $0.refusalCount >= refusals + 30 }
                try expectNotReady(server, load, naming: Self.words)
                if isLast {
                    try disk.unfill()
                    try expectRecovery(server, &load)
                }
            }
            try server.child.kill9()
            try expectKept(load, in: disk.directory, mayEndTorn: true)
            try expectSoundRestart(&load, in: disk.directory, configuration: configuration)
        }
    }

    @Test("a log that fills its tmpfs itself loses nothing acknowledged", arguments: [300_000, 1_200_000, 3_300_000], [UInt64(1), 2])
    func memoryByLog(leaving: Int, seed: UInt64) throws { try fillByLog(.memory, leaving: leaving, seed: seed) }

    @Test(
        "a log that fills its ext4 itself loses nothing acknowledged", .enabled(if: Disk.hasExt4, ext4IsMissing),
        arguments: [300_000, 1_200_000, 3_300_000])
    func ext4ByLog(leaving: Int) throws { try fillByLog(.ext4(errors: "continue"), leaving: leaving, seed: 3) }

    @Test("below log.free-bytes-min it is 503 before the disk is full", arguments: ["2MiB", "4MiB"])
    func before(freeMin: String) throws {
        try Disk.with(.memory, mebibytes: 16) { disk in
            let configuration = configuration(freeMin: freeMin)
            let server = try ServerProcess(directory: disk.directory, configuration: configuration)
            var load = CallbackLoad(paddingBytes: 0...6_000)
            try disk.fill(leaving: 5 << 20)
            try load.run(on: server) { $0.refusalCount >= 30 }
            #expect(!load.acknowledged.isEmpty)
            #expect(try disk.freeBytes() > 64 * 1024)
            #expect(!server.child.standardError.contains("No space left"), "\(server.child.standardError)")
            try expectNotReady(server, load, naming: Self.words)
            // A retry needs no room.
            #expect(try load.wrongRetries(on: server) == [])
            try disk.unfill()
            try expectRecovery(server, &load)
            try server.terminate()
            try expectSoundRestart(&load, in: disk.directory, configuration: configuration)
        }
    }

    @Test("SIGTERM on a full disk ends with status 0: everything accepted is on it")
    func stop() throws {
        try Disk.with(.memory, mebibytes: 12) { disk in
            let configuration = configuration(freeMin: "0")
            let server = try ServerProcess(directory: disk.directory, configuration: configuration)
            var load = CallbackLoad()
            try load.run(on: server) { $0.acknowledged.count >= 50 }
            try disk.fill()
            try load.run(on: server) { $0.refusalCount >= 10 }
            #expect(try server.terminate() == .exited(0), "\(server.child.standardError)")
            try expectKept(load, in: disk.directory, mayEndTorn: true)
            try disk.unfill()
            try expectSoundRestart(&load, in: disk.directory, configuration: configuration)
        }
    }
}
