// What the operator should hear of a log that is open.
//
// Promises: no payload, no request_id (invariant 9). Must not know: how it is said.

/// What the operator should hear of.
public enum LogNotice: Sendable, Equatable {
    /// The first attempt failed; the batch goes to a fresh segment.
    case writeFailed(SystemErrorText)
    case segmentBegun(name: String)
    case blocked(LogBlock)
    case unblocked
    /// The disk has not answered for so long, and callbacks are refused until it does.
    case stalled(milliseconds: Int64)
    /// It has, after so long.
    case answered(milliseconds: Int64)
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
