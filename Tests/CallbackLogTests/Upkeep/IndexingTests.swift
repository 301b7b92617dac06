// While there is no index file: it cannot be written, or its segment could not be read at the start.
//
// Promises: the disk refuses, and is mended; time is turned. Must not know: how an index file is laid out.

import Platform
import Testing

@testable import CallbackLog

@Suite struct IndexingTests {
    private static let restMilliseconds = Int64(Upkeep.restMilliseconds)

    /// A log whose segments are sealed and whose upkeep has not run yet, and what it must show.
    private static func unindexed() throws -> (open: OpenLog, expected: [String: [SeenRecord]]) {
        let open = try SegmentedLog.open(MemoryDisk())
        open.settleUpkeep()
        open.log.upkeep.queue.suspend()
        return (open, try SegmentedLog.fill(open, 8))
    }

    /// How many calls it takes to make all index files.
    private static let callCount: Int = {
        guard let (open, _) = try? unindexed() else { return 0 }
        let before = open.disk.calls.count
        open.log.upkeep.queue.resume()
        open.settleUpkeep()
        return open.disk.calls.count - before
    }()

    private func hold(_ open: OpenLog, _ expected: [String: [SeenRecord]], _ what: String) throws {
        for (identifier, records) in expected {
            #expect(try open.records(identifier) == records, "\(what)")
            for record in records { #expect(open.append(identifier, record.payload) == .duplicate(of: record.sequence), "\(what)") }
        }
    }

    @Test(
        "an error at any call while they are made: records are answered from memory, and the files are made a minute after it is gone",
        arguments: [SystemError.noSpace, SystemError.inputOutput], [false, true])
    func refused(code: Int32, hasRetention: Bool) throws {
        #expect(Self.callCount > 15)
        for call in 0..<Self.callCount {
            let what = "error \(code) from call \(call) on"
            let open = try SegmentedLog.open(MemoryDisk()) {
                if hasRetention { $0.retentionMilliseconds = 30 * LogOptions.dayMilliseconds }
            }
            open.settleUpkeep()
            open.log.upkeep.queue.suspend()
            let expected = try SegmentedLog.fill(open, 8)
            // Reading goes on: the disk is full, or a part of it is bad.
            open.disk.inject(Fault(.fails(code), on: [.create, .write, .synchronizeData, .rename, .remove], after: call))
            open.log.upkeep.queue.resume()
            open.settleUpkeep()
            let sealed = open.disk.sealed
            let failed = open.events.contains { if case .indexFailed = $0 { true } else { false } }
            #expect(failed == (open.disk.indexes.count < sealed.count), "\(what)")
            for (identifier, records) in expected { #expect(try open.records(identifier) == records, "\(what)") }
            open.disk.lift()
            try hold(open, expected, "\(what), lifted")
            open.clock.advance(milliseconds: Self.restMilliseconds)
            open.settleUpkeep()
            #expect(open.disk.indexes == open.disk.sealed.map(indexName), "\(what), a minute after")
            #expect(!open.disk.allFiles.keys.contains { $0.hasSuffix(".new") }, "\(what)")
            try hold(open, expected, "\(what), a minute after")
            let next = try SegmentedLog.open(open.disk.afterKill())
            #expect(next.log.report.unindexed == [], "\(what), the next start")
            try hold(next, expected, "\(what), the next start")
            if !failed { break }
        }
    }

    @Test("an error at any one call while they are made costs no record its place in memory", arguments: [SystemError.noSpace, SystemError.inputOutput])
    func once(code: Int32) throws {
        for call in 0..<Self.callCount {
            let what = "error \(code) at call \(call)"
            let (open, expected) = try Self.unindexed()
            open.disk.inject(Fault(.fails(code), after: call, times: 1))
            open.log.upkeep.queue.resume()
            open.settleUpkeep()
            open.disk.lift()
            // What could not be read is read again after a minute.
            open.clock.advance(milliseconds: Self.restMilliseconds)
            open.settleUpkeep()
            try hold(open, expected, what)
            #expect(open.log.damages.count == 0, "\(what)")
            #expect(open.disk.indexes == open.disk.sealed.map(indexName), "\(what)")
            #expect(try SegmentedLog.open(open.disk.afterKill()).log.report.unindexed == [], "\(what)")
        }
    }

    /// A start on a disk whose sealed segments can be named and not opened: nobody knows what is in them.
    private func unread(_ log: SegmentedLog, clock: TurnedClock = TurnedClock()) throws -> OpenLog {
        let disk = log.disk.afterKill()
        // The newest segment is read all the same.
        disk.inject(Fault(.fails(24), on: [.open], after: 1))
        let open = try SegmentedLog.open(disk, clock: clock)
        open.settleUpkeep()
        return open
    }

    @Test("until a segment's index is made, a look-up says so rather than that there is nothing, and a retry is stored again")
    func unread() throws {
        let log = try SegmentedLog { $0.hasUpkeep = false }
        let open = try unread(log)
        #expect(open.log.report.unindexed.count == log.disk.sealed.count)
        for identifier in SegmentedLog.identifiers + ["nobody"] {
            #expect(throws: RecordReadFailure.indexing) { try open.records(identifier) }
        }
        let again = try #require(log.expected["id-1"]?.last)
        let copy = UInt64(log.count + 1)
        #expect(open.append("id-1", again.payload) == .fresh(copy))
        #expect(open.append("id-1", again.payload) == .duplicate(of: copy))
        #expect(open.append("new") == .fresh(copy + 1))
        #expect(open.events.contains { if case .indexFailed = $0 { true } else { false } })

        open.disk.lift()
        #expect(throws: RecordReadFailure.indexing) { try open.records("nobody") }
        open.clock.advance(milliseconds: Self.restMilliseconds)
        open.settleUpkeep()
        #expect(open.disk.indexes == open.disk.sealed.map(indexName))
        #expect(try open.records("nobody") == [])
        for (identifier, records) in log.expected {
            let more = identifier == "id-1" ? [SeenRecord(sequence: copy, payload: again.payload)] : []
            #expect(try open.records(identifier) == more + records)
        }
        // Whichever is found: it is not stored a third time.
        #expect(open.append("id-1", again.payload) == .duplicate(of: copy))
        let next = try SegmentedLog.open(open.disk.afterKill())
        #expect(next.log.report.unindexed == [])
        #expect(next.log.report.damageCount == 0)
    }

    @Test("what a start reads itself is bounded, the newest first; the rest is read while serving")
    func bounded() throws {
        let log = try SegmentedLog { $0.hasUpkeep = false }
        let sealed = log.disk.sealed
        let sizes = sealed.map { Int64(log.disk.allFiles[$0]?.count ?? 0) }
        for count in 0...sealed.count {
            let bound = sizes.suffix(count).reduce(0, +)
            let still = try SegmentedLog.open(log.disk.afterKill()) {
                $0.historyScanBytesMax = bound
                $0.hasUpkeep = false
            }
            #expect(sealed.filter { still.disk.reads(of: [$0]) > 0 } == sealed.suffix(count), "\(count) segments")
            #expect(still.log.report.unindexed.count == sealed.count)
            if count == sealed.count {
                #expect(try still.records("nobody") == [])
            } else {
                #expect(throws: RecordReadFailure.indexing) { try still.records("nobody") }
                // It serves: what is new is taken, and a retry of what nobody knows yet is stored again.
                #expect(still.append("new") == .fresh(UInt64(log.count + 1)))
                #expect(still.append("id-1", "{\"n\":1}") == .fresh(UInt64(log.count + 2)))
            }
            let open = try SegmentedLog.open(log.disk.afterKill()) { $0.historyScanBytesMax = bound }
            open.settleUpkeep()
            #expect(open.disk.indexes == open.disk.sealed.map(indexName), "\(count) segments")
            try log.hold(open, "\(count) segments")
        }
    }

    @Test("a log that is closed before its index files are made is whole, and the next start makes them")
    func closed() throws {
        let log = try SegmentedLog { $0.hasUpkeep = false }
        let stopped = try unread(log)
        stopped.log.close()
        let open = try SegmentedLog.open(stopped.disk.afterKill())
        open.settleUpkeep()
        try log.hold(open, "after a stop")
        #expect(open.disk.indexes == open.disk.sealed.map(indexName))
    }

    @Test("a kill at any call while they are made leaves a log that opens whole, and nothing unfinished stays")
    func killed() throws {
        for call in 0..<Self.callCount {
            let (open, expected) = try Self.unindexed()
            open.disk.inject(Fault(.fails(SystemError.inputOutput), after: call))
            open.log.upkeep.queue.resume()
            open.settleUpkeep()
            for disk in [open.disk.afterKill(), open.disk.afterPowerLoss()] {
                let next = try SegmentedLog.open(disk)
                next.settleUpkeep()
                #expect(next.log.report.damageCount == 0 && next.log.report.tear == nil, "call \(call)")
                try hold(next, expected, "killed at call \(call)")
                #expect(disk.indexes == disk.sealed.map(indexName), "call \(call)")
                #expect(!disk.allFiles.keys.contains { $0.hasSuffix(".new") }, "call \(call)")
            }
        }
    }
}
