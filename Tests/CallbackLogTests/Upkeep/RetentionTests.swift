// Retention: whole sealed segments go, oldest first, by bytes and by age.
//
// Promises: what is left is held to what was acknowledged; time is turned; crashes come after every call.
// Must not know: how upkeep reckons.

import Platform
import Testing

@testable import CallbackLog

@Suite struct RetentionTests {
    private static let day = LogOptions.dayMilliseconds
    /// Segments of three records and more, each with an index of four pages.
    private static let bytesMax: Int64 = 60_000

    private func open(
        _ disk: MemoryDisk = MemoryDisk(), bytesMax: Int64? = nil, days: Int64? = nil, clock: TurnedClock = TurnedClock(), segmentBytesMax: Int64 = 600
    ) throws -> OpenLog {
        try OpenLog(disk, segmentBytesMax: segmentBytesMax, clock: clock) {
            $0.hasUpkeep = true
            $0.retentionBytesMax = bytesMax
            $0.retentionMilliseconds = days.map { $0 * Self.day }
        }
    }

    private func size(_ disk: MemoryDisk) -> Int64 {
        disk.allFiles.filter { SegmentName.firstSequence(ofAny: $0.key) != nil }.reduce(0) { $0 + Int64($1.value.count) }
    }

    /// What stays is served, what went is not, and what went is stored anew when it is sent again.
    private func hold(_ open: OpenLog, _ expected: [String: [SeenRecord]], _ what: String) throws {
        let beginning = try #require(open.disk.segments.first.flatMap { SegmentName.firstSequence(of: $0) })
        for (identifier, records) in expected {
            #expect(try open.records(identifier) == records.filter { $0.sequence >= beginning }, "\(what): \(identifier)")
            for record in records where record.sequence >= beginning {
                #expect(open.append(identifier, record.payload) == .duplicate(of: record.sequence), "\(what): \(record)")
            }
        }
        #expect(open.log.damages.count == 0, "\(what)")
    }

    /// Advances by so much, day by day and then in steps of an hour, with upkeep's turn in each.
    private func advance(_ open: OpenLog, hours: Int64) {
        var left = hours
        while left > 0 {
            let step: Int64 = left >= 48 ? 24 : 1
            open.clock.advance(milliseconds: step * Int64(Upkeep.retentionMilliseconds))
            open.settleUpkeep()
            left -= step
        }
    }

    // MARK: by bytes

    @Test("by bytes: the oldest segments go with their indexes, the newest stay, and sequences go on")
    func bytes() throws {
        let open = try open(bytesMax: Self.bytesMax)
        var expected: [String: [SeenRecord]] = [:]
        for number in 1...40 {
            let payload = "{\"n\":\(number)}"
            let identifier = "id-\(number % 5)"
            #expect(open.append(identifier, payload) == .fresh(UInt64(number)))
            expected[identifier, default: []].insert(SeenRecord(sequence: UInt64(number), payload: payload), at: 0)
            open.settleUpkeep()
            #expect(size(open.disk) <= Self.bytesMax, "after \(number)")
            #expect(open.disk.indexes == open.disk.sealed.map(indexName))
        }
        #expect(open.disk.segments.first != segmentName(1))
        #expect(open.disk.sealed.count >= 2, "no more goes than must")
        #expect(open.events.contains { if case .retired = $0 { true } else { false } })
        try hold(open, expected, "by bytes")
        // What went is not known any more.
        #expect(open.append("id-1", "{\"n\":1}") == .fresh(41))
        #expect(open.append("id-1", "{\"n\":1}") == .duplicate(of: 41))
        #expect(open.disk.synchronizedSinceLastRemoval)

        let next = try self.open(open.disk.afterKill(), bytesMax: Self.bytesMax)
        next.settleUpkeep()
        #expect(next.log.report.damageCount == 0 && next.log.report.tear == nil)
        try hold(next, expected.merging(["id-1": [SeenRecord(sequence: 41, payload: "{\"n\":1}")] + expected["id-1", default: []]]) { $1 }, "then")
    }

    @Test("the whole log never takes more than its bound, the segment that is being filled included")
    func bounded() throws {
        // Segments as large as the bound allows, and index files that are small beside them.
        let bytesMax: Int64 = 400_000
        let open = try open(bytesMax: bytesMax, segmentBytesMax: 1 << 20)
        let filler = String(repeating: "x", count: 9_000)
        var largest: Int64 = 0
        for number in 1...120 {
            _ = open.append("id", "{\"n\":\(number),\"text\":\"\(filler)\"}")
            open.settleUpkeep()
            largest = max(largest, size(open.disk))
        }
        #expect(open.disk.segments.first != segmentName(1))
        // A segment's index is made, and then what is too much goes.
        #expect(largest <= bytesMax + 32_768, "\(largest) bytes")
        #expect(largest > bytesMax / 2)
    }

    @Test("the newest segment never goes, however large")
    func newest() throws {
        let open = try open(bytesMax: 1_000, segmentBytesMax: 1 << 20)
        let text = String(repeating: "x", count: 5_000)
        for number in 1...3 {
            #expect(open.append("id-\(number)", "{\"text\":\"\(text)\"}") == .fresh(UInt64(number)))
            open.settleUpkeep()
            #expect(try open.records("id-\(number)").map(\.sequence) == [UInt64(number)])
            #expect(open.disk.segments == [segmentName(number)])
            #expect(open.disk.indexes == [])
        }
        #expect(open.append("id-3", "{\"text\":\"\(text)\"}") == .duplicate(of: 3))
        #expect(open.append("id-1", "{\"text\":\"\(text)\"}") == .fresh(4))
    }

    @Test("a bound on the log bounds its segments: a quarter of it, where that is less than a segment may have")
    func limit() {
        var options = LogOptions()
        #expect(options.segmentBytesLimit == options.segmentBytesMax)
        options.retentionBytesMax = 100 * 1_024 * 1_024
        #expect(options.segmentBytesLimit == 25 * 1_024 * 1_024)
        options.retentionBytesMax = 10 * options.segmentBytesMax
        #expect(options.segmentBytesLimit == options.segmentBytesMax)
        options.retentionBytesMax = 1
        #expect(options.segmentBytesLimit == 1)
        options.retentionBytesMax = nil
        options.segmentBytesMax = .max
        #expect(options.segmentBytesLimit == Writer.segmentBytesCeiling)
    }

    // MARK: by age

    @Test("by age: a segment goes when its newest record is too old, and not before")
    func age() throws {
        let open = try open(days: 30)
        var expected = try SegmentedLog.fill(open, 8)
        open.settleUpkeep()
        let old = open.disk.sealed
        #expect(old.count == 2)
        advance(open, hours: 24 * 30 - 1)
        #expect(open.disk.segments.starts(with: old), "not yet")
        try hold(open, expected, "before")
        #expect(open.append("new") == .fresh(9))
        advance(open, hours: 3)
        #expect(old.allSatisfy { !open.disk.segments.contains($0) && open.disk.allFiles[indexName($0)] == nil })
        try hold(open, expected, "after")
        #expect(open.append("new") == .duplicate(of: 9))
        #expect(open.append("id-1", "{\"n\":1}") == .fresh(10))
        #expect(open.disk.synchronizedSinceLastRemoval)
        let next = try self.open(open.disk.afterKill(), days: 30, clock: open.clock)
        #expect(next.log.report.damageCount == 0)
        expected["id-1"] = [SeenRecord(sequence: 10, payload: "{\"n\":1}")]
        try hold(next, expected, "then")
    }

    @Test("by age: the open segment is sealed after a tenth of the time, at most daily, so that a quiet log empties", arguments: [2, 30] as [Int64])
    func sealed(days: Int64) throws {
        let open = try open(days: days, segmentBytesMax: 1 << 20)
        let sealAfterHours = max(24, days * 24 / 10)
        #expect(open.append("personal") == .fresh(1))
        advance(open, hours: sealAfterHours - 1)
        #expect(open.disk.segments == [segmentName(1)])
        advance(open, hours: 2)
        #expect(open.disk.segments == [segmentName(1), segmentName(2)])
        #expect(open.disk.indexes == [indexName(segmentName(1))])
        #expect(try open.records("personal").map(\.sequence) == [1])
        advance(open, hours: days * 24 - sealAfterHours)
        #expect(open.disk.segments == [segmentName(2)], "and nothing follows it")
        #expect(open.disk.indexes == [])
        #expect(try open.records("personal") == [])
        #expect(!open.disk.allFiles.values.contains { String(decoding: $0, as: UTF8.self).contains("personal") })
        #expect(open.append("personal") == .fresh(2))
        let next = try self.open(open.disk.afterKill(), days: days, clock: open.clock)
        #expect(next.log.report.damageCount == 0 && next.log.durable == 2)
    }

    @Test("an open segment without records is not sealed, however old; one that a start found has the age of its first record")
    func unsealed() throws {
        let empty = try open(days: 10)
        advance(empty, hours: 24 * 20)
        #expect(empty.disk.segments == [segmentName(1)])
        #expect(empty.append("first") == .fresh(1))
        advance(empty, hours: 20)
        empty.log.close()
        let again = try open(empty.disk.afterKill(), days: 10, clock: empty.clock)
        again.settleUpkeep()
        #expect(again.disk.segments == [segmentName(1)])
        advance(again, hours: 6)
        #expect(again.disk.segments == [segmentName(1), segmentName(2)])
        let third = try open(again.disk.afterKill(), days: 10, clock: again.clock)
        advance(third, hours: 24 * 10)
        #expect(third.disk.segments == [segmentName(2)])
    }

    @Test("a wall clock that is set back keeps what it has, and one that is set ahead lets go at the next turn")
    func stepped() throws {
        let open = try open(days: 30)
        _ = try SegmentedLog.fill(open, 8)
        open.settleUpkeep()
        let before = open.disk.segments
        open.clock.stepWall(milliseconds: -400 * Self.day)
        advance(open, hours: 2)
        #expect(open.disk.segments == before)
        open.clock.stepWall(milliseconds: 431 * Self.day)
        advance(open, hours: 2)
        #expect(!open.disk.segments.contains(segmentName(1)))
    }

    @Test("by both: whichever comes first")
    func both() throws {
        let byBytes = try open(bytesMax: Self.bytesMax, days: 30)
        _ = try SegmentedLog.fill(byBytes, 40)
        byBytes.settleUpkeep()
        #expect(byBytes.disk.segments.first != segmentName(1))
        let byAge = try open(bytesMax: 1 << 30, days: 30)
        _ = try SegmentedLog.fill(byAge, 8)
        advance(byAge, hours: 24 * 30 + 1)
        #expect(byAge.disk.segments.first != segmentName(1))
    }

    @Test("a segment of which no record is sound goes no sooner than what follows it")
    func unsound() throws {
        let open = try open(days: 30)
        _ = try SegmentedLog.fill(open, 8)
        open.settleUpkeep()
        open.log.close()
        let disk = open.disk.afterKill()
        let segment = disk.sealed[0]
        try disk.remove(indexName(segment))
        try disk.change(segment) { bytes in bytes = bytes.map { $0 == 0x0A ? $0 : $0 ^ 1 } }
        let next = try self.open(disk, days: 30, clock: open.clock)
        next.settleUpkeep()
        #expect(next.log.report.damageCount == 1)
        advance(next, hours: 2)
        #expect(next.disk.segments.contains(segment), "its bytes may be all that is left of what was acknowledged an hour ago")
        advance(next, hours: 24 * 31)
        #expect(!next.disk.segments.contains(segment), "in the end it goes")
    }
}

extension MemoryDisk {
    /// Whether the directory was synced after the last removal.
    var synchronizedSinceLastRemoval: Bool {
        let calls = calls
        guard let removal = calls.lastIndex(where: { $0.operation == .remove }) else { return true }
        return calls[removal...].contains { $0.operation == .synchronizeDirectory && !$0.failed }
    }
}
