// Recovery of one segment with anything done to it: truncated at every offset, every byte changed, lines
// taken out, doubled, exchanged. What must come of it is computed by ReferenceRule, from the contract's text.
//
// Promises: every case is opened, held to the rule, written to, and opened again after a power loss.
// Must not know: how recovery goes about it.

import TestSupport
import Testing

@testable import CallbackLog

/// Opens a log over `bytes` and holds it to the rule; then again, after a record more.
func checkRecovery(_ bytes: [UInt8], of sample: SampleLog, _ what: @autoclosure () -> String) throws {
    let rule = ReferenceRule(bytes)
    let disk = MemoryDisk([segmentName(1): bytes])
    let before = try OpenLog(disk)
    let report = before.log.report
    let damages = report.damages.map { ReferenceRule.Place(offset: Int($0.offset), sequence: $0.sequence) }
    var faults: [String] = []
    func hold(_ claim: Bool, _ text: String) { if !claim { faults.append(text) } }

    hold(report.tear.map { ReferenceRule.Place(offset: Int($0.place.offset), sequence: $0.place.sequence) } == rule.tear, "tear \(String(describing: report.tear))")
    hold(damages == rule.damages, "damages \(damages)")
    hold(report.damageCount == rule.damages.count, "damage count")
    hold(try sample.served(by: before) == rule.served, "served")
    hold(before.log.durable == rule.next - 1, "durable \(before.log.durable)")
    if let tear = rule.tear {
        hold(disk[segmentName(1, ".torn")] == Array(bytes[tear.offset...]), "what was cut is kept")
    } else {
        hold(disk[segmentName(1, ".torn")] == nil, "nothing was cut")
    }
    if !rule.damages.isEmpty {
        // Cut at the tear, the copies' successor ends it: what is damaged is not written again.
        let kept = bytes[..<(rule.tear?.offset ?? bytes.count)]
        hold(disk[segmentName(1)] == Array(kept), "the damaged segment is closed as it is")
    }
    hold(before.append("fresh", "{\"new\":1}") == .fresh(rule.next), "intake goes on with \(rule.next)")

    let crashed = disk.afterPowerLoss()
    let after = try OpenLog(crashed)
    hold(after.log.report.tear == nil, "a second start finds no tear")
    hold(after.log.report.damages == report.damages, "a second start finds the same damage, not \(after.log.report.damages)")
    hold(try sample.served(by: after) == rule.served, "served again")
    hold(try after.records("fresh") == [SeenRecord(sequence: rule.next, payload: "{\"new\":1}")], "the record after it")
    hold(after.append("fresh", "{\"new\":2}") == .fresh(rule.next + 1), "and the next")
    if !faults.isEmpty { Issue.record("\(what()): \(faults.joined(separator: "; ")); by the rule: \(rule)") }
}

@Suite struct DamageTests {
    @Test("truncated at every offset: what is whole stays, the rest is kept beside it, the next sequence follows", arguments: [true, false])
    func truncated(isClosed: Bool) throws {
        let sample = try SampleLog(isClosed: isClosed)
        for count in 0...sample.bytes.count {
            try checkRecovery(Array(sample.bytes[..<count]), of: sample, "truncated to \(count)")
        }
    }

    @Test("any byte changed: damage where a later line proves it, else a tear, and nothing else is lost", arguments: [true, false])
    func changed(isClosed: Bool) throws {
        let sample = try SampleLog(isClosed: isClosed)
        for offset in sample.bytes.indices {
            // Every bit has its turn; and the two bytes that mean something between lines.
            for byte in [sample.bytes[offset] ^ 1 << (offset % 8), offset.isMultiple(of: 2) ? 0x0A : 0x00] where byte != sample.bytes[offset] {
                var bytes = sample.bytes
                bytes[offset] = byte
                try checkRecovery(bytes, of: sample, "byte \(offset) is \(byte)")
            }
        }
    }

    @Test("any run of lines taken out is a hole: damage, or the tear, at the line after it")
    func deleted() throws {
        let sample = try SampleLog()
        let lines = sample.lines
        for start in lines.indices {
            for end in (start + 1)...lines.count {
                try checkRecovery((lines[..<start] + lines[end...]).flatMap { $0 }, of: sample, "without lines \(start)..<\(end)")
            }
        }
    }

    @Test("any line repeated at any place is unsound there")
    func repeated() throws {
        let sample = try SampleLog()
        let lines = sample.lines
        for line in lines {
            for place in 0...lines.count {
                try checkRecovery((lines[..<place] + [line] + lines[place...]).flatMap { $0 }, of: sample, "a line again before \(place)")
            }
        }
    }

    @Test("any two lines exchanged")
    func exchanged() throws {
        let sample = try SampleLog()
        for first in sample.lines.indices {
            for second in sample.lines.indices where second > first {
                var lines = sample.lines
                lines.swapAt(first, second)
                try checkRecovery(lines.flatMap { $0 }, of: sample, "\(first) and \(second) exchanged")
            }
        }
    }

    @Test("padding anywhere between lines, and NUL bytes around them, mean nothing", arguments: [
        "\n", "\n\n\n", "\0", "\0\0\0\0\0\0\0\0", "\0\n\0\n",
    ])
    func padded(padding: String) throws {
        let sample = try SampleLog()
        let padding = Array(padding.utf8)
        for place in 0...sample.lines.count {
            let bytes = (sample.lines[..<place] + [padding] + sample.lines[place...]).flatMap { $0 }
            #expect(ReferenceRule(bytes).served == Array(1...12))
            try checkRecovery(bytes, of: sample, "padding before line \(place)")
        }
        let padded = MemoryDisk([segmentName(1): sample.bytes + padding])
        _ = try OpenLog(padded)
        #expect(padded[segmentName(1)] == sample.bytes, "behind the last line it is cut")
        // Before the line feed, too.
        for number in sample.lines.indices {
            var lines = sample.lines
            lines[number].insert(contentsOf: padding.filter { $0 == 0 }, at: lines[number].count - 1)
            try checkRecovery(lines.flatMap { $0 }, of: sample, "NUL at the end of line \(number)")
        }
    }

    @Test("a run of NUL bytes over any part of the log, as a lost page leaves it")
    func zeroed() throws {
        let sample = try SampleLog()
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var bytes = sample.bytes
            let start = Int.random(in: bytes.indices, using: &generator)
            for index in start..<min(bytes.count, start + Int.random(in: 1...900, using: &generator)) { bytes[index] = 0 }
            try checkRecovery(bytes, of: sample, "zeroes from \(start)")
        }
    }

    @Test("a hole of any length within a line ends it, and what is behind the hole is as sound as ever", arguments: [1, 40, RecordFormat.lineBytesMax + 3 * SegmentScan.chunkBytes])
    func hole(length: Int) throws {
        let sample = try SampleLog()
        let hole = [UInt8](repeating: 0, count: length)
        for kept in [1, 30, sample.lines[4].count - 1] {
            let bytes = (sample.lines[..<4] + [sample.lines[4].prefix(kept) + hole] + sample.lines[5...]).flatMap { $0 }
            let open = try OpenLog(MemoryDisk([segmentName(1): bytes]))
            #expect(open.log.report.tear == nil)
            #expect(open.log.report.damages == [UnsoundPlace(segment: segmentName(1), offset: Int64(sample.lines[..<4].reduce(0) { $0 + $1.count }), sequence: 5)])
            #expect(try sample.served(by: open) == Array(1...4) + Array(6...12), "\(kept) bytes before the hole")
        }
    }

    @Test("foreign bytes: line ends of another system, text, and nothing at all", arguments: ["crlf", "text", "empty", "feedless", "blank"])
    func foreign(kind: String) throws {
        let sample = try SampleLog()
        let bytes: [UInt8] =
            switch kind {
            case "crlf": sample.bytes.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
            case "text": Array("The quick brown fox\njumps\n{\"sequence\":1}\n".utf8)
            case "feedless": sample.bytes.filter { $0 != 0x0A }
            case "blank": [UInt8](repeating: 0x20, count: 3_000) + [0x0A]
            default: []
            }
        try checkRecovery(bytes, of: sample, kind)
    }

    @Test("a line in the middle that is longer than any line may be is one unsound place")
    func overlong() throws {
        let sample = try SampleLog()
        let long = [UInt8](repeating: 0x61, count: RecordFormat.lineBytesMax + 3 * SegmentScan.chunkBytes) + [0x0A]
        let bytes = (sample.lines[..<4] + [long] + sample.lines[4...]).flatMap { $0 }
        let open = try OpenLog(MemoryDisk([segmentName(1): bytes]))
        #expect(open.log.report.tear == nil)
        #expect(open.log.report.damages.map(\.offset) == [Int64(sample.lines[..<4].reduce(0) { $0 + $1.count })])
        #expect(try sample.served(by: open) == Array(1...12))
    }

    @Test("any few of these at once", arguments: 0..<8 as Range<UInt64>)
    func several(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let sample = try SampleLog(isClosed: seed.isMultiple(of: 2))
        for number in 0..<150 {
            var lines = sample.lines
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                guard let place = lines.indices.randomElement(using: &generator) else { break }
                switch Int.random(in: 0...5, using: &generator) {
                case 0: lines.remove(at: place)
                case 1: lines.insert(lines[place], at: Int.random(in: 0...lines.count, using: &generator))
                case 2: lines.swapAt(place, Int.random(in: lines.indices, using: &generator))
                case 3: lines[place] = Array(lines[place].prefix(Int.random(in: 0...lines[place].count, using: &generator)))
                case 4: lines[place][Int.random(in: lines[place].indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
                default: lines.insert([0, 0x0A, 0], at: place)
                }
                lines.removeAll(where: \.isEmpty)
            }
            try checkRecovery(lines.flatMap { $0 }, of: sample, "seed \(seed), case \(number)")
        }
    }
}
