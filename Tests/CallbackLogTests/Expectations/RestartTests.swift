// Which announcements are open after a start: from the file, from the log, from both.
//
// Promises: whatever stands in the file, and wherever the process was killed, the same ones are. Must not know: the format.

import TestSupport
import Testing

@testable import CallbackLog

@Suite struct ExpectationRestartTests {
    private func open(_ disk: MemoryDisk, _ clock: TurnedClock, segmentBytesMax: Int64 = 1 << 20) throws -> OpenLog {
        let open = try OpenLog(disk, segmentBytesMax: segmentBytesMax, clock: clock) { $0.hasUpkeep = true }
        open.settleUpkeep()
        open.settleExpectations()
        return open
    }

    /// "open" awaits its callback, "late" is overdue, "answered" and "joined" are neither.
    private func fill(_ log: OpenLog) {
        _ = log.append("joined")
        for identifier in ["open", "late", "answered", "joined"] { _ = log.announce(identifier, members(identifier == "late" ? 10 : 1_000)) }
        log.pass(milliseconds: 20_000)
        _ = log.append("answered")
    }

    private func expectToGoOn(_ log: OpenLog, _ comment: Comment? = nil) throws {
        #expect(log.log.openAnnouncements == 2, comment)
        log.pass(milliseconds: 1_000_000)
        #expect(try log.kinds("open").count == 2 && log.kinds("open")[0].hasPrefix("overdue"), comment)
        #expect(try log.kinds("late").count == 2, comment)
        #expect(try log.kinds("answered").count == 2 && log.kinds("joined").count == 2, comment)
    }

    @Test("after a clean stop, and after a kill", arguments: [false, true])
    func restarted(isKilled: Bool) throws {
        let clock = TurnedClock()
        let first = try open(MemoryDisk(), clock)
        fill(first)
        if !isKilled { first.close() }
        try expectToGoOn(try open(first.disk.afterKill(), clock))
    }

    @Test("with segments sealed in between, whether the file is there or not", arguments: [false, true])
    func sealed(hasFile: Bool) throws {
        let clock = TurnedClock()
        let first = try open(MemoryDisk(), clock, segmentBytesMax: 300)
        fill(first)
        first.settleUpkeep()
        first.settleExpectations()
        let disk = first.disk.afterKill()
        #expect(disk[ExpectationFile.name] != nil)
        if !hasFile { try disk.remove(ExpectationFile.name) }
        try expectToGoOn(try open(disk, clock, segmentBytesMax: 300))
    }

    @Test("a file that is harmed anywhere is not believed")
    func harmed() throws {
        let clock = TurnedClock()
        let first = try open(MemoryDisk(), clock)
        fill(first)
        first.close()
        let files = first.disk.afterKill().files
        let whole = try #require(files[ExpectationFile.name])
        for place in whole.indices {
            var harmed = files
            harmed[ExpectationFile.name]?[place] ^= 1
            let again = try open(MemoryDisk(harmed), TurnedClock())
            #expect(again.log.openAnnouncements == 2, "byte \(place)")
        }
        for count in stride(from: 0, to: whole.count, by: 7) {
            var cut = files
            cut[ExpectationFile.name] = Array(whole[..<count])
            #expect(try open(MemoryDisk(cut), TurnedClock()).log.openAnnouncements == 2, "cut at \(count)")
        }
    }

    @Test("while a segment cannot be asked nothing becomes overdue whose callback may stand there")
    func unasked() throws {
        let clock = TurnedClock()
        let log = try open(MemoryDisk(), clock, segmentBytesMax: 400)
        _ = log.append("answered")
        for number in 0..<4 { _ = log.append("other-\(number)") }
        _ = log.announce("open", members(5_000))
        log.settleUpkeep()
        try log.loseSight(of: "other-0")
        guard case .announced(let sequence, true) = log.announce("answered", members(10)) else {
            Issue.record("not taken")
            return
        }
        log.pass(milliseconds: 20_000)
        #expect(log.log.durable == sequence && log.log.openAnnouncements == 2)
        log.disk.lift()
        clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
        log.settleUpkeep()
        log.pass(milliseconds: 2_000)
        #expect(try log.kinds("answered") == ["announcement \(sequence)", "callback 1"])
        #expect(log.log.openAnnouncements == 1)
    }
}

@Suite struct ExpectationsTests {
    @Test("segments that are there again are looked at one by one, whatever is between them")
    func regained() {
        var expectations = Expectations()
        for sequences in [5..<9, 100..<110, 5..<9] as [Range<UInt64>] { expectations.regain(sequences) }
        var taken: [Range<UInt64>] = []
        while let next = expectations.takeRegained() { taken.append(next) }
        #expect(taken == [5..<9, 100..<110])
    }

    @Test("of a segment that had no index, and is damaged, nobody knows what was lost", arguments: [0, 1])
    func lostUnknown(damageCount: Int) {
        func segment(_ index: SealedSegment.Index) -> SealedSegment {
            SealedSegment(first: 1, successor: 5, byteCount: 100, latest: nil, index: index, damageCount: damageCount)
        }
        let open = OpenSegment(file: FixedFile([]), first: 5, index: SegmentIndex(first: 5))
        var published = Published(sealed: [segment(.missing)], open: open, durable: 4)
        _ = published.replace(segment(.inMemory(SegmentIndex(first: 1))))
        #expect(published.expectations.mayMiss == (damageCount > 0))
    }

    @Test("what falls due comes in order, whatever was put, replaced and removed", arguments: 0..<20)
    func order(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var expectations = Expectations()
        var reference: [UInt64: Int64] = [:]
        for step in 1...2_000 as ClosedRange<UInt64> {
            let known = reference.keys.sorted()
            switch generator.next() % 4 {
            case 0 where !known.isEmpty:
                let gone = known[Int(generator.next() % UInt64(known.count))]
                expectations.apply(.answered(gone))
                reference[gone] = nil
            case 1 where !known.isEmpty:
                let late = known[Int(generator.next() % UInt64(known.count))]
                expectations.apply(.overdue(late))
                reference[late] = .max
            default:
                let due = Int64(generator.next() % 1_000)
                expectations.apply(.opened(Expectation(announcement: step, overdueAt: Timestamp(milliseconds: due)), replacing: nil))
                reference[step] = due
            }
            let earliest = reference.values.min()
            #expect(expectations.earliestDue == (earliest == .max ? nil : earliest))
            #expect(expectations.overdueCount == reference.values.count { $0 == .max })
        }
        var due: [UInt64] = []
        expectations.appendDue(at: 500, to: &due)
        #expect(Set(due) == Set(reference.filter { $0.value <= 500 }.keys) && due.count == Set(due).count)
        #expect(expectations.count == reference.count)
    }

    @Test("a million open announcements take less than 200 bytes each")
    func size() {
        var expectations = Expectations()
        for number in 1...1_000_000 as ClosedRange<UInt64> {
            expectations.put(Expectations.Entry(announcement: number, due: Int64(number.multipliedReportingOverflow(by: 2_654_435_761).partialValue % 1_000_003)))
        }
        #expect(expectations.storageBytes < 200 * 1_000_000)
    }
}
