// API §7: the log as grep, jq and any other program find it.
//
// Promises: files are read with the tests' own reader and checksum, while the server runs and after.
// Must not know: index files and other derived ones.

import Foundation
import Testing
import TestSupport

@Suite("The log on disk")
struct FormatTests {
    @Test("the bytewise checksum of the tests is CRC-32C (RFC 3720 §B.4)")
    func checksum() {
        #expect(bytewiseCRC32C(Array("123456789".utf8)) == 0xE306_9283)
        #expect(bytewiseCRC32C([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(bytewiseCRC32C([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    }

    @Test("each callback is one line with the members of the format, in their order")
    func lines() throws {
        let server = try ServerProcess()
        let payloads = [
            ("sent", #"{"request_id":"a","whatsapp_message_id":"w"}"#), ("failed", #"{"request_id":"b","error":true,"message":"(#5)"}"#),
            ("unrecognized", #"{"request_id":"c","n":[1.0,1e5,-0,123456789012345678901234567890]}"#),
            ("unrecognized", "{ \"request_id\" :\n \"d\\\"\\\\\\u0041\", \"s\" : \" white  space \\t\\ud800 é😀\" }"),
            ("sent", "\u{FEFF}" + #"{"request_id":"a","whatsapp_message_id":"w2","x":1,"x":2}"#),
        ]
        var told: [Int] = []
        for (_, payload) in payloads { told.append(try #require(try server.post(payload).object().integer("sequence"))) }
        _ = try server.post(payloads[0].1)
        _ = try server.post("nonsense")
        _ = try server.post("{}")
        try server.terminate()

        let log = try server.log()
        #expect(log.violations() == [])
        #expect(log.records.map(\.sequence) == told)
        for (line, (status, payload)) in zip(log.records, payloads) {
            #expect(line.members.names == ["sequence", "received_at", "kind", "request_id", "status", "payload", "durable", "crc32c"])
            #expect(line.text.hasPrefix("{\"sequence\":\(line.sequence ?? -1),\"received_at\":\""))
            #expect(line.kind == "callback")
            #expect(line.members.string("status") == status)
            let expected = RawJSON.compact(payload.hasPrefix("\u{FEFF}") ? String(payload.unicodeScalars.dropFirst()) : payload)
            #expect(line.payload.map(RawJSON.compact) == expected)
            #expect(!line.text.contains("\n") && !line.text.contains("\r"))
        }
        #expect(log.records.map(\.requestIdentifier) == ["a", "b", "c", "d\"\\A", "a"])
    }

    @Test("a segment is named by its first sequence, and only segments end in .jsonl")
    func names() throws {
        let server = try ServerProcess()
        let first = try #require(try server.post(sentPayload("a")).object().integer("sequence"))
        let digits = String(first)
        let name = String(repeating: "0", count: 20 - digits.count) + digits + ".jsonl"
        #expect(try server.log().files == [name])
        #expect(server.directory.entries.filter { $0.hasSuffix(".jsonl") } == [name])
        // What is told is on disk, while the server runs.
        #expect(try server.log().records(of: "a").count == 1)
    }

    @Test("after at most a second without a record a checkpoint proves the last one")
    func quietCheckpoint() throws {
        let server = try ServerProcess()
        let sequence = try #require(try server.post(sentPayload("a")).object().integer("sequence"))
        try eventually("a checkpoint") {
            let last = try server.log().lines.last
            return last?.kind == "checkpoint" && last?.durable == sequence
        }
        #expect(try server.log().violations() == [])
    }

    @Test("a quiet log does not grow")
    func quietLog() throws {
        let server = try ServerProcess()
        _ = try server.post(sentPayload("a"))
        try eventually("a checkpoint") { try server.log().lines.last?.kind == "checkpoint" }
        try server.terminate()
        let log = try server.log()
        #expect(log.records.count == 1)
        #expect(log.lines.count { $0.kind == "checkpoint" } <= 2)
    }

    @Test("a full segment is followed by one named by the next sequence, and all are served", .timeLimit(.minutes(1)))
    func rotation() throws {
        let directory = try TemporaryDirectory()
        let configuration = "log:\n  segment-bytes-max: 1 MiB\n"
        let server = try ServerProcess(directory: directory, configuration: configuration)
        let connection = try server.connect()
        let text = String(repeating: "x", count: 60_000)
        for index in 0..<60 {
            try connection.send(postBytes(sentPayload("r\(index)", "w")))
            #expect(try connection.readAnswer().status == 200)
            try connection.send(postBytes(#"{"request_id":"r\#(index)","pad":"\#(text)"}"#))
            #expect(try connection.readAnswer().status == 200)
        }
        #expect(try server.log().files.count >= 3)
        try server.terminate()
        let log = try server.log()
        #expect(log.violations() == [])
        #expect(log.records.count == 120)
        let again = try ServerProcess(directory: directory, configuration: configuration)
        for index in [0, 1, 29, 58, 59] {
            #expect(try again.get("/v1/requests/r\(index)").object().integer("callbacks") == 2)
            #expect(try again.post(sentPayload("r\(index)", "w")).object()["duplicate"] == "true")
            #expect(try again.get("/v1/requests/r\(index)/callbacks").object().array("callbacks")?.count == 2)
        }
    }
}
