// Deferrals: exchanges that are answered later, by ticket and by time.
//
// Promises: the table agrees with a plain dictionary whatever begins, leaves and falls due in whatever order.

import Platform
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Deferrals")
struct DeferralsTests {
    private func deferral(_ token: UInt64) -> Deferral {
        Deferral(token: token, stream: 0, client: .unspecified, path: [], awaited: .query(.log))
    }

    @Test("a ticket finds its exchange until it leaves, and none that has its place afterwards")
    func once() {
        var deferrals = Deferrals()
        let first = deferrals.begin(deferral(7), until: 100)
        #expect(deferrals[first]?.token == 7)
        #expect(deferrals.take(first)?.token == 7)
        let second = deferrals.begin(deferral(8), until: 100)
        #expect(second != first)
        #expect(deferrals[first] == nil && deferrals.take(first) == nil)
        #expect(deferrals[second]?.token == 8 && deferrals.count == 1)
    }

    @Test("places that many took are given back, and their tickets find nobody afterwards")
    func givesBack() {
        var deferrals = Deferrals()
        let tickets = (0..<1_000).map { deferrals.begin(deferral($0), until: 0) }
        for ticket in tickets { #expect(deferrals.take(ticket) != nil) }
        let later = (0..<1_000).map { deferrals.begin(deferral($0), until: 0) }
        #expect(Set(later).isDisjoint(with: tickets))
        for ticket in tickets { #expect(deferrals[ticket] == nil) }
    }

    @Test("whose time is up is said once, and leaves only when it is taken")
    func due() {
        var deferrals = Deferrals()
        let late = deferrals.begin(deferral(2), until: 200)
        let early = deferrals.begin(deferral(1), until: 100)
        #expect(deferrals.dueAt == 100)
        #expect(deferrals.takeDue(now: 99) == nil)
        #expect(deferrals.takeDue(now: 500) == early)
        #expect(deferrals[early]?.token == 1)
        deferrals.setTime(of: early, 150)
        #expect(deferrals.takeDue(now: 500) == early)
        #expect(deferrals.takeDue(now: 500) == late)
        #expect(deferrals.takeDue(now: .max) == nil)
        #expect(deferrals.dueAt == nil && deferrals.count == 2)
    }

    @Test("five thousand random steps agree with a dictionary", arguments: 1...4 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var deferrals = Deferrals()
        var model: [UInt64: (token: UInt64, at: Int64?)] = [:]
        var now: Int64 = 0
        for step in 0..<5_000 as Range<UInt64> {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...3 where model.count < 100:
                let at = now + Int64.random(in: 0..<1_000, using: &generator)
                let ticket = deferrals.begin(deferral(step), until: at)
                #expect(model.updateValue((step, at), forKey: ticket) == nil)
            case 4...6:
                guard let ticket = model.keys.sorted().randomElement(using: &generator) else { continue }
                #expect(deferrals.take(ticket)?.token == model.removeValue(forKey: ticket)?.token)
            case 7:
                guard let ticket = model.keys.sorted().randomElement(using: &generator) else { continue }
                let at = now + Int64.random(in: 0..<1_000, using: &generator)
                deferrals.setTime(of: ticket, at)
                model[ticket]?.at = at
            default: now += Int64.random(in: 0..<100, using: &generator)
            }
            #expect(deferrals.dueAt == model.values.compactMap(\.at).min())
            while let ticket = deferrals.takeDue(now: now) {
                #expect(model[ticket]?.at.map { $0 <= now } == true)
                model[ticket]?.at = nil
            }
            #expect(!model.values.contains { $0.at.map { $0 <= now } ?? false })
            #expect(deferrals.count == model.count)
        }
    }
}
