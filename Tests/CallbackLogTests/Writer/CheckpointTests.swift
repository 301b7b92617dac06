// Checkpoints (API.md §7): on a clean stop, and after at most a second without a record, so that nothing
// acknowledged stays unproved.
// Time is turned by hand; no test waits. Must not know: what recovery makes of them.

import Dispatch
import Testing

@testable import CallbackLog

@Suite struct CheckpointTests {
    /// The marks of the checkpoints in every segment, oldest first.
    private func checkpoints(_ open: OpenLog) -> [UInt64] {
        open.disk.files.sorted { $0.key < $1.key }.flatMap { ReferenceRule.lines($0.value) }
            .filter { $0.isSound && $0.sequence == nil }.map(\.durable)
    }

    @Test("after a quiet second there is exactly one, however long it stays quiet")
    func quiet() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        _ = open.append("b")
        open.clock.advance(milliseconds: 999)
        #expect(checkpoints(open) == [])
        open.clock.advance(milliseconds: 1)
        #expect(checkpoints(open) == [2])
        open.clock.advance(milliseconds: 100_000)
        #expect(checkpoints(open) == [2])
        #expect(open.clock.timerCount == 0, "no timer runs while nothing happens")
        _ = open.append("c")
        open.clock.advance(milliseconds: 1_000)
        #expect(checkpoints(open) == [2, 3])
    }

    @Test("none is written while records come; a second after the last one is")
    func busy() throws {
        let open = try OpenLog(MemoryDisk())
        for number in 0..<20 {
            _ = open.append("a", "{\"n\":\(number)}")
            open.clock.advance(milliseconds: 600)
            #expect(open.clock.timerCount == 1)
        }
        #expect(checkpoints(open) == [])
        open.clock.advance(milliseconds: 400)
        #expect(checkpoints(open) == [20])
    }

    @Test("a clean stop proves everything, and the start after it writes nothing")
    func closed() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        let ticket = open.submit("b", "{}")
        open.log.close()
        #expect(open.outcome(ticket) == .fresh(2), "what was handed over before is in")
        #expect(checkpoints(open) == [2])
        let again = try OpenLog(open.disk.afterPowerLoss())
        #expect(again.log.report.copied == 0)
        again.log.close()
        #expect(again.disk.files == open.disk.files)
    }

    @Test("a duplicate proves nothing and needs no proof")
    func duplicates() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        open.clock.advance(milliseconds: 1_000)
        _ = open.append("a")
        open.log.close()
        #expect(checkpoints(open) == [1])
    }

    @Test("an empty log needs none")
    func empty() throws {
        let open = try OpenLog(MemoryDisk())
        open.log.close()
        #expect(open.disk.files == [segmentName(1): []])
    }

    @Test("what became durable before the space ran out is proven once there is space again")
    func afterSpace() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        open.clock.advance(milliseconds: 500)
        _ = open.append("b")
        open.disk.setFreeBytes(0)
        open.clock.advance(milliseconds: 600)
        #expect(open.append("c")?.isBlocked == true, "free space was asked for before the quiet second was over")
        open.clock.advance(milliseconds: 5_000)
        #expect(checkpoints(open) == [])
        open.disk.setFreeBytes(.max)
        open.clock.advance(milliseconds: 1_000)
        #expect(checkpoints(open) == [2])
    }

    @Test("a log that was let go writes nothing more, whatever its timers were for")
    func letGo() throws {
        var open: OpenLog? = try OpenLog(MemoryDisk())
        _ = open?.append("a")
        let (disk, clock) = try (#require(open).disk, #require(open).clock)
        open = nil
        let calls = disk.calls.count
        #expect(clock.timerCount == 1)
        clock.advance(milliseconds: 10_000)
        #expect(disk.calls.count == calls)
    }

    @Test("a disk that hangs in a checkpoint shows as busy")
    func hanging() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a")
        let hold = open.disk.holdSynchronization()
        let (log, clock) = (open.log, open.clock)
        DispatchQueue.global().async { log.close() }
        try #require(hold.wait())
        clock.advance(milliseconds: 700)
        #expect(log.readiness(options: LogOptions()).busyMilliseconds == 700)
        hold.release()
        open.settle()
        #expect(log.readiness(options: LogOptions()).busyMilliseconds == 0)
    }
}
