// Ids and payloads whose hashes are equal: every chain is tried, and the key verified in the record (DESIGN.md §5).
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
        _ = open.appendTogether((0..<600).map { ("a", "{\"n\":\($0)}") })
        let mixed = open.appendTogether((0..<400).flatMap { [("b", "{\"n\":\($0)}"), ("a", "{\"m\":\($0)}")] })
        #expect(mixed == (601...1_400).map { .fresh($0) })
        #expect(open.append("a") == .tooManyRecords)
        #expect(open.append("b") == .fresh(1_401))
    }
}

@Suite struct SegmentIndexTests {
    @Test("every chain is found by its hash, newest first, however full the table and however the hashes lie")
    func chains() {
        var generator = SeededGenerator(seed: 3)
        for spread in [1, 7, 1_000, .max] as [UInt64] {
            var index = SegmentIndex()
            /// By request: its hash, and its entries, newest first.
            var expected: [(hash: UInt64, entries: [Int])] = []
            for sequence in 1...2_000 as ClosedRange<UInt64> {
                let request = Int.random(in: 0...expected.count, using: &generator)
                if request == expected.count { expected.append((UInt64.random(in: 0..<spread, using: &generator), [])) }
                let hash = expected[request].hash
                index.append(
                    RecordEntry(sequence: sequence, requestHash: hash, payloadHash: 0, offset: 0, length: 0, kind: .callback),
                    after: expected[request].entries.first)
                expected[request].entries.insert(Int(sequence) - 1, at: 0)
            }
            for (hash, entries) in expected {
                #expect(index.heads(of: hash).contains(entries[0]))
                #expect(Array(sequence(first: entries[0]) { index.previous(of: $0) }) == entries)
            }
            #expect(Set(expected.map(\.hash)).allSatisfy { hash in
                Set(index.heads(of: hash)) == Set(expected.filter { $0.hash == hash }.map { $0.entries[0] })
            })
            #expect(index.heads(of: .max) == [] || spread == .max)
        }
        #expect(SegmentIndex().heads(of: 0) == [])
    }
}
