// The requests that have a record with a key, each by its newest record as of a position.
//
// Promises: all of them, as long as not more than `recordsMax` records have the key; else those of the newest records.
// A bounded piece of work at a time. A record whose request cannot be read is passed over: it is damaged.
// Must not know: whether the newest record still has the key: the user finds out.

import Platform

struct KeySearch: Sendable {
    /// Records of one key that are looked at. A session of ten thousand messages has as many.
    static let recordsMax = 16_384

    private let key: RecordSelection.Key
    private let position: UInt64
    /// Still to be resolved, oldest first; nil until they were collected.
    private var records: [RecordLocation]?
    private var newest: [UInt64: RecordLocation] = [:]
    /// Whose newest record was looked up: a request with a thousand records is looked through once.
    private var resolvedRequests: Set<[UInt8]> = []
    /// Ascending, once all are.
    private var found: [RecordLocation]?

    init(_ key: RecordSelection.Key, asOf position: UInt64) {
        self.key = key
        self.position = position
    }

    /// Oldest first; nil while there is more to do.
    mutating func find(
        in log: CallbackLog, _ view: inout NewestView, _ work: inout Int, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> [RecordLocation]? {
        if let found { return found }
        if records == nil { records = try collected(log, using: &reader) }
        let isWhole = log.shared.published.withLock { $0.supersessions.isWhole }
        while let record = records?.last {
            guard work > 0 else { return nil }
            work -= SelectionScan.candidateWork
            if let location = try resolved(record, log, isWhole, &view, using: &reader) { newest[location.sequence] = location }
            records?.removeLast()
        }
        let all = newest.values.sorted { $0.sequence < $1.sequence }
        found = all
        newest = [:]
        resolvedRequests = []
        return all
    }

    /// Records with the key's hash through the position, oldest first.
    private func collected(_ log: CallbackLog, using reader: inout RecordReader) throws(RecordReadFailure) -> [RecordLocation] {
        let shared = log.shared
        let keyHash = log.hash.hash(key.value.span, domain: key.kind.rawValue)
        var entries: [RecordEntry] = []
        let (sealed, file) = shared.published.withLock { published in
            published.open.index.appendEntries(ofKey: keyHash, to: &entries)
            return (published.sealed, published.open.file)
        }
        var records = entries.map { RecordLocation(segment: file, entry: $0) }
        for segment in sealed.reversed() where segment.first <= position {
            if records.count >= Self.recordsMax { break }
            var segment = segment
            while true {
                entries.removeAll(keepingCapacity: true)
                do throws(IndexFault) {
                    switch segment.index {
                    case .missing: throw .stale
                    case .inMemory(let index): index.appendEntries(ofKey: keyHash, to: &entries)
                    case .onDisk(let index):
                        try index.appendRecords(ofKey: keyHash, in: shared.files.file(of: index), using: &reader.pages, to: &entries)
                    }
                    guard !entries.isEmpty else { break }
                    let file = try shared.open(segment)
                    for entry in entries { records.append(RecordLocation(segment: file, entry: entry)) }
                    break
                } catch {
                    try shared.stumble(over: segment)
                    guard let present = shared.sealed(segment.first) else { break }
                    segment = present
                }
            }
        }
        return records.prefix(Self.recordsMax).filter { $0.sequence <= position }.reversed()
    }

    /// The newest record, as of the position, of the request that `record` is of.
    private mutating func resolved(
        _ record: RecordLocation, _ log: CallbackLog, _ isWhole: Bool, _ view: inout NewestView, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> RecordLocation? {
        let mayBeNewest = view.mayBeNewest(record.sequence, in: log.shared)
        if isWhole, mayBeNewest, !view.isBlind { return record }
        guard let line = try? reader.read(record.entry, in: record.segment) else { return nil }
        var identifier: [UInt8] = []
        line.appendRequestID(of: reader.bytes.span, to: &identifier)
        if resolvedRequests.contains(identifier) { return nil }
        let records = try log.records(of: identifier.span, using: &reader)
        resolvedRequests.insert(identifier)
        return records.first { $0.sequence <= position && $0.kind != .unknown }
    }
}
