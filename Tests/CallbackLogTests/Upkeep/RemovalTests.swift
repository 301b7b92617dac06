// The removal of segments itself: in which order, what goes along, and what a crash or an error leaves of it.
//
// Promises: a log of several segments of which retention wants all but the newest; something happens at every call.
// Must not know: why segments go (RetentionTests holds that).

import Platform
import Testing

@testable import CallbackLog

@Suite struct RemovalTests {
    private static let foreign = ["notes.txt", "00000000000000000001.jsonl.bak", "1.jsonl", "00000000000000000000.jsonl", "tokens"]
    private static let age = 29 * LogOptions.dayMilliseconds

    private struct Ready {
        let disk: MemoryDisk
        /// Segments that are to go two days later.
        let old: [String]
        let expected: [String: [SeenRecord]]
    }

    /// Two segments of 29 days ago, and one of today. Beside them lie what a crash tore off, what a failed write left,
    /// and what is none of ours.
    private func ready() throws -> Ready {
        let disk = MemoryDisk(Dictionary(uniqueKeysWithValues: Self.foreign.map { ($0, Array("not ours\n".utf8)) }))
        let open = try OpenLog(disk, segmentBytesMax: 600) { $0.hasUpkeep = true }
        var expected: [String: [SeenRecord]] = [:]
        for number in 1...8 {
            if number == 7 { open.clock.stepWall(milliseconds: Self.age) }
            #expect(open.append("id-\(number % 5)", "{\"n\":\(number)}") == .fresh(UInt64(number)))
            expected["id-\(number % 5)", default: []].insert(SeenRecord(sequence: UInt64(number), payload: "{\"n\":\(number)}"), at: 0)
        }
        open.settleUpkeep()
        open.log.close()
        #expect(disk.segments == [segmentName(1), segmentName(4), segmentName(7)])
        for (first, suffix) in [(1, ".torn"), (1, ".failed"), (4, ".torn"), (7, ".torn"), (7, ".failed")] {
            let file = try disk.create(segmentName(first, suffix))
            _ = try file.write(Array("torn\n".utf8), from: 0, at: 0)
            try file.synchronizeData()
        }
        try disk.synchronize()
        return Ready(disk: disk.afterKill(), old: disk.sealed, expected: expected)
    }

    /// Opens the log today, and lets upkeep run two days later, when retention wants the old segments to go. Returns
    /// the calls of that; the first ones, which `fault` is to hit.
    private func removal(_ disk: MemoryDisk, _ fault: Fault? = nil) throws -> (open: OpenLog, calls: [Call]) {
        let clock = TurnedClock()
        clock.stepWall(milliseconds: Self.age)
        let open = try OpenLog(disk, segmentBytesMax: 600, clock: clock) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = 30 * LogOptions.dayMilliseconds
        }
        open.settleUpkeep()
        clock.stepWall(milliseconds: 2 * LogOptions.dayMilliseconds)
        let before = disk.calls.count
        if let fault { disk.inject(fault) }
        open.log.upkeep.queue.sync { open.log.upkeep.withValue { $0.run() } }
        return (open, Array(disk.calls[before...]))
    }

    @Test("the oldest goes first, each segment before what is derived from it, and the directory is synced")
    func order() throws {
        let ready = try ready()
        let (open, calls) = try removal(ready.disk)
        let removed = calls.filter { $0.operation == .remove }.map(\.name)
        #expect(removed.count == 7)
        #expect(removed.map { $0.prefix(20) } == removed.map { $0.prefix(20) }.sorted(), "the oldest first")
        for segment in ready.old { #expect(removed.first { $0.prefix(20) == segment.prefix(20) } == segment, "the segment first") }
        #expect(calls.last { $0.operation == .remove || $0.operation == .synchronizeDirectory }?.operation == .synchronizeDirectory)
        let newest = segmentName(7)
        #expect(
            open.disk.allFiles.keys.sorted() == (Self.foreign + ["identity", "superseded", newest, newest + ".torn", newest + ".failed"]).sorted(),
            "what is beside the newest stays, and so does what is foreign")
        for (identifier, records) in ready.expected { #expect(try open.records(identifier) == records.filter { $0.sequence >= 7 }) }
        #expect(open.events.contains(.retired(segments: 2)))
    }

    @Test("a crash after any call of a removal leaves a log that opens without damage and has lost nothing else")
    func crashed() throws {
        let ready = try ready()
        let count = try removal(ready.disk.afterKill()).calls.count
        #expect(count > 8)
        for call in 0...count {
            let (open, _) = try removal(ready.disk.afterKill(), Fault(.fails(SystemError.inputOutput), after: call))
            for disk in [open.disk.afterKill(), open.disk.afterPowerLoss(), open.disk.afterPowerLoss { $0 / 2 }] {
                let what = "call \(call)"
                let next = try SegmentedLog.open(disk)
                next.settleUpkeep()
                #expect(next.log.report.damageCount == 0 && next.log.report.tear == nil, "\(what)")
                #expect(disk.segments.contains(segmentName(7)), "\(what)")
                let beginning = try #require(disk.segments.first.flatMap { SegmentName.firstSequence(of: $0) })
                for (identifier, records) in ready.expected {
                    #expect(try next.records(identifier) == records.filter { $0.sequence >= beginning }, "\(what)")
                }
                #expect(next.append("new") == .fresh(9), "\(what)")
                for name in Self.foreign { #expect(disk.allFiles[name] == Array("not ours\n".utf8), "\(what)") }
                // What the crash left half done is done by the next start.
                let (last, _) = try removal(next.disk.afterKill())
                let left = last.disk.allFiles.keys.sorted()
                #expect(!left.contains { SegmentName.firstSequence(ofAny: $0).map { $0 < 7 } ?? false }, "\(what): \(left)")
                #expect(last.append("new") == .duplicate(of: 9), "\(what)")
            }
        }
    }

    @Test("a removal that fails is said and tried again after a minute; readers see what stays")
    func failed() throws {
        let ready = try ready()
        for operation in [Operation.names, .remove, .synchronizeDirectory] {
            for passing in 0..<(operation == .remove ? 7 : 1) {
                let what = "\(operation) \(passing)"
                let (open, _) = try removal(ready.disk.afterKill(), Fault(.fails(SystemError.inputOutput), on: [operation], after: passing))
                #expect(open.events.contains { if case .retentionFailed = $0 { true } else { false } }, "\(what)")
                #expect(open.append("new") == .fresh(9), "\(what)")
                for (identifier, records) in ready.expected {
                    let seen = try open.records(identifier)
                    #expect(records.starts(with: seen) && seen.count >= records.count { $0.sequence >= 7 }, "\(what)")
                }
                open.disk.lift()
                open.clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
                open.settleUpkeep()
                #expect(!open.disk.allFiles.keys.contains { SegmentName.firstSequence(ofAny: $0).map { $0 < 7 } ?? false }, "\(what): \(open.disk.allFiles.keys.sorted())")
                #expect(open.disk.allFiles[segmentName(7)] != nil, "\(what)")
                #expect(open.disk.synchronizedSinceLastRemoval, "\(what)")
            }
        }
    }

    @Test("a look-up that began before its segment went finds nothing there, or reads what it had found; it is no error")
    func between() throws {
        let clock = TurnedClock()
        clock.stepWall(milliseconds: Self.age)
        let open = try OpenLog(try ready().disk, segmentBytesMax: 600, clock: clock) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = 30 * LogOptions.dayMilliseconds
        }
        open.settleUpkeep()
        var reader = RecordReader()
        let found = try open.log.records(of: Array("id-1".utf8).span, using: &reader)
        #expect(found.map(\.sequence) == [6, 1])
        clock.stepWall(milliseconds: 2 * LogOptions.dayMilliseconds)
        open.log.upkeep.queue.sync { open.log.upkeep.withValue { $0.run() } }
        #expect(!open.disk.segments.contains(segmentName(1)))
        for location in found {
            var another = RecordReader()
            #expect(try open.log.read(location, using: &another).sequence == location.sequence, "it was found, and stays readable")
        }
        #expect(try open.records("id-1") == [])
        #expect(open.log.durable == 8)
        #expect(!open.events.contains { if case .indexFailed = $0 { true } else { false } })
    }
}
