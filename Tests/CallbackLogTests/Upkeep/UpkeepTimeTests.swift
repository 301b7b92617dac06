// When upkeep does again what failed, and what a start makes of times.
//
// Must not know: what is in an index file.

import Platform
import Testing

@testable import CallbackLog

@Suite struct UpkeepTimeTests {
    private func seal(_ open: OpenLog) {
        open.log.writer.queue.sync { open.log.writer.withValue { $0.seal(olderThan: nil) } }
        open.settleUpkeep()
    }

    private func indexes(_ open: OpenLog) -> Int { open.disk.allFiles.keys.count { $0.hasSuffix(".index") } }

    @Test("what failed is tried again after a minute, also where the next look at retention is an hour away")
    func retried() throws {
        let open = try OpenLog(MemoryDisk()) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = 10 * LogOptions.dayMilliseconds
        }
        open.settleUpkeep()
        _ = open.append("a")
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.rename]))
        seal(open)
        #expect(indexes(open) == 0)
        open.disk.lift()
        open.clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
        open.settleUpkeep()
        #expect(indexes(open) == 1)
    }

    @Test("received_at does not go back where the newest segment is empty and a checkpoint ends the one before")
    func receivedAt() throws {
        let made = try OpenLog(MemoryDisk())
        _ = made.append("a")
        _ = made.append("b")
        made.clock.advance(milliseconds: 5_000)
        var bytes = try #require(made.disk[segmentName(1)])
        bytes[30] ^= 1
        let damaged = try OpenLog(MemoryDisk([segmentName(1): bytes])) { $0.hasUpkeep = true }
        damaged.settleUpkeep()
        #expect(damaged.disk[segmentName(3)] == [] && indexes(damaged) == 1)
        let again = try OpenLog(damaged.disk.afterKill()) { $0.hasUpkeep = true }
        #expect(again.append("c") == .fresh(3))
        let lines = again.disk.files.sorted { $0.key < $1.key }.flatMap { ReferenceRule.lines($0.value) }
        let times = lines.compactMap { ParsedLine($0.text.span)?.receivedAt }
        #expect(times.count == 3 && times == times.sorted())
    }

    @Test("a segment that is damaged as a whole goes by age when the next one does, and not before")
    func unknownAge() throws {
        let made = try OpenLog(MemoryDisk())
        for identifier in ["a", "b", "c"] {
            _ = made.append(identifier)
            seal(made)
        }
        var files = made.disk.files
        files[segmentName(1)] = Array("{}\n".utf8)
        let open = try OpenLog(MemoryDisk(files)) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = 10 * LogOptions.dayMilliseconds
        }
        open.settleUpkeep()
        #expect(open.disk[segmentName(1)] != nil)
        #expect(open.log.damages.count == 1)
        open.clock.advance(milliseconds: 11 * LogOptions.dayMilliseconds)
        open.settleUpkeep()
        #expect(open.disk[segmentName(1)] == nil && open.disk[segmentName(2)] == nil)
    }
}
