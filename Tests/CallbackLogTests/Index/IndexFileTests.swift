// An index file tells again what it was told: every record, by every hash, newest first.

import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("An index file leads to the records of its segment")
struct IndexFileTests {
    /// Looks everything up, in `index` as it is and without its filter, and holds it against the records.
    private func check(_ index: IndexFile, of sample: SampleIndex, in file: any File) throws {
        var pages = IndexPageBuffer()
        try index.verify(in: file, using: &pages)
        var indexed: [IndexedRecord] = []
        try index.forEachRecord(in: file, using: &pages) { indexed.append($0) }
        #expect(indexed == sample.records.map(\.indexed))

        let requests = Set(sample.records.map(\.entry.requestHash))
        let keys = Set(sample.records.flatMap(\.keys))
        var numbers = SeededGenerator(seed: 7)
        let strangers = (0..<50).map { _ in numbers.next() & sample.hash.mask }
        for asked in [index, index.withoutFilter()] {
            for hash in requests.prefix(3_000) + strangers + [0, .max] {
                var entries: [RecordEntry] = []
                try asked.appendRecords(of: hash, in: file, using: &pages, to: &entries)
                #expect(entries == sample.entries(of: hash))
            }
            for hash in keys.prefix(3_000) + strangers + [0, .max] {
                var entries: [RecordEntry] = []
                try asked.appendRecords(ofKey: hash, in: file, using: &pages, to: &entries)
                #expect(entries == sample.entries(ofKey: hash))
            }
        }
        for hash in requests { #expect(index.mayHold(hash) == true) }
        #expect(index.withoutFilter().mayHold(1) == nil)
    }

    @Test(
        "every record is found by its hashes, also where one page ends and the next begins",
        arguments: [1, 2, 126, 127, 128, 340, 341, 342, 1_000])
    func found(count: Int) throws {
        let sample = SampleIndex(count)
        let disk = MemoryDisk()
        let written = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        let read = try sample.open(file)
        #expect(read.summary == written.summary)
        #expect(read.filter == written.filter)
        try check(written, of: sample, in: file)
        try check(read, of: sample, in: file)
    }

    @Test("where hashes are short, every record of each is found", arguments: [0, 1, 15, 255], [400, 3_000])
    func collisions(mask: UInt64, count: Int) throws {
        let sample = SampleIndex(count, mask: mask)
        let disk = MemoryDisk()
        try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        try check(sample.open(file), of: sample, in: file)
    }
}
