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

        let byRequest = sample.entriesByRequest
        let byKey = sample.entriesByKey
        var numbers = SeededGenerator(seed: 7)
        let strangers = (0..<50).map { _ in numbers.next() & sample.hash.mask } + [0, .max]
        for asked in [index, index.withoutFilter()] {
            var entries: [RecordEntry] = []
            for hash in byRequest.keys + strangers {
                entries.removeAll(keepingCapacity: true)
                try asked.appendRecords(of: hash, in: file, using: &pages, to: &entries)
                if entries != byRequest[hash] ?? [] { Issue.record("\(hash) leads to \(entries.map(\.sequence))") }
            }
            for hash in byKey.keys + strangers {
                entries.removeAll(keepingCapacity: true)
                try asked.appendRecords(ofKey: hash, countMax: .max, in: file, using: &pages, to: &entries)
                if entries != byKey[hash] ?? [] { Issue.record("the key \(hash) leads to \(entries.map(\.sequence))") }
            }
        }
        #expect(byRequest.keys.allSatisfy { index.mayHold($0) == true })
        #expect(index.withoutFilter().mayHold(1) == nil)
        #expect(try index.withoutFilter().withFilter(from: file, using: &pages).filter == index.filter)
    }

    private func check(_ sample: SampleIndex) throws {
        let disk = MemoryDisk()
        let written = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        let read = try sample.open(file)
        #expect(read.summary == written.summary)
        #expect(read.filter == written.filter)
        try check(written, of: sample, in: file)
        try check(read, of: sample, in: file)
    }

    @Test(
        "every record is found by its hashes, also where one page ends and the next begins",
        arguments: [0, 1, 2, 126, 127, 128, 340, 341, 342, 681, 682, 683, 5_000])
    func found(count: Int) throws {
        try check(SampleIndex(count))
    }

    @Test("where hashes are cut short, every record of each is found", arguments: [0, 1, 15, 255], [400, 3_000])
    func collisions(mask: UInt64, count: Int) throws {
        try check(SampleIndex(count, mask: mask))
    }

    @Test("where few ids have many records, every record of each is found, over many pages", arguments: [1, 3, 20])
    func runs(ids: Int) throws {
        try check(SampleIndex(2_500, ids: ids))
    }

    @Test("of a run that is too long the newest are found")
    func longRun() throws {
        let sample = SampleIndex(IndexFile.runEntriesMax + 500, ids: 1)
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let entries = try index.entries(of: sample.records[0].entry.requestHash, in: disk.open(SampleIndex.name))
        #expect(entries.count == IndexFile.runEntriesMax)
        #expect(entries == Array(sample.records.reversed().map(\.entry).prefix(IndexFile.runEntriesMax)))
    }

    @Test("a look-up reads few pages: two or three of hashes, and the record's")
    func pagesRead() throws {
        let sample = SampleIndex(40_000)
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        let before = disk.count(.read)
        let asked = stride(from: 0, to: sample.records.count, by: 97)
        for ordinal in asked { #expect(try !index.entries(of: sample.records[ordinal].entry.requestHash, in: file).isEmpty) }
        // 118 pages of hashes: to bisect them takes six or seven.
        #expect(disk.count(.read) - before < asked.underestimatedCount * 4)
    }

    @Test("a run on one page is read once")
    func buffered() throws {
        let sample = SampleIndex(100, ids: 1)
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let before = disk.count(.read)
        #expect(try index.entries(of: sample.records[0].entry.requestHash, in: disk.open(SampleIndex.name)).count == 100)
        #expect(disk.count(.read) - before == 2)
    }

    @Test("what was looked up a moment ago is looked up again without reading, as long as its pages are among the newest held")
    func held() throws {
        let sample = SampleIndex(40_000)
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        var pages = IndexPageBuffer()
        func reads(of ordinals: [Int]) throws -> Int {
            let before = disk.count(.read)
            for ordinal in ordinals {
                var entries: [RecordEntry] = []
                try index.appendRecords(of: sample.records[ordinal].entry.requestHash, in: file, using: &pages, to: &entries)
                #expect(entries == [sample.records[ordinal].entry])
            }
            return disk.count(.read) - before
        }
        let few = [3, 30_000, 17_000]
        #expect(try reads(of: few) > 0)
        #expect(try reads(of: few + few) == 0)
        let many = stride(from: 0, to: 40_000, by: 1_000).map(\.self)
        #expect(try reads(of: many) > 0)
        // Each of these has pages of its own, more than are held.
        #expect(try reads(of: many) >= many.count)
        #expect(try reads(of: few) > 0)
    }

    @Test("a page of the index before is not taken for one of the index built anew")
    func rebuilt() throws {
        var pages = IndexPageBuffer()
        for seed in 1...3 as ClosedRange<UInt64> {
            let sample = SampleIndex(50, seed: seed)
            let disk = MemoryDisk()
            let index = try sample.write(on: disk, number: seed)
            let file = try disk.open(SampleIndex.name)
            // All on one page, which the buffer holds from the index before.
            var records: [IndexedRecord] = []
            try index.forEachRecord(in: file, using: &pages) { records.append($0) }
            #expect(records == sample.records.map(\.indexed))
        }
    }

    @Test("what was found before a look-up stays, and what it finds comes behind")
    func appends() throws {
        let sample = SampleIndex(3)
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        var pages = IndexPageBuffer()
        var entries: [RecordEntry] = []
        for record in sample.records { try index.appendRecords(of: record.entry.requestHash, in: file, using: &pages, to: &entries) }
        #expect(entries == sample.records.map(\.entry))
    }
}
