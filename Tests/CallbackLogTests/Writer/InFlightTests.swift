// While an fdatasync runs: nothing is acknowledged and nothing is visible (invariants 1 and 2); what arrives
// gathers, within bounds (invariant 7).
// The fdatasync is held by hand, with a bounded wait. Must not know: what a record looks like.

import Platform
import Testing

@testable import CallbackLog

@Suite struct InFlightTests {
    @Test("no acknowledgement and no record is seen before fdatasync has returned")
    func unseen() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"n\":1}")
        let hold = open.disk.holdSynchronization()
        let ticket = open.submit("a", "{\"n\":2}")
        try #require(hold.wait())
        #expect(open.outcome(ticket) == nil)
        #expect(try open.records("a").map(\.sequence) == [1])
        #expect(open.log.durable == 1)
        open.clock.advance(milliseconds: 900)
        #expect(open.log.readiness(options: LogOptions()).busyMilliseconds == 900)
        hold.release()
        open.settle()
        #expect(open.outcome(ticket) == .fresh(2))
        #expect(try open.records("a").map(\.sequence) == [2, 1])
        #expect(open.log.durable == 2)
        #expect(open.log.readiness(options: LogOptions()).busyMilliseconds == 0)
    }

    @Test("what arrives meanwhile is one batch: one fdatasync for all of it")
    func gathered() throws {
        let open = try OpenLog(MemoryDisk())
        let hold = open.disk.holdSynchronization()
        _ = open.submit("a", "{}")
        try #require(hold.wait())
        let tickets = (0..<50).map { open.submit("b-\($0)", "{}") }
        hold.release()
        open.settle()
        #expect(tickets.map(open.outcome) == (2...51).map { .fresh($0) })
        #expect(open.disk.count(.synchronizeData) == 2)
    }

    @Test("a duplicate that arrives while the first copy is in flight is its duplicate when that is stored")
    func sharedSuccess() throws {
        let open = try OpenLog(MemoryDisk())
        let hold = open.disk.holdSynchronization()
        let tickets = [open.submit("a", "{}")]
        try #require(hold.wait())
        let later = [open.submit("a", "{}"), open.submit("a", "{\"n\":1}")]
        hold.release()
        open.settle()
        #expect((tickets + later).map(open.outcome) == [.fresh(1), .duplicate(of: 1), .fresh(2)])
    }

    @Test("and refused when that is refused, in its batch or the next; a duplicate of a durable record is not")
    func sharedFailure() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"old\":1}")
        let hold = open.disk.holdSynchronization()
        open.log.writer.queue.suspend()
        let tickets = [open.submit("a", "{}"), open.submit("a", "{}"), open.submit("a", "{\"old\":1}"), open.submit("b", "{}")]
        open.log.writer.queue.resume()
        try #require(hold.wait())
        let later = open.submit("a", "{}")
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData]))
        hold.release()
        open.settle()
        #expect(tickets.map { open.outcome($0)?.isBlocked } == [true, true, false, true])
        #expect(open.outcome(tickets[2]) == .duplicate(of: 1))
        #expect(open.outcome(later)?.isBlocked == true)
        #expect(try open.records("a").map(\.sequence) == [1])
        #expect(try open.records("b").isEmpty)
    }

    @Test("more waits than the bound: append says so, and what it took is stored")
    func bounded() throws {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 1 << 30)
        let hold = open.disk.holdSynchronization()
        _ = open.submit("first", "{}")
        try #require(hold.wait())
        let payload = String(repeating: "x", count: 1 << 20)
        var taken: [UInt64?] = []
        while taken.count < 100, let ticket = open.submit("id-\(taken.count)", payload) { taken.append(ticket) }
        #expect(taken.count == 31, "31 of 1 MiB and a little; the 32nd passes 32 MiB")
        #expect(open.submit("small", "{}") != nil, "there is room for less")
        hold.release()
        open.settle()
        #expect(taken.map(open.outcome) == (0..<31).map { .fresh(UInt64($0) + 2) })
        #expect(open.append("later") == .fresh(34))
    }

    @Test("a batch is cut at its bound, and one record may pass it alone")
    func sliced() throws {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 1 << 30)
        let payload = String(repeating: "x", count: 1 << 20)
        let callbacks = (0..<6).map { ("id-\($0)", payload) } + [("long", String(repeating: "y", count: 5 << 20)), ("short", "{}")]
        #expect(open.appendTogether(callbacks) == (1...8).map { .fresh($0) })
        #expect(open.disk.count(.synchronizeData) == 4, "three, three, the long one, the short one")
    }

    @Test("a record that no line could hold is not taken")
    func oversized() throws {
        let open = try OpenLog(MemoryDisk())
        #expect(open.submit("a", String(repeating: "x", count: RecordFormat.lineBytesMax)) == nil)
    }

    @Test("each recipient is told of its own, once")
    func recipients() throws {
        let open = try OpenLog(MemoryDisk())
        let other = OpenLog.Answers()
        let number = open.log.addRecipient { other.receive($0) }
        open.log.writer.queue.suspend()
        let mine = open.submit("a", "{}")
        let bytes = Array("b{}".utf8)
        #expect(open.log.append(Submission(record: bytes, requestID: 0..<1, payload: 1..<3, status: .failed, recipient: number, ticket: 77)))
        open.log.writer.queue.resume()
        open.settle()
        #expect(open.outcome(mine) == .fresh(1))
        #expect(open.outcome(77) == nil)
        #expect(other.state.withLock { $0.outcomes } == [77: .fresh(2)])
    }
}
