// What comes while records of its request cannot be read, for the moment or for ever.
//
// Promises: what the log expects is what the records say that can be read, at once and after a start. Two requests are
// overdue before anything goes wrong: of "late" something comes then, of "stays" nothing ever does.
// Must not know: who remembers.

import Glibc
import Platform
import Testing

@testable import CallbackLog

@Suite struct AnsweredUnreadTests {
    private let clock = TurnedClock()

    private func open(_ disk: MemoryDisk, hashMask: UInt64 = .max, hasUpkeep: Bool = true) throws -> OpenLog {
        let open = try OpenLog(disk, segmentBytesMax: 300, hashMask: hashMask, clock: clock) { $0.hasUpkeep = hasUpkeep }
        open.settleAll()
        return open
    }

    /// Announcements 1 and 2 are in segments of their own, and sealed.
    private func overdue(hashMask: UInt64 = .max, hasUpkeep: Bool = true) throws -> OpenLog {
        let open = try open(MemoryDisk(), hashMask: hashMask, hasUpkeep: hasUpkeep)
        for identifier in ["late", "stays"] { #expect(open.announce(identifier, members(10, reference: "\"\(String(repeating: "x", count: 100))\""))?.sequence != nil) }
        open.pass(milliseconds: 20_000)
        fill(open)
        #expect(standings(open) == [.overdue, .overdue] && open.disk.segments.count > 3)
        return open
    }

    /// What is open is sealed, and more.
    private func fill(_ open: OpenLog) {
        for number in 0..<4 { _ = open.append("other", "{\"n\":\(number),\"at\":\(open.log.durable)}") }
        open.settleAll()
    }

    /// Of the announcements of "late" and "stays".
    private func standings(_ open: OpenLog) -> [Expectations.Standing] {
        open.log.shared.published.withLock { published in [1, 2].map { published.expectations.standing(of: $0) } }
    }

    private func look(_ open: OpenLog) {
        clock.advance(milliseconds: Int64(ExpectationKeeper.retryMilliseconds))
        open.settleAll()
    }

    /// "stays" is all that is awaited: now, and after a start with what is derived and without.
    private func expectOneLeft(_ open: OpenLog, hashMask: UInt64 = .max, sourceLocation: SourceLocation = #_sourceLocation) throws {
        func expect(_ open: OpenLog, _ when: Comment) {
            look(open)
            #expect(standings(open) == [.notOpen, .overdue], when, sourceLocation: sourceLocation)
            #expect(open.log.openAnnouncements == 1, when, sourceLocation: sourceLocation)
        }
        expect(open, "at once")
        open.close()
        expect(try self.open(open.disk.afterKill(), hashMask: hashMask), "after a start")
        let bare = open.disk.afterKill()
        for name in bare.allFiles.keys where SegmentName.firstSequence(of: name) == nil { bare.delete(name) }
        expect(try self.open(bare, hashMask: hashMask), "after a start with nothing but the segments")
    }

    @Test("once the announcement can be read again, the request is expected no more", arguments: [.max, 0] as [UInt64], [true, false])
    func answered(hashMask: UInt64, hasUpkeep: Bool) throws {
        let open = try overdue(hashMask: hashMask, hasUpkeep: hasUpkeep)
        open.disk.inject(Fault(.fails(EIO), on: [.open, .read]))
        #expect(open.append("late")?.sequence != nil)
        open.settleAll()
        // Nothing is claimed of it meanwhile.
        #expect(standings(open)[0] == .unknown && open.log.openAnnouncements == 2)
        look(open)
        #expect(standings(open)[0] == .unknown)
        open.disk.lift()
        try expectOneLeft(open, hashMask: hashMask)
    }

    @Test("also where the log is stopped, or killed, before that", arguments: [true, false])
    func restarted(isKilled: Bool) throws {
        let open = try overdue()
        open.disk.inject(Fault(.fails(EIO), on: [.open, .read]))
        let callback = try #require(open.append("late")?.sequence)
        fill(open)
        let file = try #require(open.disk[ExpectationFile.name])
        // A start has no reason to look at the callback.
        #expect(LittleEndian.load64(file.span, at: 32) > callback)
        if !isKilled { open.close() }
        try expectOneLeft(try self.open(open.disk.afterKill()))
    }

    @Test("one that is announced again meanwhile is open once")
    func announcedAgain() throws {
        let open = try overdue()
        open.disk.inject(Fault(.fails(EIO), on: [.open, .read]))
        let again = try #require(open.announce("late", members(10))?.sequence)
        open.settleAll()
        open.disk.lift()
        look(open)
        #expect(open.log.openAnnouncements == 2)
        #expect(standings(open) == [.notOpen, .overdue])
        // Its time has run since it was announced first, and that was found.
        #expect(open.log.shared.published.withLock { $0.expectations.standing(of: again) } == .overdue)
        #expect(try open.kinds("late").count == 3)
    }

    @Test("one that is announced after a callback that cannot be read is not open")
    func joined() throws {
        let open = try overdue()
        #expect(open.append("late")?.sequence != nil)
        fill(open)
        open.disk.inject(Fault(.fails(EIO), on: [.open, .read]))
        #expect(open.announce("late", members(100_000))?.sequence != nil)
        open.settleAll()
        open.disk.lift()
        try expectOneLeft(open)
    }

    @Test("one whose segment the disk does not give out for a time is expected again once it does, or after a start", arguments: [true, false])
    func lostForATime(isRestarted: Bool) throws {
        let open = try overdue()
        open.disk.inject(Fault(.fails(EIO), on: [.read]))
        open.log.shared.suspect(try #require(SegmentName.firstSequence(of: open.disk.segments[1])))
        open.settleAll()
        #expect(standings(open)[1] == .notOpen, "it is forgotten meanwhile")
        if isRestarted {
            open.close()
            let again = try self.open(open.disk.afterKill())
            look(again)
            #expect(standings(again) == [.overdue, .overdue])
        } else {
            open.disk.lift()
            clock.advance(milliseconds: Int64(Upkeep.restMilliseconds))
            open.settleAll()
            look(open)
            #expect(standings(open) == [.overdue, .overdue])
        }
    }

    /// Changes the announcement of "late" on the disk.
    private func damage(_ open: OpenLog) { open.disk.flip(open.disk.segments[0], 40) }

    @Test("an announcement that is damaged when the callback comes is expected no more", arguments: [true, false])
    func damaged(hasUpkeep: Bool) throws {
        let open = try overdue(hasUpkeep: hasUpkeep)
        damage(open)
        #expect(open.append("late")?.sequence != nil)
        open.settleAll()
        try expectOneLeft(open)
    }

    @Test("nor is one that was found to be damaged before")
    func damagedBefore() throws {
        let open = try overdue()
        damage(open)
        _ = try? open.records("late")
        open.settleAll()
        #expect(open.log.damages.count == 1)
        try expectOneLeft(open)
    }
}
