// What the quarantine takes of the disk, for the metrics.
//
// Promises: whoever asks waits for a bounded time, also where the disk hangs: then it is told what was known last. One question
// is under way at a time, however often it is asked. Must not know: how the quarantine keeps what it keeps.

import Dispatch
import Synchronization

struct QuarantineSizes: Sendable {
    /// One ring's.
    struct Ring: Sendable {
        var bytes: Int64 = 0
        var entries = 0
    }

    var refused = Ring(), unauthorized = Ring()

    init() {}

    init(_ rings: [QuarantineRing: QuarantineIndex]) {
        for (ring, index) in rings {
            let size = Ring(bytes: index.diskBytes, entries: index.entries.count)
            switch ring {
            case .refused: refused = size
            case .unauthorized: unauthorized = size
            }
        }
    }
}

/// What was known last.
final class KnownSizes: Sendable {
    /// A quarantine that keeps up answers in far less.
    private static let patienceMilliseconds = 500

    private let latest = Mutex(QuarantineSizes())
    private let isAsked = Atomic<Bool>(false)

    /// - Parameter ask: calls what it is given with the answer, once, on whichever queue.
    func read(_ ask: (@escaping @Sendable (QuarantineSizes) -> Void) -> Void) -> QuarantineSizes {
        if isAsked.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged {
            let answered = DispatchSemaphore(value: 0)
            ask { [self] sizes in
                latest.withLock { $0 = sizes }
                isAsked.store(false, ordering: .releasing)
                answered.signal()
            }
            _ = answered.wait(timeout: .now() + .milliseconds(Self.patienceMilliseconds))
        }
        return latest.withLock { $0 }
    }
}
