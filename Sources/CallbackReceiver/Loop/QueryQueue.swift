// Where questions about the log are answered, so that no loop waits for a disk, nor for a long look through the index.
//
// Promises: a serial queue, one question after the other; a bounded number of them waits, beyond which none is taken
// (invariant 7). A thread only while there is something to answer. Must not know: what is asked, who asks.

import Dispatch
import Platform
import Synchronization

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
