// Records of a segment that never was, the index file of them, and what a look-up in it must find.
//
// Promises: the same records for the same seed; what is expected comes from going through all records.
// Must not know: how an index is built.

import Platform
import TestSupport

@testable import CallbackLog

struct SampleRecord {
    var entry: RecordEntry
    var receivedAt = Timestamp(milliseconds: 0)
    var status: UInt8 = 0
    var failureClass: UInt8 = 0
    var keys: [UInt64] = []

    /// As the table of records tells it again.
    var indexed: IndexedRecord {
        IndexedRecord(
            sequence: entry.sequence, receivedAt: receivedAt, kind: entry.kind, status: status, failureClass: failureClass,
            payloadHash: entry.payloadHash, offset: entry.offset, length: entry.length)
    }
}

struct SampleIndex {
    /// What its file is called does not matter to an index; the disk tells no derived files by theirs.
    static let name = "index"
    /// Drawn, of an index that is not a test's.
    static let number: UInt64 = 7
    static let versions = DerivedVersions(decoder: 3, verdicts: 5)

    var first: UInt64 = 1_000
    var successor: UInt64 = 2_000_000
    var segmentBytes: Int64 = 0
    var hash = KeyedHash(key: (1, 2))
    var records: [SampleRecord] = []
    var damages: [UnsoundPlace] = []
    var durable: UInt64 = 1_005

    init() {}

    /// So many records of `ids` request_ids, hashes cut to `mask`.
    init(_ count: Int, ids: Int = 1 << 30, mask: UInt64 = .max, seed: UInt64 = 1) {
        var numbers = SeededGenerator(seed: seed)
        hash.mask = mask
        var sequence = first
        var offset: UInt32 = 0
        for _ in 0..<count {
            let kind = RecordKind(rawValue: UInt8.random(in: 0..<3, using: &numbers)) ?? .unknown
            let length = UInt32.random(in: 114..<400, using: &numbers)
            let status = UInt8.random(in: 0..<4, using: &numbers)
            let failureClass = UInt8.random(in: 0..<40, using: &numbers)
            let entry = RecordEntry(
                sequence: sequence, requestHash: hash(ofID: Int.random(in: 0..<ids, using: &numbers)), payloadHash: numbers.next(),
                offset: offset, length: length, kind: kind, state: RecordState(kind, status: status, failureClass: failureClass))
            records.append(
                SampleRecord(
                    entry: entry, receivedAt: Timestamp(milliseconds: 1_779_301_225_031 + Int64.random(in: 0..<1_000_000, using: &numbers)),
                    status: status, failureClass: failureClass,
                    keys: (0..<Int.random(in: 0...4, using: &numbers)).map { hash(ofID: Int.random(in: 0..<ids, using: &numbers), domain: UInt8($0)) }))
            // Now and then lines are missing, or padded.
            sequence += UInt64.random(in: 0..<50, using: &numbers) == 0 ? 7 : 1
            offset += length + 1 + (UInt32.random(in: 0..<50, using: &numbers) == 0 ? 100 : 0)
        }
        segmentBytes = Int64(offset)
    }

    private func bytes(ofID number: Int) -> [UInt8] { Array("request-\(number)".utf8) }
    func hash(ofID number: Int) -> UInt64 { hash.hash(bytes(ofID: number).span) }
    func hash(ofID number: Int, domain: UInt8) -> UInt64 { hash.hash(bytes(ofID: number).span, domain: domain) }

    /// Writes the index file onto the disk.
    @discardableResult
    func write(on disk: MemoryDisk, number: UInt64 = number) throws -> IndexFile {
        var writer = IndexFileWriter(
            try disk.create(Self.name), first: first, successor: successor, segmentBytes: segmentBytes, versions: Self.versions, hash: hash,
            number: number)
        for record in records {
            try writer.append(
                record.entry, receivedAt: record.receivedAt, status: record.status, failureClass: record.failureClass, keys: record.keys.span)
        }
        return try writer.finish(last: 0, durable: durable, damages: damages, damageCount: damages.count)
    }

    /// The bytes of the index file.
    func written(number: UInt64 = number) throws -> [UInt8] {
        let disk = MemoryDisk()
        try write(on: disk, number: number)
        return disk[Self.name] ?? []
    }

    func open(_ file: any File, keepsFilter: Bool = true) throws(IndexFault) -> IndexFile {
        try IndexFile(
            file, first: first, successor: successor, segmentBytes: segmentBytes, versions: Self.versions, hash: hash, keepsFilter: keepsFilter)
    }

    /// What a look-up of each request hash must find.
    var entriesByRequest: [UInt64: [RecordEntry]] {
        Dictionary(grouping: records.reversed().map(\.entry)) { $0.requestHash }.mapValues { Array($0.prefix(IndexFile.runEntriesMax)) }
    }

    /// What a look-up of each key's hash must find.
    var entriesByKey: [UInt64: [RecordEntry]] {
        var found: [UInt64: [RecordEntry]] = [:]
        for record in records.reversed() {
            for key in Set(record.keys) { found[key, default: []].append(record.indexed.entry(requestHash: 0)) }
        }
        return found
    }
}

/// A file that only lets itself be read.
final class FixedFile: File {
    let name = SampleIndex.name
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    func size() throws(SystemError) -> Int64 { Int64(bytes.count) }
    func isLinked() throws(SystemError) -> Bool { true }
    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        let from = min(Int(offset), bytes.count)
        let found = bytes[from..<min(from + count, bytes.count)]
        buffer.replaceSubrange(start..<(start + found.count), with: found)
        return found.count
    }
    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int { throw SystemError(operation: "pwrite", code: 9) }
    func synchronizeData() throws(SystemError) {}
    func truncate(to size: Int64) throws(SystemError) {}
}

extension IndexFile {
    /// Every record of this request hash.
    func entries(of requestHash: UInt64, in file: any File) throws(IndexFault) -> [RecordEntry] {
        var pages = IndexPageBuffer()
        var entries: [RecordEntry] = []
        try appendRecords(of: requestHash, in: file, using: &pages, to: &entries)
        return entries
    }

    /// The records with a key of this hash.
    func entries(ofKey keyHash: UInt64, countMax: Int = .max, in file: any File) throws(IndexFault) -> [RecordEntry] {
        var pages = IndexPageBuffer()
        var entries: [RecordEntry] = []
        try appendRecords(ofKey: keyHash, countMax: countMax, in: file, using: &pages, to: &entries)
        return entries
    }
}
