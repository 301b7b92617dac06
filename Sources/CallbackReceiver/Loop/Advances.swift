// What a loop is told of records that have become durable: whether there are any, and of which requests.
//
//     idle ──note, the first──▶ told ──note …──▶ told ──take──▶ idle
//
// Promises: however many records come before the loop looks, it is told once, and what waits for it is bounded
// (invariant 7): beyond `hashesMax` it may be any request. Costs one load while the loop follows nothing.
// Safe from any thread. Must not know: who waits for which request.

import Synchronization

final class Advances: Sendable {
    static let hashesMax = 8_192

    private struct State {
        var isTold = false
        var isOfAny = false
        var hashes: [UInt64] = []
    }

    private let state = Mutex(State())
    private let isWanted = Atomic<Bool>(false)

    /// Whether the loop follows anything. To be said before what is followed is read: then no record falls between.
    func want(_ isWanted: Bool) { self.isWanted.store(isWanted, ordering: .sequentiallyConsistent) }

    /// Records of these requests have become durable.
    /// - Returns: whether the loop is to be told.
    func note(_ hashes: [UInt64]) -> Bool {
        guard isWanted.load(ordering: .sequentiallyConsistent) else { return false }
        return state.withLock { state in
            if state.isOfAny || state.hashes.count + hashes.count > Self.hashesMax {
                state.isOfAny = true
                state.hashes = []
            } else {
                state.hashes += hashes
            }
            defer { state.isTold = true }
            return !state.isTold
        }
    }

    /// The requests of which records have come; nil: it may be any.
    func take() -> [UInt64]? {
        state.withLock { state in
            defer { state = State() }
            return state.isOfAny ? nil : state.hashes
        }
    }
}
