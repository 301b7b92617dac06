// The mailbox: one wake-up for a burst, nothing beyond the bound, nothing lost or reordered.
// And the confined value: touched on its queue only.
//
// Promises: no wake-up is waited for; it is counted. Must not know: loops, writers.

import Dispatch
import Platform
import Synchronization
import Testing

@Suite struct MailboxTests {
    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
        func add() { count.add(1, ordering: .relaxed) }
        var value: Int { count.load(ordering: .relaxed) }
    }

    @Test("a burst wakes the reader once; after it has taken, the next one wakes it again")
    func burst() {
        let wakes = Counter()
        let mailbox = Mailbox<Int>(weightMax: 100) { wakes.add() }
        for number in 0..<10 { #expect(mailbox.post(number)) }
        #expect(wakes.value == 1)
        var taken: [Int] = []
        mailbox.take(into: &taken)
        #expect(taken == Array(0..<10))
        #expect(mailbox.post(10))
        #expect(wakes.value == 2)
        mailbox.take(into: &taken)
        #expect(taken == [10], "what was taken before is not taken again")
        mailbox.take(into: &taken)
        #expect(taken.isEmpty)
    }

    @Test("the bound is on the sum of weights; what passes it is refused, wakes nobody, and room comes back with take")
    func bound() {
        let wakes = Counter()
        let mailbox = Mailbox<String>(weightMax: 10) { wakes.add() }
        #expect(!mailbox.post("too heavy", weight: 11))
        #expect(wakes.value == 0)
        #expect(mailbox.post("six", weight: 6))
        #expect(!mailbox.post("five", weight: 5))
        #expect(mailbox.post("four", weight: 4))
        #expect(!mailbox.post("one"))
        var taken: [String] = []
        mailbox.take(into: &taken)
        #expect(taken == ["six", "four"])
        #expect(mailbox.post("ten", weight: 10))
        #expect(wakes.value == 2)
    }

    @Test("from many threads: each message once, each thread's in its order")
    func threads() {
        let mailbox = Mailbox<(thread: Int, number: Int)>(weightMax: .max) {}
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for number in 0..<500 { _ = mailbox.post((thread, number)) }
        }
        var taken: [(thread: Int, number: Int)] = []
        mailbox.take(into: &taken)
        for thread in 0..<4 { #expect(taken.filter { $0.thread == thread }.map(\.number) == Array(0..<500)) }
    }
}

@Suite struct ConfinedTests {
    @Test("a confined value is touched on its queue")
    func onQueue() {
        let queue = DispatchQueue(label: "owner")
        let confined = Confined([1], to: queue)
        #expect(queue.sync { confined.withValue { $0 } } == [1])
    }

    @Test("and nowhere else: the process stops")
    func offQueue() async {
        await #expect(processExitsWith: .failure) {
            Confined([1], to: DispatchQueue(label: "owner")).withValue { _ in }
        }
    }
}
