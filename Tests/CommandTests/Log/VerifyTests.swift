// What `log verify` says of a log: sound, damaged, torn, being written; and that it only looks.

import Foundation
import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("log verify")
struct VerifyTests {
    @Test("a sound log is 0 and one line")
    func sound() throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        let run = try log.run("verify")
        #expect(run.status == .exited(0))
        #expect(run.output.lines.last == "2 files, 6 records (1 to 6), no damage")
        #expect(run.error == "")
    }

    @Test("a changed byte is 1, with file, offset and the record that is lost, on both streams")
    func flipped() throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        var bytes = log.bytes(1)
        bytes[log.offset(1, line: 1) + 30] ^= 1
        try log.write(bytes, to: HandmadeLog.name(1))
        let run = try log.run("verify")
        #expect(run.status == .exited(1))
        let line = "\(HandmadeLog.name(1)): byte \(log.offset(1, line: 1)): damaged, record 2 is lost"
        #expect(run.output.lines.first == line)
        #expect(run.output.lines.last == "2 files, 5 records (1 to 6), 1 damaged place, 1 record lost")
        #expect(run.error.lines.count == 1 && run.error.contains(line) && run.error.contains("log repair"))
    }

    @Test("every damaged place is a line of its own")
    func several() throws {
        let log = HandmadeLog(records: 9, each: 3)
        log.segments[1]?[0] = "not a line"
        log.segments[4]?.remove(at: 2)
        log.segments[7]?[1] = ""
        try log.write()
        let run = try log.run("verify")
        #expect(run.status == .exited(1))
        #expect(
            run.output.lines.filter { $0.contains(": byte ") } == [
                "\(HandmadeLog.name(1)): byte 0: damaged, record 1 is lost",
                "\(HandmadeLog.name(4)): byte \(log.offset(4, line: 2)): damaged, record 6 is lost",
                "\(HandmadeLog.name(7)): byte \(log.offset(7, line: 2)): damaged, record 8 is lost",
            ])
    }

    @Test("a missing file in the middle is damage, one that is missing at the beginning went by retention")
    func missing() throws {
        let log = HandmadeLog(records: 9, each: 3)
        try log.write()
        try log.remove(HandmadeLog.name(4))
        let run = try log.run("verify")
        #expect(run.status == .exited(1))
        #expect(run.output.contains("\(HandmadeLog.name(1)): byte \(log.bytes(1).count): damaged, records 4 to 6 are lost"))
        try log.remove(HandmadeLog.name(1))
        let later = try log.run("verify")
        #expect(later.status == .exited(0))
        #expect(later.output.contains("1 file, 3 records (7 to 9), no damage"))
    }

    @Test("a line that something foreign stands before is there; nothing is lost, and it is damage")
    func foreign() throws {
        let log = HandmadeLog(records: 3, each: 3)
        log.segments[1]?.insert("hello", at: 1)
        try log.write()
        let run = try log.run("verify")
        #expect(run.status == .exited(1))
        #expect(run.output.contains("byte \(log.offset(1, line: 1)): damaged; no record is lost"))
    }

    @Test(
        "what a crash tore, or is being written, at the end of the newest file is said and is no damage",
        arguments: ["{\"sequence\":7,\"rec", "{\"sequence\":7,\"rec\n\n\n\n\n", "\u{0}\u{0}x", String(repeating: "\n", count: 300_000) + "x"])
    func torn(end: String) throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        try log.append(end, to: 4)
        let run = try log.run("verify")
        #expect(run.status == .exited(0))
        #expect(run.output.contains("\(HandmadeLog.name(4)): byte "))
        #expect(run.output.contains("torn by a crash, or being written just now"))
        #expect(run.output.lines.last == "2 files, 6 records (1 to 6), no damage")
    }

    @Test("padding is nothing", arguments: ["\n", "\u{0}", "\n\n\u{0}\n", String(repeating: "\n", count: 300_000)])
    func padding(end: String) throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        try log.append(end, to: 4)
        let run = try log.run("verify")
        #expect(run.status == .exited(0))
        #expect(run.output.lines.last == "2 files, 6 records (1 to 6), no damage")
        #expect(!run.output.contains("torn"))
    }

    @Test("what an earlier crash tore off is mentioned")
    func kept() throws {
        let log = HandmadeLog(records: 3, each: 3)
        try log.write()
        try log.write([0x78], to: HandmadeLog.name(1) + ".torn")
        let run = try log.run("verify")
        #expect(run.status == .exited(0))
        #expect(run.output.lines.first == "\(HandmadeLog.name(1)).torn: kept from the tear of an earlier crash; no damage")
    }

    @Test("whatever byte of a proven line is changed, that line's place is named")
    func everyByte() throws {
        let log = HandmadeLog(records: 4, each: 2)
        try log.write()
        let whole = log.bytes(1)
        let second = log.offset(1, line: 1)
        for position in whole.indices {
            var bytes = whole
            bytes[position] ^= 0x04
            try log.write(bytes, to: HandmadeLog.name(1))
            var scan = LogScan(try LogInspection(path: log.path))
            var places: [Int64] = []
            while let damages = try scan.scanSegment() { places += damages.map(\.place.offset) }
            #expect(places == [position < second ? 0 : Int64(second)], "byte \(position)")
        }
    }

    @Test(
        "a file that is removed before it is read is retention's where all before it are gone too, and damage where not",
        arguments: [([1], 0), ([1, 4], 0), ([4], 1), ([1, 7], 1)])
    func removedMeanwhile(removed: [Int], damageCount: Int) throws {
        let log = HandmadeLog(records: 12, each: 3)
        try log.write()
        let found = try LogInspection(path: log.path)
        for first in removed { try log.remove(HandmadeLog.name(first)) }
        var scan = LogScan(found)
        var places: [String] = []
        while let damages = try scan.scanSegment() { places += damages.map(\.place.segment) }
        #expect(scan.report.damageCount == damageCount && scan.report.lostCount == damageCount * 3)
        #expect(places == removed.suffix(damageCount).map(HandmadeLog.name))
        #expect(scan.report.removed == removed.map(HandmadeLog.name))
        #expect(scan.report.records == 12 - 3 * removed.count)
    }

    // MARK: index files

    /// Makes the index of a sealed segment, as the server would.
    private func makeIndex(_ first: UInt64, to successor: UInt64, in log: HandmadeLog) throws {
        let directory = try SystemDirectory(creating: log.path)
        let identity = try Identity.read(orMakeIn: directory, names: try directory.names()).identity
        var options = LogOptions()
        options.versions = DerivedVersions(decoder: 7, verdicts: 9)
        let maker = IndexMaker(directory: directory, hash: KeyedHash(key: identity.hashKey), options: options)
        var failure: SystemError?
        _ = try maker.make(first: first, successor: successor, failure: &failure)
        #expect(failure == nil)
    }

    @Test("an index file that is as it was made is not mentioned, by whatever decoder it was made; a missing one is, and is no damage")
    func index() throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        let without = try log.run("verify")
        #expect(without.status == .exited(0))
        #expect(without.output.lines.first == "\(HandmadeLog.index(1)): not there; no damage: the server makes it anew")
        try makeIndex(1, to: 4, in: log)
        let run = try log.run("verify")
        #expect(run.status == .exited(0))
        #expect(run.output.lines == ["2 files, 6 records (1 to 6), no damage"])
    }

    @Test("many missing index files are one line")
    func manyIndexes() throws {
        let log = HandmadeLog(records: 12, each: 3)
        try log.write()
        let run = try log.run("verify")
        #expect(run.output.lines == ["\(HandmadeLog.index(1)): not there; no damage: the server makes it anew; and 2 more like it", "4 files, 12 records (1 to 12), no damage"])
    }

    @Test("an index file with a changed byte is 1, with file, offset and the remedy", arguments: [3, 4_096 + 40, 2 * 4_096 + 4])
    func damagedIndex(position: Int) throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        try makeIndex(1, to: 4, in: log)
        var bytes = [UInt8](try #require(log.content()[HandmadeLog.index(1)]))
        bytes[position] ^= 1
        try log.write(bytes, to: HandmadeLog.index(1))
        let run = try log.run("verify")
        #expect(run.status == .exited(1))
        let line = "\(HandmadeLog.index(1)): byte \(position / 4_096 * 4_096): damaged; delete it, the server makes it anew from the log"
        #expect(run.output.lines.first == line)
        #expect(run.error.contains(line))
    }

    @Test("an index file of other records of the same size is 1; one of another segment is outdated and no damage")
    func foreignIndex() throws {
        let other = HandmadeLog(records: 6, each: 3)
        other.segments[1] = (1...3).map { HandmadeLog.record($0, "q\($0)") }
        try other.write()
        try makeIndex(1, to: 4, in: other)
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        for name in [HandmadeLog.index(1), "identity"] { try log.write([UInt8](try #require(other.content()[name])), to: name) }
        let run = try log.run("verify")
        #expect(run.status == .exited(1))
        #expect(run.output.contains("\(HandmadeLog.index(1)): damaged: its records are not those of its segment; delete it"))

        log.segments[1]?[0] = HandmadeLog.record(1, "longer")
        try log.write()
        let stale = try log.run("verify")
        #expect(stale.status == .exited(0))
        #expect(stale.output.contains("\(HandmadeLog.index(1)): not of its segment as it is now; no damage"))
    }

    // MARK: only looking

    @Test("a directory that is not there stays so, and the remedy is named", arguments: ["verify", "cat", "redecode"])
    func missingDirectory(command: String) throws {
        let place = try TemporaryDirectory()
        let path = place.path(of: "none")
        let run = try runToExit(["log", command, "--data-directory", path])
        #expect(run.status == .exited(1))
        #expect(run.error == "callback-receiver: the log directory \(path) does not exist; name the server's with --data-directory or --config\n")
        #expect(run.output == "")
        #expect(place.entries == [])
    }

    @Test("a directory without a log is said to be none")
    func noLog() throws {
        let place = try TemporaryDirectory()
        let run = try runToExit(["log", "verify", "--data-directory", place.path])
        #expect(run.status == .exited(1))
        #expect(run.error.contains("there is no log in \(place.path) (no file named like \(HandmadeLog.name(1)))"))
    }

    @Test("the configuration names the directory as for serve")
    func configuration() throws {
        let log = HandmadeLog(records: 3, each: 3)
        try log.write()
        let place = try TemporaryDirectory()
        let file = try place.write("log:\n  directory: \(log.path)\n", to: "c.yaml")
        let run = try runToExit(["log", "verify", "--config", file])
        #expect(run.status == .exited(0))
        #expect(run.output == "1 file, 3 records (1 to 3), no damage\n")
        let wrong = try place.write("log:\n  directories: x\n", to: "w.yaml")
        #expect(try runToExit(["log", "verify", "--config", wrong]).status == .exited(78))
    }

    @Test("beside a running server nothing changes and nothing is damaged, while records come in")
    func live() throws {
        let server = try ServerProcess()
        for number in 1...20 {
            #expect(try server.post("{\"request_id\":\"r\(number)\"}").status == 200)
            if number % 5 == 0 {
                let run = try runToExit(["log", "verify", "--data-directory", server.directory.path])
                #expect(run.status == .exited(0), "\(run.output)\(run.error)")
                #expect(run.output.contains("\(number) records (1 to \(number)), no damage"))
            }
        }
        let before = server.directory.entries
        _ = try runToExit(["log", "verify", "--data-directory", server.directory.path])
        #expect(server.directory.entries == before)
        #expect(try server.terminate() == .exited(0))
    }
}
