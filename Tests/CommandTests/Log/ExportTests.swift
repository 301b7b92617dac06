// What `log export` prints: each request once, with what its newest callback says, as the server would answer.

import Foundation
import TestSupport
import Testing

@testable import CallbackLog

@Suite("log export")
struct ExportTests {
    private static let header =
        "request_id,status,crisp_fingerprint,whatsapp_message_id,session_id,failure_message,failure_reason,failure_code,failure_class,"
        + "failure_retryable,failure_retry_after_seconds,received_at,sequence,callbacks,updated_at,announced_at,overdue_at,reference,metadata"

    @Test("a line is what the server answers of that request, in the order of the newest callbacks")
    func asTheServer() throws {
        let server = try ServerProcess()
        let payloads = [
            #"{"request_id":"a","message":"(#131049) no, \"never\"","reason":"r\u00e9ason"}"#,
            #"{"request_id":"b","whatsapp_message_id":"w","crisp_fingerprint":163239623329114,"session_id":"s"}"#,
            #"{"request_id":"c","x":1}"#, #"{"request_id":"a","whatsapp_message_id":"wamid.2"}"#, #"{"request_id":"d","error":{"message":"é","code":7}}"#,
        ]
        for payload in payloads { #expect(try server.post(payload).status == 200) }
        let answers = try ["b", "c", "a", "d"].map { String(decoding: try server.status(of: $0).body, as: UTF8.self) }
        let run = try runToExit(["log", "export", "--format", "jsonl", "--data-directory", server.directory.path])
        #expect(run.status == .exited(0))
        #expect(run.error == "")
        #expect(run.output.lines == answers)
        #expect(try server.terminate() == .exited(0))
    }

    @Test("CSV has a header row, then the same values; commas, quotes and line breaks are quoted, rows end with CR LF")
    func csv() throws {
        let log = HandmadeLog()
        log.segments = [
            1: [
                HandmadeLog.record(1, "r,1", payload: #"{"whatsapp_message_id":"w\"1","crisp_fingerprint":"12345678901234567890","session_id":"s"}"#),
                HandmadeLog.record(2, "r2", status: "failed", payload: #"{"message":"(#131049) a\nb","reason":"why"}"#),
                HandmadeLog.record(3, "r3", status: "unrecognized", payload: "{}"),
            ]
        ]
        try log.write()
        let run = try log.run("export", "--format", "csv")
        #expect(run.status == .exited(0))
        let moments = (1...3).map(HandmadeLog.moment)
        #expect(
            run.output == [
                Self.header, "\"r,1\",sent,12345678901234567890,\"w\"\"1\",s,,,,,,,\(moments[0]),1,1,\(moments[0]),,,,{}",
                "r2,failed,,,,\"(#131049) a\nb\",why,131049,retry_later,true,86400,\(moments[1]),2,1,\(moments[1]),,,,{}",
                "r3,unrecognized,,,,,,,,,,\(moments[2]),3,1,\(moments[2]),,,,{}", "",
            ].joined(separator: "\r\n"))
    }

    @Test(
        "filters are about the newest callback, by the present decoder",
        arguments: [
            (["--status", "failed"], ["r3"]), (["--status", "sent"], ["r2", "r1"]), (["--since", HandmadeLog.moment(4)], ["r1"]),
            (["--until", HandmadeLog.moment(3)], ["r2"]), (["--since", HandmadeLog.moment(2), "--until", HandmadeLog.moment(4)], ["r2", "r3"]),
        ])
    func filters(arguments: [String], expected: [String]) throws {
        let log = HandmadeLog()
        log.segments = [
            1: [
                HandmadeLog.record(1, "r1", status: "failed", payload: #"{"message":"no"}"#), HandmadeLog.record(2, "r2"),
                // Recorded as sent by a decoder that knew less.
                HandmadeLog.record(3, "r3", status: "sent", payload: #"{"message":"no"}"#), HandmadeLog.record(4, "r1"),
            ]
        ]
        try log.write()
        let run = try runToExit(["log", "export", "--format", "jsonl", "--data-directory", log.path] + arguments)
        #expect(run.output.lines.compactMap { try? RawJSON(object: $0).string("request_id") } == expected)
    }

    @Test("what damage took is passed over and said; what a crash tore is not counted")
    func damaged() throws {
        let log = HandmadeLog(records: 4, each: 4)
        log.segments[1]?[1] = "x"
        log.segments[1]?.append("torn")
        log.segments[1]?.append(HandmadeLog.record(5, "r1"))
        log.segments[1]?.append(HandmadeLog.record(7, "r7", durable: 4))
        try log.write()
        let run = try log.run("export", "--format", "csv")
        #expect(run.status == .exited(0))
        #expect(run.output.split(separator: "\r\n").map { $0.prefix(2) } == ["re", "r1", "r3", "r4"])
        #expect(run.error == "callback-receiver: 1 damaged place in \(log.path) passed over, 1 record lost; see callback-receiver log verify\n")
    }

    @Test("a payload that the present decoder refuses is left out and said")
    func refused() throws {
        let log = HandmadeLog()
        log.segments = [1: [HandmadeLog.record(1, "r1", payload: "{1}"), HandmadeLog.record(2, "r2")]]
        try log.write()
        let run = try log.run("export", "--format", "jsonl")
        #expect(run.status == .exited(0))
        #expect(run.output.lines.count == 1 && run.output.contains("r2"))
        #expect(run.error.contains("1 request left out") && run.error.contains("log redecode"))
    }

    @Test("however small the windows, each request comes once, where its newest callback stands, with all its callbacks counted")
    func windows() throws {
        var random = SeededGenerator(seed: 11)
        for round in 0..<20 {
            let count = Int.random(in: 1...60, using: &random)
            let requests = Int.random(in: 1...25, using: &random)
            let log = HandmadeLog()
            var identifiers: [String] = []
            var first = 1
            for sequence in 1...count {
                if Int.random(in: 0..<6, using: &random) == 0 { first = sequence }
                identifiers.append("r\(Int.random(in: 0..<requests, using: &random))")
                log.segments[first, default: []].append(HandmadeLog.record(sequence, identifiers[sequence - 1]))
            }
            try log.write()
            let (since, until) = (Int.random(in: 0...count, using: &random), Int.random(in: 1...(count + 9), using: &random))
            var expected: [String] = []
            for (index, identifier) in identifiers.enumerated() {
                let isNewest = !identifiers[(index + 1)...].contains(identifier)
                guard isNewest, index + 1 >= since, index + 1 < until else { continue }
                expected.append("\(index + 1) \(identifier) \(identifiers.count { $0 == identifier })")
            }
            for windowRecords: UInt64 in [1, 3, 7, 1_000] {
                var newest = NewestCallbacks(
                    try LogInspection(path: log.path), since: Timestamp(rfc3339: HandmadeLog.moment(since)),
                    until: Timestamp(rfc3339: HandmadeLog.moment(until)), windowRecords: windowRecords, table: RequestTable(), passed: { _ in })
                var seen: [String] = []
                _ = try newest.forEach { record, bytes, count in
                    var identifier: [UInt8] = []
                    record.appendRequestID(of: bytes, to: &identifier)
                    seen.append("\(record.sequence) \(String(decoding: identifier, as: UTF8.self)) \(count)")
                }
                #expect(seen == expected, "round \(round), windows of \(windowRecords)")
            }
        }
    }

    @Test("the format must be named, and is one of two")
    func usage() throws {
        #expect(try runToExit(["log", "export"]).status == .exited(64))
        #expect(try runToExit(["log", "export", "--format", "xml"]).status == .exited(64))
    }
}
