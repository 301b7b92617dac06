// Ids and payloads whose hashes are equal: every one is tried, and the key verified in the record (DESIGN.md §5).
//
// Promises: the hash is cut to a few bits, to none, so that all ids and payloads meet.
// Must not know: how the hash is made.

import TestSupport
import Testing

@testable import CallbackLog

@Suite struct CollisionTests {
    /// Bits that are left of the hash.
    private static let masks: [UInt64] = [0, 1, 15]
    private let identifiers = ["a", "b", "a\"", "a\\", "\\a", "ab", "ba"]

    @Test("ids that collide keep their own records: in one batch, over batches, segments and starts", arguments: masks, [300, 1 << 20] as [Int64])
    func separate(mask: UInt64, segmentBytesMax: Int64) throws {
        let open = try OpenLog(MemoryDisk(), segmentBytesMax: segmentBytesMax, hashMask: mask)
        var expected: [String: [SeenRecord]] = [:]
        var next: UInt64 = 1
        for round in 0..<4 {
            let callbacks = (0..<2).flatMap { half in identifiers.map { ($0, "{\"n\":\(round * 2 + half)}") } }
            #expect(open.appendTogether(callbacks) == callbacks.indices.map { .fresh(next + UInt64($0)) })
            for callback in callbacks {
                expected[callback.0, default: []].insert(SeenRecord(sequence: next, payload: callback.1), at: 0)
                next += 1
            }
            #expect(open.appendTogether(callbacks) == callbacks.indices.map { .duplicate(of: next - UInt64(callbacks.count - $0)) })
        }
        for log in [open, try OpenLog(open.disk.afterKill(), segmentBytesMax: segmentBytesMax, hashMask: mask)] {
            for identifier in identifiers { #expect(try log.records(identifier) == expected[identifier]) }
            #expect(try log.records("nobody").isEmpty)
            for (identifier, records) in expected {
                for record in records { #expect(log.append(identifier, record.payload) == .duplicate(of: record.sequence)) }
            }
        }
    }

    @Test("the bound of 1,000 counts a request's own records")
    func bound() throws {
        let open = try OpenLog(MemoryDisk(), hashMask: 0)
        _ = open.appendTogether((0..<990).map { ("a", "{\"n\":\($0)}") })
        let mixed = open.appendTogether((0..<10).flatMap { [("b", "{\"n\":\($0)}"), ("a", "{\"m\":\($0)}")] })
        #expect(mixed == (991...1_010).map { .fresh($0) })
        #expect(open.append("a") == .tooManyRecords)
        #expect(open.append("b") == .fresh(1_011))
    }
}

@Suite struct SegmentIndexTests {
    @Test("every entry is found by its hash, newest first, however full the tables and however the hashes lie")
    func entries() {
        var generator = SeededGenerator(seed: 3)
        // The last lies in few of the bits that the tables look at.
        for (spread, shift) in [(1, 0), (7, 0), (1_000, 0), (.max, 0), (500, 26), (64, 58)] as [(UInt64, UInt64)] {
            var index = SegmentIndex(first: 10)
            var expected: [UInt64: [RecordEntry]] = [:]
            for sequence in 10...20_000 as ClosedRange<UInt64> {
                let hash = UInt64.random(in: 0..<spread, using: &generator) << shift
                let entry = RecordEntry(
                    sequence: sequence, requestHash: hash, payloadHash: .random(in: 0 ... .max, using: &generator), offset: .max,
                    length: UInt32(RecordFormat.lineBytesMax), kind: sequence % 5 == 0 ? .unknown : .callback)
                index.append(entry)
                if expected.count < 1_000 || expected[hash] != nil { expected[hash, default: []].append(entry) }
                #expect(index[index.count - 1] == entry)
            }
            for (hash, entries) in expected {
                var found: [RecordEntry] = []
                index.appendEntries(of: hash, to: &found)
                #expect(found == entries.reversed())
            }
            #expect(index.count == 19_991)
        }
        var found: [RecordEntry] = []
        SegmentIndex(first: 1).appendEntries(of: 0, to: &found)
        #expect(found.isEmpty)
    }

    @Test("hashes that differ only where the tables do not look are told apart")
    func alike() {
        var index = SegmentIndex(first: 1)
        for sequence in 1...64 as ClosedRange<UInt64> {
            index.append(RecordEntry(sequence: sequence, requestHash: sequence % 4, payloadHash: 0, offset: 0, length: 0, kind: .callback))
        }
        for hash in 0..<4 as Range<UInt64> {
            var found: [RecordEntry] = []
            index.appendEntries(of: hash, to: &found)
            #expect(found.count == 16 && found.allSatisfy { $0.requestHash == hash })
        }
    }
}
