// What `log export` prints: each request once, with what is known of it, as the server would answer.

import Foundation
import TestSupport
import Testing

@testable import CallbackLog

@Suite("log export")
struct ExportTests {
    private static let header =
        "request_id,status,crisp_fingerprint,whatsapp_message_id,session_id,failure_message,failure_reason,failure_code,failure_class,"
        + "failure_retryable,failure_retry_after_seconds,received_at,sequence,callbacks,updated_at,announced_at,overdue_at,reference,metadata"

    @Test("a line is what the server answers of that request, in the order of the newest records")
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
        "--class takes the failed requests of one class, by the present table",
        arguments: [("retry_later", ["r1"]), ("template", ["r2"]), ("unknown", ["r3"]), ("billing", [])] as [(String, [String])])
    func classes(name: String, expected: [String]) throws {
        let log = HandmadeLog()
        log.segments = [
            1: [
                HandmadeLog.record(1, "r1", status: "failed", payload: #"{"message":"(#131049) x"}"#),
                HandmadeLog.record(2, "r2", status: "failed", payload: #"{"message":"Template is paused"}"#),
                HandmadeLog.record(3, "r3", status: "failed", payload: #"{"message":"nobody knows this"}"#),
                HandmadeLog.record(4, "r4", payload: #"{"whatsapp_message_id":"w","message":"Template is paused"}"#),
                HandmadeLog.record(5, "r5", status: "unrecognized", payload: "{}"),
            ]
        ]
        try log.write()
        let run = try log.run("export", "--format", "jsonl", "--class", name)
        #expect(run.status == .exited(0) && run.output.lines.compactMap { try? RawJSON(object: $0).string("request_id") } == expected)
        #expect(try log.run("export", "--format", "jsonl", "--class", "lost").status == .exited(64))
    }

    @Test(
        "filters are about the newest record, by the present decoder",
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

    /// What a request's records come to, told record by record.
    private struct Told {
        var newest = 0
        var callbacks = 0
        var received = 0
        var first = 0
        var overdue = 0
        var members = ""

        func text(_ identifier: String) -> String { "\(newest) \(identifier) \(callbacks) \(received) \(first) \(overdue) \(members)" }
    }

    @Test("however small the windows, each request comes once, where its newest record stands, with all that its records say")
    func windows() throws {
        var random = SeededGenerator(seed: 11)
        for round in 0..<20 {
            let count = Int.random(in: 1...60, using: &random)
            let requests = Int.random(in: 1...25, using: &random)
            let log = HandmadeLog()
            var told: [String: Told] = [:]
            var first = 1
            for sequence in 1...count {
                if Int.random(in: 0..<6, using: &random) == 0 { first = sequence }
                let identifier = "r\(Int.random(in: 0..<requests, using: &random))"
                var request = told[identifier] ?? Told()
                request.newest = sequence
                switch Int.random(in: 0..<(round % 2 == 0 ? 4 : 1), using: &random) {
                case 1, 2:
                    let members = "\"overdue_after\":\(sequence),\"reference\":\"o-\(sequence)\",\"metadata\":{}"
                    if request.first == 0 { request.first = sequence }
                    request.members = members
                    log.segments[first, default: []].append(HandmadeLog.announcement(sequence, identifier, members: members))
                case 3:
                    request.overdue = sequence
                    log.segments[first, default: []].append(HandmadeLog.overdue(sequence, identifier))
                default:
                    request.callbacks += 1
                    request.received = sequence
                    log.segments[first, default: []].append(HandmadeLog.record(sequence, identifier))
                }
                told[identifier] = request
            }
            try log.write()
            let (since, until) = (Int.random(in: 0...count, using: &random), Int.random(in: 1...(count + 9), using: &random))
            let expected = told.filter { since <= $1.newest && $1.newest < until }.sorted { $0.value.newest < $1.value.newest }.map { $1.text($0) }
            for windowRecords: UInt64 in [1, 3, 7, 1_000] {
                var inspection = RequestInspection(
                    try LogInspection(path: log.path), since: Timestamp(rfc3339: HandmadeLog.moment(since)),
                    until: Timestamp(rfc3339: HandmadeLog.moment(until)), windowRecords: windowRecords, table: RequestTable(), passed: { _ in })
                var seen: [String] = []
                _ = try inspection.forEach { request, payload, members in
                    let sequence: (Timestamp?) -> Int = { time in
                        time.flatMap { time in (1...count).first { Timestamp(rfc3339: HandmadeLog.moment($0)) == time } } ?? 0
                    }
                    let shown = Told(
                        newest: Int(request.sequence), callbacks: request.callbackCount, received: sequence(request.callbackReceivedAt),
                        first: sequence(request.announcedAt), overdue: sequence(request.foundOverdueAt), members: text(members))
                    seen.append(shown.text(String(decoding: request.requestID, as: UTF8.self)))
                    let payloadWanted = shown.received == 0 ? "" : "\"w\(shown.received)\"}"
                    #expect(text(payload).hasSuffix(payloadWanted) && text(payload).isEmpty == payloadWanted.isEmpty)
                }
                #expect(seen == expected, "round \(round), windows of \(windowRecords)")
            }
        }
    }

    private func text(_ bytes: Span<UInt8>) -> String { String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }

    @Test("what was announced is there, pending, overdue or joined by its callback")
    func announced() throws {
        let log = HandmadeLog()
        log.segments = [
            1: [
                HandmadeLog.announcement(1, "r1"), HandmadeLog.announcement(2, "r2", members: #""overdue_after":2,"reference":"o\"2","metadata":{"a":1}"#),
                HandmadeLog.announcement(3, "r3"),
            ],
            4: [HandmadeLog.overdue(5, "r2"), HandmadeLog.record(6, "r3"), HandmadeLog.announcement(7, "r1")],
        ]
        log.segments[4]?.insert(HandmadeLog.record(4, "r4"), at: 0)
        try log.write()
        let (moments, run) = ((0...7).map(HandmadeLog.moment), try log.run("export", "--format", "csv"))
        #expect(
            run.output.components(separatedBy: "\r\n").dropFirst() == [
                "r4,sent,,w4,,,,,,,,\(moments[4]),4,1,\(moments[4]),,,,{}",
                "r2,overdue,,,,,,,,,,,5,0,\(moments[5]),\(moments[2]),2026-05-20T00:00:04.002Z,\"o\"\"2\",\"{\"\"a\"\":1}\"",
                "r3,sent,,w6,,,,,,,,\(moments[6]),6,1,\(moments[6]),\(moments[3]),2026-05-20T00:05:03.003Z,,{}",
                "r1,pending,,,,,,,,,,,7,0,\(moments[7]),\(moments[1]),2026-05-20T00:05:01.001Z,,{}", "",
            ])
        #expect(try log.run("export", "--format", "jsonl", "--status", "overdue").output.lines.count == 1)
        #expect(try log.run("export", "--format", "jsonl", "--status", "pending").output.contains(#""request_id":"r1","status":"pending""#))
        #expect(try log.run("cat", "--kind", "announcement").output.lines.count == 4)
        #expect(try log.run("cat", "--kind", "overdue").output.lines.count == 1)
        #expect(try log.run("cat", "--status", "sent").output.lines.count == 2)
    }

    @Test("the format must be named, and is one of two")
    func usage() throws {
        #expect(try runToExit(["log", "export"]).status == .exited(64))
        #expect(try runToExit(["log", "export", "--format", "xml"]).status == .exited(64))
    }
}
