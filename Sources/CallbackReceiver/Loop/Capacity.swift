// How many there may be of something that all loops share (invariant 7).
//
// Promises: never more than `max` are taken at a time. Safe from any thread. Must not know: of what.

import Synchronization

final class Capacity: Sendable {
    private let max: Int
    private let taken = Atomic<Int>(0)

    init(_ max: Int) { self.max = max }

    /// How many there are.
    var count: Int { min(max, taken.load(ordering: .relaxed)) }

    /// False where there are as many as there may be.
    func take() -> Bool {
        if taken.add(1, ordering: .relaxed).newValue <= max { return true }
        release()
        return false
    }

    func release() { taken.subtract(1, ordering: .relaxed) }
}
