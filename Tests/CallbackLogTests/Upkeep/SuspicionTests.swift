// Damage that comes while the log is open: a byte flipped underneath it, in a sealed segment or in the open one.
//
// Promises: at every byte of a line, by the public door alone; what upkeep then finds is what the next start finds.
// Must not know: how a segment is read again.

import Glibc
import Platform
import Synchronization
import Testing

@testable import CallbackLog

@Suite struct SuspicionTests {
    /// Of the lines in a segment, without padding.
    private func lines(_ disk: MemoryDisk, _ segment: String) throws -> [Range<Int>] {
        let bytes = try #require(disk.allFiles[segment])
        var lines: [Range<Int>] = []
        var start = 0
        for (place, byte) in bytes.enumerated() where byte == 0x0A {
            if place > start { lines.append(start..<place) }
            start = place + 1
        }
        return lines
    }

    private func damages(_ open: OpenLog) -> [UnsoundPlace] {
        open.events.compactMap { if case .damaged(let place) = $0 { place } else { nil } }
    }

    /// All ids are asked, upkeep has its turn, and all are asked again: what is left of each, newest first.
    private func askTwice(_ open: OpenLog, _ expected: [String: [SeenRecord]], without lost: UInt64, _ what: String) throws {
        for (identifier, records) in expected {
            // At once: the others of the same id, or the failure, and never another record's payload.
            if let seen = try? open.records(identifier) { #expect(seen == records || seen == records.filter { $0.sequence != lost }, "\(what)") }
        }
        open.settleUpkeep()
        for (identifier, records) in expected {
            #expect(try open.records(identifier) == records.filter { $0.sequence != lost }, "\(what), after upkeep")
        }
    }

    @Test("a byte flipped in a sealed segment: it is read again, the damage is named, the rest served, and intake goes on")
    func sealed() throws {
        let log = try SegmentedLog()
        let segment = log.disk.sealed[1]
        let first = try #require(SegmentName.firstSequence(of: segment))
        let line = try lines(log.disk, segment)[1]
        for place in line where place % 23 == 0 || place > line.upperBound - 2 {
            let what = "byte \(place)"
            let open = try SegmentedLog.open(log.disk.afterKill())
            open.settleUpkeep()
            try open.disk.change(segment) { $0[place] ^= 1 }
            try askTwice(open, log.expected, without: first + 1, what)
            let expected = [UnsoundPlace(segment: segment, offset: Int64(line.lowerBound), sequence: first + 1)]
            #expect(damages(open) == expected, "\(what)")
            #expect(open.log.damages.places == expected && open.log.damages.count == 1, "\(what)")
            #expect(open.events.contains(.reread(segment: segment)), "\(what)")
            #expect(open.append("new") == .fresh(UInt64(log.count + 1)), "\(what)")
            // What is lost is stored again when it is sent again.
            let lost = try #require(log.expected.first { $0.value.contains { $0.sequence == first + 1 } })
            let payload = try #require(lost.value.first { $0.sequence == first + 1 }?.payload)
            #expect(open.append(lost.key, payload) == .fresh(UInt64(log.count + 2)), "\(what)")

            let next = try SegmentedLog.open(open.disk.afterKill())
            #expect(next.log.report.damages == expected && next.log.damages.places == expected, "\(what), the next start")
            #expect(next.append("new") == .duplicate(of: UInt64(log.count + 1)), "\(what), the next start")
        }
    }

    @Test("a retry of a record that cannot be read is stored again, and what is damaged is found by that")
    func retried() throws {
        let log = try SegmentedLog()
        let open = try SegmentedLog.open(log.disk.afterKill())
        open.settleUpkeep()
        let segment = open.disk.sealed[0]
        let line = try lines(open.disk, segment)[0]
        try open.disk.change(segment) { $0[line.lowerBound + 60] ^= 1 }
        let (identifier, record) = try #require(log.expected.lazy.compactMap { entry in entry.value.first { $0.sequence == 1 }.map { (entry.key, $0) } }.first)
        #expect(open.append(identifier, record.payload) == .fresh(UInt64(log.count + 1)))
        #expect(open.events.contains { if case .unreadable = $0 { true } else { false } })
        open.settleUpkeep()
        #expect(damages(open) == [UnsoundPlace(segment: segment, offset: 0, sequence: 1)])
        #expect(open.append(identifier, record.payload) == .duplicate(of: UInt64(log.count + 1)))
    }

    @Test("a byte flipped in the open segment: it is sealed as it is, a fresh one begins, and sequences go on", arguments: [0, 256])
    func open(padding: Int) throws {
        let clock = TurnedClock()
        for sequence in [1, 4, 8] as [UInt64] {
            let log = try OpenLog(MemoryDisk(), clock: clock) {
                $0.hasUpkeep = true
                $0.paddingBytes = padding
            }
            let expected = try SegmentedLog.fill(log, 8)
            let segment = segmentName(1)
            let line = try lines(log.disk, segment)[Int(sequence) - 1]
            let place = line.lowerBound + 40
            try log.disk.change(segment) { $0[place] ^= 1 }
            let damaged = try #require(log.disk.allFiles[segment])
            try askTwice(log, expected, without: sequence, "record \(sequence)")
            #expect(log.disk.segments == [segment, segmentName(9)])
            let kept = try #require(log.disk.allFiles[segment])
            #expect(damaged.starts(with: kept) && damaged.dropFirst(kept.count).allSatisfy { $0 == 0x0A }, "as it is, but for its padding")
            #expect(kept.suffix(2) == [0x7D, 0x0A])
            let damage = [UnsoundPlace(segment: segment, offset: Int64(line.lowerBound), sequence: sequence)]
            #expect(damages(log) == damage)
            #expect(log.log.damages.places == damage)
            #expect(log.append("new") == .fresh(9))
            #expect(log.disk.indexes == [indexName(segment)])

            for disk in [log.disk.afterKill(), log.disk.afterPowerLoss()] {
                let next = try OpenLog(disk) { $0.hasUpkeep = true }
                #expect(next.log.report.damages == damage)
                #expect(next.log.report.tear == nil)
                for (identifier, records) in expected { #expect(try next.records(identifier) == records.filter { $0.sequence != sequence }) }
                #expect(next.append("new") == .duplicate(of: 9))
                #expect(next.append("newer") == .fresh(10))
            }
        }
    }

    @Test("damage in a sealed segment is named at every start by its index, and no other segment is read")
    func named() throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        let segment = disk.sealed[1]
        let line = try lines(disk, segment)[1]
        try disk.change(segment) { $0[line.lowerBound + 30] ^= 1 }
        try disk.remove(indexName(segment))
        var open = try SegmentedLog.open(disk)
        let found = open.log.report.damages
        #expect(found.map(\.offset) == [Int64(line.lowerBound)])
        for number in 0..<3 {
            open.settleUpkeep()
            // Whether the last one was stopped or killed.
            if number == 1 { open.log.close() }
            open = try SegmentedLog.open(open.disk.afterKill())
            open.settleUpkeep()
            #expect(open.log.report.damages == found && open.log.report.damageCount == 1)
            #expect(open.log.damages.places == found && open.log.damages.count == 1)
            #expect(open.disk.reads(of: open.disk.sealed.filter { $0 != segment }) == 0)
            #expect(damages(open) == [], "known, and so not said twice")
        }
    }

    @Test("while an index is made again the old one is asked, though its name leads to the new file already")
    func renamed() throws {
        let open = try SegmentedLog.open(try SegmentedLog().disk.afterKill())
        open.settleUpkeep()
        let segment = open.disk.sealed[0]
        let found = Mutex<[Int?]>([])
        open.disk.whenRenamed { [log = open.log] in
            var reader = RecordReader()
            let counts = SegmentedLog.identifiers.map { try? log.records(of: Array($0.utf8).span, using: &reader).count }
            found.withLock { $0 = counts }
        }
        open.log.shared.suspect(try #require(SegmentName.firstSequence(of: segment)))
        open.settleUpkeep()
        #expect(open.events.contains(.reread(segment: segment)))
        #expect(try found.withLock { $0 } == SegmentedLog.identifiers.map { try open.records($0).count })
    }

    @Test("a damaged segment that was put back from a copy is whole at the next start, whatever its index says")
    func restored() throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        let segment = disk.sealed[1]
        let whole = try #require(disk.allFiles[segment])
        let line = try lines(disk, segment)[1]
        try disk.change(segment) { $0[line.lowerBound + 30] ^= 1 }
        try disk.remove(indexName(segment))
        let harmed = try SegmentedLog.open(disk)
        harmed.settleUpkeep()
        #expect(harmed.log.damages.count == 1)
        harmed.log.close()
        let restored = harmed.disk.afterKill()
        try restored.change(segment) { $0 = whole }
        var open = try SegmentedLog.open(restored)
        open.settleUpkeep()
        for _ in 0..<2 {
            #expect(open.log.damages.count == 0)
            for (identifier, records) in log.expected { #expect(try open.records(identifier) == records) }
            open = try SegmentedLog.open(open.disk.afterKill())
            #expect(open.log.report.damageCount == 0)
            open.settleUpkeep()
        }
    }

    @Test("a sealed segment that may not be opened is damage until it may be; what is in others is served", arguments: [EACCES, EPERM, EIO, EMFILE], [true, false])
    func unopened(code: Int32, fromTheStart: Bool) throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        let segment = disk.sealed[0]
        let first = try #require(SegmentName.firstSequence(of: segment))
        let isRefused = code == EACCES || code == EPERM
        guard isRefused || !fromTheStart else { return }
        var open = try SegmentedLog.open(disk)
        open.settleUpkeep()
        if fromTheStart {
            disk.refuse(segment, code)
            open = try SegmentedLog.open(disk)
            #expect(open.log.report.damageCount == 1)
        } else {
            disk.refuse(segment, code)
            open.log.shared.suspect(first)
        }
        open.settleUpkeep()
        let place = UnsoundPlace(segment: segment, offset: 0, sequence: first)
        #expect(open.log.damages.places == (isRefused ? [place] : []))
        #expect(damages(open) == (isRefused && !fromTheStart ? [place] : []))
        let successor = try #require(SegmentName.firstSequence(of: disk.sealed[1]))
        for (identifier, records) in log.expected where isRefused && records.allSatisfy({ $0.sequence >= successor }) {
            #expect(try open.records(identifier) == records)
        }
        #expect(try open.records("nobody's") == [])
        disk.refuse(nil)
        for _ in 0..<2 {
            open.clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
            open.settleUpkeep()
        }
        #expect(open.log.damages.count == 0)
        for (identifier, records) in log.expected { #expect(try open.records(identifier) == records) }
    }

    @Test("a sealed segment whose file is gone is damage, and what is in others is served, as after a start")
    func vanished() throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        let segment = disk.sealed[1]
        let lost = try #require(SegmentName.firstSequence(of: segment))..<(try #require(SegmentName.firstSequence(of: disk.sealed[2])))
        var open = try SegmentedLog.open(disk)
        open.settleUpkeep()
        disk.delete(segment)
        for identifier in SegmentedLog.identifiers { _ = try? open.records(identifier) }
        open.settleUpkeep()
        for isStartedAgain in [false, true] {
            #expect(open.log.damages.places.map(\.sequence) == [lost.lowerBound])
            for (identifier, records) in log.expected {
                #expect(try open.records(identifier) == records.filter { !lost.contains($0.sequence) }, "\(isStartedAgain)")
            }
            var reader = RecordReader()
            #expect(try open.log.record(atOrAfter: lost.lowerBound, using: &reader)?.sequence == lost.upperBound)
            open = try SegmentedLog.open(disk.afterKill())
            open.settleUpkeep()
        }
    }

    @Test("damage that comes later to a segment that was read again is found a minute after")
    func twice() throws {
        let log = try SegmentedLog()
        let open = try SegmentedLog.open(log.disk.afterKill())
        open.settleUpkeep()
        let segment = open.disk.sealed[0]
        let lines = try lines(open.disk, segment)
        try open.disk.change(segment) { $0[lines[0].lowerBound + 30] ^= 1 }
        try askTwice(open, log.expected, without: 1, "the first")
        try open.disk.change(segment) { $0[lines[2].lowerBound + 30] ^= 1 }
        for identifier in SegmentedLog.identifiers { _ = try? open.records(identifier) }
        open.settleUpkeep()
        open.clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
        for identifier in SegmentedLog.identifiers { _ = try? open.records(identifier) }
        open.settleUpkeep()
        #expect(open.log.damages.places.map(\.sequence) == [1, 3])
        #expect(damages(open).map(\.sequence) == [1, 3])
        #expect(try SegmentedLog.open(open.disk.afterKill()).log.report.damages.map(\.sequence) == [1, 3])
    }
}
