// The format of a line (API.md §7): its bytes, and that reading is the inverse of writing.
//
// Promises: bytes are compared with lines made by hand and a checksum of the tests' own (ReferenceRule.swift).
// Must not know: files, segments, what is damage.

import Testing

@testable import CallbackLog

@Suite struct LineTests {
    private let moment = Timestamp(milliseconds: 1_779_301_225_031)

    private func callback(_ identifier: String, _ payload: String, sequence: UInt64 = 42, durable: UInt64 = 41, status: RecordedStatus = .sent) -> [UInt8] {
        var line: [UInt8] = []
        RecordFormat.appendCallback(
            sequence: sequence, receivedAt: moment, requestID: Array(identifier.utf8).span, status: status,
            payload: Array(payload.utf8).span, durable: durable, to: &line)
        return line
    }

    /// Without the line feed.
    private func parse(_ line: [UInt8]) -> ParsedLine? { ParsedLine(Array(line.dropLast()).span) }

    @Test("a callback's line is the contract's, byte for byte")
    func callbackBytes() {
        let expected = referenceLine(
            "{\"sequence\":42,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"callback\",\"request_id\":\"6ea55176\",\"status\":\"sent\",\"payload\":{\"error\":false},\"durable\":41")
        #expect(callback("6ea55176", "{\"error\":false}") == expected)
    }

    @Test("a checkpoint's line is the contract's, byte for byte, and is read back")
    func checkpointBytes() throws {
        var line: [UInt8] = []
        RecordFormat.appendCheckpoint(receivedAt: moment, durable: 42, to: &line)
        #expect(line == referenceLine("{\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"checkpoint\",\"durable\":42"))
        let parsed = try #require(parse(line))
        #expect(parsed.kind == .checkpoint)
        #expect(parsed.sequence == nil)
        #expect(parsed.durable == 42)
        #expect(parsed.receivedAt == moment)
    }

    @Test("what is written is read back", arguments: RecordedStatus.allCases)
    func inverse(status: RecordedStatus) throws {
        let identifiers = ["a", "\"", "\\", "\\\"\\\"", String(repeating: "\"", count: 256), "!~", "{\"sequence\":1,"]
        let payloads = ["{}", "{\"durable\":1}", "{\"a\":\",\\\"durable\\\":7\"}", "{\"ü\":[{}]}", "{\"n\":" + String(repeating: "9", count: 5_000) + "}"]
        for identifier in identifiers {
            for payload in payloads {
                for sequence in [1, 9_999, 999_999_999_999_999_999] as [UInt64] {
                    let line = callback(identifier, payload, sequence: sequence, durable: sequence - 1, status: status)
                    #expect(line.count - payload.utf8.count <= RecordFormat.overheadBytesMax)
                    let parsed = try #require(parse(line))
                    #expect(parsed.kind == .callback)
                    #expect(parsed.sequence == sequence)
                    #expect(parsed.durable == sequence - 1)
                    #expect(parsed.status == status)
                    #expect(parsed.receivedAt == moment)
                    #expect(String(decoding: line[parsed.payload], as: UTF8.self) == payload)
                    var plain: [UInt8] = []
                    parsed.appendRequestID(of: line.span, to: &plain)
                    #expect(plain == Array(identifier.utf8))
                    let named = [plain, plain + [0x61], plain.dropLast()].map { parsed.names($0.span, in: line.span) }
                    #expect(named == [true, false, false], "the id, one longer, one shorter")
                }
            }
        }
    }

    @Test("a line of another kind is read with its members")
    func otherKinds() throws {
        let head = "{\"sequence\":7,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":"
        func members(_ rest: String) -> (RecordKind, String)? {
            let line = referenceLine(head + rest + ",\"durable\":6")
            return parse(line).map { ($0.kind, String(decoding: line[$0.payload], as: UTF8.self)) }
        }
        let announcement = try #require(members("\"announcement\",\"request_id\":\"a\",\"overdue_after\":300,\"reference\":null,\"metadata\":{}"))
        #expect(announcement == (.announcement, "\"overdue_after\":300,\"reference\":null,\"metadata\":{}"))
        #expect(try #require(members("\"overdue\",\"request_id\":\"a\"")) == (.overdue, ""))
        #expect(try #require(members("\"tomorrow\",\"request_id\":\"a\",\"x\":1")) == (.unknown, "\"x\":1"))
    }

    @Test("a line whose members do not stand as the format has them is not sound, whatever its checksum says", arguments: [
        "{\"sequence\":0,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":01,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":-1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":1000000000000000000,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":1000000000000000000",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":00",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\"",
        "{\"sequence\":1,\"received_at\":\"2026-02-30T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a b\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"overdue\",\"request_id\":\"a\\n\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"checkpoint\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"\",\"request_id\":\"a\",\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"callback\",\"request_id\":\"a\",\"status\":\"send\",\"payload\":{},\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"callback\",\"request_id\":\"a\",\"status\":\"sent\",\"payload\":[],\"durable\":0",
        "{\"sequence\":1,\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"callback\",\"request_id\":\"a\",\"durable\":0",
        "{\"received_at\":\"2026-05-20T18:20:25.031Z\",\"kind\":\"checkpoint\",\"x\":1,\"durable\":0",
        "[\"sequence\":1,\"durable\":0", "{,\"durable\":0", ",\"durable\":0", "",
    ])
    func malformed(body: String) {
        #expect(parse(referenceLine(body)) == nil)
    }

    @Test("a request_id of 257 characters is not sound")
    func longIdentifier() {
        #expect(parse(callback(String(repeating: "\"", count: 257), "{}")) == nil)
    }

    @Test("no prefix of a line and no line with a changed byte is sound")
    func checksummed() {
        let line = Array(callback("6ea\"5", "{\"n\":1}").dropLast())
        for count in line.indices where ParsedLine(Array(line[..<count]).span) != nil { Issue.record("\(count) bytes") }
        for index in line.indices {
            for bit in 0..<8 {
                var changed = line
                changed[index] ^= 1 << bit
                if ParsedLine(changed.span) != nil { Issue.record("byte \(index), bit \(bit)") }
            }
        }
    }
}
