// What a callback says happened to its request, in one word.
//
// Promises: names and raw values never change: the names stand in answers and in log records (API.md §4, §7),
// the raw values in index files.
// Must not know: how a status is found.

/// The outcome that a callback reports.
public enum CallbackStatus: UInt8, Sendable, CaseIterable {
    /// Crisp sent the message. Neither delivered nor read.
    case sent = 1
    /// Crisp did not send it, or WhatsApp refused it.
    case failed = 2
    /// The payload says neither. It is stored all the same.
    case unrecognized = 3

    /// The status as the interface and the log spell it.
    public var name: String {
        switch self {
        case .sent: "sent"
        case .failed: "failed"
        case .unrecognized: "unrecognized"
        }
    }
}
