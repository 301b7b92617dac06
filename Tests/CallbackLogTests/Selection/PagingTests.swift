// Pages of a selection, while the log goes on: as of the position of the first page nothing shifts, repeats or is missed.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("Pages of a selection are those of one moment")
struct PagingTests {
    /// Pages of so many, each by a scan of its own, as a client asks for them; `between` runs after each.
    private func pages(
        _ open: OpenLog, _ selection: RecordSelection, asOf position: UInt64, isNewestFirst: Bool, limit: Int, between: () throws -> Void
    ) throws -> [ExpectedRequest] {
        var all: [ExpectedRequest] = []
        var behind: UInt64?
        var reader = RecordReader()
        while true {
            // One page by key and the next by state: both know the same order.
            let keyRecordsMax = all.count % 2 == 0 ? KeySearch.recordsMax : 3
            var scan = SelectionScan(
                selection, asOf: position, isNewestFirst: isNewestFirst, behind: behind, keyRecordsMax: keyRecordsMax)
            var page: [ExpectedRequest] = []
            while page.count < limit, !scan.isFinished {
                var candidates: [RecordLocation] = []
                try scan.next(open.log, candidatesMax: limit - page.count, workMax: 2_000, using: &reader, into: &candidates)
                for candidate in candidates {
                    if let request = try open.verified(candidate, selection, asOf: position, using: &reader) { page.append(request) }
                }
            }
            all += page
            try between()
            guard !scan.isFinished else { return all }
            let reached: UInt64 = try #require(scan.reached)
            behind = reached
        }
    }

    @Test("while records arrive, segments are sealed and the log is opened again", arguments: [true, false], [1, 2, 3, 4] as [UInt64])
    func arriving(isNewestFirst: Bool, seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        let clock = TurnedClock()
        var open = try SelectedLog.open(MemoryDisk(), clock: clock)
        var number = 0
        func append(_ count: Int) {
            for _ in 0..<count {
                SelectedLog.appendRandom(to: open, ids: 30, number: number, using: &numbers)
                number += 1
            }
            open.settleUpkeep()
        }
        append(100)
        let lines = SelectedLog.lines(open.disk)
        let position = open.log.durable
        let expected = SelectedLog.requests(lines, asOf: position)
        var others = SeededGenerator(seed: seed)
        for selection in SelectionTests.selections(lines, using: &others) {
            let wanted = expected.filter { $0.isWanted(by: selection) }
            let found = try pages(open, selection, asOf: position, isNewestFirst: isNewestFirst, limit: 4) { append(2) }
            #expect(found == (isNewestFirst ? wanted.reversed() : wanted), "\(selection)")
        }
        // What was superseded between the position and the stop is not known one by one any more.
        open.close()
        open = try SelectedLog.open(open.disk.afterKill(), clock: clock)
        for selection in SelectionTests.selections(lines, using: &others) {
            let wanted = expected.filter { $0.isWanted(by: selection) }
            let found = try pages(open, selection, asOf: position, isNewestFirst: isNewestFirst, limit: 7) {}
            #expect(found == (isNewestFirst ? wanted.reversed() : wanted), "after a start: \(selection)")
        }
    }

    @Test("what retention takes meanwhile is not found, and the rest is", arguments: [true, false])
    func retired(isNewestFirst: Bool) throws {
        var numbers = SeededGenerator(seed: 12)
        let clock = TurnedClock()
        let open = try SelectedLog.open(MemoryDisk(), clock: clock) { $0.retentionMilliseconds = LogOptions.dayMilliseconds }
        // No announcements: those are recorded again.
        func append(_ range: Range<Int>) {
            for number in range {
                let payload = SelectedLog.payload(status: UInt8(1 + number % 3), failureClass: 0, session: "k\(number % 3)", number)
                _ = open.append("id-\(Int.random(in: 0..<40, using: &numbers))", payload)
            }
        }
        append(0..<40)
        clock.advance(milliseconds: LogOptions.dayMilliseconds)
        append(40..<80)
        open.settleUpkeep()
        let position = open.log.durable
        let all = SelectedLog.requests(SelectedLog.lines(open.disk), asOf: position)
        var selection = RecordSelection()
        selection.statuses = 1 << 1 | 1 << 2
        var isRetired = false
        let found = try pages(open, selection, asOf: position, isNewestFirst: isNewestFirst, limit: 3) {
            guard !isRetired else { return }
            isRetired = true
            clock.advance(milliseconds: LogOptions.dayMilliseconds / 2)
            open.settleUpkeep()
        }
        let first = open.log.firstSequence
        #expect(first > 1)
        let wanted = all.filter { $0.isWanted(by: selection) }
        let ordered = isNewestFirst ? wanted.reversed() : wanted
        #expect(found.filter { $0.newest >= first } == ordered.filter { $0.newest >= first })
        #expect(found.allSatisfy { ordered.contains($0) })
    }
}
