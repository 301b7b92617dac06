// The requests that have a record with a key, each by its newest record as of a position.
//
// Promises: all of them, or none: where more than `recordsMax` records have the key it says so, since going through the
// states of all requests is no slower then. A bounded piece of work at a time. A record whose request cannot be read is
// passed over: it is damaged.
// Must not know: whether the newest record still has the key: the user finds out.

import Platform

struct KeySearch: Sendable {
    /// Records of one key that are looked at: every page of a list looks at all of them.
    static let recordsMax = 16_384

    enum Outcome {
        /// There is more to do.
        case unfinished
        /// Oldest first.
        case found([RecordLocation])
        /// More records have the key than are looked at; none of a sequence below this one.
        case tooMany(from: UInt64)
    }

    private let key: RecordSelection.Key
    private let position: UInt64
    private let recordsMax: Int
    /// Still to be resolved, oldest first; nil until they were collected.
    private var records: [RecordLocation]?
    private var newest: [UInt64: RecordLocation] = [:]
    /// Whose newest record was looked up: a request with a thousand records is looked through once.
    private var resolvedRequests: Set<[UInt8]> = []
    /// Ascending, once all are.
    private var found: [RecordLocation]?

    /// - Parameter recordsMax: at least 0.
    init(_ key: RecordSelection.Key, asOf position: UInt64, recordsMax: Int) {
        self.key = key
        self.position = position
        self.recordsMax = recordsMax
    }

    mutating func find(
        in log: CallbackLog, _ view: inout NewestView, _ work: inout Int, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> Outcome {
        if let found { return .found(found) }
        if records == nil {
            let collected = try collected(log, using: &reader)
            guard let all = collected.records else { return .tooMany(from: collected.lowest) }
            records = all
        }
        let isWhole = log.shared.published.withLock { $0.supersessions.isWhole }
        while let record = records?.last {
            guard work > 0 else { return .unfinished }
            work -= SelectionScan.candidateWork
            if let location = try resolved(record, log, isWhole, &view, using: &reader) { newest[location.sequence] = location }
            records?.removeLast()
        }
        let all = newest.values.sorted { $0.sequence < $1.sequence }
        found = all
        newest = [:]
        resolvedRequests = []
        return .found(all)
    }

    /// Records with the key's hash through the position, oldest first, or nil where there are too many; none is below `lowest`.
    private func collected(
        _ log: CallbackLog, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> (records: [RecordLocation]?, lowest: UInt64) {
        let shared = log.shared
        let keyHash = log.hash.hash(key.value.span, domain: key.kind.rawValue)
        var entries: [RecordEntry] = []
        // Under the lock of those who append.
        let openMax = min(IndexFile.runEntriesMax, recordsMax + 1)
        let (sealed, file, first) = shared.published.withLock { published in
            published.open.index.appendEntries(ofKey: keyHash, countMax: openMax, to: &entries)
            return (published.sealed, published.open.file, published.open.first)
        }
        var records = entries.map { RecordLocation(segment: file, entry: $0) }
        var isTooMany = entries.count == openMax
        var lowest = first
        for segment in sealed.reversed() where segment.first <= position {
            var segment = segment
            while true {
                entries.removeAll(keepingCapacity: true)
                // Then it is enough to know whether there is one.
                let countMax = isTooMany ? 1 : recordsMax + 1 - records.count
                do throws(IndexFault) {
                    switch segment.index {
                    case .missing: throw .stale
                    case .inMemory(let index): index.appendEntries(ofKey: keyHash, countMax: countMax, to: &entries)
                    case .onDisk(let index):
                        try index.appendRecords(
                            ofKey: keyHash, countMax: countMax, in: shared.files.file(of: index), using: &reader.pages, to: &entries)
                    }
                    guard !entries.isEmpty else { break }
                    lowest = segment.first
                    if isTooMany { break }
                    let file = try shared.open(segment)
                    for entry in entries { records.append(RecordLocation(segment: file, entry: entry)) }
                    isTooMany = records.count > recordsMax
                    break
                } catch {
                    try shared.stumble(over: segment)
                    guard let present = shared.sealed(segment.first) else { break }
                    segment = present
                }
            }
        }
        return (isTooMany ? nil : records.filter { $0.sequence <= position }.reversed(), lowest)
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
