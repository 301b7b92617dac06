// Deadlines whose kinds last otherwise from some moment on: those that run already, too, and in order.

import struct TestSupport.SeededGenerator
import Testing

@testable import CallbackReceiver

@Suite("Deadlines that change")
struct DeadlinesReloadTests {
    @Test("what runs already lasts as long as what begins afterwards, and expires in the order in which it began", arguments: [1, 20, 75, 3_600])
    func changed(idleSeconds: Int) throws {
        var deadlines = Deadlines(idleSeconds: 75, headSeconds: 10, bodySeconds: 30)
        for slot in 0..<5 { deadlines.set(.idle, for: slot, now: Int64(slot) * 100) }
        deadlines.set(.head, for: 9, now: 0)
        deadlines.takeUp(idleSeconds: idleSeconds, headSeconds: 10, bodySeconds: 31)
        for slot in 5..<10 where slot != 9 { deadlines.set(.idle, for: slot, now: Int64(slot) * 100) }
        deadlines.set(.body, for: 10, now: 0)
        #expect((0..<9).map { deadlines.began($0) } == (0..<9).map { Int64($0) * 100 })
        for slot in 0..<9 {
            let at = Int64(slot) * 100 + Int64(idleSeconds) * 1_000
            var before = deadlines
            while let expired = before.takeExpired(now: at - 1) { #expect(expired.kind != .idle) }
            while true {
                let found = deadlines.takeExpired(now: at)
                let expired = try #require(found)
                if expired.kind != .idle { continue }
                #expect(expired.slot == slot)
                break
            }
        }
    }

    @Test("the others last as before")
    func others() {
        var deadlines = Deadlines(idleSeconds: 75, headSeconds: 10, bodySeconds: 30)
        deadlines.set(.write, for: 0, now: 0)
        deadlines.takeUp(idleSeconds: 1, headSeconds: 1, bodySeconds: 1)
        #expect(deadlines.milliseconds(untilNextFrom: 0) == Int64(Deadlines.writeSeconds) * 1_000)
    }
}
