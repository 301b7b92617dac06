// A sound record as a visitor of the log is shown it, and which of them one wants to see.
//
// Promises: ranges and methods are about the line's bytes that come with it. A filter looks at what the log
// recorded, never into a payload. Must not know: where the bytes came from.

/// One record in its place.
public struct InspectedRecord {
    /// A moment, as the log writes it.
    public typealias Moment = Timestamp

    /// The segment's file name.
    public let segment: String
    /// Of its line in the file, in bytes.
    public let offset: Int64
    public let sequence: UInt64
    let line: ParsedLine

    public var receivedAt: Timestamp { line.receivedAt }
    public var kind: RecordKind { line.kind }
    /// As decoded on arrival; nil for what is no callback.
    public var status: RecordedStatus? { line.status }
    /// Of a callback: its payload, a JSON object. Otherwise the members of the kind.
    public var payload: Range<Int> { line.payload }

    /// Appends the `request_id`, unescaped.
    public func appendRequestID(of bytes: Span<UInt8>, to output: inout [UInt8]) {
        line.appendRequestID(of: bytes, to: &output)
    }
}

extension RecordedStatus {
    /// As the log spells it.
    public var text: String { "\(name)" }
}

/// Which records are wanted: those that meet everything that is set.
public struct RecordFilter: Sendable {
    public var requestID: [UInt8]?
    /// As decoded on arrival.
    public var status: RecordedStatus?
    public var kind: RecordKind?
    /// Inclusive.
    public var since: Timestamp?
    /// Exclusive.
    public var until: Timestamp?

    public init() {}

    public func takes(_ record: InspectedRecord, _ bytes: Span<UInt8>) -> Bool {
        if let since, record.receivedAt < since { return false }
        if isPast(record) { return false }
        if let kind, record.kind != kind { return false }
        if let status, record.status != status { return false }
        if let requestID, !record.line.names(requestID.span, in: bytes) { return false }
        return true
    }

    /// True where neither `record` nor any behind it is wanted, since times never decrease.
    public func isPast(_ record: InspectedRecord) -> Bool {
        if let until { record.receivedAt >= until } else { false }
    }
}

extension Timestamp {
    /// Reads RFC 3339 §5.6: `2026-05-20T18:20:25Z`, with a fraction of a second (beyond milliseconds it is cut off)
    /// or an offset (`+02:00`); or a date alone, `2026-05-20`, for its first moment in UTC. Nil for anything else.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        if bytes.count == 10 {
            self.init(parsing: Array((text + "T00:00:00.000Z").utf8).span)
            return
        }
        // RFC 3339 §5.6: "T" and "Z" may be written small.
        guard bytes.count >= 20, bytes[10] | 0x20 == 0x74 else { return nil }
        var position = 19
        var fraction: [UInt8] = []
        if bytes[position] == 0x2E {
            fraction = Array(bytes[(position + 1)...].prefix { $0 &- 48 < 10 })
            guard !fraction.isEmpty else { return nil }
            position += 1 + fraction.count
        }
        let milliseconds = Array((fraction + [48, 48, 48]).prefix(3))
        let whole = Array(bytes[..<10]) + [0x54] + Array(bytes[11..<19]) + [0x2E] + milliseconds + [0x5A]
        guard let local = Timestamp(parsing: whole.span), let offset = Self.offsetMinutes(bytes[position...]) else { return nil }
        // What is finer is rounded up: a record of a millisecond before it is before it, for `since` and `until` alike.
        let rounding: Int64 = fraction.dropFirst(3).contains { $0 != 48 } ? 1 : 0
        self.init(milliseconds: local.milliseconds - offset * 60_000 + rounding)
    }

    /// `Z`, or `+02:00`.
    private static func offsetMinutes(_ text: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(text)
        if bytes.count == 1 { return bytes[0] | 0x20 == 0x7A ? 0 : nil }
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A else { return nil }
        let digits = [bytes[1], bytes[2], bytes[4], bytes[5]].map { Int64($0) - 48 }
        guard digits.allSatisfy({ 0...9 ~= $0 }) else { return nil }
        let hours = digits[0] * 10 + digits[1]
        let minutes = digits[2] * 10 + digits[3]
        guard hours < 24, minutes < 60 else { return nil }
        return (bytes[0] == 0x2D ? -1 : 1) * (hours * 60 + minutes)
    }
}
