// How much a peer may do that is work for us and nothing for it: a token bucket.
//
// Promises: a client that sends requests and reads the answers never empties it, whatever else it
// does now and then; a flood of frames without requests does, after `nuisanceBurst` of them.
// Must not know: frames, the clock (its milliseconds are given).

/// The credit of one connection.
///
/// What costs one: RST_STREAM, PING, SETTINGS, PRIORITY, WINDOW_UPDATE, CONTINUATION, GOAWAY and
/// unknown frames of the peer; a DATA frame of next to nothing; and every RST_STREAM that a mistake
/// of the peer made us send (CVE-2023-44487 and CVE-2025-8671). What gives: time, and answers that
/// were sent, since an honest client's PING or WINDOW_UPDATE goes with them.
struct NuisanceBudget: Sendable {
    /// In thousandths, so that milliseconds count exactly.
    private var credit: Int
    private let creditMax: Int
    private let perMillisecond: Int
    private var lastMilliseconds: Int64?

    init(burst: Int, perSecond: Int) {
        creditMax = burst * 1_000
        credit = creditMax
        perMillisecond = perSecond
    }

    /// Whether the peer has done more than is borne.
    var isOverdrawn: Bool { credit < 0 }

    /// Adds what the time since the last call is worth. Time that goes backwards is worth nothing.
    mutating func refill(now: Int64) {
        defer { lastMilliseconds = max(now, lastMilliseconds ?? now) }
        guard let last = lastMilliseconds, now > last else { return }
        let (gain, overflowed) = Int(clamping: now.subtractingReportingOverflow(last).partialValue)
            .multipliedReportingOverflow(by: perMillisecond)
        credit = overflowed || gain < 0 || gain >= creditMax - credit ? creditMax : credit + gain
    }

    /// Takes for one nuisance.
    mutating func charge() { if credit >= 0 { credit -= 1_000 } }

    /// Gives back for so many.
    mutating func earn(_ count: Int) { credit = min(creditMax, credit + count * 1_000) }
}
