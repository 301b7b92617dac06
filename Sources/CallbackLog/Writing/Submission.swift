// What goes in at the log's door, and what comes back. The door is this narrow on purpose: whoever can make
// a Submission (the HTTP server now, another feed later) can use the log.
//
// Must not know: HTTP, JSON, who waits for the answer.

import Dispatch
import Platform

/// A record on its way into the log: a decoded callback, or one of another kind.
public struct Submission: Sendable {
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
    /// The announcement is durable: as a record of its own, or as the request's newest one, which says the same.
    /// `isFirst`: the request had not been announced before.
    case announced(sequence: UInt64, isFirst: Bool)
    /// An overdue record that nobody needs: the callback has come, there is more time, or it is there already.
    case superfluous

    /// Of the record that is durable for it; nil where none is.
    var sequence: UInt64? {
        switch self {
        case .stored(let sequence, _), .announced(let sequence, _): sequence
        case .blocked, .tooManyRecords, .superfluous: nil
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
    public let ticket: UInt64
    public let outcome: AppendOutcome
}

/// What the operator should hear of.
public enum LogNotice: Sendable, Equatable {
    /// The first attempt failed; the batch goes to a fresh segment.
    case writeFailed(SystemErrorText)
    case segmentBegun(name: String)
    case blocked(LogBlock)
    case unblocked
    /// A record could not be read back while looking for a duplicate; intake goes on.
    case unreadable(RecordReadFailure)
    /// Found while serving; the rest of the segment is served.
    case damaged(UnsoundPlace)
    /// A segment or its index file was not as it should be while serving: it was read again, and its index is new.
    case reread(segment: String)
    /// An index file could not be made; it is tried again after a minute.
    case indexFailed(SystemErrorText)
    /// So many segments went by retention.
    case retired(segments: Int)
    /// A segment that is to go could not be removed; it is tried again after a minute.
    case retentionFailed(SystemErrorText)
    /// The file of superseded records could not be written; it is tried again after a minute.
    case supersessionsFailed(SystemErrorText)
    /// The file of open announcements could not be written; the next start finds them in the log.
    case expectationsFailed(SystemErrorText)

    /// The text of a SystemError: operation, file and errno.
    public typealias SystemErrorText = String
}

/// Bounds and limits of a log.
public struct LogOptions: Sendable {
    /// A segment that would pass this many bytes is left, and a new one begins. 1 MiB to 2 GiB.
    public var segmentBytesMax: Int64 = 128 * 1_024 * 1_024
    /// With less free on the file system nothing is taken. In bytes.
    public var freeBytesMin: Int64 = 64 * 1_024 * 1_024
    /// Sealed segments whose newest record is older go. Nil: none goes by age.
    public var retentionMilliseconds: Int64?
    /// The oldest sealed segments go while segments and index files together take more. Nil: none goes by size.
    public var retentionBytesMax: Int64?
    /// By which rules `describe` tells.
    public var versions = DerivedVersions(decoder: 0, verdicts: 0)
    /// Tells of a record what the index keeps. It is given the kind and, of a callback, the payload, else the members
    /// of the kind, and is called on queues of the log's own.
    public var describe: @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void = { _, _, _ in }
    /// Line feeds that are written ahead of the records at a time; 0 for none. In bytes.
    public var paddingBytes = 256 * 1_024
    /// Cuts the index's hashes short; for tests.
    var hashMask = UInt64.max
    /// Fewer in tests.
    var historyScanBytesMax = History.scanBytesMax
    /// False: nothing is done but taking records; for tests of that alone.
    var hasUpkeep = true
    public init() {}
}

/// Time, as the log uses it; tests turn it.
public struct LogTime: Sendable {
    public var wallMilliseconds: @Sendable () -> Int64
    public var monotonicMilliseconds: @Sendable () -> Int64
    /// Runs the closure once on the writer's queue, this many milliseconds from now.
    public var after: @Sendable (Int, DispatchQueue, @escaping @Sendable () -> Void) -> Void

    public init(
        wallMilliseconds: @escaping @Sendable () -> Int64, monotonicMilliseconds: @escaping @Sendable () -> Int64,
        after: @escaping @Sendable (Int, DispatchQueue, @escaping @Sendable () -> Void) -> Void
    ) {
        self.wallMilliseconds = wallMilliseconds
        self.monotonicMilliseconds = monotonicMilliseconds
        self.after = after
    }

    public static let system = LogTime(
        wallMilliseconds: Clock.wallMilliseconds,
        monotonicMilliseconds: { Clock.monotonicNanoseconds() / 1_000_000 },
        after: { milliseconds, queue, body in
            queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
        })
}
