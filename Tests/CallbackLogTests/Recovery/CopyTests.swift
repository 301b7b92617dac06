// Invariant 4: what no line proves is copied and synced before anything is served; and a crash at any call of
// recovery is a crash from which the same recovery loses nothing.
//
// Promises: what is killed here is killed with its page cache, and what loses power loses all that is not stable.
// Must not know: what a sound line is (DamageTests).

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite struct CopyTests {
    /// Killed while the fdatasync of `inFlight` ran; `before` had been acknowledged.
    private func killed(before: [String], inFlight: [String], segmentBytesMax: Int64 = 1 << 20) throws -> MemoryDisk {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: segmentBytesMax)
        for payload in before { #expect(open.append("a", payload)?.isBlocked == false) }
        let hold = open.disk.holdSynchronization()
        open.log.writer.queue.suspend()
        for payload in inFlight { _ = open.submit("a", payload) }
        open.log.writer.queue.resume()
        try #require(hold.wait())
        let disk = open.disk.afterKill()
        hold.release()
        open.settle()
        return disk
    }

    /// The names of calls that change the disk.
    private func changes(_ disk: MemoryDisk) -> [String] {
        let quiet: Set<CallbackLogTests.Operation> = [.names, .open, .read, .size, .isGone, .isLinked, .freeBytes]
        return disk.calls.filter { !quiet.contains($0.operation) }.map(\.description)
    }

    @Test("unproven records are copied, synced, renamed into place and the directory synced, in this order, before the log opens")
    func order() throws {
        let disk = try killed(before: ["{\"n\":1}", "{\"n\":2}"], inFlight: ["{\"n\":3}", "{\"n\":4}"])
        let recovery = try Recovery(disk)
        #expect(recovery.report.copied == 2)
        let copy = segmentName(3, ".new")
        #expect(changes(disk) == ["synchronizeDirectory", "create \(copy)", "write \(copy)", "synchronizeData \(copy)", "rename \(copy)", "synchronizeDirectory"])
        #expect(recovery.next == 5)
    }

    @Test("also when the copy has the name of the segment that it replaces")
    func sameName() throws {
        let disk = try killed(before: [], inFlight: ["{\"n\":1}", "{\"n\":2}"])
        let old = try #require(disk[segmentName(1)])
        let recovery = try Recovery(disk)
        #expect(recovery.report.copied == 2)
        let copy = segmentName(1, ".new")
        #expect(changes(disk) == ["synchronizeDirectory", "create \(copy)", "write \(copy)", "synchronizeData \(copy)", "rename \(copy)", "synchronizeDirectory"])
        #expect(disk.files == [segmentName(1): old])
    }

    @Test("the segment that they stood in is not read a second time, and knows them no longer")
    func readOnce() throws {
        let text = String(repeating: "x", count: 100_000)
        let disk = try killed(before: (0..<50).map { "{\"n\":\($0),\"text\":\"\(text)\"}" }, inFlight: ["{\"n\":50}"], segmentBytesMax: 1 << 24)
        let recovery = try Recovery(disk)
        #expect(recovery.report.copied == 1)
        let size = try #require(disk[segmentName(1)]).count
        let reads = disk.calls.count { $0.operation == .read && $0.name == segmentName(1) }
        #expect(reads < 2 * (size / SegmentScan.chunkBytes + 1), "\(reads) reads of \(size) bytes")
        let old = try #require(recovery.sealed.last)
        #expect(old.successor == 51 && old.recordCount == 50 && recovery.open.index.count == 1)
        let open = try OpenLog(disk)
        #expect(try open.records("a").map(\.sequence) == (1...51).reversed())
        #expect(try OpenLog(open.disk.afterKill()).records("a").map(\.sequence) == (1...51).reversed())
    }

    @Test("what sat in the page cache only survives a power loss from the moment the log is open")
    func stable() throws {
        for before in [[], ["{\"n\":1}"], ["{\"n\":1}", "{\"n\":2}"]] {
            let disk = try killed(before: before, inFlight: ["{\"n\":8}", "{\"n\":9}"])
            _ = try Recovery(disk)
            let open = try OpenLog(disk.afterPowerLoss())
            #expect(open.append("a", "{\"n\":9}") == .duplicate(of: UInt64(before.count + 2)))
        }
    }

    @Test("a copy longer than one write is whole")
    func long() throws {
        let payloads = (0..<40).map { "{\"n\":\($0),\"text\":\"" + String(repeating: "x", count: 60_000) + "\"}" }
        let disk = try killed(before: [], inFlight: payloads)
        _ = try Recovery(disk)
        #expect(try OpenLog(disk.afterPowerLoss()).records("a").map(\.payload) == payloads.reversed())
    }

    @Test("after the copy the log is proven at once: the next start copies nothing")
    func proven() throws {
        let disk = try killed(before: ["{\"n\":1}"], inFlight: ["{\"n\":2}"])
        _ = try OpenLog(disk)
        #expect(try OpenLog(disk.afterKill()).log.report.copied == 0)
    }

    @Test("a segment that a crash left empty does not hide the unproven records before it")
    func emptySuccessor() throws {
        let open = try OpenLog(MemoryDisk())
        for number in 1...3 { _ = open.append("a", "{\"n\":\(number)}") }
        let disk = MemoryDisk(open.disk.files.merging([segmentName(4): []]) { $1 })
        let recovery = try Recovery(disk)
        #expect(recovery.report.copied == 1)
        #expect(recovery.next == 4)
        let again = try OpenLog(disk.afterPowerLoss())
        #expect(try again.records("a").map(\.sequence) == [3, 2, 1])
        #expect(again.append("a", "{\"n\":4}") == .fresh(4))
    }

    @Test("a segment whose name was never synced, since the process was killed before, is synced before it goes on")
    func unsyncedName() throws {
        let disk = MemoryDisk()
        disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeDirectory], after: 1))
        #expect(throws: LogOpenFailure.self) { try Recovery(disk) }
        #expect(disk.afterPowerLoss().files.isEmpty)
        let open = try OpenLog(disk.afterKill())
        #expect(open.append("a") == .fresh(1))
        #expect(try OpenLog(open.disk.afterPowerLoss()).append("a") == .duplicate(of: 1))
    }

    @Test("a checkpoint that the page cache shows and the disk never got is written again before records stand behind it")
    func unsyncedCheckpoint() throws {
        // The checkpoint lies on two sectors for some length of the first record.
        for length in 0..<StoredFile.sectorBytes {
            let payload = "{\"text\":\"" + String(repeating: "x", count: length) + "\"}"
            let open = try OpenLog(MemoryDisk())
            #expect(open.append("a", payload) == .fresh(1))
            open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.synchronizeData]))
            open.log.close()
            let restarted = try OpenLog(open.disk.afterKill())
            #expect(restarted.append("b") == .fresh(2))
            let again = try OpenLog(restarted.disk.afterPowerLoss())
            #expect(again.append("a", payload) == .duplicate(of: 1))
            #expect(again.append("b") == .duplicate(of: 2))
        }
    }

    /// Directories that recovery has something to do about, with the payloads that were acknowledged.
    private func broken() throws -> [(what: String, disk: MemoryDisk, acknowledged: [String])] {
        let payloads = (1...6).map { "{\"n\":\($0)}" }
        let unproven = try killed(before: payloads, inFlight: ["{\"n\":7}", "{\"n\":8}"])
        let first = try killed(before: [], inFlight: ["{\"n\":7}"])
        let rolled = try killed(before: payloads, inFlight: ["{\"n\":7}"], segmentBytesMax: 600)
        var torn = unproven.files
        torn[segmentName(1)]?.append(contentsOf: Array("{\"sequence\":9,".utf8))
        var damaged = unproven.files
        damaged[segmentName(1)]?[20] ^= 1
        var damagedAndTorn = torn
        damagedAndTorn[segmentName(1)]?[20] ^= 1
        var proven = try SampleLog().bytes
        proven[20] ^= 1
        return [
            ("unproven", unproven, payloads), ("first batch", first, []), ("rolled", rolled, payloads), ("torn", MemoryDisk(torn), payloads),
            ("damaged", MemoryDisk(damaged), Array(payloads.dropFirst())),
            ("damaged and torn", MemoryDisk(damagedAndTorn), Array(payloads.dropFirst())),
            ("damaged newest", MemoryDisk([segmentName(1): proven]), ["{\"n\":2}", "{\"n\":3}"]),
            ("torn before garbage", MemoryDisk(torn.merging([segmentName(12): Array("?".utf8)]) { $1 }), payloads),
        ]
    }

    @Test("a full disk has room for no copy: what is not proven is written again where it stands, and synced, before the log opens")
    func rewritten() throws {
        for before in [[], ["{\"n\":1}"], ["{\"n\":1}", "{\"n\":2}"]] {
            let disk = try killed(before: before, inFlight: ["{\"n\":8}", "{\"n\":9}"])
            let files = disk.files
            disk.setFull(true)
            let open = try OpenLog(disk)
            #expect(open.log.report.rewritten >= 2 && open.log.report.copied == 0)
            #expect(disk.files == files)
            #expect(try OpenLog(disk.afterPowerLoss()).append("a", "{\"n\":9}") == .duplicate(of: UInt64(before.count + 2)))
            // It serves what there is, and takes what comes once there is room.
            #expect(open.append("a", "{\"n\":9}") == .duplicate(of: UInt64(before.count + 2)))
            #expect(open.append("b")?.isBlocked == true)
            disk.setFull(false)
            open.clock.advance(milliseconds: 1_000)
            open.settle()
            #expect(open.append("b") == .fresh(UInt64(before.count + 3)))
            let again = try OpenLog(disk.afterPowerLoss())
            #expect(again.log.report.damageCount == 0 && again.log.report.tear == nil)
            #expect(again.append("a", "{\"n\":9}") == .duplicate(of: UInt64(before.count + 2)) && again.append("b") == .duplicate(of: UInt64(before.count + 3)))
        }
    }

    @Test("a full disk has no room to keep what is torn: it stays where it is, behind the log's end, and is no damage later")
    func left() throws {
        for (what, start, acknowledged) in try broken() where what.contains("torn") {
            let disk = start.afterKill()
            let torn = try #require(disk[segmentName(1)])
            disk.setFull(true)
            let open = try OpenLog(disk)
            #expect(open.log.report.tear?.keptIn == segmentName(1), "\(what)")
            #expect(disk[segmentName(1)] == torn && disk[segmentName(1, ".torn")] == nil, "\(what)")
            let next = open.log.durable + 1
            #expect(open.append("b")?.isBlocked == true)
            let closed = try OpenLog(disk.afterKill())
            closed.close()
            disk.setFull(false)
            open.clock.advance(milliseconds: 1_000)
            open.settle()
            #expect(open.append("b") == .fresh(next), "\(what)")
            for left in [closed.disk, disk.afterPowerLoss().afterKill()] {
                let again = try OpenLog(left)
                #expect(again.log.report.tear == nil && again.log.report.damageCount == open.log.report.damageCount, "\(what)")
                let seen = try again.records("a").reversed().map(\.payload)
                #expect(Array(seen.prefix(acknowledged.count)) == acknowledged, "\(what)")
            }
        }
    }

    @Test("what was left for want of room is kept by the start that replaces its file")
    func keptLater() throws {
        let start = try killed(before: [], inFlight: ["{\"n\":1}", "{\"n\":2}"])
        var files = start.files
        files[segmentName(1)]?.append(contentsOf: Array("{\"sequence\":3,".utf8))
        let disk = MemoryDisk(files)
        disk.setFull(true)
        #expect(try Recovery(disk).report.tear?.keptIn == segmentName(1))
        let again = disk.afterKill()
        #expect(try Recovery(again).report.copied == 2)
        #expect(again[segmentName(1, ".torn")] == Array("{\"sequence\":3,".utf8))
        #expect(try OpenLog(again.afterPowerLoss()).append("a", "{\"n\":2}") == .duplicate(of: 2))
    }

    @Test("a segment that is torn from its first line on, of the name that the next one gets, is put aside whole")
    func putAside() throws {
        let disk = MemoryDisk([segmentName(1): Array("{\"sequence\":1,".utf8)])
        disk.setFull(true)
        #expect(try OpenLog(disk).log.report.tear?.keptIn == segmentName(1, ".torn"))
        #expect(disk[segmentName(1, ".torn")] == Array("{\"sequence\":1,".utf8) && disk[segmentName(1)] == [])
        disk.setFull(false)
        #expect(try OpenLog(disk.afterKill()).append("a") == .fresh(1))
    }

    @Test("a crash at any call of recovery, by fault, kill or power loss, loses nothing", arguments: [true, false], [false, true])
    func interrupted(isDone: Bool, isFull: Bool) throws {
        var generator = SeededGenerator(seed: 11)
        for (what, start, acknowledged) in try broken() {
            for call in 0..<200 {
                let disk = start.afterKill()
                disk.setFull(isFull)
                disk.inject(Fault(isDone ? .failsThoughDone(SystemError.inputOutput) : .fails(SystemError.inputOutput), after: call))
                let isOpened = (try? Recovery(disk)) != nil
                for left in [disk.afterKill(), disk.afterPowerLoss { Int.random(in: 0...$0, using: &generator) }] {
                    let open = try OpenLog(left)
                    let seen = try open.records("a").reversed().map(\.payload)
                    // Acknowledged records, in their order; unacknowledged ones may follow.
                    if Array(seen.prefix(acknowledged.count)) != acknowledged { Issue.record("\(what), call \(call): \(seen)") }
                    if open.append("fresh", "{}")?.isBlocked ?? true { Issue.record("\(what), call \(call): no intake") }
                }
                let torn = disk.files.filter { $0.key.hasSuffix(".torn") }
                if isOpened {
                    if what.contains("torn"), !isFull { #expect(torn[segmentName(1, ".torn")] == Array("{\"sequence\":9,".utf8)) }
                    break
                }
                try #require(call < 199, "recovery ends")
            }
        }
    }
}
