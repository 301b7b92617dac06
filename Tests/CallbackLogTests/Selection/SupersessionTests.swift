// Which records are superseded: noted, kept in a file, found again.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("What is superseded is known, and found again whatever becomes of its file")
struct SupersessionTests {
    private func shared(_ supersessions: Supersessions, durable: UInt64) throws -> OpenLog {
        let open = try OpenLog(MemoryDisk())
        open.log.shared.published.withLock { published in
            published.supersessions = supersessions
            published.durable = durable
        }
        return open
    }

    @Test("a view as of a position tells what was the newest then, as long as what came since is known one by one")
    func views() throws {
        var numbers = SeededGenerator(seed: 3)
        let count: UInt64 = 400
        var newest: [Int: UInt64] = [:]
        var by: [UInt64: UInt64] = [:]
        var supersessions = Supersessions(durable: 0, isWhole: true)
        for sequence in 1...count {
            let request = Int.random(in: 0..<50, using: &numbers)
            if let before = newest.updateValue(sequence, forKey: request) {
                supersessions.note(before, by: sequence)
                by[before] = sequence
            }
        }
        let open = try shared(supersessions, durable: count)
        for position in 0...count {
            var view = NewestView(asOf: position)
            for record in 1..<position + 1 {
                let isNewest = by[record].map { $0 > position } ?? true
                if view.mayBeNewest(record, in: open.log.shared) != isNewest { Issue.record("\(record) as of \(position)") }
            }
            #expect(!view.isBlind)
        }
    }

    @Test("what happened too long ago to be known one by one passes for the newest, and the tally's question is answered by what is known")
    func blind() throws {
        var supersessions = Supersessions(durable: 0, isWhole: true)
        let count = UInt64(Supersessions.recentMax) + 10
        // Each record supersedes the one before it.
        for sequence in 2...count { supersessions.note(sequence - 1, by: sequence) }
        #expect((1..<count).allSatisfy { supersessions.isMarked($0) } && !supersessions.isMarked(count))
        let open = try shared(supersessions, durable: count)
        // The oldest that is known one by one is the supersession by the 11th.
        func passing(_ records: [UInt64], asOf position: UInt64) -> (passing: [UInt64], isBlind: Bool) {
            var view = NewestView(asOf: position)
            let passing = records.filter { view.mayBeNewest($0, in: open.log.shared) }
            return (passing, view.isBlind)
        }
        #expect(passing([9, 10], asOf: 10) == ([10], false))
        #expect(passing([3, 9], asOf: 9) == ([3, 9], true))
        #expect(passing([count - 1, count], asOf: count) == ([count], false))
        var view = NewestView(asOf: 9)
        let isNewest = view.isNewest(3, in: open.log.shared)
        #expect(!isNewest)
    }

    @Test("records far apart take a chunk each, and retention takes the chunks of what is gone")
    func chunks() {
        var supersessions = Supersessions(durable: 0)
        let records: [UInt64] = [1, 65_535, 65_536, 1_000_000, RecordFormat.sequenceMax]
        for record in records { supersessions.mark(record) }
        #expect(supersessions.chunks.count == 4)
        #expect(records.allSatisfy { supersessions.isMarked($0) } && !supersessions.isMarked(2))
        supersessions.forget(below: 131_072)
        #expect(supersessions.chunks.count == 2)
        #expect(!supersessions.isMarked(1) && supersessions.isMarked(1_000_000))
        supersessions.forget()
        #expect(supersessions.chunks.isEmpty && !supersessions.isWhole)
        let losses = supersessions.losses
        supersessions.loseTrack()
        supersessions.becomeWhole(losses: losses)
        #expect(!supersessions.isWhole)
        supersessions.becomeWhole(losses: losses + 1)
        #expect(supersessions.isWhole)
    }

    private static let content: SupersessionFile.Content = {
        var supersessions = Supersessions(durable: 0)
        for record in [1, 5, 64, 65_535, 200_001] as [UInt64] { supersessions.mark(record) }
        return SupersessionFile.Content(logID: (1, 2), through: 200_010, recordCounts: [1: 99, 101: 3], chunks: supersessions.chunks)
    }()

    @Test("the file says again what was written; with any byte changed, cut anywhere or longer it says nothing")
    func harmed() throws {
        let disk = MemoryDisk()
        try SupersessionFile.write(Self.content, to: disk)
        func read(_ bytes: [UInt8]? = nil, logID: (UInt64, UInt64) = (1, 2), durable: UInt64 = 200_010) throws -> SupersessionFile.Content? {
            try SupersessionFile.read(from: bytes.map { MemoryDisk([SegmentName.superseded: $0]) } ?? disk, logID: logID, durable: durable)
        }
        #expect(try read() == Self.content)
        #expect(try read(durable: 200_009) == nil, "through a position that the log does not have")
        #expect(try read(logID: (1, 3)) == nil)
        let bytes = try #require(disk.allFiles[SegmentName.superseded])
        #expect(bytes.count == 56 + 2 * 16 + 2 * 8_200 + 4)
        #expect(try read(bytes + [0]) == nil)
        // All of the header and the list; of the bits a sample.
        for place in Array(0..<110) + stride(from: 110, to: bytes.count, by: 97) + (bytes.count - 5..<bytes.count) {
            var changed = bytes
            changed[place] ^= 1 << UInt8(place % 8)
            if try read(changed) != nil { Issue.record("changed at \(place)") }
            if try read(Array(bytes[..<place])) != nil { Issue.record("cut at \(place)") }
        }
        // Counts that no file has room for.
        for (place, value) in [(40, UInt64.max), (48, .max), (40, 1 << 60), (48, 1 << 50), (48, 1 << 62)] {
            var changed = bytes
            LittleEndian.store(value, in: &changed, at: place)
            #expect(try read(changed, durable: .max) == nil)
        }
    }

    /// All that are superseded, by the lines.
    private func superseded(_ disk: MemoryDisk) -> Set<UInt64> {
        let lines = SelectedLog.lines(disk)
        return Set(lines.map(\.sequence)).subtracting(SelectedLog.requests(lines).map(\.newest))
    }

    private func hold(_ open: OpenLog, _ what: String) {
        let (known, first) = open.log.shared.published.withLock { ($0.supersessions, $0.sealed.first?.first ?? $0.open.first) }
        #expect(known.isWhole, "\(what)")
        let lines = SelectedLog.lines(open.disk)
        let expected = superseded(open.disk)
        #expect(lines.filter { $0.sequence >= first && known.isMarked($0.sequence) }.map(\.sequence) == expected.sorted(), "\(what)")
    }

    private func log(_ clock: TurnedClock, mask: UInt64 = .max) throws -> OpenLog {
        var numbers = SeededGenerator(seed: 21)
        let open = try SelectedLog.open(MemoryDisk(), hashMask: mask, clock: clock)
        for number in 0..<90 { SelectedLog.appendRandom(to: open, ids: 25, number: number, using: &numbers) }
        open.settleUpkeep()
        return open
    }

    @Test("noted as records become visible, and the same after a stop, a kill, and without the file", arguments: [.max, 15, 0] as [UInt64])
    func found(mask: UInt64) throws {
        let clock = TurnedClock()
        let open = try log(clock, mask: mask)
        hold(open, "noted")
        let killed = try SelectedLog.open(open.disk.afterKill(), hashMask: mask, clock: clock)
        killed.settleUpkeep()
        hold(killed, "killed")
        open.close()
        let stopped = try SelectedLog.open(open.disk.afterKill(), hashMask: mask, clock: clock)
        #expect(stopped.log.shared.published.withLock { $0.supersessions.isWhole }, "at once")
        hold(stopped, "stopped")
        let disk = open.disk.afterKill()
        try disk.remove(SegmentName.superseded)
        let without = try SelectedLog.open(disk, hashMask: mask, clock: clock)
        without.settleUpkeep()
        hold(without, "without")
        for name in disk.indexes { try disk.remove(name) }
        let bare = try SelectedLog.open(disk.afterKill(), hashMask: mask, clock: clock)
        bare.settleUpkeep()
        hold(bare, "without indexes")
    }

    @Test("from a file that is harmed, of another log, or of this one as it was before, nothing wrong comes")
    func foreign() throws {
        let clock = TurnedClock()
        let open = try log(clock)
        let early = try #require(open.disk.allFiles[SegmentName.superseded])
        open.close()
        let late = try #require(open.disk.allFiles[SegmentName.superseded])
        func start(_ bytes: [UInt8], _ what: String, change: (MemoryDisk) throws -> Void = { _ in }) throws {
            let disk = open.disk.afterKill()
            try disk.change(SegmentName.superseded) { $0 = bytes }
            try change(disk)
            let next = try SelectedLog.open(disk.afterKill(), clock: clock)
            next.settleUpkeep()
            hold(next, what)
        }
        try start(early, "early")
        try start([], "empty")
        for place in stride(from: 0, to: late.count, by: late.count / 60) {
            var changed = late
            changed[place] ^= 0x41
            try start(changed, "changed at \(place)")
            try start(Array(late[..<place]), "cut at \(place)")
        }
        try start(late, "another identity") { try $0.remove("identity") }
        // A segment that lost a line since: what that superseded is the newest again.
        for segment in open.disk.sealed {
            try start(late, "\(segment) damaged") { disk in
                try disk.change(segment) { $0[30] ^= 1 }
                try disk.remove(indexName(segment))
            }
        }
    }

    @Test("a file that cannot be written is said, and written a minute after")
    func unwritten() throws {
        let clock = TurnedClock()
        let open = try log(clock)
        open.disk.inject(Fault(.fails(SystemError.noSpace), on: [.create]))
        open.log.shared.published.withLock { $0.supersessions.keptThrough = 0 }
        open.log.shared.wakeUpkeep()
        open.settleUpkeep()
        #expect(open.events.contains { if case .supersessionsFailed = $0 { true } else { false } })
        try open.disk.remove(SegmentName.superseded)
        open.disk.lift()
        clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
        open.settleUpkeep()
        #expect(open.disk.allFiles[SegmentName.superseded] != nil)
        #expect(!open.disk.allFiles.keys.contains { $0.hasSuffix(".new") })
    }
}
