// Where questions are answered that look through the log, so that no loop does; loops read the records of one request only.
//
// Promises: a serial queue, one question after the other; a bounded number of them waits, beyond which none is taken
// (invariant 7). A thread only while there is something to answer. Must not know: what is asked, who asks.

import Dispatch
import Platform
import Synchronization

/// Which questions wait for one another.
enum QueryLane: Sendable {
    /// Questions about the log.
    case log
    /// Pages of the quarantine, whose disk may be busy with what is refused.
    case quarantine
    /// Taking in again what was refused: as long as the log takes for all that there is.
    case requeue
    /// About the server itself: a scrape or a probe does not wait for others just when there are many.
    case server

    /// A question is answered 503 after this: the disk hangs, or far too much is asked. Whoever has more than one batch
    /// taken in again is told of all of it.
    var secondsMax: Int { self == .requeue ? 3_600 : 30 }
}

/// A queue for each lane.
struct QueryQueues: Sendable {
    /// Requeues that wait: each finds what the one before it left.
    static let requeuesMax = 8
    /// Scrapes and probes of readiness that wait: two Prometheus servers, a few load balancers, and somebody who looks.
    static let serverMax = 64

    private let log = QueryQueue(label: "queries")
    private let quarantine = QueryQueue(label: "queries.quarantine")
    private let requeue = QueryQueue(label: "queries.requeue", waitingMax: requeuesMax)
    private let server = QueryQueue(label: "queries.server", waitingMax: serverMax)

    subscript(lane: QueryLane) -> QueryQueue {
        switch lane {
        case .log: log
        case .quarantine: quarantine
        case .requeue: requeue
        case .server: server
        }
    }
}

final class QueryQueue: Sendable {
    /// Questions that wait, the one being answered included. At a millisecond each, a second's worth.
    static let waitingMax = 1_024

    private final class Lent {
        var scratch = QueryScratch()
    }

    private let lent: Confined<Lent>
    private let waitingMax: Int
    private let waiting = Atomic<Int>(0)

    init(label: String, waitingMax: Int = QueryQueue.waitingMax) {
        self.waitingMax = waitingMax
        lent = Confined(Lent(), to: DispatchQueue(label: label))
    }

    /// Runs `body` on the queue, after those before it. False where too many wait: it is not taken.
    func run(_ body: @escaping @Sendable (inout QueryScratch) -> Void) -> Bool {
        guard waiting.add(1, ordering: .relaxed).newValue <= waitingMax else {
            waiting.subtract(1, ordering: .relaxed)
            return false
        }
        lent.queue.async { [self] in
            lent.withValue { body(&$0.scratch) }
            waiting.subtract(1, ordering: .relaxed)
        }
        return true
    }
}
