// Announcements and what becomes of them: pending, overdue, answered.
//
// Promises: the log's door alone, a disk in memory, turned time. Must not know: how expectations are kept.

import Testing

@testable import CallbackLog

/// The members of an announcement.
func members(_ seconds: Int, reference: String = "null", metadata: String = "{}") -> String {
    "\"overdue_after\":\(seconds),\"reference\":\(reference),\"metadata\":\(metadata)"
}

extension OpenLog {
    /// Announces; what was acknowledged.
    func announce(_ identifier: String, _ members: String = members(300)) -> AppendOutcome? {
        let ticket = submitAnnouncement(identifier, members)
        settle()
        return outcome(ticket)
    }

    /// Whoever looks after announced requests has done what there is to do now.
    func settleExpectations() {
        for _ in 0..<3 {
            settle()
            log.expectations.queue.sync {}
        }
    }

    /// Time passes, and what falls due is done.
    func pass(milliseconds: Int64) {
        settleExpectations()
        clock.advance(milliseconds: milliseconds)
        settleExpectations()
    }

    /// Kind and sequence of a request's records, newest first.
    func kinds(_ identifier: String) throws -> [String] {
        var reader = RecordReader()
        return try log.records(of: Array(identifier.utf8).span, using: &reader).map { "\($0.kind) \($0.sequence)" }
    }
}

@Suite struct AnnouncementTests {
    @Test("the first is first, one that says the same appends nothing, another replaces it")
    func outcomes() throws {
        let open = try OpenLog(MemoryDisk())
        #expect(open.announce("a") == .announced(sequence: 1, isFirst: true))
        #expect(open.announce("a") == .announced(sequence: 1, isFirst: false))
        #expect(open.announce("a", members(300, reference: "\"r\"")) == .announced(sequence: 2, isFirst: false))
        #expect(open.announce("a") == .announced(sequence: 3, isFirst: false))
        #expect(open.announce("b") == .announced(sequence: 4, isFirst: true))
        #expect(open.log.openAnnouncements == 2)
        #expect(try open.kinds("a") == ["announcement 3", "announcement 2", "announcement 1"])
    }

    @Test("within one batch, and with callbacks before and behind")
    func oneBatch() throws {
        let open = try OpenLog(MemoryDisk())
        open.log.writer.queue.suspend()
        let tickets = [
            open.submitAnnouncement("a", members(9)), open.submitAnnouncement("a", members(9)), open.submit("a", "{}"),
            open.submit("b", "{}"), open.submitAnnouncement("b", members(9)), open.submitAnnouncement("a", members(10)),
        ]
        open.log.writer.queue.resume()
        open.settle()
        #expect(
            tickets.map(open.outcome) == [
                .announced(sequence: 1, isFirst: true), .announced(sequence: 1, isFirst: false), .fresh(2), .fresh(3),
                .announced(sequence: 4, isFirst: true), .announced(sequence: 5, isFirst: false),
            ])
        #expect(open.log.openAnnouncements == 0)
        open.pass(milliseconds: 60_000)
        #expect(open.log.durable == 5)
    }

    @Test("without a callback in time it is overdue, once", arguments: [.max, 0] as [UInt64])
    func overdue(hashMask: UInt64) throws {
        let open = try OpenLog(MemoryDisk(), hashMask: hashMask)
        _ = open.announce("a", members(300))
        _ = open.announce("b", members(400))
        open.pass(milliseconds: 299_000)
        #expect(try open.kinds("a") == ["announcement 1"])
        open.pass(milliseconds: 1_000)
        #expect(try open.kinds("a") == ["overdue 3", "announcement 1"])
        #expect(try open.kinds("b") == ["announcement 2"])
        open.pass(milliseconds: 1_000_000)
        #expect(try open.kinds("a") == ["overdue 3", "announcement 1"])
        #expect(try open.kinds("b") == ["overdue 4", "announcement 2"])
        #expect(open.log.openAnnouncements == 2)
        #expect(open.append("a") == .fresh(5))
        #expect(open.log.openAnnouncements == 1)
    }

    @Test("a callback that came is never overdue, before the announcement or behind it", arguments: [.max, 0] as [UInt64])
    func answered(hashMask: UInt64) throws {
        let open = try OpenLog(MemoryDisk(), hashMask: hashMask)
        _ = open.append("first")
        #expect(open.announce("first") == .announced(sequence: 2, isFirst: true))
        _ = open.announce("second")
        _ = open.append("second")
        _ = open.announce("other")
        #expect(open.log.openAnnouncements == 1)
        open.pass(milliseconds: 1_000_000)
        #expect(open.log.durable == 6)
        #expect(try open.kinds("other") == ["overdue 6", "announcement 5"])
    }

    @Test("one that is overdue and given longer is pending again, and overdue again when that is up")
    func longer() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.announce("a", members(300))
        open.pass(milliseconds: 301_000)
        _ = open.announce("a", members(600))
        #expect(open.log.openAnnouncements == 1)
        open.pass(milliseconds: 298_000)
        #expect(try open.kinds("a") == ["announcement 3", "overdue 2", "announcement 1"])
        open.pass(milliseconds: 2_000)
        #expect(try open.kinds("a") == ["overdue 4", "announcement 3", "overdue 2", "announcement 1"])
        // Another reference and no more time: still overdue, and nothing new happens.
        _ = open.announce("a", members(600, reference: "\"x\""))
        open.pass(milliseconds: 100_000)
        #expect(open.log.durable == 5)
    }

    @Test("a clock that is set ahead is noticed within a minute")
    func clockAhead() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.announce("a", members(86_400))
        open.settleExpectations()
        open.clock.stepWall(milliseconds: 86_400_000)
        open.pass(milliseconds: Int64(ExpectationKeeper.lookMilliseconds))
        #expect(try open.kinds("a") == ["overdue 2", "announcement 1"])
    }

    @Test("while the log takes nothing it waits, and is recorded when that is over")
    func blocked() throws {
        let disk = MemoryDisk()
        let open = try OpenLog(disk)
        _ = open.announce("a", members(10))
        disk.setFreeBytes(0)
        open.pass(milliseconds: 20_000)
        #expect(open.log.durable == 1)
        disk.setFreeBytes(.max)
        open.pass(milliseconds: 5_000)
        #expect(try open.kinds("a") == ["overdue 2", "announcement 1"])
    }

    @Test("a request has no more than its records, announcements among them, which leave room for callbacks")
    func full() throws {
        let open = try OpenLog(MemoryDisk())
        for number in 1...CallbackLog.recordsBeforeAnnouncementMax { _ = open.submitAnnouncement("a", members(number)) }
        open.settle()
        #expect(open.announce("a", members(5_000)) == .tooManyRecords)
        for number in CallbackLog.recordsBeforeAnnouncementMax + 1...CallbackLog.recordsPerRequestMax {
            #expect(open.append("a", "{\"n\":\(number)}") == .stored(sequence: UInt64(number), duplicate: false))
        }
        #expect(open.append("a", "{\"n\":0}") == .tooManyRecords)
        open.pass(milliseconds: 2_000_000)
        #expect(open.log.durable == UInt64(CallbackLog.recordsPerRequestMax))
    }

    @Test("no more requests are awaited than may be, until a callback comes; what is known of already goes on")
    func tooManyAwaited() throws {
        let open = try OpenLog(MemoryDisk()) { $0.awaitedMax = 3 }
        _ = open.append("early", "{}")
        for name in ["a", "b", "c"] { #expect(open.announce(name, members(300))?.sequence != nil) }
        #expect(open.announce("d", members(300)) == .tooManyAwaited && open.announce("d", members(300)) == .tooManyAwaited)
        #expect(open.announce("a", members(9))?.sequence != nil && open.announce("early", members(9))?.sequence != nil)
        #expect(open.append("a")?.sequence != nil && open.announce("d", members(300))?.sequence != nil)
        #expect(open.log.openAnnouncements == 3)
    }
}
