// A sound record as a visitor of the log is shown it, and which of them one wants to see.
//
// Promises: ranges and methods are about the line's bytes that come with it. A filter looks at what the log
// recorded, never into a payload. Must not know: where the bytes came from.

/// One record in its place.
public struct InspectedRecord {
    /// The segment's file name.
    public let segment: String
    /// Of its line in the file, in bytes.
    public let offset: Int64
    /// Its place in the log: 1 and up, dense.
    public let sequence: UInt64
    let line: ParsedLine

    /// When it was appended.
    public var receivedAt: Timestamp { line.receivedAt }
    /// What it records.
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

/// Which records are wanted: those that meet everything that is set.
public struct RecordFilter: Sendable {
    /// Unescaped, whole.
    public var requestID: [UInt8]?
    /// As decoded on arrival.
    public var status: RecordedStatus?
    /// What it records.
    public var kind: RecordKind?
    /// Inclusive.
    public var since: Timestamp?
    /// Exclusive.
    public var until: Timestamp?

    /// Every record meets it.
    public init() {}

    /// Whether the record, whose line is `bytes`, meets all of it.
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
