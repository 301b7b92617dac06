// What is a duplicate (API.md §3), what is a record of its own, and when either may be told.
//
// Promises: every claim holds in the log that made the records and in the one that found them again.
// Must not know: faults (FaultTests), colliding hashes (CollisionTests).

import Platform
import Testing

@testable import CallbackLog

@Suite struct DuplicateTests {
    @Test("sequences are dense from 1, across batches and starts")
    func dense() throws {
        var disk = MemoryDisk()
        var next: UInt64 = 1
        for start in 0..<3 {
            let open = try OpenLog(disk)
            for batch in 1...3 {
                let outcomes = open.appendTogether((0..<batch).map { ("\(start).\(batch)", "{\"n\":\($0)}") })
                #expect(outcomes == (0..<batch).map { .fresh(next + UInt64($0)) })
                next += UInt64(batch)
                #expect(open.log.durable == next - 1)
            }
            if start == 1 { open.log.close() }
            disk = open.disk.afterKill()
        }
    }

    @Test("a record's durable mark is the position before its batch")
    func marks() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.appendTogether([("a", "{}")])
        _ = open.appendTogether([("b", "{}"), ("c", "{}"), ("d", "{}")])
        _ = open.appendTogether([("e", "{}")])
        let lines = ReferenceRule.lines(try #require(open.disk[segmentName(1)]))
        #expect(lines.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(lines.map(\.durable) == [0, 1, 1, 1, 4])
    }

    @Test("received_at never decreases, in one run or the next, though the wall clock does")
    func monotonic() throws {
        let clock = TurnedClock()
        let open = try OpenLog(MemoryDisk(), clock: clock)
        _ = open.append("a", "{\"n\":1}")
        clock.stepWall(milliseconds: -3_600_000)
        _ = open.append("a", "{\"n\":2}")
        let again = try OpenLog(open.disk.afterKill(), clock: clock)
        _ = again.append("a", "{\"n\":3}")
        clock.stepWall(milliseconds: 7_200_000)
        _ = again.append("a", "{\"n\":4}")
        var reader = RecordReader()
        var times: [Int64] = []
        for location in try again.log.records(of: Array("a".utf8).span, using: &reader) {
            times.append(try again.log.read(location, using: &reader).receivedAt.milliseconds)
        }
        #expect(times == [1_779_304_825_031, 1_779_301_225_031, 1_779_301_225_031, 1_779_301_225_031])
    }

    @Test("the same payload again is a duplicate: in one batch, in a later one, after others of its id, after a start")
    func same() throws {
        let open = try OpenLog(MemoryDisk())
        #expect(open.appendTogether([("a", "{}"), ("b", "{}"), ("a", "{}"), ("a", "{\"n\":1}"), ("a", "{}"), ("a", "{\"n\":1}")])
            == [.fresh(1), .fresh(2), .duplicate(of: 1), .fresh(3), .duplicate(of: 1), .duplicate(of: 3)])
        #expect(open.append("a") == .duplicate(of: 1))
        #expect(open.appendTogether([("a", "{\"n\":2}"), ("a", "{\"n\":1}"), ("b", "{}")]) == [.fresh(4), .duplicate(of: 3), .duplicate(of: 2)])
        let size = open.disk[segmentName(1)]?.count
        #expect(open.append("a", "{\"n\":2}") == .duplicate(of: 4))
        #expect(open.disk[segmentName(1)]?.count == size, "nothing is appended")
        for disk in [open.disk.afterKill(), open.disk.afterPowerLoss()] {
            let again = try OpenLog(disk)
            #expect(again.appendTogether([("a", "{}"), ("a", "{\"n\":2}"), ("b", "{}"), ("c", "{}")])
                == [.duplicate(of: 1), .duplicate(of: 4), .duplicate(of: 2), .fresh(5)])
        }
    }

    @Test("payloads that differ in a byte, and ids that differ in one, are records of their own")
    func different() throws {
        let open = try OpenLog(MemoryDisk())
        let callbacks = [
            ("a", "{\"n\":1}"), ("a", "{\"n\":2}"), ("a", "{\"N\":1}"), ("a", "{\"n\":10}"), ("a", "{}"), ("A", "{}"), ("a\"", "{}"), ("a\\", "{}"),
            ("a\\\"", "{}"), ("aa", "{}"),
        ]
        #expect(open.appendTogether(callbacks) == (1...10).map { .fresh($0) })
        #expect(open.appendTogether(callbacks) == (1...10).map { .duplicate(of: $0) })
        let again = try OpenLog(open.disk.afterKill())
        #expect(again.appendTogether(callbacks) == (1...10).map { .duplicate(of: $0) })
        #expect(try again.records("a").map(\.sequence) == [5, 4, 3, 2, 1])
        #expect(try again.records("a\\\"") == [SeenRecord(sequence: 9, payload: "{}")])
        #expect(try again.records("b").isEmpty)
    }

    @Test("a duplicate is found in an older segment, and its request's records are one list over all of them")
    func acrossSegments() throws {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 400)
        for number in 1...20 { #expect(open.append("a", "{\"n\":\(number)}") == .fresh(UInt64(number))) }
        #expect(open.disk.files.count >= 7)
        for again in [open, try OpenLog(open.disk.afterKill(), segmentBytesMax: 400)] {
            for number in 1...20 { #expect(again.append("a", "{\"n\":\(number)}") == .duplicate(of: UInt64(number))) }
            #expect(try again.records("a").map(\.sequence) == (1...20).reversed())
        }
    }

    @Test("what cannot be read back is stored again rather than taken for a duplicate")
    func unreadable() throws {
        let open = try OpenLog(MemoryDisk())
        _ = open.append("a", "{\"n\":1}")
        _ = open.append("b")
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.read]))
        #expect(open.append("a", "{\"n\":1}") == .fresh(3))
        #expect(open.events.contains { if case .unreadable = $0 { true } else { false } })
        open.disk.lift()
        #expect(open.append("a", "{\"n\":2}") == .fresh(4))
        #expect(try open.records("a").map(\.sequence) == [4, 3, 1], "newest first all the same")
    }

    @Test("a request has 1,000 records and no more; its duplicates are still known, and others go on", arguments: [1_000, 40])
    func bound(batch: Int) throws {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 40_000)
        for start in stride(from: 0, to: 1_000, by: batch) {
            let outcomes = open.appendTogether((start..<(start + batch)).map { ("a", "{\"n\":\($0)}") })
            #expect(outcomes == (start..<(start + batch)).map { .fresh(UInt64($0) + 1) })
        }
        #expect(open.appendTogether([("a", "{}"), ("a", "{\"n\":999}"), ("b", "{}"), ("a", "{\"x\":1}")])
            == [.tooManyRecords, .duplicate(of: 1_000), .fresh(1_001), .tooManyRecords])
        #expect(try open.records("a").count == CallbackLog.recordsPerRequestMax)
        let again = try OpenLog(open.disk.afterKill(), segmentBytesMax: 40_000)
        #expect(again.appendTogether([("a", "{}"), ("a", "{\"n\":0}")]) == [.tooManyRecords, .duplicate(of: 1)])
    }

    @Test("within one batch, too, the thousandth is the last")
    func boundInBatch() throws {
        let open = try OpenLog(MemoryDisk())
        let outcomes = open.appendTogether((0..<1_002).map { ("a", "{\"n\":\($0)}") })
        #expect(outcomes == (1...1_000).map { .fresh($0) } + [.tooManyRecords, .tooManyRecords])
    }
}
