// The log as another program reads it: segment files, lines, checksums, and the rules that bind them.
//
// Promises: an implementation of the format page of its own (API §7), down to the checksum, so that it
// can disagree with the server's. It reads whole directories into memory: test logs are small.
// Must not know: how the server writes, indexes or recovers.

import Foundation

/// One sound line of a segment.
public struct LogLine: Sendable {
    /// Name of the segment file.
    public let file: String
    /// Where the line starts in its file, in bytes.
    public let offset: Int
    /// The line as it stands there, without its line feed.
    public let text: String
    public let members: RawJSON

    public var sequence: Int? { members.integer("sequence") }
    public var kind: String? { members.string("kind") }
    public var requestIdentifier: String? { members.string("request_id") }
    /// The payload's raw text.
    public var payload: String? { members["payload"] }
    public var durable: Int? { members.integer("durable") }
}

/// All segments of a data directory, read at one moment.
public struct LogReader: Sendable {
    /// Sound lines in log order, checkpoints among them.
    public private(set) var lines: [LogLine] = []
    /// Lines that are not sound, as `file@offset`.
    public private(set) var unsound: [String] = []
    /// Segment files in order.
    public let files: [String]

    /// The lines that have a sequence.
    public var records: [LogLine] { lines.filter { $0.sequence != nil } }

    /// Records of one request in order.
    public func records(of requestIdentifier: String) -> [LogLine] {
        lines.filter { $0.requestIdentifier == requestIdentifier }
    }

    /// Reads every `{20 digits}.jsonl` of the directory.
    /// - Throws: when the directory cannot be read.
    public init(directory: String) throws {
        files = try FileManager.default.contentsOfDirectory(atPath: directory).filter { name in
            name.hasSuffix(".jsonl") && name.count == 26 && name.prefix(20).allSatisfy { $0.isASCII && $0.isNumber }
        }.sorted()
        for (index, file) in files.enumerated() {
            let successor = index + 1 < files.count ? Int(files[index + 1].prefix(20)) : nil
            // A segment removed between listing and reading is a racing server's business.
            guard let data = FileManager.default.contents(atPath: directory + "/" + file) else { continue }
            read([UInt8](data), file: file, endingBefore: successor)
        }
    }

    private mutating func read(_ bytes: [UInt8], file: String, endingBefore successor: Int?) {
        var start = 0
        var expected = Int(file.prefix(20)) ?? 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let first = bytes[start..<end].firstIndex { $0 != 0 } ?? end
            if first < end {
                if let members = Self.soundMembers(Array(bytes[first..<end])), end < bytes.count {
                    // A segment's successor ends it.
                    if let sequence = members.integer("sequence") {
                        if let successor, sequence >= successor { return }
                        expected = sequence + 1
                    }
                    lines.append(
                        LogLine(
                            file: file, offset: first, text: String(decoding: bytes[first..<end], as: UTF8.self),
                            members: members))
                } else if successor.map({ expected < $0 }) ?? true {
                    unsound.append("\(file)@\(first)")
                } else {
                    return
                }
            }
            start = end + 1
        }
    }

    /// The members of a line whose last 21 bytes carry its checksum, or nil.
    private static func soundMembers(_ line: [UInt8]) -> RawJSON? {
        guard line.count > 21 else { return nil }
        let split = line.count - 21
        let text = String(decoding: line, as: UTF8.self)
        let expected = String(bytewiseCRC32C(line.dropLast(21)), radix: 16)
        let padded = String(repeating: "0", count: 8 - expected.count) + expected
        guard String(decoding: line[split...], as: UTF8.self) == ",\"crc32c\":\"\(padded)\"}" else { return nil }
        return try? RawJSON(object: text)
    }

    /// Every rule of the format that these lines break, in words; empty for a sound log.
    public func violations() -> [String] {
        var found = unsound.map { "unsound line at \($0)" }
        var lastSequence: Int?
        var lastDurable = 0
        var lastTime = ""
        for line in lines {
            let place = "\(line.file)@\(line.offset)"
            guard let durable = line.durable, let time = line.members.string("received_at"), let kind = line.kind else {
                found.append("\(place): no durable, received_at or kind")
                continue
            }
            if durable < lastDurable { found.append("\(place): durable fell from \(lastDurable) to \(durable)") }
            if time < lastTime { found.append("\(place): received_at fell from \(lastTime) to \(time)") }
            if !isTimestamp(time) { found.append("\(place): received_at is \(time)") }
            (lastDurable, lastTime) = (durable, time)
            if kind == "checkpoint" {
                if line.members.names != ["received_at", "kind", "durable", "crc32c"] {
                    found.append("\(place): a checkpoint's members are \(line.members.names)")
                }
                if let lastSequence, durable > lastSequence { found.append("\(place): durable \(durable) is ahead") }
                continue
            }
            guard let sequence = line.sequence else {
                found.append("\(place): \(kind) without a sequence")
                continue
            }
            if let lastSequence, sequence != lastSequence + 1 {
                found.append("\(place): sequence \(sequence) follows \(lastSequence)")
            }
            if durable >= sequence { found.append("\(place): durable \(durable) of record \(sequence)") }
            lastSequence = sequence
        }
        for file in files {
            guard let first = lines.first(where: { $0.file == file && $0.sequence != nil })?.sequence else { continue }
            if Int(file.prefix(20)) != first { found.append("\(file) begins with sequence \(first)") }
        }
        return found
    }
}

/// Whether a text is RFC 3339 in UTC with milliseconds: `2026-05-20T18:20:25.031Z`.
public func isTimestamp(_ text: String) -> Bool {
    let form = "dddd-dd-ddTdd:dd:dd.dddZ"
    return text.utf8.count == form.utf8.count
        && zip(text.utf8, form.utf8).allSatisfy { byte, pattern in
            pattern == UInt8(ascii: "d") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) : byte == pattern
        }
}

/// CRC-32C (Castagnoli, RFC 3720 §B.4), bytewise with a table of its own: independent of the server's.
public func bytewiseCRC32C(_ bytes: some Sequence<UInt8>) -> UInt32 {
    // Logs of several mebibytes are read by tests built without optimization: pointers make that forty times faster.
    unsafe Array(bytes).withUnsafeBufferPointer { bytes in
        unsafe remainders.withUnsafeBufferPointer { remainders in
            var remainder: UInt32 = 0xFFFF_FFFF
            var index = 0
            while index < bytes.count {
                // The index of a byte of the array, and of one of 256 remainders.
                remainder = unsafe (remainder &>> 8) ^ remainders[Int((remainder ^ UInt32(bytes[index])) & 0xFF)]
                index &+= 1
            }
            return ~remainder
        }
    }
}

/// The remainder of each byte.
private let remainders: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
}
