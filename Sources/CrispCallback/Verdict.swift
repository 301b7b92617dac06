// What a failure means for whoever sent the message: what kind it is, and whether trying again is worth it.
//
// Promises: names and raw values never change: the names stand in answers (API.md §4), the raw values in index files.
// Must not know: codes and wordings; those stand in `VerdictTable`.

/// Where a failure comes from, and so who can do something about it.
public enum FailureClass: UInt8, Sendable, CaseIterable {
    /// It is nobody's fault, or WhatsApp's: the same message may go through later.
    case retryLater = 1
    /// Too much was sent in too short a time.
    case rateLimit = 2
    /// This person cannot or will not be reached so.
    case recipient = 3
    /// The template, or what it was filled with.
    case template = 4
    /// The request is wrong in another way: the program that sent it has to be changed.
    case request = 5
    /// The WhatsApp account or its number: restricted, not registered, without permission.
    case account = 6
    /// The account's payment.
    case billing = 7
    /// No rule knows it.
    case unknown = 8

    /// The class as the interface spells it.
    public var name: String {
        switch self {
        case .retryLater: "retry_later"
        case .rateLimit: "rate_limit"
        case .recipient: "recipient"
        case .template: "template"
        case .request: "request"
        case .account: "account"
        case .billing: "billing"
        case .unknown: "unknown"
        }
    }
}

/// What is said of one failure.
public struct Verdict: Sendable {
    /// What kind of failure it is (API.md §4).
    public let failureClass: FailureClass
    /// Whether the very same message may go through later though nobody mends anything.
    public let isRetryable: Bool
    /// How long to wait before that; nil where it is not retryable, or nobody can say.
    public let retryAfterSeconds: Int?
    /// What to do, in one sentence for the people who answer customers.
    public let advice: StaticString

    /// Of a failure that waiting does not mend.
    init(_ failureClass: FailureClass, _ advice: StaticString) {
        self.failureClass = failureClass
        isRetryable = false
        retryAfterSeconds = nil
        self.advice = advice
    }

    /// Of a failure that may be over after `seconds`.
    init(_ failureClass: FailureClass, after seconds: Int, _ advice: StaticString) {
        self.failureClass = failureClass
        isRetryable = true
        retryAfterSeconds = seconds
        self.advice = advice
    }
}
