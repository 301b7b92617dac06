// A log directory written by hand, line by line, from the format page alone (API.md §7).
//
// Promises: checksums are TestSupport's own; nothing of the program under test writes here.
// Must not know: what reads it.

import Foundation
import TestSupport

final class HandmadeLog {
    let directory = try? TemporaryDirectory()
    /// The lines of each segment, by its first sequence; line feeds not included.
    var segments: [Int: [String]] = [:]

    var path: String { directory?.path ?? "" }

    static func name(_ first: Int) -> String { String(repeating: "0", count: 20 - "\(first)".count) + "\(first).jsonl" }

    static func index(_ first: Int) -> String { name(first).replacingOccurrences(of: ".jsonl", with: ".index") }

    /// The moment of a record: a second for each sequence, within a day.
    static func moment(_ sequence: Int) -> String {
        String(format: "2026-05-20T%02d:%02d:%02d.%03dZ", sequence / 3_600 % 24, sequence / 60 % 60, sequence % 60, sequence % 1_000)
    }

    static func sealed(_ body: String) -> String {
        let checksum = String(bytewiseCRC32C(body.utf8), radix: 16)
        return body + ",\"crc32c\":\"" + String(repeating: "0", count: 8 - checksum.count) + checksum + "\"}"
    }

    static func record(_ sequence: Int, _ requestID: String, status: String = "sent", payload: String? = nil, durable: Int? = nil) -> String {
        let payload = payload ?? "{\"request_id\":\"\(requestID)\",\"whatsapp_message_id\":\"w\(sequence)\"}"
        return sealed(
            "{\"sequence\":\(sequence),\"received_at\":\"\(moment(sequence))\",\"kind\":\"callback\",\"request_id\":\"\(requestID)\",\"status\":\"\(status)\",\"payload\":\(payload),\"durable\":\(durable ?? sequence - 1)")
    }

    static func announcement(_ sequence: Int, _ requestID: String, members: String = #""overdue_after":300,"reference":null,"metadata":{}"#) -> String {
        other(sequence, requestID, "announcement\"", ",\(members)")
    }

    static func overdue(_ sequence: Int, _ requestID: String) -> String { other(sequence, requestID, "overdue\"", "") }

    private static func other(_ sequence: Int, _ requestID: String, _ kind: String, _ members: String) -> String {
        sealed(
            "{\"sequence\":\(sequence),\"received_at\":\"\(moment(sequence))\",\"kind\":\"\(kind),\"request_id\":\"\(requestID)\"\(members),\"durable\":\(sequence - 1)")
    }

    static func checkpoint(_ durable: Int) -> String {
        sealed("{\"received_at\":\"\(moment(durable))\",\"kind\":\"checkpoint\",\"durable\":\(durable)")
    }

    /// So many records of as many requests, `r1` and on, in segments of so many, a checkpoint at the end.
    convenience init(records: Int, each: Int) {
        self.init()
        for sequence in 1...records {
            let first = (sequence - 1) / each * each + 1
            segments[first, default: []].append(Self.record(sequence, "r\(sequence)"))
        }
        segments[(records - 1) / each * each + 1]?.append(Self.checkpoint(records))
    }

    func bytes(_ first: Int) -> [UInt8] { Array((segments[first] ?? []).map { $0 + "\n" }.joined().utf8) }

    /// Where a line of a segment begins.
    func offset(_ first: Int, line: Int) -> Int { (segments[first] ?? [])[..<line].reduce(0) { $0 + $1.utf8.count + 1 } }

    /// Writes all segments; what stood there under other names stays.
    func write() throws {
        for first in segments.keys { try write(bytes(first), to: Self.name(first)) }
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func append(_ text: String, to first: Int) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/" + Self.name(first)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

    /// Every file and its content.
    func content() throws -> [String: Data] {
        var content: [String: Data] = [:]
        for name in directory?.entries ?? [] { content[name] = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)) }
        return content
    }

    /// Runs `callback-receiver log …` on it.
    func run(_ arguments: String...) throws -> (status: ExitStatus, output: String, error: String) {
        try runToExit(["log"] + arguments + ["--data-directory", path])
    }
}

extension String {
    var lines: [String] { split(separator: "\n").map(String.init) }
}
