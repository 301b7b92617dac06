// Requests by state, key and time, held against a fold of every line.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("A selection finds its requests, each once, and nothing is missed")
struct SelectionTests {
    /// Selections of each sort, over the times that the lines have.
    static func selections(_ lines: [StoredLine], using numbers: inout SeededGenerator) -> [RecordSelection] {
        var selections: [RecordSelection] = []
        func add(_ change: (inout RecordSelection) -> Void) {
            var selection = RecordSelection()
            change(&selection)
            selections.append(selection)
        }
        add { _ in }
        for status in 1...5 as ClosedRange<UInt16> { add { $0.statuses = 1 << status } }
        add { $0.failureClasses = 1 << UInt16.random(in: 1...8, using: &numbers) }
        add { ($0.statuses, $0.failureClasses) = (1 << 2, 0b110) }
        for number in 0..<2 {
            add { $0.key = .init(.sessionID, Array("k\(number)".utf8)) }
            add { $0.key = .init(.reference, Array("r\(number)".utf8)) }
            add { ($0.key, $0.statuses) = (.init(.sessionID, Array("k\(number + 2)".utf8)), 1 << 2) }
        }
        add { $0.key = .init(.reference, Array("nobody's".utf8)) }
        guard let first = lines.first, let last = lines.last else { return selections }
        for _ in 0..<3 {
            let times = (0..<2).map { _ in Int64.random(in: first.receivedAt.milliseconds - 5...last.receivedAt.milliseconds + 5, using: &numbers) }.sorted()
            add { ($0.since, $0.until) = (Timestamp(milliseconds: times[0]), Timestamp(milliseconds: times[1])) }
            add { ($0.since, $0.statuses) = (Timestamp(milliseconds: times[1]), 1 << 1) }
            add { $0.until = Timestamp(milliseconds: times[0]) }
        }
        return selections
    }

    /// Holds what selections find, as of the end and of earlier positions, against all lines.
    static func hold(_ open: OpenLog, _ what: String, using numbers: inout SeededGenerator) throws {
        let lines = SelectedLog.lines(open.disk)
        let durable = open.log.durable
        for position in [durable, durable - min(durable, 3), durable / 2] {
            let expected = SelectedLog.requests(lines, asOf: position)
            for selection in selections(lines, using: &numbers) {
                let wanted = expected.filter { $0.isWanted(by: selection) }
                let isNewestFirst = Bool.random(using: &numbers)
                let found = try open.selected(
                    selection, asOf: position, isNewestFirst: isNewestFirst, candidatesMax: [1, 3, 100][Int.random(in: 0..<3, using: &numbers)],
                    workMax: [1, 700, 100_000][Int.random(in: 0..<3, using: &numbers)],
                    keyRecordsMax: [0, 2, 5, KeySearch.recordsMax][Int.random(in: 0..<4, using: &numbers)])
                #expect(found == (isNewestFirst ? wanted.reversed() : wanted), "\(what), as of \(position) of \(durable): \(selection)")
            }
            try holdTally(open, expected, asOf: position, what, using: &numbers)
        }
    }

    /// What is superseded has to be known for it, and what was since the position.
    private static func holdTally(
        _ open: OpenLog, _ expected: [ExpectedRequest], asOf position: UInt64, _ what: String, using numbers: inout SeededGenerator
    ) throws {
        let isKnown = open.log.shared.published.withLock { published in
            var since: Set<UInt64> = []
            return published.supersessions.isWhole && published.supersessions.addRecent(above: position, asOf: position, to: &since)
        }
        guard isKnown else { return }
        let interval: Int64 = [1_000, 60_000][Int.random(in: 0..<2, using: &numbers)]
        var since: Timestamp?
        if let some = expected.randomElement(using: &numbers), Bool.random(using: &numbers) { since = some.updatedAt }
        let counted = expected.filter { request in since.map { request.updatedAt >= $0 } ?? true }
        let buckets = try open.tally(asOf: position, since: since, interval: interval, workMax: [1, 2_000][Int.random(in: 0..<2, using: &numbers)])
        let byStart = Dictionary(grouping: counted) { $0.updatedAt.milliseconds / interval * interval }
        #expect(buckets.map(\.start.milliseconds) == byStart.keys.sorted(), "\(what), as of \(position)")
        for bucket in buckets {
            let requests = byStart[bucket.start.milliseconds] ?? []
            for status in 1...5 { #expect(bucket.counts.statuses[status] == requests.count { Int($0.status) == status }, "\(what): status \(status)") }
            for number in 1...8 {
                #expect(bucket.counts.failureClasses[number] == requests.count { Int($0.failureClass) == number }, "\(what): class \(number)")
            }
        }
    }

    @Test(
        "in random logs, over seals, stops and kills, with hashes that collide",
        arguments: [.max, 15, 0] as [UInt64], [1, 2] as [UInt64])
    func random(mask: UInt64, seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        let clock = TurnedClock()
        var open = try SelectedLog.open(MemoryDisk(), hashMask: mask, clock: clock)
        let ids = [6, 40][Int(seed % 2)]
        for number in 0..<100 {
            SelectedLog.appendRandom(to: open, ids: ids, number: number, using: &numbers)
            if number % 50 == 49 {
                open.settleUpkeep()
                try Self.hold(open, "seed \(seed), after \(number)", using: &numbers)
                if Bool.random(using: &numbers) { open.close() }
                open = try SelectedLog.open(open.disk.afterKill(), hashMask: mask, clock: clock)
                // At once, before upkeep has done anything; and again when it has.
                try Self.hold(open, "seed \(seed), a start after \(number)", using: &numbers)
                open.settleUpkeep()
                #expect(open.log.shared.published.withLock { $0.supersessions.isWhole })
                try Self.hold(open, "seed \(seed), after a start", using: &numbers)
            }
        }
        #expect(open.disk.sealed.count > 3)
    }

    @Test("without index files and upkeep, when nobody knows what is superseded", arguments: [.max, 0] as [UInt64])
    func inMemory(mask: UInt64) throws {
        var numbers = SeededGenerator(seed: 9)
        let clock = TurnedClock()
        let open = try SelectedLog.open(MemoryDisk(), hashMask: mask, clock: clock) { $0.hasUpkeep = false }
        for number in 0..<80 { SelectedLog.appendRandom(to: open, ids: 12, number: number, using: &numbers) }
        open.settle()
        try Self.hold(open, "appended", using: &numbers)
        let next = try SelectedLog.open(open.disk.afterKill(), hashMask: mask, clock: clock) { $0.hasUpkeep = false }
        #expect(!next.log.shared.published.withLock { $0.supersessions.isWhole })
        try Self.hold(next, "started", using: &numbers)
        #expect(throws: RecordReadFailure.indexing) { try next.tally(asOf: next.log.durable, interval: 1_000) }
    }

    @Test("where lines were lost to damage, what stays is found, and what the lost ones superseded is the newest again")
    func damaged() throws {
        var numbers = SeededGenerator(seed: 5)
        let clock = TurnedClock()
        let open = try SelectedLog.open(MemoryDisk(), clock: clock)
        for number in 0..<120 { SelectedLog.appendRandom(to: open, ids: 15, number: number, using: &numbers) }
        open.settleUpkeep()
        for isServing in [true, false] {
            for _ in 0..<6 {
                let disk = open.disk.afterKill()
                var opened = try SelectedLog.open(disk, clock: clock)
                opened.settleUpkeep()
                let segment = try #require(disk.sealed.randomElement(using: &numbers))
                let size = try #require(disk.allFiles[segment]?.count)
                try disk.change(segment) { $0[Int.random(in: 0..<size, using: &numbers)] ^= 1 }
                if isServing {
                    opened.log.shared.suspect(try #require(SegmentName.firstSequence(of: segment)))
                    opened.settleUpkeep()
                } else {
                    try disk.remove(indexName(segment))
                    opened = try SelectedLog.open(disk.afterKill(), clock: clock)
                    opened.settleUpkeep()
                }
                try Self.hold(opened, "\(segment), serving: \(isServing)", using: &numbers)
            }
        }
    }

    @Test("a segment that cannot be asked is not passed over: the scan says so, and finds all when it can be")
    func unindexed() throws {
        var numbers = SeededGenerator(seed: 6)
        let clock = TurnedClock()
        let open = try SelectedLog.open(MemoryDisk(), clock: clock)
        for number in 0..<60 { SelectedLog.appendRandom(to: open, ids: 20, number: number, using: &numbers) }
        open.settleUpkeep()
        let disk = open.disk.afterKill()
        for name in disk.indexes { try disk.remove(name) }
        let unread = try SelectedLog.open(disk, clock: clock) {
            $0.hasUpkeep = false
            $0.historyScanBytesMax = 0
        }
        for selection in Self.selections(SelectedLog.lines(disk), using: &numbers) where selection.since == nil && selection.until == nil {
            #expect(throws: RecordReadFailure.indexing) { try unread.selected(selection, asOf: unread.log.durable) }
        }
        // A page of states that is not as it was written.
        let harmed = open.disk.afterKill()
        let segment = try #require(harmed.sealed.first)
        let size = try #require(harmed.allFiles[indexName(segment)]?.count)
        try harmed.change(indexName(segment)) { $0[size - 2 * IndexPage.bytes] ^= 1 }
        let opened = try SelectedLog.open(harmed, clock: clock)
        opened.settleUpkeep()
        #expect(throws: RecordReadFailure.indexing) { try opened.selected(RecordSelection(), asOf: opened.log.durable) }
        opened.settleUpkeep()
        #expect(opened.events.contains(.reread(segment: segment)))
        try Self.hold(opened, "made anew", using: &numbers)
    }

    @Test("an index file whose sequences are out of order, its checksums right, ends every scan and is made anew")
    func hostile() throws {
        var numbers = SeededGenerator(seed: 15)
        let clock = TurnedClock()
        let open = try SelectedLog.open(MemoryDisk(), segmentBytesMax: 6_000, clock: clock)
        for number in 0..<80 { SelectedLog.appendRandom(to: open, ids: 30, number: number, using: &numbers) }
        open.settleUpkeep()
        let disk = open.disk.afterKill()
        let segment = try #require(disk.sealed.first)
        // With a hole a record's place does not tell its sequence.
        let second = try #require(disk.allFiles[segment]?.firstIndex(of: 0x0A)) + 30
        try disk.change(segment) { $0[second] ^= 1 }
        try disk.remove(indexName(segment))
        try SelectedLog.open(disk, clock: clock).settleUpkeep()
        let count = SelectedLog.lines(disk).count { $0.sequence < SegmentName.firstSequence(of: disk.sealed[1]) ?? 0 }
        for _ in 0..<60 {
            let harmed = disk.afterKill()
            try harmed.change(indexName(segment)) { bytes in
                let number = LittleEndian.load64(bytes.span, at: 312)
                for _ in 0..<3 {
                    let place = IndexPage.bytes + Int.random(in: 0..<count, using: &numbers) * IndexFileFormat.recordBytes + 8
                    LittleEndian.store(UInt32.random(in: 0..<UInt32(count), using: &numbers), in: &bytes, at: place)
                }
                IndexPage.seal(&bytes, at: IndexPage.bytes, page: 1, ofIndex: number)
            }
            let opened = try SelectedLog.open(harmed, clock: clock) { $0.hasUpkeep = false }
            var reader = RecordReader()
            for isNewestFirst in [true, false] {
                var scan = SelectionScan(RecordSelection(), asOf: opened.log.durable, isNewestFirst: isNewestFirst)
                var steps = 0
                while !scan.isFinished, steps < 1_000 {
                    var candidates: [RecordLocation] = []
                    guard (try? scan.next(opened.log, candidatesMax: 1, workMax: 100, using: &reader, into: &candidates)) != nil else { break }
                    steps += 1
                }
                #expect(steps < 1_000)
            }
            var next: UInt64 = 0
            var steps = 0
            while let location = try? opened.log.record(atOrAfter: next, using: &reader), steps < 1_000 {
                #expect(location.sequence >= next)
                next = location.sequence + 1
                steps += 1
            }
            #expect(steps < 1_000)
        }
    }

    @Test("a piece of work is bounded, and the scan goes on from there")
    func bounded() throws {
        var numbers = SeededGenerator(seed: 8)
        let open = try SelectedLog.open(MemoryDisk(), segmentBytesMax: 1 << 20, clock: TurnedClock())
        for number in 0..<3_000 { SelectedLog.appendRandom(to: open, ids: 100, number: number, using: &numbers) }
        open.settleUpkeep()
        var selection = RecordSelection()
        selection.statuses = 1 << 3
        var scan = SelectionScan(selection, asOf: open.log.durable, isNewestFirst: true)
        var reader = RecordReader()
        var candidates: [RecordLocation] = []
        var steps = 0
        var before = scan.reached
        while !scan.isFinished {
            let count = candidates.count
            try scan.next(open.log, candidatesMax: 100, workMax: 100, using: &reader, into: &candidates)
            // One candidate costs more than that; a piece of the open segment is looked at as a whole.
            #expect(candidates.count - count <= 1)
            if let reached = scan.reached, let before { #expect(reached < before || candidates.count > count) }
            before = scan.reached
            steps += 1
        }
        #expect(steps >= 3)
    }

    @Test("with more records of its key than are looked at a scan goes by state, and not to what is older than the first of them")
    func manyOfOneKey() throws {
        let open = try SelectedLog.open(MemoryDisk(), clock: TurnedClock())
        for number in 0..<200 {
            let session = number < 100 ? "before" : "k"
            _ = open.append("id-\(number)", SelectedLog.payload(status: 1, failureClass: 0, session: session, number))
        }
        open.settleUpkeep()
        var selection = RecordSelection()
        selection.key = .init(.sessionID, Array("k".utf8))
        let wanted = SelectedLog.requests(SelectedLog.lines(open.disk)).filter { $0.isWanted(by: selection) }
        let floor = try #require(open.disk.sealed.compactMap { SegmentName.firstSequence(of: $0) }.last { $0 <= 101 })
        #expect(wanted.count == 100 && floor > 50)
        var reader = RecordReader()
        for keyRecordsMax in [0, 1, 50, 99, 100] {
            #expect(try open.selected(selection, asOf: open.log.durable, keyRecordsMax: keyRecordsMax) == wanted.reversed())
            for isNewestFirst in [true, false] {
                var scan = SelectionScan(selection, asOf: open.log.durable, isNewestFirst: isNewestFirst, behind: nil, keyRecordsMax: keyRecordsMax)
                var candidates: [RecordLocation] = []
                while !scan.isFinished {
                    try scan.next(open.log, candidatesMax: 7, workMax: 100_000, using: &reader, into: &candidates)
                    #expect(scan.isByKey == (keyRecordsMax == 100))
                }
                #expect(candidates.map(\.sequence).min() == (keyRecordsMax == 100 ? 101 : floor))
            }
        }
    }

    @Test("a tally that would have more buckets than wanted says so, and stops")
    func buckets() throws {
        let clock = TurnedClock()
        let open = try SelectedLog.open(MemoryDisk(), clock: clock)
        for number in 0..<12 {
            _ = open.append("id-\(number)", SelectedLog.payload(status: 1, failureClass: 0, session: "k", number))
            clock.advance(milliseconds: 10_000)
        }
        #expect(try open.tally(asOf: open.log.durable, interval: 10_000).count == 12)
        var tally = StateTally(asOf: open.log.durable, intervalMilliseconds: 10_000, bucketsMax: 5)
        var reader = RecordReader()
        while !tally.isFinished { try tally.next(open.log, workMax: 100, using: &reader) }
        #expect(tally.hasTooManyBuckets && tally.buckets.count == 5)
        #expect(try open.tally(asOf: 0, interval: 10_000).isEmpty)
    }
}
