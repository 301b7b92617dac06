// Any bytes in the index file of a segment.
//
//     it opens or says why not, and reads and holds no more than its segment accounts for
//     a look-up ends after few reads; what it gives lies in the segment, newest first; it is the same whether the
//     filter is in memory or in the file
//     what verifies answers every look-up, with all records that its table names
//     what the writer wrote verifies, and leads to every record that it was given, by every hash
//
// Promises: a pure function of its input; no disk. Must not know: how an index searches.

import CallbackLog
import Platform
import Synchronization

enum IndexProperties {
    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let text = IndexText(input)
        let sample = IndexedSample(text)
        let written = try sample.written()
        let file = ReadFile(text.changed(written))
        let isChanged = file.bytes != written
        let index: IndexFile
        do throws(IndexFault) {
            index = try sample.open(file, keepsFilter: true)
        } catch {
            try hold(isChanged, "what was written does not open: \(error)")
            // Without its filter it may open all the same; nothing else may happen.
            guard let index = try? sample.open(file, keepsFilter: false) else { return }
            for hash in sample.hashes(text) { _ = try Found(index, hash, of: .request, in: file, sample) }
            return
        }
        let summary = index.summary
        try hold(Int64(summary.recordCount) * 100 <= sample.byteCount, "\(summary.recordCount) records in \(sample.byteCount) bytes")
        try hold(summary.damages.count <= min(summary.damageCount, 1_000), "\(summary.damages.count) of \(summary.damageCount) damages")

        var pages = IndexPageBuffer()
        var isVerified = true
        do throws(IndexFault) {
            try index.verify(in: file, using: &pages)
        } catch {
            try hold(isChanged, "what was written does not verify: \(error)")
            isVerified = false
        }
        let table = RequestTable(file.bytes, summary.recordCount)
        for hash in sample.hashes(text) + table.hashes.prefix(20) {
            for kind in [Found.Kind.request, .key] {
                let found = try Found(index, hash, of: kind, in: file, sample)
                let unfiltered = try Found(index.withoutFilter(), hash, of: kind, in: file, sample)
                try hold(found.entries == unfiltered.entries && found.fault == unfiltered.fault, "the filter's place changes what \(hash) finds")
                try hold(found.fault == nil || !isVerified, "it verifies, and yet: \(String(describing: found.fault))")
                if !isChanged { try hold(found.entries == sample.entries(of: hash, kind), "\(hash) finds \(found.entries.map(\.sequence))") }
            }
        }
        guard isVerified else { return }
        var sequences: [UInt64] = []
        do throws(IndexFault) {
            try index.forEachRecord(in: file, using: &pages) { sequences.append($0.sequence) }
        } catch {
            throw BrokenProperty(description: "it verifies, and yet: \(error)")
        }
        for hash in table.hashes.prefix(20) {
            let expected = table.ordinals(of: hash).reversed().map { sequences[$0] }
            let found = try Found(index, hash, of: .request, in: file, sample)
            try hold(found.entries.map(\.sequence) == expected, "\(hash) finds \(found.entries.map(\.sequence)), not \(expected)")
        }
    }
}

/// What one look-up gave.
private struct Found {
    enum Kind { case request, key }

    private(set) var entries: [RecordEntry] = []
    private(set) var fault: IndexFault?

    init(_ index: IndexFile, _ hash: UInt64, of kind: Kind, in file: ReadFile, _ sample: IndexedSample) throws(BrokenProperty) {
        var pages = IndexPageBuffer()
        let before = file.reads
        do throws(IndexFault) {
            switch kind {
            case .request: try index.appendRecords(of: hash, in: file, using: &pages, to: &entries)
            case .key: try index.appendRecords(ofKey: hash, countMax: IndexFile.runEntriesMax, in: file, using: &pages, to: &entries)
            }
        } catch {
            fault = error
        }
        try hold(fault == nil || entries.isEmpty, "a look-up that fails leaves \(entries.count) records")
        // A page of the filter, four reckonings, a bisection of 2^27 pages at most; then the run and its records.
        try hold(file.reads - before <= 1 + 4 + 27 + 14 + IndexFile.runEntriesMax, "\(file.reads - before) reads")
        try hold(entries.count <= IndexFile.runEntriesMax, "\(entries.count) records")
        for entry in entries {
            try hold(entry.length > 0 && Int64(entry.offset) + Int64(entry.length) < sample.byteCount, "\(entry) is outside the segment")
            try hold(sample.first..<sample.successor ~= entry.sequence, "\(entry) is of another segment")
            try hold(kind == .key || entry.requestHash == hash, "\(entry) has another hash than \(hash)")
        }
        for (newer, older) in zip(entries, entries.dropFirst()) {
            try hold(newer.sequence > older.sequence, "\(older.sequence) comes behind \(newer.sequence)")
        }
    }
}

/// The request hashes of an index file, read a second time: 12 bytes each, behind the pages of the records.
private struct RequestTable {
    private var places: [UInt64: [Int]] = [:]

    init(_ file: [UInt8], _ count: Int) {
        let start = 1 + (count + 126) / 127
        for index in 0..<count {
            let place = (start + index / 341) * 4_096 + index % 341 * 12
            guard place + 12 <= file.count else { return }
            func number(_ range: Range<Int>) -> UInt64 { range.reversed().reduce(0) { $0 << 8 | UInt64(file[place + $1]) } }
            places[number(0..<8), default: []].append(Int(number(8..<12)))
        }
    }

    var hashes: [UInt64] { places.keys.sorted() }
    func ordinals(of hash: UInt64) -> [Int] { places[hash] ?? [] }
}

/// The records that an index file is made of, before it is changed.
private struct IndexedSample {
    let first: UInt64 = 7
    let successor: UInt64 = 5_000
    let hash: KeyedHash
    private(set) var byteCount: Int64 = 0
    private var records: [(entry: RecordEntry, keys: [UInt64])] = []
    private static let versions = DerivedVersions(decoder: 1, verdicts: 1)

    init(_ text: IndexText) {
        hash = KeyedHash(key: (3, 4), mask: text.mask)
        var sequence = first
        var offset: UInt32 = 0
        for index in 0..<text.records {
            let length = UInt32(120 + index * 7 % 50)
            let entry = RecordEntry(
                sequence: sequence, requestHash: hash(of: index % text.ids, 0), payloadHash: UInt64(index), offset: offset, length: length,
                kind: .callback, state: RecordState(.callback, status: UInt8(index % 4), failureClass: UInt8(index % 20)))
            records.append((entry, (1..<1 + index % 4).map { hash(of: index % text.ids / 2, $0) }))
            sequence += index % 16 == 15 ? 3 : 1
            offset += length + 1
        }
        byteCount = Int64(offset)
    }

    private func hash(of id: Int, _ domain: Int) -> UInt64 { hash.hash([UInt8(domain), UInt8(id & 255), UInt8(id >> 8 & 255)].span) }

    func written() throws(BrokenProperty) -> [UInt8] {
        let directory = MemoryDirectory([:])
        do throws(SystemError) {
            let file = try directory.create("index")
            var writer = IndexFileWriter(
                file, first: first, successor: successor, segmentBytes: byteCount, versions: Self.versions, hash: hash,
                number: IndexText.number)
            for (ordinal, record) in records.enumerated() {
                let time = Timestamp(milliseconds: 1_779_301_225_031 + Int64(ordinal))
                try writer.append(
                    record.entry, receivedAt: time, status: UInt8(ordinal % 4), failureClass: UInt8(ordinal % 20), keys: record.keys.span)
            }
            _ = try writer.finish(last: 0, durable: first, damages: [], damageCount: 3)
        } catch {
            throw BrokenProperty(description: "it cannot be written: \(error)")
        }
        return directory.files["index"] ?? []
    }

    func open(_ file: ReadFile, keepsFilter: Bool) throws(IndexFault) -> IndexFile {
        try IndexFile(
            file, first: first, successor: successor, segmentBytes: byteCount, versions: Self.versions, hash: hash, keepsFilter: keepsFilter)
    }

    /// Some that are there, and some that are not.
    func hashes(_ text: IndexText) -> [UInt64] {
        let own = stride(from: 0, to: records.count, by: max(1, records.count / 8)).map { records[$0] }
        return own.map(\.entry.requestHash) + own.flatMap(\.keys) + text.numbers + [0, .max]
    }

    /// What a look-up of `hash` has to find.
    func entries(of hash: UInt64, _ kind: Found.Kind) -> [RecordEntry] {
        records.reversed().filter { kind == .request ? $0.entry.requestHash == hash : $0.keys.contains(hash) }.map { record in
            let entry = record.entry
            return RecordEntry(
                sequence: entry.sequence, requestHash: kind == .request ? hash : 0, payloadHash: entry.payloadHash, offset: entry.offset,
                length: entry.length, kind: entry.kind, state: entry.state)
        }
    }
}

/// A file that only lets itself be read, and counts how often.
private final class ReadFile: File {
    let name = "index"
    let bytes: [UInt8]
    private let count = Atomic<Int>(0)
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var reads: Int { count.load(ordering: .relaxed) }
    func size() throws(SystemError) -> Int64 { Int64(bytes.count) }
    func isLinked() throws(SystemError) -> Bool { true }
    func read(at offset: Int64, count wanted: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        count.wrappingAdd(1, ordering: .relaxed)
        let from = min(Int(offset), bytes.count)
        let found = bytes[from..<min(from + wanted, bytes.count)]
        buffer.replaceSubrange(start..<start + found.count, with: found)
        return found.count
    }
    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        throw SystemError(operation: "write", path: name, code: SystemError.inputOutput)
    }
    func synchronizeData() throws(SystemError) {}
    func truncate(to size: Int64) throws(SystemError) {}
}
