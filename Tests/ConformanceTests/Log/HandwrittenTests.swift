// API §7, read the other way round: logs written by hand after the format page, served by the program.
//
// Promises: every byte of these logs comes from this file and its checksum; so the format is tested as an
// interface between programs and not as one program's habit.
// Must not know: what the server would have written itself.

import Foundation
import Testing
import TestSupport

@Suite("A log written by hand")
struct HandwrittenTests {
    private func sealed(_ text: String) -> String {
        let digits = String(bytewiseCRC32C(text.utf8), radix: 16)
        return text + ",\"crc32c\":\"" + String(repeating: "0", count: 8 - digits.count) + digits + "\"}\n"
    }

    private func record(_ sequence: Int, _ identifier: String, durable: Int, at time: String = "2026-05-20T18:20:25.031Z") -> String {
        sealed(
            "{\"sequence\":\(sequence),\"received_at\":\"\(time)\",\"kind\":\"callback\",\"request_id\":\"\(identifier)\",\"status\":\"sent\","
                + "\"payload\":\(sentPayload(identifier)),\"durable\":\(durable)")
    }

    private func checkpoint(durable: Int) -> String {
        sealed("{\"received_at\":\"2026-05-20T18:20:26.031Z\",\"kind\":\"checkpoint\",\"durable\":\(durable)")
    }

    private func directory(_ segments: [Int: String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (first, text) in segments {
            let digits = String(first)
            try directory.write(text, to: String(repeating: "0", count: 20 - digits.count) + digits + ".jsonl")
        }
        return directory
    }

    /// The sequence each identifier is answered with; nil where it is unknown.
    private func answered(_ server: ServerProcess, _ identifiers: [String]) throws -> [Int?] {
        try identifiers.map { identifier in
            let answer = try server.status(of: identifier)
            return answer.status == 200 ? try answer.object().integer("sequence") : nil
        }
    }

    private func nextSequence(_ server: ServerProcess) throws -> Int? {
        try server.post(sentPayload("next")).object().integer("sequence")
    }

    @Test("records, checkpoints, empty lines and NUL bytes are read as the page says")
    func sound() throws {
        let text = record(1, "a", durable: 0) + "\n\n" + record(2, "b", durable: 1) + "\u{0}\u{0}\n" + checkpoint(durable: 2) + "\u{0}\u{0}" + record(3, "c", durable: 2)
        let directory = try directory([1: text + checkpoint(durable: 3) + "\n\n\n\u{0}\u{0}"])
        let server = try ServerProcess(directory: directory)
        #expect(try answered(server, ["a", "b", "c"]) == [1, 2, 3])
        let status = try server.status(of: "a").object()
        #expect(status.string("received_at") == "2026-05-20T18:20:25.031Z")
        #expect(status.string("status") == "sent")
        #expect(try server.post(" " + sentPayload("b")).object()["duplicate"] == "true")
        #expect(try nextSequence(server) == 4)
        #expect(!directory.entries.contains { $0.hasSuffix(".torn") })
    }

    @Test("a log may begin anywhere, and goes on behind its last record")
    func laterBeginning() throws {
        let server = try ServerProcess(directory: try directory([41: record(41, "a", durable: 40) + checkpoint(durable: 41)]))
        #expect(try answered(server, ["a"]) == [41])
        #expect(try nextSequence(server) == 42)
    }

    @Test("a segment's successor ends it")
    func successor() throws {
        let first = record(1, "a", durable: 0) + record(2, "b", durable: 1) + record(3, "stale", durable: 1) + "half a rec"
        let second = record(3, "c", durable: 2) + checkpoint(durable: 3)
        let server = try ServerProcess(directory: try directory([1: first, 3: second]))
        #expect(try answered(server, ["a", "b", "stale", "c"]) == [1, 2, nil, 3])
        #expect(try server.post(sentPayload("stale")).object()["duplicate"] == "false")
        #expect(try server.get("/readyz").status == 200)
        #expect(try server.get("/readyz").text.contains(".jsonl") == false)
    }

    @Test("received_at never decreases, though the clock is behind the log")
    func clockBehind() throws {
        let future = "2099-12-31T23:59:59.999Z"
        let server = try ServerProcess(directory: try directory([1: record(1, "a", durable: 0, at: future) + checkpoint(durable: 1)]))
        #expect(try nextSequence(server) == 2)
        #expect(try #require(server.status(of: "next").object().string("received_at")) >= future)
        try server.terminate()
        #expect(try server.log().records.count == 2)
    }

    @Test("a bad line with no proof behind it is a tear: it is cut, and sound records behind it with it")
    func tear() throws {
        let directory = try directory([1: record(1, "a", durable: 0) + record(2, "b", durable: 1) + "{\"sequence\":3,bad\n" + record(4, "untold", durable: 2)])
        let server = try ServerProcess(directory: directory)
        #expect(try answered(server, ["a", "b", "untold"]) == [1, 2, nil])
        let torn = directory.entries.filter { $0.hasSuffix(".torn") }
        #expect(torn.count == 1)
        let kept = torn.first.flatMap { FileManager.default.contents(atPath: directory.path(of: $0)) } ?? Data()
        #expect(String(decoding: kept, as: UTF8.self).contains("untold"))
        #expect(try nextSequence(server) == 3)
    }

    @Test("the same bad line with proof behind it is damage: what is sound is served, and intake begins behind it")
    func damage() throws {
        let bad = "{\"sequence\":3,bad\n"
        let text = record(1, "a", durable: 0) + record(2, "b", durable: 1)
        let directory = try directory([1: text + bad + record(4, "d", durable: 3) + checkpoint(durable: 4)])
        let server = try ServerProcess(directory: directory)
        #expect(try answered(server, ["a", "b", "d"]) == [1, 2, 4])
        #expect(!directory.entries.contains { $0.hasSuffix(".torn") })
        #expect(try server.get("/readyz").text.contains("\(text.utf8.count)"))
        #expect(try nextSequence(server) == 5)
        #expect(directory.entries.contains("00000000000000000005.jsonl"))
    }

    @Test("a checkpoint alone is proof enough for damage before it")
    func damageBeforeCheckpoint() throws {
        let directory = try directory([1: record(1, "a", durable: 0) + "{\"sequence\":2,bad\n" + checkpoint(durable: 2)])
        let server = try ServerProcess(directory: directory)
        #expect(try answered(server, ["a"]) == [1])
        #expect(!directory.entries.contains { $0.hasSuffix(".torn") })
        // The highest sequence known is the proved one, though its record is lost: it is never given again.
        #expect(try nextSequence(server) == 3)
    }

    @Test("damage in an older segment is named, and the newest goes on")
    func olderDamage() throws {
        let directory = try directory([
            1: record(1, "a", durable: 0) + "bad\n" + record(3, "c", durable: 2), 4: record(4, "d", durable: 3) + checkpoint(durable: 4),
        ])
        let server = try ServerProcess(directory: directory)
        #expect(try answered(server, ["a", "c", "d"]) == [1, 3, 4])
        #expect(try nextSequence(server) == 5)
        #expect(try server.get("/readyz").text.contains("00000000000000000001.jsonl"))
    }
}
