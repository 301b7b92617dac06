// What goes in at the log's door, and what comes back. The door is this narrow on purpose: whoever can make
// a Submission (the HTTP server now, another feed later) can use the log.
//
// Must not know: HTTP, JSON, who waits for the answer.

/// A record on its way into the log: a decoded callback, or one of another kind.
public struct Submission: Sendable {
    /// What it is to be recorded as.
    public let kind: RecordKind
    /// The bytes that `requestID` and `payload` point into.
    public let record: [UInt8]
    /// 1 to 256 bytes of visible ASCII, unescaped.
    public let requestID: Range<Int>
    /// Of a callback: a JSON object without white space between its tokens. Otherwise the members of the kind.
    public let payload: Range<Int>
    /// Of a callback; of no meaning otherwise.
    public let status: RecordedStatus
    /// Who is told, as `CallbackLog.addRecipient` numbered it.
    public let recipient: Int
    /// Comes back in the acknowledgement; means nothing to the log.
    public let ticket: UInt64

    /// A callback. A payload that `CallbackLog.append` does not take, of more than 16 MiB, it refuses.
    public init(record: [UInt8], requestID: Range<Int>, payload: Range<Int>, status: RecordedStatus, recipient: Int, ticket: UInt64) {
        self.init(.callback, record: record, requestID: requestID, payload: payload, status: status, recipient: recipient, ticket: ticket)
    }

    /// An announcement: its members stand in `record` as they do in a line, the `request_id` unescaped.
    public init(announcement record: [UInt8], requestID: Range<Int>, members: Range<Int>, recipient: Int, ticket: UInt64) {
        self.init(.announcement, record: record, requestID: requestID, payload: members, status: .unrecognized, recipient: recipient, ticket: ticket)
    }

    /// The record that an announced request is overdue.
    init(overdue requestID: [UInt8]) {
        self.init(
            .overdue, record: requestID, requestID: 0..<requestID.count, payload: requestID.count..<requestID.count, status: .unrecognized,
            recipient: 0, ticket: 0)
    }

    init(_ kind: RecordKind, record: [UInt8], requestID: Range<Int>, payload: Range<Int>, status: RecordedStatus, recipient: Int, ticket: UInt64) {
        self.kind = kind
        self.record = record
        self.requestID = requestID
        self.payload = payload
        self.status = status
        self.recipient = recipient
        self.ticket = ticket
    }
}

/// What became of a submission.
public enum AppendOutcome: Sendable, Equatable {
    /// Its record, or the one it duplicates, is durable (invariant 1).
    case stored(sequence: UInt64, duplicate: Bool)
    /// Not stored now; the same again later may be.
    case blocked(LogBlock)
    /// The request has `CallbackLog.recordsPerRequestMax` records; no more of it are stored.
    case tooManyRecords
    /// As many requests as may be are announced and await their callback: one more is announced once one has come.
    case tooManyAwaited
    /// The announcement is durable: as a record of its own, or as the request's newest one, which says the same.
    /// `isFirst`: the request had not been announced before.
    case announced(sequence: UInt64, isFirst: Bool)
    /// An overdue record that nobody needs: the callback has come, there is more time, or it is there already.
    case superfluous

    /// Of the record that is durable for it; nil where none is.
    var sequence: UInt64? {
        switch self {
        case .stored(let sequence, _), .announced(let sequence, _): sequence
        case .blocked, .tooManyRecords, .tooManyAwaited, .superfluous: nil
        }
    }
}

/// What a batch made durable, for whoever waits for it (`CallbackLog.addObserver`).
public struct Advance: Sendable {
    /// The durable position.
    public let durable: UInt64
    /// `CallbackLog.hash(of:)` of the request of each new record, oldest first.
    public let requestHashes: [UInt64]
}

/// An outcome on its way back.
public struct Acknowledgement: Sendable {
    /// The submission's, by which its recipient knows it.
    public let ticket: UInt64
    /// What became of it.
    public let outcome: AppendOutcome
}
