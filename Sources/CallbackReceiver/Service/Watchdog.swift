// Whether everything that serves makes progress, for the service manager's watchdog (sd_watchdog_enabled(3)).
//
//     tick ──▶ everybody is asked ──all have answered, or wait for the disk──▶ fed ──▶ next tick
//                   └── not yet: looked at again, with the next answer or a little later; never fed without ──┘
//
// Promises: asks each party at most once at a time and wakes it no more often than each tick. A party that waits for the
// disk counts as alive: a disk that stalls is told by /readyz, and another process would find the same disk.
// Must not know: what a party is, who is fed, how time passes.

import Dispatch

/// State of one queue, that of the service manager; touched by nothing else.
final class Watchdog {
    /// Somebody who has to make progress.
    struct Party: Sendable {
        /// For people.
        let name: String
        /// Has `answer` called, from wherever, once it has done what it had to do before.
        let ask: @Sendable (_ answer: @escaping @Sendable () -> Void) -> Void
        /// It need not answer: it waits for the disk, or has ended in good order.
        let isExcused: @Sendable () -> Bool
    }

    /// While somebody has not answered, all are looked at so many times in a tick.
    static let looksPerTick = 8

    private let parties: [Party]
    private let tickMilliseconds: Int
    private let feed: () -> Void
    /// Somebody has not answered for a whole tick; told once.
    private let complain: (String) -> Void
    /// Runs a closure with this watchdog, on its queue, after so many milliseconds; 0: after what is there already.
    private let later: @Sendable (Int, @escaping @Sendable (Watchdog) -> Void) -> Void

    /// Whom an answer is awaited of.
    private var awaited: [Bool]
    private var isFed = true
    private var hasComplained = false
    /// Looks of this tick.
    private var looks = 0
    private var isEnded = false

    init(
        _ parties: [Party], tickMilliseconds: Int, feed: @escaping () -> Void, complain: @escaping (String) -> Void,
        later: @escaping @Sendable (Int, @escaping @Sendable (Watchdog) -> Void) -> Void
    ) {
        self.parties = parties
        self.tickMilliseconds = tickMilliseconds
        self.feed = feed
        self.complain = complain
        self.later = later
        awaited = [Bool](repeating: false, count: parties.count)
    }

    /// Begins to ask, at once and then with each tick.
    func tick() {
        guard !isEnded else { return }
        looks = 0
        if isFed {
            isFed = false
            hasComplained = false
            for (index, party) in parties.enumerated() where !awaited[index] {
                awaited[index] = true
                let later = later
                party.ask { later(0) { $0.answered(index) } }
            }
        } else if !hasComplained {
            hasComplained = true
            complain(late.map { parties[$0].name }.joined(separator: ", "))
        }
        later(tickMilliseconds) { $0.tick() }
        look()
    }

    func end() { isEnded = true }

    private var late: [Int] { parties.indices.filter { awaited[$0] && !parties[$0].isExcused() } }

    private func answered(_ index: Int) {
        awaited[index] = false
        feedIfAlive()
    }

    /// Now, and while somebody is awaited a few times until the next tick: who was not excused before may be by now.
    private func look() {
        feedIfAlive()
        guard !isFed, !isEnded, looks < Self.looksPerTick - 1 else { return }
        looks += 1
        later(max(1, tickMilliseconds / Self.looksPerTick)) { if !$0.isFed { $0.look() } }
    }

    private func feedIfAlive() {
        guard !isFed, !isEnded, late.isEmpty else { return }
        isFed = true
        feed()
    }
}
