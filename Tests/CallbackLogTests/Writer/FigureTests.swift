// What the log says of itself in numbers: counted by the writer, or as things stand.
//
// Promises: numbers are compared with what was acknowledged.

import Platform
import Testing

@testable import CallbackLog

@Suite("Figures")
struct FigureTests {
    /// Callbacks whose payload has an `s` of 1 to 3 and a class.
    private static func describe(_ kind: RecordKind, _ members: Span<UInt8>, _ description: inout RecordDescription) {
        guard kind == .callback, members.count > 6 else { return }
        description.status = members[5] - 0x30
        description.failureClass = description.status == 2 ? 8 : 0
    }

    private static func payload(_ status: Int) -> String { "{\"s\":\(status)}" }

    @Test("what became durable is counted by kind, status and class, duplicates apart")
    func counted() throws {
        let open = try OpenLog(MemoryDisk()) { $0.describe = { Self.describe($0, $1, &$2) } }
        let before = open.log.figures()
        #expect(before.callbacks == 0 && before.duplicates == 0 && before.statuses == [UInt64](repeating: 0, count: 16) && before.durable == 0)
        #expect(before.syncNanoseconds.count == 0 && before.batchRecords.count == 0 && before.newestCallback == 0 && before.segments == 1)
        _ = open.appendTogether([("a", Self.payload(1)), ("b", Self.payload(2)), ("a", Self.payload(1)), ("c", Self.payload(3))])
        _ = open.append("b", Self.payload(2))
        open.clock.advance(milliseconds: 5_000)
        _ = open.append("d", Self.payload(2))
        _ = open.submitAnnouncement("e", "\"overdue_after\":300,\"reference\":null,\"metadata\":{}")
        open.settle()
        let after = open.log.figures()
        #expect(after.callbacks == 4 && after.announcements == 1 && after.duplicates == 2 && after.durable == 5)
        #expect(after.statuses[1...3] == [1, 2, 1] && after.failureClasses[8] == 2)
        #expect(after.openAnnouncements == 1 && after.overdueAnnouncements == 0)
        #expect(after.batchRecords.count == 3 && after.batchRecords.sum == 5 && after.batchRecords.counts[0] == 2)
        #expect(after.syncNanoseconds.count >= 3)
        #expect(after.newestCallback == UInt64(open.clock.time.wallMilliseconds()))
        #expect(after.segmentBytes == UInt64(open.disk[segmentName(1)]?.count ?? 0))
        open.close()
    }

    @Test("a write that fails is counted, and no record that was not stored")
    func failed() throws {
        let open = try OpenLog(MemoryDisk()) { $0.describe = { Self.describe($0, $1, &$2) } }
        _ = open.append("a", Self.payload(1))
        open.disk.inject(Fault(.fails(5), on: [.synchronizeData]))
        guard case .blocked = try #require(open.append("b", Self.payload(1))) else {
            Issue.record("it was not blocked")
            return
        }
        let figures = open.log.figures()
        #expect(figures.writeFailures == 2 && figures.callbacks == 1 && figures.statuses[1] == 1 && figures.duplicates == 0)
        open.disk.lift()
    }

    @Test("the newest callback is found behind records of other kinds, over segments and a restart")
    func newest() throws {
        let clock = TurnedClock()
        let open = try SegmentedLog.open(MemoryDisk(), clock: clock)
        var reader = RecordReader()
        #expect(try open.log.newestCallback(using: &reader) == nil)
        for number in 0..<5 { _ = open.append("id-\(number)", "{\"n\":\(number)}") }
        let expected = Timestamp(milliseconds: clock.time.wallMilliseconds())
        clock.advance(milliseconds: 10_000)
        for number in 0..<20 { _ = open.submitAnnouncement("other-\(number)", "\"overdue_after\":604800,\"reference\":null,\"metadata\":{}") }
        open.settleUpkeep()
        #expect(open.log.figures().segments > 3)
        #expect(try open.log.newestCallback(using: &reader) == expected)
        open.log.close()
        let again = try SegmentedLog.open(open.disk.afterKill(), clock: clock)
        again.settleUpkeep()
        #expect(again.log.figures().newestCallback == 0, "counted since the process began")
        #expect(try again.log.newestCallback(using: &reader) == expected)
        let figures = again.log.figures()
        #expect(figures.callbacks == 0 && figures.durable == 25 && figures.openAnnouncements == 20 && figures.indexBytes > 0)
        again.log.close()
    }
}
