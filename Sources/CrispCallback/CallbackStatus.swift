// What a callback says happened to its request, in one word.
//
// Promises: names never change: they stand in answers and in log records (API.md §4, §7).
// Must not know: how a status is found.

/// The outcome that a callback reports.
public enum CallbackStatus: Sendable, CaseIterable {
    /// Crisp sent the message. Neither delivered nor read.
    case sent
    /// Crisp did not send it, or WhatsApp refused it.
    case failed
    /// The payload says neither. It is stored all the same.
    case unrecognized

    /// The status as the interface and the log spell it.
    public var name: String {
        switch self {
        case .sent: "sent"
        case .failed: "failed"
        case .unrecognized: "unrecognized"
        }
    }
}
