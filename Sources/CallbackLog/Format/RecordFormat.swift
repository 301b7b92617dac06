// The format of a line, encoded. The format is final: API.md §7.
//
//     bytes                                              what
//     {"sequence":                                       absent in a checkpoint, which begins {"received_at":"
//     1…18 digits                                        the record's position, dense, from 1
//     ,"received_at":"                                   RFC 3339, 24 bytes, never decreasing
//     ","kind":"                                         callback | announcement | overdue | checkpoint
//     ","request_id":"                                   visible ASCII, `"` and `\` escaped with `\`; none in a checkpoint
//     ,…                                                 members of the kind; of a callback "status":"…","payload":{…}
//     ,"durable":                                        1…18 digits: the durable position when the line was written
//     ,"crc32c":"xxxxxxxx"}                              21 bytes: CRC-32C, lower-case hex, of all bytes before them
//     LF
//
// Valid is a line whose checksum holds and whose members stand in this order. NUL bytes around a line and
// empty lines are padding.
// Must not know: files, segments, what a payload means.

import Platform

/// What a record says.
public enum RecordKind: UInt8, Sendable {
    case callback, announcement, overdue, checkpoint
    /// A sound line of a kind this version does not know: counted and kept, not served.
    case unknown
}

/// The status that a callback's decoder gave on arrival.
public enum RecordedStatus: UInt8, Sendable, CaseIterable {
    case sent, failed, unrecognized

    /// As the log spells it.
    public var name: String { "\(literal)" }

    var literal: StaticString {
        switch self {
        case .sent: "sent"
        case .failed: "failed"
        case .unrecognized: "unrecognized"
        }
    }
}

package enum RecordFormat {
    /// `,"crc32c":"xxxxxxxx"}`
    static let checksumBytes = 21
    /// The largest sequence: 18 digits, so that none overflows and none needs a sign.
    static let sequenceMax: UInt64 = 999_999_999_999_999_999
    /// What a record takes beside its payload, at most: the members above with a request_id of 256 bytes, all escaped.
    static let overheadBytesMax = 1_024
    /// The largest payload that the server can be told to take.
    static let payloadBytesMax = 16 * 1_024 * 1_024
    /// A longer line is unsound, whatever it says.
    static let lineBytesMax = payloadBytesMax + overheadBytesMax

    /// Appends the line of a callback, line feed included. `requestID` is visible ASCII, `payload` compact JSON.
    package static func appendCallback(
        sequence: UInt64, receivedAt: Timestamp, requestID: Span<UInt8>, status: RecordedStatus, payload: Span<UInt8>,
        durable: UInt64, to output: inout [UInt8]
    ) {
        let start = output.count
        appendHead(sequence: sequence, receivedAt: receivedAt, kind: "callback", requestID: requestID, to: &output)
        output.append(",\"status\":\"")
        output.append(status.literal)
        output.append("\",\"payload\":")
        output.append(payload)
        finish(from: start, durable: durable, to: &output)
    }

    /// Appends the line of a record of another kind. `members` are those of the kind, as they stand in a line.
    static func append(
        _ kind: RecordKind, sequence: UInt64, receivedAt: Timestamp, requestID: Span<UInt8>, members: Span<UInt8>, durable: UInt64,
        to output: inout [UInt8]
    ) {
        let start = output.count
        appendHead(
            sequence: sequence, receivedAt: receivedAt, kind: kind == .overdue ? "overdue" : "announcement", requestID: requestID, to: &output)
        if !members.isEmpty { output.append(",") }
        output.append(members)
        finish(from: start, durable: durable, to: &output)
    }

    /// Appends a line up to its `request_id`: what all records begin with.
    static func appendHead(
        sequence: UInt64, receivedAt: Timestamp, kind: StaticString, requestID: Span<UInt8>, to output: inout [UInt8]
    ) {
        output.append("{\"sequence\":")
        output.append(decimal: sequence)
        output.append(",\"received_at\":\"")
        receivedAt.append(to: &output)
        output.append("\",\"kind\":\"")
        output.append(kind)
        output.append("\",\"request_id\":\"")
        for index in requestID.indices {
            let byte = requestID[index]
            if byte == 0x22 || byte == 0x5C { output.append(0x5C) }
            output.append(byte)
        }
        output.append("\"")
    }

    /// Appends a checkpoint's line, line feed included.
    package static func appendCheckpoint(receivedAt: Timestamp, durable: UInt64, to output: inout [UInt8]) {
        let start = output.count
        output.append("{\"received_at\":\"")
        receivedAt.append(to: &output)
        output.append("\",\"kind\":\"checkpoint\"")
        finish(from: start, durable: durable, to: &output)
    }

    /// Appends what every line that began at `start` ends with.
    static func finish(from start: Int, durable: UInt64, to output: inout [UInt8]) {
        output.append(",\"durable\":")
        output.append(decimal: durable)
        let checksum = CRC32C.checksum(output.span.extracting(start...))
        output.append(",\"crc32c\":\"")
        Hexadecimal.append(UInt64(checksum), digits: 8, to: &output)
        output.append("\"}\n")
    }

    /// Appends what `escaped`, a `request_id` as it stands in a line, says.
    static func appendUnescaped(_ escaped: Span<UInt8>, to output: inout [UInt8]) {
        if ByteSearch.firstIndex(of: 0x5C, in: escaped, from: 0) == nil { return output.append(escaped) }
        var position = 0
        while position < escaped.count {
            if escaped[position] == 0x5C { position += 1 }
            output.append(escaped[position])
            position += 1
        }
    }
}
