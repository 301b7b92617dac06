// The watchdog: fed while everybody makes progress, and not otherwise. Its time is in the test's hands.

import Synchronization
import Testing

@testable import CallbackReceiver

@Suite("The watchdog")
struct WatchdogTests {
    /// A party that answers when it is told to.
    private final class Member: Sendable {
        struct State {
            var asked = 0
            var answer: (@Sendable () -> Void)?
            var isExcused = false
        }
        let state = Mutex(State())

        var asked: Int { state.withLock { $0.asked } }
        func answer() { state.withLock { $0.answer.take() }?() }
        func excuse(_ isExcused: Bool) { state.withLock { $0.isExcused = isExcused } }

        func party(_ name: String) -> Watchdog.Party {
            Watchdog.Party(
                name: name,
                ask: { answer in
                    self.state.withLock {
                        $0.asked += 1
                        $0.answer = answer
                    }
                },
                isExcused: { self.state.withLock { $0.isExcused } })
        }
    }

    /// What is to run later, and when.
    private final class Time: Sendable {
        private struct State {
            var now = 0
            var waiting: [(at: Int, body: @Sendable (Watchdog) -> Void)] = []
        }
        private let state = Mutex(State())

        func add(_ milliseconds: Int, _ body: @escaping @Sendable (Watchdog) -> Void) {
            state.withLock { $0.waiting.append(($0.now + milliseconds, body)) }
        }

        /// Runs what is due until then, in order.
        func run(_ watchdog: Watchdog, milliseconds: Int) {
            let end = state.withLock { $0.now + milliseconds }
            while let next = state.withLock({ state -> (@Sendable (Watchdog) -> Void)? in
                guard let index = state.waiting.indices.min(by: { state.waiting[$0].at < state.waiting[$1].at }),
                    state.waiting[index].at <= end
                else { return nil }
                state.now = max(state.now, state.waiting[index].at)
                return state.waiting.remove(at: index).body
            }) { next(watchdog) }
            state.withLock { $0.now = end }
        }
    }

    private final class Count: Sendable {
        let value = Mutex((fed: 0, complaints: [String]()))
        var fed: Int { value.withLock { $0.fed } }
        var complaints: [String] { value.withLock { $0.complaints } }
    }

    private let first = Member()
    private let second = Member()
    private let time = Time()
    private let count = Count()
    private let watchdog: Watchdog

    init() {
        let (time, count) = (time, count)
        watchdog = Watchdog(
            [first.party("first"), second.party("second")], tickMilliseconds: 1_000, feed: { count.value.withLock { $0.fed += 1 } },
            complain: { name in count.value.withLock { $0.complaints.append(name) } }, later: { time.add($0, $1) })
    }

    private func answerBoth() {
        first.answer()
        second.answer()
        time.run(watchdog, milliseconds: 0)
    }

    @Test("is fed once for each tick, when the last one has answered")
    func fed() {
        watchdog.tick()
        time.run(watchdog, milliseconds: 0)
        #expect(count.fed == 0)
        first.answer()
        time.run(watchdog, milliseconds: 0)
        #expect(count.fed == 0)
        second.answer()
        time.run(watchdog, milliseconds: 0)
        #expect(count.fed == 1)
        for tick in 2...20 {
            time.run(watchdog, milliseconds: 1_000)
            #expect(count.fed == tick - 1)
            answerBoth()
            #expect(count.fed == tick && first.asked == tick && second.asked == tick)
        }
        #expect(count.complaints == [])
    }

    @Test("is not fed while one does not answer, and says so once; afterwards all is as before")
    func stuck() {
        watchdog.tick()
        first.answer()
        time.run(watchdog, milliseconds: 10_000)
        #expect(count.fed == 0)
        #expect(count.complaints == ["second"])
        #expect(first.asked == 1 && second.asked == 1, "nobody is woken for it")
        second.answer()
        time.run(watchdog, milliseconds: 0)
        #expect(count.fed == 1)
        time.run(watchdog, milliseconds: 1_000)
        answerBoth()
        #expect(count.fed == 2 && count.complaints.count == 1)
    }

    @Test("is fed without the answer of one who waits for the disk, from the moment on when it does")
    func excused() {
        watchdog.tick()
        first.answer()
        time.run(watchdog, milliseconds: 300)
        #expect(count.fed == 0)
        second.excuse(true)
        time.run(watchdog, milliseconds: 125)
        #expect(count.fed == 1, "before the next tick")
        for tick in 2...5 {
            time.run(watchdog, milliseconds: 1_000)
            first.answer()
            time.run(watchdog, milliseconds: 0)
            #expect(count.fed == tick)
        }
        #expect(second.asked == 1, "it is awaited, and not asked again")
        second.excuse(false)
        time.run(watchdog, milliseconds: 1_000)
        first.answer()
        time.run(watchdog, milliseconds: 1_000)
        #expect(count.fed == 5, "it does not answer, and nothing excuses it")
        second.answer()
        time.run(watchdog, milliseconds: 0)
        #expect(count.fed == 6)
    }

    @Test("is not fed once it has ended")
    func ended() {
        watchdog.tick()
        watchdog.end()
        answerBoth()
        time.run(watchdog, milliseconds: 5_000)
        #expect(count.fed == 0 && first.asked == 1)
    }
}
