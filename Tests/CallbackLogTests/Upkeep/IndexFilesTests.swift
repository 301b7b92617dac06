// Index files: made when a segment is sealed, used at the next start, and made again whatever happened to them.
//
// Promises: every case holds all records to what was acknowledged, and tries all of them again as duplicates.
// Must not know: how an index file is laid out, but for its pages (IndexFileFormat.swift).

import Platform
import Testing

@testable import CallbackLog

@Suite struct IndexFilesTests {
    /// Collisions are the rule where hashes are cut to four bits, and all there is where they are cut to none.
    static let masks: [UInt64] = [.max, 15, 0]

    /// Each index file on the disk is of its segment, and sound to its last page.
    private func verifyIndexes(_ disk: MemoryDisk, hashMask: UInt64 = .max) throws {
        let copy = disk.afterKill()
        var options = LogOptions()
        options.hashMask = hashMask
        let key = try Identity.read(orMakeIn: copy, names: try copy.names()).identity.hashKey
        let maker = IndexMaker(directory: copy, hash: KeyedHash(key: key, mask: hashMask), options: options)
        let firsts = copy.segments.compactMap { SegmentName.firstSequence(of: $0) }
        for (first, successor) in zip(firsts, firsts.dropFirst()) {
            guard case .onDisk(let index) = try maker.read(first: first, successor: successor, keepsFilter: true).index else {
                Issue.record("no index of \(first)")
                continue
            }
            var pages = IndexPageBuffer()
            try index.verify(in: try copy.open(SegmentName.index(first: first)), using: &pages)
        }
    }

    /// The log is opened on a disk where these segments' index files are of no use, and then once more.
    private func holdAfter(
        _ disk: MemoryDisk, _ log: SegmentedLog, unindexed: [String], hashMask: UInt64 = .max, _ what: String,
        change: @escaping (inout LogOptions) -> Void = { _ in }
    ) throws {
        let open = try SegmentedLog.open(disk, hashMask: hashMask, change: change)
        #expect(open.log.report.unindexed.map { String($0.prefix(26)) }.sorted() == unindexed, "\(what)")
        #expect(open.log.report.damageCount == 0, "\(what)")
        try log.hold(open, what)
        open.settleUpkeep()
        #expect(open.disk.indexes == open.disk.sealed.map(indexName), "\(what)")
        let next = try SegmentedLog.open(open.disk.afterKill(), hashMask: hashMask, change: change)
        #expect(next.log.report.unindexed == [], "\(what), the start after")
        try log.hold(next, "\(what), the start after")
    }

    @Test("each segment has its index file as soon as it is sealed; the open one has none", arguments: masks)
    func made(mask: UInt64) throws {
        let open = try SegmentedLog.open(MemoryDisk(), hashMask: mask)
        for number in 1...12 {
            _ = open.append("id", "{\"n\":\(number)}")
            open.settleUpkeep()
            #expect(open.disk.indexes == open.disk.sealed.map(indexName))
        }
        #expect(open.disk.sealed.count >= 3)
        #expect(!open.disk.allFiles.keys.contains { $0.hasSuffix(".new") })
        try verifyIndexes(open.disk, hashMask: mask)
    }

    @Test("they are made at a start, where a log was written without them", arguments: masks)
    func madeAtStart(mask: UInt64) throws {
        let log = try SegmentedLog(hashMask: mask) { $0.hasUpkeep = false }
        #expect(log.disk.indexes == [])
        try holdAfter(log.disk.afterKill(), log, unindexed: log.disk.sealed, hashMask: mask, "none")
    }

    @Test("the next start scans no sealed segment, reads none of its bytes after a clean stop, and finds every record", arguments: [true, false], masks)
    func used(isClosed: Bool, mask: UInt64) throws {
        let log = try SegmentedLog(isClosed: isClosed, hashMask: mask)
        let open = try SegmentedLog.open(log.disk.afterKill(), hashMask: mask)
        open.settleUpkeep()
        #expect(log.disk.sealed.count >= 3)
        // After a kill those records are read that the newest segment's supersede.
        #expect(open.disk.reads(of: log.disk.sealed) <= (isClosed ? 0 : 2 * log.count))
        let unfinished = log.disk.indexes.map { SegmentName.unfinished($0) }
        #expect(!open.disk.calls.contains { $0.operation == .create && unfinished.contains($0.name) })
        #expect(open.log.report.unindexed == [])
        #expect(open.log.report.records == log.count)
        try log.hold(open, "used")
        // By the filters: what is not there is looked for in no segment.
        let reads = open.disk.count(.read)
        if mask == .max { for number in 0..<100 { #expect(try open.records("nobody-\(number)") == []) } }
        #expect(open.disk.count(.read) == reads)
    }

    enum Breakage: String, CaseIterable {
        case missing, empty, cutInHeader, cutAtHeader, cutByPage, cutByByte, longerByByte, longerByPage, text, zeroes, twice
    }

    @Test("one that is not as it was made is made again, and said so", arguments: Breakage.allCases, masks)
    func broken(breakage: Breakage, mask: UInt64) throws {
        let log = try SegmentedLog(hashMask: mask)
        let segment = log.disk.sealed[1]
        let disk = log.disk.afterKill()
        let name = indexName(segment)
        if breakage == .missing {
            try disk.remove(name)
        } else {
            try disk.change(name) { bytes in
                switch breakage {
                case .missing: break
                case .empty: bytes = []
                case .cutInHeader: bytes.removeSubrange(100...)
                case .cutAtHeader: bytes.removeSubrange(IndexPage.bytes...)
                case .cutByPage: bytes.removeLast(IndexPage.bytes)
                case .cutByByte: bytes.removeLast()
                case .longerByByte: bytes.append(0)
                case .longerByPage: bytes += [UInt8](repeating: 0, count: IndexPage.bytes)
                case .text: bytes = Array("{\"sequence\":1}\n".utf8)
                case .zeroes: bytes = [UInt8](repeating: 0, count: bytes.count)
                case .twice: bytes += bytes
                }
            }
        }
        try holdAfter(disk, log, unindexed: [segment], hashMask: mask, "\(breakage) \(segment)")
    }

    @Test("those of another version of the decoder or of the verdict table are made again", arguments: [(1, 0), (0, 1)])
    func anotherVersion(decoder: UInt32, verdicts: UInt32) throws {
        let log = try SegmentedLog()
        try holdAfter(log.disk.afterKill(), log, unindexed: log.disk.sealed, "version") {
            $0.versions = DerivedVersions(decoder: decoder, verdicts: verdicts)
        }
    }

    @Test("those with hashes of another key, or cut otherwise, are made again")
    func anotherKey() throws {
        let log = try SegmentedLog()
        let disk = log.disk.afterKill()
        try disk.remove("identity")
        try holdAfter(disk, log, unindexed: log.disk.sealed, "another key")
        try holdAfter(log.disk.afterKill(), log, unindexed: log.disk.sealed, hashMask: 15, "cut")
    }

    @Test("those of two segments exchanged are taken for neither", arguments: masks)
    func exchanged(mask: UInt64) throws {
        let log = try SegmentedLog(hashMask: mask)
        let sealed = log.disk.sealed
        for (a, b) in zip(sealed, sealed.dropFirst()) {
            let disk = log.disk.afterKill()
            try disk.rename(indexName(a), to: "aside")
            try disk.rename(indexName(b), to: indexName(a))
            try disk.rename("aside", to: indexName(b))
            try holdAfter(disk, log, unindexed: [a, b], hashMask: mask, "\(a) and \(b) exchanged")
        }
    }

    @Test("a segment that grew has another index: what is foreign at its end is not read as records", arguments: ["\n", "foreign\n", "\0"])
    func grown(behind: String) throws {
        let log = try SegmentedLog()
        for segment in log.disk.sealed {
            let disk = log.disk.afterKill()
            try disk.change(segment) { $0 += Array(behind.utf8) }
            try holdAfter(disk, log, unindexed: [segment], "\(segment) grew")
        }
    }

    @Test("a segment that shrank has another index, which names what is missing")
    func shrunk() throws {
        let log = try SegmentedLog()
        let segment = log.disk.sealed[1]
        let disk = log.disk.afterKill()
        try disk.change(segment) { $0.removeLast() }
        let open = try SegmentedLog.open(disk)
        #expect(open.log.report.unindexed.count == 1)
        #expect(open.log.report.damages.map(\.segment) == [segment])
        open.settleUpkeep()
        let next = try SegmentedLog.open(open.disk.afterKill())
        #expect(next.log.report.unindexed == [])
        #expect(next.log.report.damages == open.log.report.damages)
    }

    @Test("one byte flipped in any page: every record is still found, at once or when the index was made again", arguments: masks)
    func flipped(mask: UInt64) throws {
        let log = try SegmentedLog(10, hashMask: mask)
        let segment = log.disk.sealed[1]
        let size = try #require(log.disk.allFiles[indexName(segment)]?.count)
        #expect(size >= 4 * IndexPage.bytes)
        // The head of each page, its checksum, and some of what is between; but for the states, which no look-up reads.
        let states = (size / IndexPage.bytes - 2) * IndexPage.bytes
        let places = (0..<size).filter { !(states..<states + IndexPage.bytes ~= $0) }.filter { [0, 9, 27, 60, 700, 4_091, 4_095].contains($0 % IndexPage.bytes) }
        for place in places {
            let disk = log.disk.afterKill()
            try disk.change(indexName(segment)) { $0[place] ^= 1 << (place % 8) }
            let open = try SegmentedLog.open(disk, hashMask: mask)
            open.settleUpkeep()
            try log.hold(open, "byte \(place)")
            open.settleUpkeep()
            // Asked with every hash that there is, each page was read.
            let next = try SegmentedLog.open(open.disk.afterKill(), hashMask: mask)
            #expect(next.log.report.unindexed == [], "byte \(place)")
            try verifyIndexes(next.disk, hashMask: mask)
            #expect(open.log.damages.count == 0, "byte \(place)")
        }
    }
}
