// Deadlines: which connection's patience ends next.
//
// Promises: the linked lists agree with a plain dictionary whatever is done in whatever order.

import struct TestSupport.SeededGenerator
import Testing

@testable import CallbackReceiver

@Suite("Deadlines")
struct DeadlinesTests {
    private func deadlines() -> Deadlines { Deadlines(idleSeconds: 75, headSeconds: 10, bodySeconds: 30) }

    /// As the type's head and API.md §2 say, in milliseconds.
    private static let lengths: [(Deadline, Int64)] = [
        (.idle, 75_000), (.head, 10_000), (.body, 30_000), (.rest, 2_000), (.streams, 1_000), (.write, 30_000), (.linger, 2_000), (.drain, 2_000),
    ]

    @Test("each kind lasts as long as is said, and not a millisecond less", arguments: lengths)
    func length(kind: Deadline, milliseconds: Int64) throws {
        #expect(Self.lengths.count == Deadline.allCases.count)
        var deadlines = deadlines()
        deadlines.set(kind, for: 3, now: 1_000)
        #expect(deadlines.kind(of: 3) == kind)
        #expect(deadlines.milliseconds(untilNextFrom: 1_000) == milliseconds)
        #expect(deadlines.takeExpired(now: 1_000 + milliseconds - 1) == nil)
        let found = deadlines.takeExpired(now: 1_000 + milliseconds)
        let expired = try #require(found)
        #expect(expired == (3, kind))
        #expect(deadlines.kind(of: 3) == nil)
        #expect(deadlines.takeExpired(now: .max) == nil)
        #expect(deadlines.milliseconds(untilNextFrom: 0) == nil)
    }

    @Test("what is set again is set anew, and what is cleared never expires")
    func again() {
        var deadlines = deadlines()
        deadlines.set(.head, for: 0, now: 0)
        deadlines.set(.head, for: 1, now: 1)
        deadlines.set(.idle, for: 0, now: 2)
        #expect(deadlines.oldest(.head) == 1)
        #expect(deadlines.oldest(.idle) == 0)
        deadlines.clear(1)
        deadlines.clear(1)
        deadlines.clear(99)
        #expect(deadlines.oldest(.head) == nil)
        #expect(deadlines.takeExpired(now: 75_001) == nil)
        #expect(deadlines.takeExpired(now: 75_002)?.slot == 0)
    }

    @Test("the longest idle is the one that has rested longest, not the one that came first")
    func oldest() {
        var deadlines = deadlines()
        for slot in 0..<3 { deadlines.set(.idle, for: slot, now: Int64(slot)) }
        deadlines.set(.idle, for: 0, now: 10)
        #expect(deadlines.oldest(.idle) == 1)
        #expect(deadlines.next(after: 1) == 2)
        #expect(deadlines.next(after: 2) == 0)
        #expect(deadlines.next(after: 0) == nil)
        #expect(deadlines.began(0) == 10)
        #expect(deadlines.began(3) == nil)
    }

    @Test("time that is past already waits for nothing")
    func past() {
        var deadlines = deadlines()
        deadlines.set(.linger, for: 0, now: 0)
        #expect(deadlines.milliseconds(untilNextFrom: 1_000_000) == 0)
    }

    @Test("ten thousand random steps agree with a dictionary", arguments: 1...4 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var deadlines = deadlines()
        var model: [Int: (kind: Deadline, at: Int64)] = [:]
        let length = Dictionary(uniqueKeysWithValues: Self.lengths)
        var now: Int64 = 0
        for _ in 0..<10_000 {
            let slot = Int.random(in: 0..<40, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...3:
                let kind = Deadline.allCases[Int.random(in: 0..<Deadline.allCases.count, using: &generator)]
                deadlines.set(kind, for: slot, now: now)
                model[slot] = (kind, now + length[kind, default: 0])
            case 4:
                deadlines.clear(slot)
                model[slot] = nil
            default: now += Int64.random(in: 0..<2_000, using: &generator)
            }
            while let (slot, kind) = deadlines.takeExpired(now: now) {
                let expected = model.removeValue(forKey: slot)
                #expect(expected?.kind == kind && expected?.at ?? .max <= now)
            }
            #expect(model.values.allSatisfy { $0.at > now })
            #expect(deadlines.milliseconds(untilNextFrom: now) == model.values.map { $0.at - now }.min())
            #expect(deadlines.kind(of: slot) == model[slot]?.kind)
        }
    }
}
