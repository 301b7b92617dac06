// API §7: the tear of a crash is cut and kept; damage is named and served around; intake never stops.
//
// Promises: each log is made by the real server, then changed by hand at a known place.
// Must not know: how recovery goes about it; only what is served, said and left on disk.

import Foundation
import Testing
import TestSupport

@Suite("A log that is not as it was left")
struct RecoveryTests {
    /// A stopped log with records a, b, c, each acknowledged before the next.
    private func stoppedLog(clean: Bool) throws -> (directory: TemporaryDirectory, log: LogReader) {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory)
        for identifier in ["a", "b", "c"] { #expect(try server.post(sentPayload(identifier)).status == 200) }
        if clean { try server.terminate() } else { try server.child.kill9() }
        let log = try server.log()
        #expect(log.records.count == 3)
        return (directory, log)
    }

    private func change(_ path: String, _ edit: (inout [UInt8]) throws -> Void) throws {
        let url = URL(fileURLWithPath: path)
        var bytes = [UInt8](try Data(contentsOf: url))
        try edit(&bytes)
        try Data(bytes).write(to: url)
    }

    /// A half record, NUL bytes, a whole line that is no record, a record with a wrong checksum.
    static let tears: [String] = [
        #"{"sequence":4,"received_at":"2099-01-01T00:00:0"#, "\u{0}\u{0}\u{0}{\"seq", "garbage\n",
        #"{"sequence":4,"received_at":"2026-11-22T18:00:00.000Z","kind":"callback","request_id":"x","status":"sent","payload":{},"durable":3,"crc32c":"00000000"}"# + "\n",
        "{\"sequence\":4,\"rec\n\n\n\u{0}\u{0}\n",
    ]

    @Test("a torn end is cut, kept beside, said in one line, and intake goes on", arguments: tears)
    func tear(text: String) throws {
        let (directory, log) = try stoppedLog(clean: false)
        let last = try #require(log.lines.last)
        try change(directory.path(of: last.file)) { bytes in
            bytes = Array(bytes[..<(last.offset + last.text.utf8.count + 1)]) + Array(text.utf8)
        }
        let server = try ServerProcess(directory: directory)
        for identifier in ["a", "b", "c"] { #expect(try server.get("/v1/requests/\(identifier)").status == 200) }
        let fresh = try server.post(sentPayload("d"))
        #expect(fresh.status == 200)
        #expect(try fresh.object().integer("sequence") == log.records.last?.sequence.map { $0 + 1 })
        #expect(try server.get("/readyz").status == 200)
        #expect(directory.entries.contains { $0.hasSuffix(".torn") }, "\(directory.entries)")
        try server.terminate()
        #expect(server.child.standardError.split(separator: "\n").count { $0.contains(".torn") } == 1, "\(server.child.standardError)")
        let after = try server.log()
        #expect(after.violations() == [])
        #expect(after.records.map(\.requestIdentifier) == ["a", "b", "c", "d"])
    }

    @Test("what was cut first is still there after a second tear")
    func secondTear() throws {
        let (directory, log) = try stoppedLog(clean: false)
        var last = try #require(log.lines.last)
        for round in 0..<3 {
            try change(directory.path(of: last.file)) { bytes in
                bytes = Array(bytes[..<(last.offset + last.text.utf8.count + 1)]) + Array(#"{"sequence":9,"torn in round \#(round)"#.utf8)
            }
            let server = try ServerProcess(directory: directory)
            #expect(try server.post(sentPayload("r\(round)")).status == 200)
            try server.child.kill9()
            last = try #require(try server.log().lines.last)
        }
        let kept = directory.entries.filter { $0.contains(".torn") }
            .map { String(decoding: FileManager.default.contents(atPath: directory.path(of: $0)) ?? Data(), as: UTF8.self) }.joined()
        for round in 0..<3 { #expect(kept.contains("torn in round \(round)"), "\(directory.entries)") }
    }

    @Test("a clean log is not cut and nothing is said of it", arguments: [true, false])
    func noTear(clean: Bool) throws {
        let (directory, _) = try stoppedLog(clean: clean)
        let server = try ServerProcess(directory: directory)
        #expect(try server.post(sentPayload("d")).status == 200)
        #expect(!directory.entries.contains { $0.hasSuffix(".torn") })
        #expect(!server.child.standardError.contains(".torn"))
    }

    @Test("damage is named with file and offset, its neighbours are served, and intake goes on", arguments: [0, 1])
    func damage(index: Int) throws {
        let (directory, log) = try stoppedLog(clean: true)
        let victim = log.records[index]
        let lost = try #require(victim.requestIdentifier)
        try change(directory.path(of: victim.file)) { $0[victim.offset + victim.text.utf8.count - 30] ^= 0x01 }

        let server = try ServerProcess(directory: directory)
        for identifier in ["a", "b", "c"] {
            #expect(try server.get("/v1/requests/\(identifier)").status == (identifier == lost ? 404 : 200), "\(identifier)")
        }
        let fresh = try #require(try server.post(sentPayload("d")).object().integer("sequence"))
        #expect(fresh > log.records.compactMap(\.sequence).max() ?? 0)
        let ready = try server.get("/readyz")
        #expect(ready.text.contains(victim.file) && ready.text.contains("\(victim.offset)"), "\(ready.text)")
        try eventually("a line about it") {
            server.child.standardError.split(separator: "\n").contains { $0.contains(victim.file) && $0.contains("\(victim.offset)") }
        }
        // The lost one may be delivered again.
        #expect(try server.post(sentPayload(lost)).object()["duplicate"] == "false")
        try server.terminate()
        let after = try server.log()
        #expect(after.files.count == 2)
        #expect(after.unsound == ["\(victim.file)@\(victim.offset)"])
        #expect(after.records.count == 4)
        #expect(Int(after.files[1].prefix(20)) == fresh)
    }

    @Test("a damaged segment stays as it is, start after start")
    func damageIsKept() throws {
        let (directory, log) = try stoppedLog(clean: true)
        let victim = log.records[0]
        let path = directory.path(of: victim.file)
        try change(path) { $0[victim.offset + 20] ^= 0x01 }
        let damaged = FileManager.default.contents(atPath: path)
        for round in 0..<3 {
            let server = try ServerProcess(directory: directory)
            #expect(try server.post(sentPayload("r\(round)")).status == 200)
            #expect(try server.get("/v1/requests/c").status == 200)
            if round % 2 == 0 { try server.terminate() } else { try server.child.kill9() }
        }
        let trimmed = { (data: Data?) in data.map { $0.reversed().drop { $0 == 0 || $0 == 10 }.count } }
        let now = FileManager.default.contents(atPath: path)
        #expect(trimmed(now) == trimmed(damaged))
        let server = try ServerProcess(directory: directory)
        for round in 0..<3 { #expect(try server.get("/v1/requests/r\(round)").status == 200) }
    }

    @Test("padding between lines is nothing")
    func padding() throws {
        let (directory, log) = try stoppedLog(clean: true)
        let second = log.records[1]
        try change(directory.path(of: second.file)) { $0.insert(contentsOf: [10, 10, 0, 0, 10, 0], at: second.offset) }
        let server = try ServerProcess(directory: directory)
        for identifier in ["a", "b", "c"] { #expect(try server.get("/v1/requests/\(identifier)").status == 200) }
        #expect(!directory.entries.contains { $0.hasSuffix(".torn") })
        #expect(try server.post(sentPayload("b")).object()["duplicate"] == "true")
    }

    @Test("an empty directory, an empty segment and foreign files are no obstacle")
    func oddDirectories() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "00000000000000000001.jsonl")
        try directory.write("notes", to: "README")
        try directory.write("{}", to: "other.jsonl")
        let server = try ServerProcess(directory: directory)
        #expect(try server.post(sentPayload("a")).status == 200)
        #expect(try server.get("/v1/requests/a").status == 200)
        #expect(FileManager.default.contents(atPath: directory.path(of: "README")) == Data("notes".utf8))
    }
}
