// Line feeds written ahead of the records: they mean nothing, go on a seal and a clean stop, and cost no record.
//
// Promises: several sizes of padding, down to less than a line; every call may fail or be the last.
// Must not know: why the padding is there (DESIGN.md §3).

import Platform
import Testing

@testable import CallbackLog

@Suite struct PaddingTests {
    private static let sizes = [1, 100, 600, 5_000]

    private func open(_ disk: MemoryDisk = MemoryDisk(), padding: Int, segmentBytesMax: Int64 = 1_200, hasUpkeep: Bool = true) throws -> OpenLog {
        try OpenLog(disk, segmentBytesMax: segmentBytesMax) {
            $0.paddingBytes = padding
            $0.hasUpkeep = hasUpkeep
        }
    }

    /// Behind the last line, in bytes.
    private func paddingBytes(_ bytes: [UInt8]) -> Int {
        let feeds = bytes.reversed().prefix { $0 == 0x0A }.count
        return feeds == bytes.count ? feeds : feeds - 1
    }

    private func hold(_ open: OpenLog, _ expected: [String: [SeenRecord]], _ what: String) throws {
        for (identifier, records) in expected {
            #expect(try SegmentedLog.records(identifier, in: open) == records, "\(what)")
            for record in records { #expect(open.append(identifier, record.payload) == .duplicate(of: record.sequence), "\(what)") }
        }
    }

    @Test("records are found among it and after a kill, which leaves it; a start takes it away", arguments: sizes)
    func found(padding: Int) throws {
        let open = try open(padding: padding)
        let expected = try SegmentedLog.fill(open, 20)
        #expect(open.disk.count(.truncate) > 0)
        try hold(open, expected, "open")
        open.settleUpkeep()
        try hold(open, expected, "sealed")
        #expect(open.disk.segments.dropLast().allSatisfy { paddingBytes(open.disk.allFiles[$0] ?? []) == 0 }, "a sealed segment ends behind its last line")
        if padding > 600 { #expect(paddingBytes(open.disk.allFiles[open.disk.segments.last ?? ""] ?? []) > 0) }
        for disk in [open.disk.afterKill(), open.disk.afterPowerLoss()] {
            let next = try self.open(disk, padding: 0)
            #expect(next.log.report.tear == nil && next.log.report.damageCount == 0)
            #expect(paddingBytes(disk.allFiles[disk.segments.last ?? ""] ?? []) == 0)
            try hold(next, expected, "the next start")
            #expect(next.append("new") == .fresh(21))
        }
    }

    @Test("after a clean stop the file ends behind its last line", arguments: sizes)
    func stopped(padding: Int) throws {
        let open = try open(padding: padding, segmentBytesMax: 1 << 20)
        _ = try SegmentedLog.fill(open, 5)
        open.log.close()
        let bytes = try #require(open.disk.allFiles[segmentName(1)])
        #expect(paddingBytes(bytes) == 0 && bytes.suffix(2) == [0x7D, 0x0A])
        let bare = try OpenLog(MemoryDisk())
        _ = try SegmentedLog.fill(bare, 5)
        bare.log.close()
        let text = bytes.split(separator: 0x0A).map { Array($0) }
        #expect(text == (bare.disk.allFiles[segmentName(1)] ?? []).split(separator: 0x0A).map { Array($0) }, "the lines are those of a log without it")
    }

    @Test("between its line feeds the open segment has whole lines only: what reads lines reads it at any time", arguments: sizes)
    func readable(padding: Int) throws {
        let open = try open(padding: padding, segmentBytesMax: 1 << 20)
        for number in 1...10 {
            #expect(open.append("id", "{\"n\":\(number)}") == .fresh(UInt64(number)))
            let bytes = try #require(open.disk.allFiles[segmentName(1)])
            let lines = bytes.split(separator: 0x0A)
            #expect(lines.count == number)
            #expect(lines.allSatisfy { ParsedLine(Array($0).span) != nil })
            #expect(bytes.last == 0x0A && !bytes.contains(0))
        }
    }

    @Test("it is written once for many records, and never after the records that it makes room for")
    func seldom() throws {
        let open = try open(padding: 5_000, segmentBytesMax: 1 << 20, hasUpkeep: false)
        #expect(open.append("first") == .fresh(1))
        let padded = try #require(open.disk.allFiles[segmentName(1)]?.count)
        let writes = open.disk.count(.write)
        for number in 2...20 { #expect(open.append("id-\(number)") == .fresh(UInt64(number))) }
        #expect(open.disk.count(.write) == writes + 19, "one write for each batch")
        #expect(open.disk.allFiles[segmentName(1)]?.count == padded, "into space that is there")
    }

    @Test("a large batch is not padded: the growth of the file costs less")
    func large() throws {
        let open = try open(padding: 5_000, segmentBytesMax: 1 << 20)
        let text = String(repeating: "x", count: Writer.paddedBatchBytesMax)
        #expect(open.append("large", "{\"text\":\"\(text)\"}") == .fresh(1))
        #expect(paddingBytes(open.disk.allFiles[segmentName(1)] ?? []) == 0)
        #expect(open.append("small") == .fresh(2))
        #expect(paddingBytes(open.disk.allFiles[segmentName(1)] ?? []) == 5_000)
        // Larger than what is written ahead, over its end.
        #expect(open.append("larger", "{\"text\":\"\(text)!\"}") == .fresh(3))
        #expect(paddingBytes(open.disk.allFiles[segmentName(1)] ?? []) == 0)
        let next = try self.open(open.disk.afterKill(), padding: 5_000)
        for (identifier, sequence) in [("large", 1), ("small", 2), ("larger", 3)] as [(String, UInt64)] {
            #expect(try next.records(identifier).map(\.sequence) == [sequence])
        }
    }

    @Test("a disk that has room for the records and not for it refuses nothing", arguments: [SystemError.noSpace, SystemError.inputOutput])
    func refused(code: Int32) throws {
        for short in [false, true] {
            let open = try open(padding: 5_000, segmentBytesMax: 1 << 20, hasUpkeep: false)
            // The first write is the record's, the second the padding's.
            open.disk.inject(Fault(short ? .writesOnly(70) : .fails(code), on: [.write], after: 1, times: 1))
            let expected = try SegmentedLog.fill(open, 10)
            #expect(open.disk.calls.contains { $0.operation == .write && $0.failed } == !short)
            #expect(open.events == [], "nothing to say")
            #expect(open.disk.segments == [segmentName(1)])
            try hold(open, expected, "open")
            try hold(try self.open(open.disk.afterKill(), padding: 5_000), expected, "killed")
            try hold(try self.open(open.disk.afterPowerLoss(), padding: 5_000), expected, "without power")
            open.log.close()
            #expect(paddingBytes(open.disk.allFiles[segmentName(1)] ?? []) == 0)
        }
    }

    @Test("a segment that cannot be truncated keeps it, and means the same")
    func untruncated() throws {
        let open = try open(padding: 5_000)
        open.disk.inject(Fault(.fails(SystemError.inputOutput), on: [.truncate]))
        let expected = try SegmentedLog.fill(open, 12)
        open.settleUpkeep()
        try hold(open, expected, "sealed")
        open.log.close()
        #expect(open.disk.segments.allSatisfy { paddingBytes(open.disk.allFiles[$0] ?? []) > 0 })
        let next = try self.open(open.disk.afterKill(), padding: 5_000)
        #expect(next.log.report.tear == nil && next.log.report.damageCount == 0)
        #expect(next.log.report.unindexed == [])
        try hold(next, expected, "the next start")
    }

    @Test("a kill at any call loses nothing that was acknowledged, and what it leaves of the padding is taken away", arguments: [100, 600])
    func killed(padding: Int) throws {
        let whole = try open(padding: padding)
        _ = try SegmentedLog.fill(whole, 9)
        whole.log.close()
        whole.settleUpkeep()
        let count = whole.disk.calls.count
        for call in 0..<count {
            let open = try open(padding: padding)
            // The calls of upkeep come as they come: where exactly it ends differs, and that it ends does not.
            open.disk.inject(Fault(.fails(SystemError.inputOutput), after: call))
            var expected: [String: [SeenRecord]] = [:]
            for number in 1...9 {
                let identifier = "id-\(number % 5)"
                guard case .stored(let sequence, false)? = open.append(identifier, "{\"n\":\(number)}") else { break }
                expected[identifier, default: []].insert(SeenRecord(sequence: sequence, payload: "{\"n\":\(number)}"), at: 0)
            }
            open.log.close()
            let disk = open.disk.afterKill()
            let next = try self.open(disk, padding: 0)
            #expect(next.log.report.damageCount == 0, "call \(call)")
            #expect(paddingBytes(disk.allFiles[disk.segments.last ?? ""] ?? []) == 0, "call \(call)")
            for (identifier, records) in expected {
                // One more of them may have survived, which nobody was told of.
                #expect(Array(try SegmentedLog.records(identifier, in: next).suffix(records.count)) == records, "call \(call)")
            }
        }
    }

    @Test("a line torn within it is a tear, at every length that may be left of it", arguments: [1, 40, 600])
    func torn(padding: Int) throws {
        let open = try open(padding: padding, segmentBytesMax: 1 << 20)
        let expected = try SegmentedLog.fill(open, 3)
        let before = try #require(open.disk.allFiles[segmentName(1)])
        let end = before.count - paddingBytes(before)
        #expect(open.append("torn", "{\"n\":4}") == .fresh(4))
        let after = try #require(open.disk.allFiles[segmentName(1)])
        let length = after.count - paddingBytes(after) - end
        for kept in 1..<(length - 1) {
            // Its beginning reached the disk, or its end; where the rest was to be, there is still padding.
            for isBeginning in [true, false] {
                var bytes = after
                for place in end..<(end + length) where isBeginning ? place >= end + kept : place < end + kept {
                    bytes[place] = place < before.count ? 0x0A : 0
                }
                let what = "\(kept) bytes, \(isBeginning ? "its beginning" : "without its beginning")"
                let disk = MemoryDisk([segmentName(1): bytes])
                let next = try self.open(disk, padding: 0, hasUpkeep: false)
                let report = next.log.report
                #expect(report.damageCount == 0, "\(what)")
                #expect(report.tear?.place.sequence == 4, "\(what)")
                #expect(paddingBytes(disk.allFiles[disk.segments.last ?? ""] ?? []) == 0, "\(what)")
                #expect(next.append("fresh") == .fresh(4), "\(what)")
                for (identifier, records) in expected { #expect(try next.records(identifier) == records, "\(what)") }
            }
        }
    }
}
