// What an index file says of its segment as a whole, and whose index it is.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("An index file says what its segment holds")
struct SegmentSummaryTests {
    private func fault(_ body: () throws(IndexFault) -> Void) -> IndexFault? {
        do throws(IndexFault) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test("counts, times and positions are those of the records")
    func counted() throws {
        let sample = SampleIndex(700)
        let summary = try sample.open(FixedFile(sample.written())).summary
        #expect(summary.first == sample.first && summary.successor == sample.successor && summary.segmentBytes == sample.segmentBytes)
        #expect(summary.recordCount == 700)
        #expect(summary.keyCount == sample.records.reduce(0) { $0 + Set($1.keys).count })
        #expect(summary.last == sample.records[699].entry.sequence)
        #expect(summary.durable == sample.durable)
        #expect(summary.earliest == sample.records.map(\.receivedAt).min())
        #expect(summary.latest == sample.records.map(\.receivedAt).max())
        for slot in 0..<RecordCounts.slots {
            func isIn(_ number: UInt8) -> Bool { slot == 15 ? number >= 15 : number == slot }
            #expect(Int(summary.counts.kinds[slot]) == sample.records.count { isIn($0.entry.kind.rawValue) })
            #expect(Int(summary.counts.statuses[slot]) == sample.records.count { isIn($0.status) })
            #expect(Int(summary.counts.failureClasses[slot]) == sample.records.count { isIn($0.failureClass) })
        }
        #expect(summary.counts.failureClasses[15] > 0)
    }

    @Test("an empty segment has an index that finds nothing")
    func empty() throws {
        var sample = SampleIndex()
        for bytes in [0, 4_096] as [Int64] {
            sample.segmentBytes = bytes
            let file = FixedFile(try sample.written())
            #expect(file.bytes.count == IndexPage.bytes)
            let index = try sample.open(file)
            #expect(index.summary.recordCount == 0)
            #expect(index.summary.last == sample.first - 1)
            #expect(index.mayHold(5) == false)
            #expect(try index.entries(of: 5, in: file).isEmpty)
            #expect(try index.withoutFilter().entries(of: 5, in: file).isEmpty)
            #expect(try index.entries(ofKey: 5, in: file).isEmpty)
        }
    }

    @Test("a segment may have lost its last lines: the highest sequence is the one that should be there")
    func lastMissing() throws {
        let sample = SampleIndex(3)
        let disk = MemoryDisk()
        var writer = IndexFileWriter(
            try disk.create(SampleIndex.name), first: sample.first, successor: sample.successor, segmentBytes: sample.segmentBytes,
            versions: SampleIndex.versions, hash: sample.hash)
        let index = try writer.finish(last: 1_999_999, durable: 1_500_000, damages: [], damageCount: 0)
        #expect(index.summary.last == 1_999_999)
        #expect(try sample.open(disk.open(SampleIndex.name)).summary == index.summary)
    }

    @Test("damaged places are told again, the first thousand, and all are counted", arguments: [0, 1, 255, 256, 1_000, 1_234])
    func damages(count: Int) throws {
        var sample = SampleIndex(2_000)
        sample.damages = (0..<count).map {
            UnsoundPlace(segment: SegmentName.name(first: 1_000), offset: Int64($0 * 3), sequence: UInt64(1_001 + $0))
        }
        let file = FixedFile(try sample.written())
        let summary = try sample.open(file).summary
        #expect(summary.damageCount == count)
        #expect(summary.damages == Array(sample.damages.prefix(1_000)))
    }

    @Test("the index of another segment, or of this one as it was, is stale")
    func stale() throws {
        let sample = SampleIndex(10)
        let file = FixedFile(try sample.written())
        var others = [SampleIndex](repeating: sample, count: 6)
        others[0].first += 1
        others[1].successor += 1
        others[2].segmentBytes += 1
        others[3].hash = KeyedHash(key: (1, 3))
        others[4].hash.mask = 15
        others[5].segmentBytes = 0
        for other in others { #expect(fault { () throws(IndexFault) in _ = try other.open(file) } == .stale) }
    }

    @Test("an index by another decoder, verdict table or format is told apart")
    func versions() throws {
        let sample = SampleIndex(10)
        var bytes = try sample.written()
        for versions in [DerivedVersions(decoder: 4, verdicts: 5), DerivedVersions(decoder: 3, verdicts: 6)] {
            let found = fault { () throws(IndexFault) in
                _ = try IndexFile(
                    FixedFile(bytes), first: sample.first, successor: sample.successor, segmentBytes: sample.segmentBytes,
                    versions: versions, hash: sample.hash, keepsFilter: true)
            }
            #expect(found == .anotherVersion)
        }
        bytes[8] += 1
        IndexPage.seal(&bytes, at: 0, page: 0, ofIndex: IndexPage.header)
        #expect(fault { () throws(IndexFault) in _ = try sample.open(FixedFile(bytes)) } == .anotherVersion)
    }

    @Test(
        "a header that says what its segment cannot have is damaged, whatever its checksum",
        arguments: [
            (56, 11), (56, 1 << 32), (56, .max),  // records
            (64, 41), (64, .max),  // keys: more than four a record
            (72, .max), (80, 1), (80, 1_001), (80, .max),  // damaged places: counted, listed
            (88, 1_000_000_000_000_000_000), (96, .max),  // positions
            (104, .max >> 1), (112, 1 << 63),  // times beyond the years 0 to 9999
            (120, 99), (184, 1 << 32 - 1), (248, 99),  // counts that are not those of so many records
        ] as [(Int, UInt64)])
    func hostile(place: Int, value: UInt64) throws {
        let sample = SampleIndex(10)
        var bytes = try sample.written()
        LittleEndian.store(value, in: &bytes, at: place)
        IndexPage.seal(&bytes, at: 0, page: 0, ofIndex: IndexPage.header)
        #expect(fault { () throws(IndexFault) in _ = try sample.open(FixedFile(bytes)) } == .damaged(page: 0))
    }

    @Test("what does not begin as an index is none", arguments: [0, 1, 100, 4_096, 8_192])
    func foreign(count: Int) {
        let sample = SampleIndex()
        for byte in [0, 0x7B, 0x0A] as [UInt8] {
            let file = FixedFile([UInt8](repeating: byte, count: count))
            #expect(fault { () throws(IndexFault) in _ = try sample.open(file) } == .notAnIndex)
        }
    }
}
