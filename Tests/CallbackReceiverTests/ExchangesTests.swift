// Exchanges: the callbacks that wait for the log, by ticket and by time.
//
// Promises: the ring agrees with a plain dictionary whatever is taken in whatever order.

import CrispCallback
import Platform
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Exchanges")
struct ExchangesTests {
    private static let decoded: DecodedCallback = {
        var record: [UInt8] = []
        let payload = Array(callback("any").utf8)
        guard let decoded = try? CallbackDecoder.decode(payload.span, into: &record) else { preconditionFailure("a callback") }
        return decoded
    }()

    private func waiting(_ token: UInt64, began: Int64) -> WaitingExchange {
        WaitingExchange(
            token: token, stream: 0, client: .unspecified, prepared: .callback(PreparedCallback(record: [], decoded: Self.decoded, path: [])),
            began: began)
    }

    @Test("a ticket finds its exchange once, and another's never")
    func once() {
        var exchanges = Exchanges()
        let ticket = exchanges.nextTicket
        exchanges.begin(waiting(7, began: 0))
        #expect(exchanges.take(ticket + 1) == nil)
        #expect(exchanges.take(ticket)?.token == 7)
        #expect(exchanges.take(ticket) == nil)
        #expect(exchanges.nextTicket == ticket + 1)
        #expect(exchanges.expiresAt == nil)
    }

    @Test("what the log has kept for five seconds leaves, the oldest first, and not a millisecond earlier")
    func expires() {
        var exchanges = Exchanges()
        exchanges.begin(waiting(1, began: 100))
        exchanges.begin(waiting(2, began: 200))
        #expect(exchanges.expiresAt == 5_100)
        #expect(exchanges.takeExpired(now: 5_099) == nil)
        #expect(exchanges.takeExpired(now: 5_100)?.token == 1)
        #expect(exchanges.takeExpired(now: 5_199) == nil)
        #expect(exchanges.takeExpired(now: 9_000)?.token == 2)
        #expect(exchanges.takeExpired(now: .max) == nil)
    }

    @Test("more than a batch that waits for over a second is an overload; either alone is none")
    func overload() {
        var exchanges = Exchanges()
        for count in 0..<Exchanges.batchCount { exchanges.begin(waiting(UInt64(count), began: 0)) }
        #expect(!exchanges.isBehind(now: 60_000, loops: 1))
        exchanges.begin(waiting(0, began: 0))
        #expect(!exchanges.isBehind(now: Exchanges.behindMilliseconds, loops: 1))
        #expect(exchanges.isBehind(now: Exchanges.behindMilliseconds + 1, loops: 1))
        _ = exchanges.take(0)
        // The batch is shared by the loops.
        #expect(exchanges.isBehind(now: 60_000, loops: 2))
        #expect(!exchanges.isBehind(now: 60_000, loops: 1))
    }

    @Test("there is a bound, and it is reached exactly")
    func bound() {
        var exchanges = Exchanges()
        for _ in 0..<Exchanges.waitingMax {
            #expect(!exchanges.isFull)
            exchanges.begin(waiting(1, began: 0))
        }
        #expect(exchanges.isFull)
        // One in the middle makes no room: places go round in order.
        #expect(exchanges.take(5) != nil)
        #expect(exchanges.isFull)
        #expect(exchanges.take(0) != nil)
        #expect(!exchanges.isFull)
    }

    @Test("twenty thousand random steps agree with a dictionary", arguments: 1...4 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var exchanges = Exchanges()
        var model: [UInt64: (token: UInt64, began: Int64)] = [:]
        var now: Int64 = 0
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...4:
                let ticket = exchanges.nextTicket
                let token = UInt64.random(in: 0...9, using: &generator)
                exchanges.begin(waiting(token, began: now))
                model[ticket] = (token, now)
            case 5...8:
                let ticket = exchanges.nextTicket &- UInt64.random(in: 0...200, using: &generator)
                #expect(exchanges.take(ticket)?.token == model.removeValue(forKey: ticket)?.token)
            default: now += Int64.random(in: 0..<300, using: &generator)
            }
            while let expired = exchanges.takeExpired(now: now) {
                let oldest = model.keys.min()
                let expected = oldest.flatMap { model.removeValue(forKey: $0) }
                #expect(expected?.token == expired.token && expired.began + 5_000 <= now)
            }
            #expect(exchanges.expiresAt == model.keys.min().flatMap { model[$0] }.map { $0.began + 5_000 })
        }
    }
}
