// Any damage to any of several segments: changed bytes, cut ends, missing files, garbage.
//
// Promises: seeded; what must be served is read off the raw bytes, line by line, not from the log.
// Must not know: where exactly a place is reported (DamageTests holds that, for one segment).

import TestSupport
import Testing

@testable import CallbackLog

@Suite struct ManySegmentsDamageTests {
    private static let identifiers = (0..<5).map { "id-\($0)" }

    private func served(_ open: OpenLog) throws -> [UInt64] {
        try Self.identifiers.flatMap { try open.records($0).map(\.sequence) }.sorted()
    }

    /// Sequences of the sound lines in the segments, each where its segment's name and successor allow it.
    private func sound(_ files: [String: [UInt8]]) -> [UInt64] {
        let segments = files.compactMap { name, bytes in SegmentName.firstSequence(of: name).map { (first: $0, bytes: bytes) } }.sorted { $0.first < $1.first }
        return segments.indices.flatMap { index -> [UInt64] in
            let end = index + 1 < segments.count ? segments[index + 1].first : .max
            return ReferenceRule.lines(segments[index].bytes).filter(\.isSound).compactMap(\.sequence).filter { segments[index].first..<end ~= $0 }
        }.sorted()
    }

    @Test("sound records are served up to the tear, the log goes on, and nothing is thrown away", arguments: 0..<12 as Range<UInt64>)
    func any(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: 600)
        for number in 1...20 { #expect(open.append(Self.identifiers[number % 5], "{\"n\":\(number)}") == .fresh(UInt64(number))) }
        if seed.isMultiple(of: 2) { open.log.close() }
        let whole = open.disk.files
        for number in 0..<60 {
            var files = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                guard let name = files.keys.sorted().randomElement(using: &generator), let count = files[name]?.count, count > 0 else { continue }
                switch Int.random(in: 0...9, using: &generator) {
                case 0...5: files[name]?[Int.random(in: 0..<count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
                case 6, 7: files[name]?.removeLast(Int.random(in: 1...count, using: &generator))
                case 8: files[name] = Array("garbage\n".utf8)
                default: files[name] = files.count > 1 ? nil : []
                }
            }
            var faults: [String] = []
            let disk = MemoryDisk(files)
            let log = try OpenLog(disk)
            let report = log.log.report
            let expected = sound(files).filter { $0 < report.tear?.place.sequence ?? .max }
            let seen = try served(log)
            if seen != expected { faults.append("serves \(seen), not \(expected)") }
            if log.log.durable < seen.last ?? 0 { faults.append("durable is \(log.log.durable)") }
            for (name, bytes) in files where SegmentName.firstSequence(of: name) != nil {
                // Whole, or cut with the rest kept; or, unproven from its first record on, replaced by their copy.
                let torn = disk[name + ".torn"] ?? []
                let isKept = Array(bytes.suffix(torn.count)) == torn && (disk[name] ?? []).starts(with: bytes[..<(bytes.count - torn.count)])
                let isCopied = report.copied > 0 && sound([name: disk[name] ?? []]).first == SegmentName.firstSequence(of: name)
                if !isKept, !isCopied { faults.append("\(name) lost bytes") }
            }
            let next = log.log.durable + 1
            if log.append("new") != .fresh(next) { faults.append("no intake") }
            let again = try OpenLog(disk.afterPowerLoss())
            if try served(again) != expected { faults.append("then serves \(try served(again))") }
            if again.log.report.damages != report.damages || again.log.report.tear != nil { faults.append("then finds \(again.log.report)") }
            if again.append("new") != .duplicate(of: next) { faults.append("the next record is gone") }
            if !faults.isEmpty { Issue.record("seed \(seed), case \(number): \(faults.joined(separator: "; ")); \(report)") }
        }
    }
}
