// An index file that is not as it was written says so, and never gives a wrong answer instead.

import Glibc
import Platform
import TestSupport
import Testing

@testable import CallbackLog

@Suite("A damaged index file is told, never believed")
struct IndexFaultTests {
    /// Seven pages: one of each section.
    private static let small: SampleIndex = {
        var sample = SampleIndex(5)
        sample.damages = [UnsoundPlace(segment: SegmentName.name(first: 1_000), offset: 7, sequence: 1_001)]
        return sample
    }()

    /// True where opening or verifying throws. What is answered all the same must be right.
    private func isRefused(_ file: FixedFile, _ sample: SampleIndex, looking: Bool = true) throws -> Bool {
        do throws(IndexFault) {
            let index = try sample.open(file)
            for record in looking ? sample.records[1...3] : [] {
                guard let entries = try? index.entries(of: record.entry.requestHash, in: file) else { continue }
                #expect(entries == [record.entry])
            }
            var pages = IndexPageBuffer()
            try index.verify(in: file, using: &pages)
            return false
        } catch {
            if case .system = error { throw error }
            return true
        }
    }

    @Test("cut anywhere, it is refused")
    func truncated() throws {
        let bytes = try Self.small.written()
        #expect(bytes.count == 7 * IndexPage.bytes)
        for count in bytes.indices {
            if try !isRefused(FixedFile(Array(bytes[..<count])), Self.small) { Issue.record("cut at \(count)") }
        }
        #expect(try isRefused(FixedFile(bytes + [0]), Self.small))
        #expect(try isRefused(FixedFile(bytes + bytes[..<IndexPage.bytes]), Self.small))
        #expect(try !isRefused(FixedFile(bytes), Self.small))
    }

    @Test("with any byte changed, it is refused")
    func flipped() throws {
        let bytes = try Self.small.written()
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1 << UInt8(place % 8)
            if try !isRefused(FixedFile(changed), Self.small) { Issue.record("changed at \(place)") }
        }
    }

    @Test("a filter that is asked in the file is checked there", arguments: 0..<64)
    func filterPage(byte: Int) throws {
        var bytes = try Self.small.written()
        bytes[5 * IndexPage.bytes + byte] ^= 0x10
        let file = FixedFile(bytes)
        let index = try Self.small.open(file, keepsFilter: false)
        for hash in [Self.small.records[0].entry.requestHash, 1, .max] {
            #expect(throws: IndexFault.damaged(page: 5)) { try index.entries(of: hash, in: file) }
        }
    }

    @Test("a page in another's place is none")
    func swapped() throws {
        let sample = SampleIndex(800)
        let bytes = try sample.written()
        let pageCount = bytes.count / IndexPage.bytes
        func range(_ page: Int) -> Range<Int> { page * IndexPage.bytes..<(page + 1) * IndexPage.bytes }
        for a in 0..<pageCount {
            for b in 0..<a {
                var changed = bytes
                changed.replaceSubrange(range(a), with: bytes[range(b)])
                changed.replaceSubrange(range(b), with: bytes[range(a)])
                let file = FixedFile(changed)
                var pages = IndexPageBuffer()
                for page in [a, b] {
                    #expect(throws: IndexFault.damaged(page: page)) { try pages.load(page, ofIndex: page == 0 ? IndexPage.header : SampleIndex.number, in: file) }
                }
            }
        }
    }

    @Test("the fault names the page, and a look-up that meets it leaves what was found before")
    func named() throws {
        // The newest are on page 2, the others on page 1.
        let sample = SampleIndex(200, ids: 1)
        var bytes = try sample.written()
        bytes[IndexPage.bytes] ^= 1
        let file = FixedFile(bytes)
        let index = try sample.open(file)
        var pages = IndexPageBuffer()
        var entries = [sample.records[7].entry]
        #expect(throws: IndexFault.damaged(page: 1)) {
            try index.appendRecords(of: sample.records[0].entry.requestHash, in: file, using: &pages, to: &entries)
        }
        #expect(entries == [sample.records[7].entry])
    }

    @Test("a page of an index that was made anew for the segment is none of the one before")
    func madeAnew() throws {
        let sample = SampleIndex(5)
        let before = try sample.open(FixedFile(sample.written()))
        let file = FixedFile(try sample.written(number: 8))
        #expect(throws: IndexFault.damaged(page: 2)) { try before.entries(of: sample.records[0].entry.requestHash, in: file) }
        #expect(try sample.open(file).entries(of: sample.records[0].entry.requestHash, in: file) == [sample.records[0].entry])
    }

    @Test("records out of order on a page with a right checksum are found out, not given in a wrong order")
    func unordered() throws {
        let sample = SampleIndex(5, ids: 1)
        var bytes = try sample.written()
        // The sequence of the first record, above that of the second.
        LittleEndian.store(UInt32(3), in: &bytes, at: IndexPage.bytes + 8)
        IndexPage.seal(&bytes, at: IndexPage.bytes, page: 1, ofIndex: SampleIndex.number)
        let file = FixedFile(bytes)
        let index = try sample.open(file)
        #expect(throws: IndexFault.damaged(page: 1)) { try index.entries(of: sample.records[0].entry.requestHash, in: file) }
        var pages = IndexPageBuffer()
        #expect(throws: IndexFault.damaged(page: 1)) { try index.verify(in: file, using: &pages) }
    }

    @Test("a state that is not its record's is found out, though the page's checksum is right")
    func stateChanged() throws {
        let bytes = try Self.small.written()
        for ordinal in 0..<5 {
            var changed = bytes
            changed[4 * IndexPage.bytes + ordinal] ^= 0x10
            IndexPage.seal(&changed, at: 4 * IndexPage.bytes, page: 4, ofIndex: SampleIndex.number)
            let file = FixedFile(changed)
            let index = try Self.small.open(file)
            var pages = IndexPageBuffer()
            #expect(throws: IndexFault.damaged(page: 4)) { try index.verify(in: file, using: &pages) }
        }
    }

    @Test("a read that fails is the disk's fault, and the next one is not answered from what it left")
    func readFails() throws {
        let sample = SampleIndex(5)
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        let hash = sample.records[2].entry.requestHash
        var pages = IndexPageBuffer()
        var entries: [RecordEntry] = []
        let failure = IndexFault.system(SystemError(operation: "read", path: SampleIndex.name, code: EIO))
        for passing in 0..<2 {
            disk.inject(Fault(.fails(EIO), on: [.read], after: passing, times: 1))
            #expect(throws: failure) { try index.appendRecords(of: hash, in: file, using: &pages, to: &entries) }
            #expect(entries.isEmpty)
        }
        for operation in [.size, .read] as [Operation] {
            disk.inject(Fault(.fails(EIO), on: [operation], times: 1))
            #expect(throws: IndexFault.self) { try sample.open(file) }
        }
        disk.lift()
        try index.appendRecords(of: hash, in: file, using: &pages, to: &entries)
        #expect(entries == [sample.records[2].entry])
    }

    @Test("pages with right checksums and wrong content lead nowhere outside the segment, and to an end")
    func hostile() throws {
        let sample = SampleIndex(900, mask: 0xFFFF)
        let bytes = try sample.written()
        let pageCount = bytes.count / IndexPage.bytes
        var numbers = SeededGenerator(seed: 4)
        var opened = 0
        for _ in 0..<2_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let page = Int.random(in: 0..<pageCount, using: &numbers)
                // Page 0 where its numbers are; the others wherever.
                let place = Int.random(in: 0..<(page == 0 ? 312 : IndexPage.contentBytes), using: &numbers)
                let count = Int.random(in: 1...8, using: &numbers)
                let value: UInt8? = [nil, 0, 0xFF][Int.random(in: 0..<3, using: &numbers)]
                for index in place..<min(place + count, IndexPage.contentBytes) {
                    changed[page * IndexPage.bytes + index] = value ?? UInt8.random(in: 0...255, using: &numbers)
                }
                IndexPage.seal(
                    &changed, at: page * IndexPage.bytes, page: page, ofIndex: page == 0 ? IndexPage.header : SampleIndex.number)
            }
            let file = FixedFile(changed)
            guard let index = try? sample.open(file) else { continue }
            opened += 1
            var pages = IndexPageBuffer()
            try? index.verify(in: file, using: &pages)
            for _ in 0..<20 {
                let hash = sample.records[Int.random(in: 0..<900, using: &numbers)].entry.requestHash
                for entries in [try? index.entries(of: hash, in: file), try? index.entries(ofKey: hash, in: file)].compactMap(\.self) {
                    #expect(entries.allSatisfy { isInside($0, sample) })
                    #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.sequence > $1.sequence })
                }
            }
        }
        #expect(opened > 1_000)
    }

    private func isInside(_ entry: RecordEntry, _ sample: SampleIndex) -> Bool {
        entry.length > 0 && Int64(entry.offset) + Int64(entry.length) < sample.segmentBytes
            && sample.first..<sample.successor ~= entry.sequence
    }

    @Test("where hashes are as far from uniform as can be, the search still reads few pages")
    func skewed() throws {
        var sample = SampleIndex(20_000)
        for index in sample.records.indices {
            let entry = sample.records[index].entry
            // Half of them at the low end, and one at the high end.
            let hash: UInt64 = index == 0 ? .max : UInt64(index / 2)
            sample.records[index].entry = RecordEntry(
                sequence: entry.sequence, requestHash: hash, payloadHash: entry.payloadHash, offset: entry.offset, length: entry.length, kind: entry.kind,
                state: entry.state)
        }
        let disk = MemoryDisk()
        let index = try sample.write(on: disk)
        let file = try disk.open(SampleIndex.name)
        let expected = sample.entriesByRequest
        for ordinal in stride(from: 0, to: 20_000, by: 331) {
            let hash = sample.records[ordinal].entry.requestHash
            let before = disk.count(.read)
            #expect(try index.entries(of: hash, in: file) == expected[hash])
            // 59 pages of hashes: four reckonings, six bisections; then the run, which may lie on two, and its records.
            #expect(disk.count(.read) - before <= 4 + 6 + 2 + 2)
        }
    }
}
