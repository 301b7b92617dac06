// Time that stands until a test turns it, and timers that fire as it passes them.
//
// Promises: what falls due runs on its queue before `advance` returns, in order of time. Must not know: whose
// timers they are.

import CallbackLog
import Dispatch
import Synchronization

final class TurnedClock: Sendable {
    private struct Timer {
        let due: Int64
        let queue: DispatchQueue
        let body: @Sendable () -> Void
    }
    private struct State {
        /// 2026-05-20T18:20:25.031Z
        var wall: Int64 = 1_779_301_225_031
        var monotonic: Int64 = 1_000
        var timers: [Timer] = []
    }
    private let state = Mutex(State())

    var time: LogTime {
        LogTime(
            wallMilliseconds: { self.state.withLock { $0.wall } },
            monotonicMilliseconds: { self.state.withLock { $0.monotonic } },
            after: { milliseconds, queue, body in
                self.state.withLock { $0.timers.append(Timer(due: $0.monotonic + Int64(milliseconds), queue: queue, body: body)) }
            })
    }

    /// How many timers run.
    var timerCount: Int { state.withLock { $0.timers.count } }

    /// Milliseconds since 1970.
    var now: Int64 { state.withLock { $0.wall } }

    /// Sets the wall clock back or ahead; timers do not follow it.
    func stepWall(milliseconds: Int64) { state.withLock { $0.wall += milliseconds } }

    func advance(milliseconds: Int64) {
        let target = state.withLock { $0.monotonic } + milliseconds
        while let timer = next(before: target) { expectToRun(on: timer.queue, timer.body) }
        state.withLock {
            $0.wall += target - $0.monotonic
            $0.monotonic = target
        }
    }

    private func next(before target: Int64) -> Timer? {
        state.withLock { state in
            guard let index = state.timers.indices.min(by: { state.timers[$0].due < state.timers[$1].due }), state.timers[index].due <= target
            else { return nil }
            let timer = state.timers.remove(at: index)
            state.wall += max(0, timer.due - state.monotonic)
            state.monotonic = max(state.monotonic, timer.due)
            return timer
        }
    }
}
