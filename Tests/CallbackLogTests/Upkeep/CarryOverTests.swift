// Announcements whose segment goes by retention: what must stay is recorded again first (DESIGN.md §5).
//
// Promises: the segments are written by hand, so that they are as old as they have to be; what is left is looked at on the disk.
// Must not know: what an announcement says.

import Dispatch
import Platform
import Testing

@testable import CallbackLog

@Suite struct CarryOverTests {
    private let day = LogOptions.dayMilliseconds
    private let newer = "\"overdue_after\":9,\"reference\":null,\"metadata\":{}"
    private let members = "\"overdue_after\":300,\"reference\":\"order-1\",\"metadata\":{}"

    /// The announcements, as id and members, that the disk's segments hold.
    private func announcements(_ disk: MemoryDisk) -> [String] {
        disk.files.filter { SegmentName.firstSequence(of: $0.key) != nil }.values.flatMap { bytes in
            bytes.split(separator: 0x0A).compactMap { line -> String? in
                let bytes = Array(line)
                guard let parsed = ParsedLine(bytes.span), parsed.kind == .announcement else { return nil }
                return String(decoding: bytes[parsed.requestID] + [0x20] + bytes[parsed.payload], as: UTF8.self)
            }
        }.sorted()
    }

    /// Two segments: the first is old. In it five are announced: "open" and nothing else is known of it; "stays" has
    /// its callback in the second; "goes" has it in the first; "newer" is announced again in the second; "both" has
    /// callbacks in both.
    private func files(_ clock: TurnedClock) -> [String: [UInt8]] {
        var first: [UInt8] = []
        var second: [UInt8] = []
        var sequence: UInt64 = 0
        let now = clock.time.wallMilliseconds()
        func announce(_ identifier: String, _ members: String, _ milliseconds: Int64, to lines: inout [UInt8]) {
            sequence += 1
            RecordFormat.append(
                .announcement, sequence: sequence, receivedAt: Timestamp(milliseconds: milliseconds), requestID: Array(identifier.utf8).span,
                members: Array(members.utf8).span, durable: sequence - 1, to: &lines)
        }
        func callBack(_ identifier: String, _ milliseconds: Int64, to lines: inout [UInt8]) {
            sequence += 1
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: Timestamp(milliseconds: milliseconds), requestID: Array(identifier.utf8).span, status: .sent,
                payload: Array("{\"n\":\(sequence)}".utf8).span, durable: sequence - 1, to: &lines)
        }
        for identifier in ["open", "stays", "goes", "newer", "both"] { announce(identifier, members, now - 9 * day, to: &first) }
        callBack("goes", now - 9 * day, to: &first)
        callBack("both", now - 9 * day, to: &first)
        callBack("stays", now - day, to: &second)
        announce("newer", newer, now - day, to: &second)
        callBack("both", now - day, to: &second)
        return [segmentName(1): first, segmentName(8): second]
    }

    private func open(_ disk: MemoryDisk, _ clock: TurnedClock, _ hashMask: UInt64 = .max) throws -> OpenLog {
        let open = try OpenLog(disk, hashMask: hashMask, clock: clock) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = 5 * day
        }
        open.settleUpkeep()
        return open
    }

    @Test("open ones, and those of callbacks that stay, are recorded again; the others go", arguments: [.max, 0] as [UInt64])
    func carried(hashMask: UInt64) throws {
        let clock = TurnedClock()
        let log = try open(MemoryDisk(files(clock)), clock, hashMask)
        var since = ",\"announced_at\":\"".utf8.map { $0 }
        Timestamp(milliseconds: clock.time.wallMilliseconds() - 9 * day).append(to: &since)
        let first = String(decoding: since, as: UTF8.self) + "\""
        let carried = ["both \(members)\(first)", "newer \(newer)\(first)", "open \(members)\(first)", "stays \(members)\(first)"]
        // Of "open" and "newer" the time is up.
        let expected = (carried + ["newer \(newer)"]).sorted()
        #expect(log.disk[segmentName(1)] == nil)
        #expect(announcements(log.disk) == expected)
        #expect(try log.records("goes").isEmpty)
        log.settleExpectations()
        #expect(try log.kinds("stays").map { $0.prefix(4) } == ["anno", "call"])
        // Found overdue before they were recorded again, or behind it.
        #expect(try log.kinds("open").map { $0.prefix(4) }.sorted() == ["anno", "over"])
        #expect(try log.kinds("newer").map { $0.prefix(4) }.sorted() == ["anno", "anno", "over"])
        #expect(log.log.openAnnouncements == 2)
        #expect(log.append("next") == .fresh(17))

        // Nothing more is carried over by a start that has nothing to remove.
        let again = try open(log.disk.afterKill(), clock, hashMask)
        #expect(announcements(again.disk) == expected)
        #expect(again.log.report.damageCount == 0 && again.log.report.tear == nil)
    }

    @Test("also where too little space is left for callbacks: what is carried over makes room")
    func full() throws {
        let clock = TurnedClock()
        let disk = MemoryDisk(files(clock))
        disk.setFreeBytes(0)
        let log = try open(disk, clock)
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil)
        #expect(announcements(log.disk).count { $0.hasPrefix("open ") } == 1)
        if case .blocked(.space) = log.append("next") {} else { Issue.record("callbacks are refused all the same") }
    }

    @Test("what is taken for open and went with its segment is open no more")
    func notOpen() throws {
        let clock = TurnedClock()
        let before = try OpenLog(MemoryDisk(files(clock)), clock: clock) { $0.hasUpkeep = true }
        before.settleAll()
        // As a file says it that was written before the callback of "goes" came.
        before.log.shared.published.withLock { $0.expectations.put(Expectations.Entry(announcement: 3, due: Expectations.overdue)) }
        before.close()
        let log = try open(before.disk.afterKill(), clock)
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil)
        #expect(log.log.openAnnouncements == 2)
    }

    @Test("where they cannot be recorded the segment stays, and goes once they can")
    func refused() throws {
        let clock = TurnedClock()
        let disk = MemoryDisk(files(clock))
        let log = try OpenLog(disk, clock: clock) { $0.hasUpkeep = true }
        log.settleAll()
        disk.inject(Fault(.fails(SystemError.noSpace), on: [.write]))
        var options = LogOptions()
        options.retentionMilliseconds = 5 * day
        log.log.takeUp(options)
        log.settleAll()
        #expect(disk[segmentName(1)] != nil)
        #expect(log.events.contains { if case .retentionFailed(let text) = $0 { text.contains("recorded again") } else { false } })
        disk.lift()
        clock.advance(milliseconds: 2 * Int64(Upkeep.restMilliseconds))
        log.settleUpkeep()
        #expect(disk[segmentName(1)] == nil)
        #expect(Set(announcements(disk)).count == 5, "a write that failed may have left a line")
    }

    @Test("where more must stay than the log may be large, that is said, and retention rests")
    func tooMuch() throws {
        let log = try OpenLog(MemoryDisk()) {
            $0.hasUpkeep = true
            $0.retentionBytesMax = 4_000
        }
        for number in 0..<100 { _ = log.announce("request-\(number)", newer) }
        log.settleUpkeep()
        log.settleExpectations()
        let said = log.events.filter { if case .retentionFailed = $0 { true } else { false } }
        #expect(said.count == 1)
        #expect(log.log.openAnnouncements == 100)
        for number in 0..<100 { #expect(try !log.records("request-\(number)").isEmpty) }
        // As much as there is, and not what a log that goes round would have written.
        #expect(log.log.durable < 1_000)
    }

    @Test("a request whose overdue record goes is found overdue again, and a start sees it so")
    func overdueAgain() throws {
        let clock = TurnedClock()
        let log = try open(MemoryDisk(), clock)
        _ = log.announce("a", newer)
        log.pass(milliseconds: 20_000)
        #expect(try log.kinds("a") == ["overdue 2", "announcement 1"])
        clock.stepWall(milliseconds: 9 * day)
        // Looked at each hour: sealed by age, then removed.
        for _ in 0..<3 {
            log.pass(milliseconds: Int64(Upkeep.retentionMilliseconds) + 1)
            log.settleUpkeep()
        }
        log.settleExpectations()
        #expect(log.disk[segmentName(1)] == nil)
        let kinds = try log.kinds("a")
        #expect(kinds.map { $0.prefix(4) } == ["over", "anno"] && !kinds.contains("overdue 2"))
        #expect(log.log.openAnnouncements == 1)
    }

    @Test("a request whose overdue record goes while it is looked at is found overdue again")
    func overdueAgainMeanwhile() throws {
        let clock = TurnedClock()
        let now = clock.time.wallMilliseconds()
        var lines: [[UInt8]] = [[], []]
        RecordFormat.append(
            .overdue, sequence: 1, receivedAt: Timestamp(milliseconds: now - 4 * day), requestID: Array("a".utf8).span, members: [UInt8]().span,
            durable: 0, to: &lines[0])
        var recordedAgain = Array(newer.utf8)
        AnnouncementMembers.append(announcedAt: Timestamp(milliseconds: now - 5 * day), to: &recordedAgain)
        RecordFormat.append(
            .announcement, sequence: 2, receivedAt: Timestamp(milliseconds: now), requestID: Array("a".utf8).span, members: recordedAgain.span,
            durable: 1, to: &lines[1])
        let log = try open(MemoryDisk([segmentName(1): lines[0], segmentName(2): lines[1]]), clock)
        log.settleAll()
        func standing() -> Expectations.Standing { log.log.shared.published.withLock { $0.expectations.standing(of: 2) } }
        #expect(try log.kinds("a") == ["announcement 2", "overdue 1"] && standing() == .overdue)

        // The writer reads it first, and says that nothing is to be recorded; whoever looks reads it then.
        let hold = log.disk.holdRead(of: segmentName(1), after: 1)
        log.log.shared.published.withLock { $0.expectations.doubt(2) }
        log.log.shared.wakeExpectations()
        #expect(hold.wait())
        clock.stepWall(milliseconds: 2 * day)
        log.log.shared.wakeUpkeep()
        // Upkeep has gone by meanwhile, or waits.
        let passed = DispatchSemaphore(value: 0)
        log.log.upkeep.queue.async { passed.signal() }
        _ = passed.wait(timeout: .now() + .milliseconds(300))
        hold.release()
        log.settleAll()
        #expect(log.disk[segmentName(1)] == nil)
        let kinds = try log.kinds("a")
        #expect(kinds.map { $0.prefix(4) } == ["over", "anno"] && standing() == .overdue, "\(kinds)")
    }

    @Test("one whose callback came before it, and went with the segment before, goes as well")
    func joined() throws {
        let clock = TurnedClock()
        let log = try OpenLog(MemoryDisk(), segmentBytesMax: 400, clock: clock) {
            $0.hasUpkeep = true
            $0.retentionMilliseconds = 5 * day
        }
        _ = log.append("joined")
        for number in 0..<4 { _ = log.append("other-\(number)") }
        _ = log.announce("joined", newer)
        _ = log.announce("open", members)
        log.settleUpkeep()
        let segments = log.disk.segments
        #expect(try log.kinds("joined") == ["announcement 6", "callback 1"] && segments.count > 2)
        clock.stepWall(milliseconds: 9 * day)
        for _ in 0..<3 {
            log.pass(milliseconds: Int64(Upkeep.retentionMilliseconds) + 1)
            log.settleUpkeep()
        }
        #expect(Set(log.disk.segments).isDisjoint(with: segments))
        #expect(try log.kinds("joined") == [])
        #expect(try log.kinds("open").map { $0.prefix(4) }.sorted() == ["anno", "over"])
    }

    @Test("one that another program wrote finds room also where its request is full")
    func foreign() throws {
        let clock = TurnedClock()
        let now = clock.time.wallMilliseconds()
        var first: [UInt8] = []
        RecordFormat.append(
            .announcement, sequence: 1, receivedAt: Timestamp(milliseconds: now - 9 * day), requestID: Array("full".utf8).span,
            members: Array("\"overdue_after\":\"soon\"".utf8).span, durable: 0, to: &first)
        var second: [UInt8] = []
        for sequence in 2...UInt64(CallbackLog.recordsPerRequestMax) {
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: Timestamp(milliseconds: now - day), requestID: Array("full".utf8).span, status: .sent,
                payload: Array("{\"n\":\(sequence)}".utf8).span, durable: sequence - 1, to: &second)
        }
        let log = try open(MemoryDisk([segmentName(1): first, segmentName(2): second]), clock)
        #expect(log.disk[segmentName(1)] == nil)
        #expect(announcements(log.disk) == ["full \"overdue_after\":\"soon\""])
    }

    @Test("a segment of which nobody knows what is in it stays until that is known")
    func unknown() throws {
        let clock = TurnedClock()
        let disk = try SegmentedLog { $0.hasUpkeep = false }.disk
        let segments = disk.segments
        // The newest is read all the same.
        disk.inject(Fault(.fails(24), on: [.open], after: 1))
        let log = try SegmentedLog.open(disk, clock: clock) { $0.retentionBytesMax = 100 }
        log.settleUpkeep()
        #expect(log.log.report.unindexed.count == segments.count - 1)
        #expect(disk.segments == segments)
        #expect(log.events.contains { if case .retentionFailed = $0 { true } else { false } })
        disk.lift()
        clock.advance(milliseconds: 2 * Int64(Upkeep.restMilliseconds))
        log.settleUpkeep()
        #expect(disk[segments[0]] == nil)
    }
}
