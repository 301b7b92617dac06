// Somebody cuts the open segment short while it is written to: logrotate, or a hand. What was cut is gone; nothing that comes
// after goes with it, and it is said.
//
// Promises: invariants 1 and 5, with index files and padding as in service. Must not know: how it is noticed.

import Platform
import Testing

@testable import CallbackLog

@Suite struct CutShortTests {
    private static let records = 6

    private func opened(_ paddingBytes: Int) throws -> OpenLog {
        let open = try OpenLog(MemoryDisk()) {
            $0.hasUpkeep = true
            $0.paddingBytes = paddingBytes
        }
        for number in 1...Self.records { #expect(open.append("a", "{\"n\":\(number)}") == .fresh(UInt64(number))) }
        return open
    }

    private func bytes(_ open: OpenLog) throws -> [UInt8] { try #require(open.disk[segmentName(1)]) }

    /// Where each line of the segment ends.
    private func ends(_ bytes: [UInt8]) -> [Int] { bytes.indices.filter { bytes[$0] == 0x0A && $0 > 0 && bytes[$0 - 1] != 0x0A }.map { $0 + 1 } }

    @Test("wherever it is cut: the next callback is found for good, what is left too, and what is gone is damage", arguments: [0, 4_096])
    func next(paddingBytes: Int) throws {
        let size = try #require(ends(bytes(opened(paddingBytes))).last)
        for cut in stride(from: 0, to: size, by: 29) {
            let open = try opened(paddingBytes)
            let left = try ends(bytes(open)).count { $0 <= cut }
            open.disk.cut(segmentName(1), to: cut)
            #expect(open.append("b") == .fresh(UInt64(Self.records + 1)), "cut at \(cut)")
            open.settleAll()
            #expect(open.log.damages.count == 1, "cut at \(cut)")
            let again = try OpenLog(open.disk.afterKill())
            #expect(again.append("b") == .duplicate(of: UInt64(Self.records + 1)), "cut at \(cut)")
            #expect(try again.records("a").map(\.sequence) == (1...Self.records).prefix(left).reversed().map(UInt64.init), "cut at \(cut)")
            #expect(again.log.report.damageCount == 1 && again.log.report.tear == nil, "cut at \(cut)")
            // The cut may not have reached the disk.
            #expect(try OpenLog(open.disk.afterPowerLoss()).append("b") == .duplicate(of: UInt64(Self.records + 1)), "cut at \(cut)")
        }
    }

    @Test("what was cut in the very moment of a write has a hole in it: the record behind that is found all the same")
    func between() throws {
        for cut in [0, 20, 700] {
            let open = try opened(0)
            #expect(open.append("b") == .fresh(UInt64(Self.records + 1)))
            var bytes = try bytes(open)
            let last = ends(bytes)[Self.records - 1]
            for index in cut..<last { bytes[index] = 0 }
            let again = try OpenLog(MemoryDisk([segmentName(1): bytes]))
            #expect(again.append("b") == .duplicate(of: UInt64(Self.records + 1)), "cut at \(cut)")
            #expect(again.log.report.damageCount == 1 && again.log.report.tear == nil)
        }
    }

    @Test("it is found while nothing is appended, by whoever asks whether the log is ready, and by the watchdog", arguments: [false, true])
    func idle(isWatchdog: Bool) throws {
        let open = try opened(4_096)
        open.clock.advance(milliseconds: 5_000)
        open.disk.cut(segmentName(1), to: 100)
        if isWatchdog { open.log.askWriter {} } else { #expect(open.log.readiness(options: LogOptions()).block == nil) }
        open.settleAll()
        #expect(open.log.damages.count == 1)
        #expect(open.events.contains { if case .writeFailed = $0 { true } else { false } })
        #expect(open.append("b") == .fresh(UInt64(Self.records + 1)))
        let events = open.events.count
        for _ in 0..<3 { open.log.askWriter {} }
        open.settleAll()
        #expect(open.events.count == events, "it is said once")
    }

    @Test("so is one that is gone")
    func gone() throws {
        let open = try opened(4_096)
        open.clock.advance(milliseconds: 5_000)
        open.disk.delete(segmentName(1))
        open.log.askWriter {}
        open.settleAll()
        #expect(open.log.damages.count == 1)
        #expect(open.append("b") == .fresh(UInt64(Self.records + 1)))
    }

    @Test("a stop does not make it longer again")
    func stopped() throws {
        let open = try opened(4_096)
        open.disk.cut(segmentName(1), to: 100)
        open.close()
        #expect(open.disk[segmentName(1)]?.count == 100)
        #expect(try OpenLog(open.disk.afterKill()).append("b") == .fresh(UInt64(Self.records + 1)))
    }
}
