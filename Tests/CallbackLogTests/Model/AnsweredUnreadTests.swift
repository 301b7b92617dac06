// A callback that comes while its announcement cannot be read.
//
// Promises: what the log expects is what its records say, once they can be read again. Must not know: who remembers.

import Glibc
import Platform
import Testing

@testable import CallbackLog

@Suite struct AnsweredUnreadTests {
    @Test(
        "once it can be read again, it is expected no more: no longer open, at once and after a start",
        .disabled("An overdue announcement that could not be read when its callback came stays open, and the file of open ones keeps it."))
    func expectedNoMore() throws {
        let disk = MemoryDisk()
        let clock = TurnedClock()
        let open = try OpenLog(disk, segmentBytesMax: 300, clock: clock) { $0.hasUpkeep = true }
        _ = open.announce("late", members(10))
        open.pass(milliseconds: 20_000)
        for number in 0..<6 { _ = open.append("other", "{\"n\":\(number)}") }
        open.settleAll()
        disk.inject(Fault(.fails(EIO), on: [.open, .read]))
        #expect(open.append("late")?.sequence != nil)
        disk.lift()
        clock.advance(milliseconds: 61_000)
        open.settleAll()
        #expect(open.log.openAnnouncements == 0)
        open.close()
        let again = try OpenLog(open.disk.afterKill(), segmentBytesMax: 300, clock: clock) { $0.hasUpkeep = true }
        again.settleAll()
        #expect(again.log.openAnnouncements == 0)
    }
}
