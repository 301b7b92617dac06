// Invariant 3, step by step: what becomes of a batch whose write or fdatasync fails.
//
// Must not know: what else may fail (EveryCallTests), recovery's own calls (CopyTests).

import Platform
import Testing

@testable import CallbackLog

@Suite struct FaultTests {
    @Test("the batch is written once more, the same bytes, to a fresh segment named by its first sequence")
    func rewritten() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"n\":1}")
        let size = try #require(open.disk[segmentName(1)]).count
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData], times: 1))
        #expect(open.appendTogether([("a", "{\"n\":2}"), ("b", "{}")]) == [.fresh(2), .fresh(3)])
        let old = try #require(open.disk[segmentName(1)])
        #expect(open.disk[segmentName(2)] == Array(old[size...]))
        #expect(open.events.contains(.segmentBegun(name: segmentName(2))))
        #expect(open.append("a", "{\"n\":1}") == .duplicate(of: 1))
        #expect(open.append("b") == .duplicate(of: 3))
        #expect(open.disk[segmentName(1)] == old)
    }

    @Test("an empty predecessor of that name is renamed ….failed")
    func renamed() throws {
        let open = try OpenLog(MemoryDisk())
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData], times: 1))
        #expect(open.append("a") == .fresh(1))
        #expect(open.disk.files.keys.sorted() == [segmentName(1), segmentName(1, ".failed")])
        #expect(open.disk[segmentName(1)] == open.disk[segmentName(1, ".failed")])
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("a") == .duplicate(of: 1))
    }

    @Test("when that fails too the batch is refused, the log says why, and the sequences are given to the next")
    func refused() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"n\":1}")
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData]))
        let reason = LogBlock.failed(SystemError(operation: "synchronizeData", path: segmentName(2), code: SystemError.inputOutput))
        #expect(open.append("a", "{\"n\":2}") == .blocked(reason))
        #expect(open.log.readiness(options: LogOptions()).block == reason)
        #expect(open.events.suffix(1) == [.blocked(reason)])
        let calls = open.disk.calls.count
        #expect(open.append("a", "{\"n\":3}") == .blocked(reason))
        #expect(open.disk.calls.count == calls, "a blocked log is left in peace")
        #expect(try open.records("a").map(\.sequence) == [1], "and can be read")

        open.clock.advance(milliseconds: 5_000)
        #expect(open.disk.calls.count { $0.operation == .synchronizeData && $0.failed } == 2 + 5, "one probe a second")
        open.disk.lift()
        #expect(open.append("a", "{\"n\":3}") == .blocked(reason))
        open.clock.advance(milliseconds: 1_000)
        #expect(open.log.readiness(options: LogOptions()).block == nil)
        #expect(open.events.last == .unblocked)
        #expect(open.append("a", "{\"n\":3}") == .fresh(2))
        #expect(open.append("a", "{\"n\":2}") == .fresh(3))
        #expect(open.disk.files.keys.sorted() == [segmentName(1), segmentName(2), segmentName(2, ".failed")].filter { open.disk[$0] != nil })
    }

    @Test("a write that takes a part goes on with the rest")
    func short() throws {
        let open = try OpenLog(MemoryDisk())
        open.disk.inject(Fault(.writesOnly(7), on: [.write]))
        #expect(open.appendTogether([("a", "{}"), ("b", "{}")]) == [.fresh(1), .fresh(2)])
        open.log.close()
        #expect(open.disk.files.count == 1)
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("b") == .duplicate(of: 2))
    }
}
