// The callbacks and announcements of a loop that wait for the log: handed over, and not answered yet.
//
//     begin ──▶ waiting ──acknowledged──▶ answered
//                  └──────── commitSeconds ────▶ answered 503 (invariant 3); an acknowledgement after that finds nobody
//
// Promises: a ticket is given once and names one exchange for ever, never a connection or a descriptor (DESIGN.md §6);
// begin, take and the next to expire are O(1). A connection that is gone leaves its exchanges here until the log has
// spoken: they are stored all the same. Owned by its loop.
// Must not know: connections, what an answer says.

import Platform

/// A record that was handed to the log.
struct WaitingExchange {
    /// The connection's epoll token: slot and generation.
    let token: UInt64
    /// The HTTP/2 stream; 0 for HTTP/1.1.
    let stream: Int32
    /// For a log line: by then the request is gone.
    let client: IPAddress
    let prepared: PreparedAppend
    /// When it was handed over, in the loop's milliseconds.
    let began: Int64
    /// To count its answer by.
    var measure = Measure()
}

/// In the order they began, which is nearly the order in which the log answers: a ring in which the oldest waits first.
struct Exchanges {
    /// 503 for it after this; its record may become durable all the same (invariant 3).
    static let commitSeconds = 5
    /// The most that wait in one loop. More than the log lets wait (CallbackLog.waitingBytesMax) at the usual size.
    static let waitingMax = 131_072
    /// About what one batch of the log takes: as many cost no more time than one, however long the disk took before.
    static let batchCount = 8_192
    /// With more than a batch waiting, and the oldest for so long, the disk is behind what comes.
    static let behindMilliseconds: Int64 = 1_000

    /// A power of two long; nil where an exchange was answered before an older one.
    private var ring = [WaitingExchange?](repeating: nil, count: 64)
    /// The tickets of the ring's first entry and of the next one to begin.
    private var first: UInt64 = 0
    private var next: UInt64 = 0

    var isFull: Bool { Int(next - first) >= Self.waitingMax }

    /// More callbacks come than can be stored: what would wait now would be answered too late, and is told so at once.
    ///
    /// - Parameter loops: those that share the log.
    func isBehind(now: Int64, loops: Int) -> Bool {
        guard Int(next - first) > Self.batchCount / loops, let oldest = ring[place(first)] else { return false }
        return now - oldest.began > Self.behindMilliseconds
    }

    /// The ticket that the next `begin` gives.
    var nextTicket: UInt64 { next }

    /// - Precondition: not `isFull`.
    mutating func begin(_ exchange: WaitingExchange) {
        precondition(!isFull)
        if Int(next - first) == ring.count { grow() }
        ring[place(next)] = exchange
        next += 1
    }

    /// The exchange of this ticket, which leaves; nil where it has left already.
    mutating func take(_ ticket: UInt64) -> WaitingExchange? {
        guard ticket >= first, ticket < next else { return nil }
        let exchange = ring[place(ticket)].take()
        skipAnswered()
        return exchange
    }

    /// One whose time is up, which leaves; nil where there is none.
    mutating func takeExpired(now: Int64) -> WaitingExchange? {
        guard let at = expiresAt, at <= now else { return nil }
        return take(first)
    }

    /// When the oldest one's time is up; nil where none waits.
    var expiresAt: Int64? {
        first == next ? nil : ring[place(first)].map { $0.began + Int64(Self.commitSeconds) * 1_000 }
    }

    private func place(_ ticket: UInt64) -> Int { Int(ticket & UInt64(ring.count - 1)) }

    /// The first entry always waits, or there is none.
    private mutating func skipAnswered() {
        while first < next, ring[place(first)] == nil { first += 1 }
        // What a long stop of the disk took is given back.
        if first == next, ring.count > Self.batchCount { ring = [WaitingExchange?](repeating: nil, count: 64) }
    }

    private mutating func grow() {
        var larger = [WaitingExchange?](repeating: nil, count: ring.count * 2)
        for ticket in first..<next { larger[Int(ticket & UInt64(larger.count - 1))] = ring[place(ticket)] }
        ring = larger
    }
}
