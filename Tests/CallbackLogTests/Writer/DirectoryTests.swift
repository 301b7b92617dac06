// Invariant 5: a directory that was deleted, moved or replaced is 503, never 2xx; a full disk likewise; and
// both pass. On the real file system, what only it can show.
// Must not know: which call found it out.

import Foundation
import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite struct DirectoryTests {
    @Test("a directory that is gone takes nothing, and takes again once it is back")
    func gone() throws {
        let open = try OpenLog(MemoryDisk())
        #expect(open.append("a") == .fresh(1))
        open.disk.setGone(true)
        #expect(open.log.readiness(options: LogOptions()).block == .directoryGone(path: "memory"), "an idle log notices when asked")
        #expect(open.append("b") == .blocked(.directoryGone(path: "memory")))
        open.clock.advance(milliseconds: 3_000)
        #expect(open.append("b") == .blocked(.directoryGone(path: "memory")))
        open.disk.setGone(false)
        open.clock.advance(milliseconds: 1_000)
        #expect(open.append("b") == .fresh(2))
        let again = try OpenLog(open.disk.afterPowerLoss())
        #expect(again.append("a") == .duplicate(of: 1))
        #expect(again.append("b") == .duplicate(of: 2))
    }

    @Test("a duplicate of what went with the directory is refused, too")
    func goneDuplicates() throws {
        let open = try OpenLog(MemoryDisk())
        #expect(open.append("a") == .fresh(1))
        open.disk.setGone(true)
        #expect(open.append("a") == .blocked(.directoryGone(path: "memory")))
        open.disk.setGone(false)
        open.clock.advance(milliseconds: 1_000)
        open.disk.setGone(true)
        let mixed = open.appendTogether([("a", "{}"), ("b", "{}"), ("b", "{}")])
        #expect(mixed == Array(repeating: .blocked(.directoryGone(path: "memory")), count: 3))
    }

    @Test("a segment that somebody deleted is left: the batch goes to a fresh one")
    func segmentDeleted() throws {
        let open = try OpenLog(MemoryDisk())
        #expect(open.append("a") == .fresh(1))
        open.disk.delete(segmentName(1))
        #expect(open.append("b") == .fresh(2))
        #expect(open.disk.files.keys.sorted() == [segmentName(2)])
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("b") == .duplicate(of: 2))
    }

    @Test("also when it was empty, and had the name of the fresh one", arguments: [true, false])
    func emptySegmentDeleted(isReplaced: Bool) throws {
        let open = try OpenLog(MemoryDisk())
        open.disk.delete(segmentName(1))
        if isReplaced { _ = try open.disk.create(segmentName(1)) }
        #expect(open.append("a") == .fresh(1))
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("a") == .duplicate(of: 1))
    }

    @Test("with less space than the minimum nothing is taken; with more it is again")
    func space() throws {
        let open = try OpenLog(MemoryDisk())
        let options = LogOptions()
        #expect(open.append("a") == .fresh(1))
        open.disk.setFreeBytes(options.freeBytesMin - 1)
        let reason = LogBlock.space(freeBytes: options.freeBytesMin - 1, freeBytesMin: options.freeBytesMin)
        #expect(open.log.readiness(options: options).block == reason)
        open.clock.advance(milliseconds: 1_000)
        #expect(open.append("b") == .blocked(reason))
        open.clock.advance(milliseconds: 3_000)
        #expect(open.append("b") == .blocked(reason))
        open.disk.setFreeBytes(options.freeBytesMin)
        open.clock.advance(milliseconds: 1_000)
        #expect(open.append("b") == .fresh(2))
        #expect(open.events.contains(.unblocked))
    }

    @Test("free space is asked for again after so many bytes, without waiting for the second")
    func spaceByBytes() throws {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 1 << 30)
        _ = open.append("a")
        open.disk.setFreeBytes(0)
        let payload = String(repeating: "x", count: 4 << 20)
        let outcomes = (0..<6).map { open.append("id-\($0)", payload) }
        // An eighth of the minimum of 64 MiB.
        #expect(outcomes.prefix(2) == [.fresh(2), .fresh(3)])
        #expect(outcomes.suffix(4).allSatisfy { $0?.isBlocked == true })
    }

    @Test("on the real file system: the directory is one opener's, and a record outlives its log")
    func real() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/made/here"
        do {
            let log = try CallbackLog.open(path: path)
            #expect(throws: LogOpenFailure.inUse(path: path)) { try CallbackLog.open(path: path) }
            let recipient = log.addRecipient { _ in }
            let record = Array("a{}".utf8)
            #expect(log.append(Submission(record: record, requestID: 0..<1, payload: 1..<3, status: .sent, recipient: recipient, ticket: 1)))
            log.close()
            #expect(log.durable == 1)
        }
        let again = try CallbackLog.open(path: path)
        #expect(again.durable == 1)
        #expect(again.report.copied == 0)
        try FileManager.default.removeItem(atPath: directory.path)
        #expect(again.readiness(options: LogOptions()).block == .directoryGone(path: path))
    }
}
