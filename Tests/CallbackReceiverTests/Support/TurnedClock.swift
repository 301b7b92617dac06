// The loops' clock as a test turns it: the real one, and so much ahead.
//
// Promises: never goes back; a turn is seen at the loop's next event. Must not know: what waits for it.

import Platform
import Synchronization

final class TurnedClock: Sendable {
    private let aheadMilliseconds = Atomic<Int64>(0)

    var read: @Sendable () -> Int64 {
        { Clock.coarseMilliseconds() + self.aheadMilliseconds.load(ordering: .sequentiallyConsistent) }
    }

    func advance(seconds: Int) { aheadMilliseconds.add(Int64(seconds) * 1_000, ordering: .sequentiallyConsistent) }
}
