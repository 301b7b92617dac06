// The format of a line, read back. See RecordFormat.swift for the bytes.
//
// Promises: a line is taken only when its checksum holds and its members stand where the format has
// them; ranges point into the line. Reads nothing outside the line, allocates nothing, trusts nothing.
// Must not know: whether the record was acknowledged, or which line came before.

import Platform

/// One sound line.
struct ParsedLine {
    let kind: RecordKind
    /// Nil in a checkpoint only.
    let sequence: UInt64?
    let receivedAt: Timestamp
    /// The escaped text between the quotes of `request_id`; empty in a checkpoint.
    let requestID: Range<Int>
    /// Of a callback; nil otherwise.
    let status: RecordedStatus?
    /// Of a callback: its payload. Otherwise the members of the kind, without the leading comma.
    let payload: Range<Int>
    let durable: UInt64

    /// Nil for a line that is not sound. `line` is without its line feed and without padding.
    init?(_ line: Span<UInt8>) {
        let bodyEnd = line.count - RecordFormat.checksumBytes
        guard bodyEnd > 0, line[0] == 0x7B else { return nil }
        var tail = Cursor(position: bodyEnd, end: line.count)
        guard tail.take(",\"crc32c\":\"", in: line), let checksum = tail.hexadecimal8(in: line), tail.take("\"}", in: line), tail.isAtEnd,
            checksum == CRC32C.checksum(line.extracting(0..<bodyEnd))
        else { return nil }

        // `durable` is the last member: found from the end, since the payload before it is free text.
        var digitsStart = bodyEnd
        while digitsStart > 0, line[digitsStart - 1] &- 48 < 10 { digitsStart -= 1 }
        let label = 11  // ,"durable":
        guard digitsStart >= label else { return nil }
        var mark = Cursor(position: digitsStart - label, end: bodyEnd)
        guard mark.take(",\"durable\":", in: line), let durable = mark.number(in: line), mark.isAtEnd else { return nil }

        var cursor = Cursor(position: 0, end: digitsStart - label)
        if cursor.take("{\"received_at\":\"", in: line) {
            guard let receivedAt = cursor.timestamp(in: line), cursor.take("\",\"kind\":\"checkpoint\"", in: line), cursor.isAtEnd else {
                return nil
            }
            kind = .checkpoint
            sequence = nil
            self.receivedAt = receivedAt
            requestID = 0..<0
            status = nil
            payload = 0..<0
            self.durable = durable
            return
        }
        guard cursor.take("{\"sequence\":", in: line), let sequence = cursor.number(in: line), sequence > 0,
            cursor.take(",\"received_at\":\"", in: line), let receivedAt = cursor.timestamp(in: line), cursor.take("\",\"kind\":\"", in: line),
            let kind = cursor.kind(in: line), cursor.take(",\"request_id\":\"", in: line), let requestID = cursor.escapedText(in: line)
        else { return nil }
        // A record is not durable before it is written: such a line proves nothing.
        guard durable < sequence else { return nil }
        self.kind = kind
        self.sequence = sequence
        self.receivedAt = receivedAt
        self.requestID = requestID
        self.durable = durable
        if kind == .callback {
            guard cursor.take(",\"status\":\"", in: line), let status = cursor.status(in: line), cursor.take(",\"payload\":{", in: line) else { return nil }
            self.status = status
            payload = (cursor.position - 1)..<cursor.end
        } else {
            status = nil
            _ = cursor.take(",", in: line)
            payload = cursor.position..<cursor.end
        }
    }

    /// True where the escaped `request_id` of this line says `identifier`.
    func names(_ identifier: Span<UInt8>, in line: Span<UInt8>) -> Bool {
        var position = requestID.lowerBound
        var matched = 0
        while position < requestID.upperBound {
            if line[position] == 0x5C { position += 1 }
            guard matched < identifier.count, line[position] == identifier[matched] else { return false }
            position += 1
            matched += 1
        }
        return matched == identifier.count
    }

    /// Appends the `request_id` without its escapes.
    func appendRequestID(of line: Span<UInt8>, to output: inout [UInt8]) { RecordFormat.appendUnescaped(line.extracting(requestID), to: &output) }
}

/// A place in a line, moving forward over what is expected there. Every method takes the line.
private struct Cursor {
    private(set) var position: Int
    let end: Int

    init(position: Int, end: Int) {
        self.position = position
        self.end = end
    }

    var isAtEnd: Bool { position == end }

    /// Moves past `text` if it stands here.
    @inline(__always)
    mutating func take(_ text: StaticString, in line: Span<UInt8>) -> Bool {
        let count = text.utf8CodeUnitCount
        guard end - position >= count else { return false }
        guard ByteSearch.isEqual(line, at: position, to: text) else { return false }
        position += count
        return true
    }

    /// 1 to 18 digits without a leading zero (but for 0 itself).
    mutating func number(in line: Span<UInt8>) -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < end, line[position] &- 48 < 10, position - start < 18 {
            value = value * 10 + UInt64(line[position] - 48)
            position += 1
        }
        guard position > start, position - start == 1 || line[start] != 48 else { return nil }
        return value
    }

    mutating func hexadecimal8(in line: Span<UInt8>) -> UInt32? {
        guard end - position >= 8, let number = Hexadecimal.number(line.extracting(position..<(position + 8))) else { return nil }
        position += 8
        return UInt32(truncatingIfNeeded: number)
    }

    mutating func timestamp(in line: Span<UInt8>) -> Timestamp? {
        guard end - position >= Timestamp.byteCount else { return nil }
        defer { position += Timestamp.byteCount }
        return Timestamp(parsing: line.extracting(position..<(position + Timestamp.byteCount)))
    }

    /// The kind and its closing quote. A checkpoint has no sequence and is not one here.
    mutating func kind(in line: Span<UInt8>) -> RecordKind? {
        if take("callback\"", in: line) { return .callback }
        if take("announcement\"", in: line) { return .announcement }
        if take("overdue\"", in: line) { return .overdue }
        if take("checkpoint\"", in: line) { return nil }
        let start = position
        while position < end, line[position] >= 0x61, line[position] <= 0x7A { position += 1 }
        return position > start && take("\"", in: line) ? .unknown : nil
    }

    mutating func status(in line: Span<UInt8>) -> RecordedStatus? {
        for status in RecordedStatus.allCases where take(status.literal, in: line) { return take("\"", in: line) ? status : nil }
        return nil
    }

    /// Visible ASCII up to the closing quote, `"` and `\` escaped; 1 to 256 characters.
    mutating func escapedText(in line: Span<UInt8>) -> Range<Int>? {
        let start = position
        var count = 0
        while position < end, line[position] != 0x22 {
            if line[position] == 0x5C {
                position += 1
                guard position < end, line[position] == 0x22 || line[position] == 0x5C else { return nil }
            }
            guard line[position] > 0x20, line[position] < 0x7F else { return nil }
            position += 1
            count += 1
        }
        guard position < end, 1...256 ~= count else { return nil }
        position += 1
        return start..<(position - 1)
    }
}
