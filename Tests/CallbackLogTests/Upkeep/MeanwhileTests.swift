// What comes, or comes to light, while something is concluded from a segment: at retention, after a restoration, after a cut.
//
// Promises: what the log tells afterwards is what its records say. Each step is held where it may be overtaken.
// Must not know: on which queue anything happens.

import Dispatch
import Platform
import Testing

@testable import CallbackLog

@Suite struct MeanwhileTests {
    private let day = LogOptions.dayMilliseconds
    private let old = "\"overdue_after\":604800,\"reference\":\"order-1\",\"metadata\":{}"
    private let new = "\"overdue_after\":604800,\"reference\":\"order-2\",\"metadata\":{\"changed\":true}"
    private let clock = TurnedClock()

    /// The lines of two segments, written by hand, so that they are as old as they have to be.
    private struct Lines {
        var segments: [(first: Int, bytes: [UInt8])] = []
        private var sequence: UInt64 = 0

        mutating func begin() { segments.append((Int(sequence) + 1, [])) }

        /// Returns where the line begins.
        @discardableResult
        mutating func announce(_ identifier: String, _ members: String, _ milliseconds: Int64) -> Int {
            sequence += 1
            let start = segments[segments.count - 1].bytes.count
            RecordFormat.append(
                .announcement, sequence: sequence, receivedAt: Timestamp(milliseconds: milliseconds), requestID: Array(identifier.utf8).span,
                members: Array(members.utf8).span, durable: sequence - 1, to: &segments[segments.count - 1].bytes)
            return start
        }

        mutating func callBack(_ identifier: String, _ milliseconds: Int64) {
            sequence += 1
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: Timestamp(milliseconds: milliseconds), requestID: Array(identifier.utf8).span, status: .sent,
                payload: Array("{\"n\":\(sequence)}".utf8).span, durable: sequence - 1, to: &segments[segments.count - 1].bytes)
        }

        var disk: MemoryDisk { MemoryDisk(Dictionary(uniqueKeysWithValues: segments.map { (segmentName($0.first), $0.bytes) })) }
    }

    private func open(_ disk: MemoryDisk, days: Int64 = 5) throws -> OpenLog {
        let log = try OpenLog(disk, clock: clock) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = days * day
        }
        return log
    }

    /// Two are announced in a segment that is about to go; with `isAnswered`, the callback of the first has come.
    private func aged(isAnswered: Bool = false) throws -> OpenLog {
        let now = clock.time.wallMilliseconds()
        var lines = Lines()
        lines.begin()
        lines.announce("a", old, now - 4 * day)
        if isAnswered { lines.callBack("a", now - 4 * day) }
        lines.announce("b", old, now - 4 * day)
        lines.begin()
        lines.callBack("x", now)
        let log = try open(lines.disk)
        log.settleAll()
        clock.stepWall(milliseconds: 2 * day)
        return log
    }

    @Test("a request that is announced anew while its segment goes is announced as it was then")
    func announcedMeanwhile() throws {
        let log = try aged()
        // What is said of "a" has been read, "b" waits.
        let hold = log.disk.holdRead(of: segmentName(1), after: 1)
        log.log.shared.wakeUpkeep()
        #expect(hold.wait())
        #expect(log.announce("a", new)?.sequence != nil)
        hold.release()
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil)
        let newest = try #require(log.records("a").first)
        #expect(newest.payload.contains("order-2") && newest.payload.contains("announced_at"), "\(newest)")
        #expect(try log.records("b").count == 1 && log.log.openAnnouncements == 2)
    }

    @Test("a callback that comes while the segment of its announcement goes keeps that")
    func answeredMeanwhile() throws {
        let log = try aged(isAnswered: true)
        let hold = log.disk.holdRead(of: segmentName(1), after: 2)
        log.log.shared.wakeUpkeep()
        #expect(hold.wait())
        #expect(log.append("a", "{\"second\":1}") == .fresh(5))
        hold.release()
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil)
        let kinds = try log.kinds("a")
        #expect(kinds.contains("callback 5") && kinds.contains { $0.hasPrefix("announcement") }, "\(kinds)")
    }

    @Test("an index whose table of hashes is harmed decides of no announcement that it goes")
    func harmedIndex() throws {
        let log = try aged()
        guard case .onDisk(let index) = try #require(log.log.shared.sealed(1)).index else {
            Issue.record("no index")
            return
        }
        log.disk.flip(SegmentName.index(first: 1), index.sections.requests.lowerBound * IndexPage.bytes + 40)
        log.log.shared.wakeUpkeep()
        log.settleAll()
        clock.advance(milliseconds: 2 * Int64(Upkeep.restMilliseconds))
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil && log.log.openAnnouncements == 2)
        #expect(try !log.records("a").isEmpty && !log.records("b").isEmpty)
    }

    /// A segment with a damaged announcement of "a", and what a start with it left; there is one of "b", too.
    private func damaged() throws -> (disk: MemoryDisk, mend: (MemoryDisk) -> Void) {
        let now = clock.time.wallMilliseconds()
        var lines = Lines()
        lines.begin()
        lines.callBack("x", now - 4 * day)
        let place = lines.announce("a", old, now - 4 * day) + 30
        lines.announce("b", old, now - 4 * day)
        lines.begin()
        lines.callBack("y", now)
        let disk = lines.disk
        disk.flip(segmentName(1), place)
        let log = try open(disk)
        log.settleAll()
        #expect(log.log.openAnnouncements == 1 && log.log.damages.count == 1)
        log.log.close()
        return (disk.afterKill(), { $0.flip(segmentName(1), place) })
    }

    /// Opens it; the segment is not read again before the hold is released.
    private func openHeld(_ disk: MemoryDisk) throws -> (log: OpenLog, hold: Hold) {
        let hold = disk.holdRead(of: segmentName(1), after: 0)
        let log = try open(disk)
        #expect(hold.wait())
        log.settle()
        log.log.expectations.queue.sync {}
        return (log, hold)
    }

    @Test("what a restored segment awaits is known also after a kill")
    func restored() throws {
        let (disk, mend) = try damaged()
        mend(disk)
        let (log, hold) = try openHeld(disk)
        hold.release()
        log.settleAll()
        #expect(log.log.openAnnouncements == 2)
        let again = try open(disk.afterKill())
        again.settleAll()
        #expect(again.log.openAnnouncements == 2)
    }

    @Test("what a restored segment awaits that goes at once is recorded again")
    func restoredAndGone() throws {
        let (disk, mend) = try damaged()
        mend(disk)
        clock.stepWall(milliseconds: 2 * day)
        let (log, hold) = try openHeld(disk)
        // The keeper is at something else.
        log.log.expectations.queue.suspend()
        hold.release()
        log.settleUpkeep()
        log.log.expectations.queue.resume()
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil && log.log.openAnnouncements == 2)
        #expect(try !log.records("a").isEmpty && !log.records("b").isEmpty)
    }

    @Test("an announcement that is found damaged when it falls due is named")
    func damagedWhenDue() throws {
        let now = clock.time.wallMilliseconds()
        var lines = Lines()
        lines.begin()
        let place = lines.announce("a", old, now - day) + 30
        lines.begin()
        lines.callBack("y", now)
        let log = try open(lines.disk, days: 50)
        log.settleAll()
        log.disk.flip(segmentName(1), place)
        clock.stepWall(milliseconds: 8 * day)
        log.log.shared.wakeExpectations()
        log.settleAll()
        #expect(log.log.damages.count == 1)
    }

    @Test("nothing is superseded by what was lost")
    func supersededByLost() throws {
        let now = clock.time.wallMilliseconds()
        var lines = Lines()
        lines.begin()
        lines.callBack("a", now - day)
        lines.callBack("y", now - day)
        lines.begin()
        lines.callBack("x", now)
        let first = try open(lines.disk)
        first.settleAll()
        _ = first.append("a", "{\"second\":1}")
        first.settleAll()
        first.log.close()
        let disk = first.disk.afterKill()
        let log = try open(disk)
        log.settleAll()
        _ = log.append("z")
        log.settleAll()
        // Somebody leaves its first line of the newest segment.
        let name = try #require(disk.segments.last)
        disk.cut(name, to: try #require(disk[name]?.firstIndex(of: 0x0A)) + 1)
        _ = log.append("w")
        for _ in 0..<3 {
            log.settleAll()
            clock.advance(milliseconds: 2 * Int64(Upkeep.restMilliseconds))
        }
        log.settleAll()
        #expect(try log.records("a").map(\.sequence) == [1])
        let (isWhole, isMarked) = log.log.shared.published.withLock { ($0.supersessions.isWhole, $0.supersessions.isMarked(1)) }
        #expect(isWhole && !isMarked)
    }
}
