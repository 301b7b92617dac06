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
}
