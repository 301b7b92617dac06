// Writes the index file of a sealed segment, record by record as a scan finds them.
//
// Promises: records go out as they come; in memory are one piece of 1 MiB, 12 bytes for each hash and one for each
// record until the end.
// The header is written last, so that a file without one is no index. Every write is synchronized when `finish`
// returns, in pieces. Whatever the writer takes, a reader takes.
// Must not know: what the file is called, when it is renamed, how the records were found.

import Platform

package struct IndexFileWriter {
    private var pages: IndexPageWriter
    private var summary: SegmentSummary
    private let versions: DerivedVersions
    private let hash: KeyedHash
    private var requests = HashPlaces()
    private var keys = HashPlaces()
    private var states: [UInt8] = []
    /// Behind the last record's line.
    private var end: Int64 = 0

    /// Of the segment that begins with `first` and has so many bytes, while the next one begins with `successor`.
    /// `file` is new and empty. `hash` is what the hashes of all records are made with. `number` is no other index's.
    package init(
        _ file: any File, first: UInt64, successor: UInt64, segmentBytes: Int64, versions: DerivedVersions, hash: KeyedHash,
        number: UInt64 = .random(in: 1...(.max))
    ) {
        precondition(first > 0 && first <= successor && segmentBytes >= 0)
        pages = IndexPageWriter(file, number: number)
        summary = SegmentSummary(first: first, successor: successor, segmentBytes: segmentBytes)
        summary.number = number
        self.versions = versions
        self.hash = hash
    }

    /// Appends the next record, in the segment's order. `keys` are the hashes of what else it can be found by, at
    /// most four. `status` and `failureClass` are told again as they are. Throws EIO for a record beyond the segment's
    /// size: somebody else writes to the segment while it is read.
    package mutating func append(
        _ entry: RecordEntry, receivedAt: Timestamp, status: UInt8, failureClass: UInt8, keys hashes: Span<UInt64>
    ) throws(SystemError) {
        // The scan's own promises: lines do not overlap, sequences rise and end before the successor's.
        precondition(entry.sequence > summary.last && entry.sequence < summary.successor && entry.sequence - summary.first <= UInt64(UInt32.max))
        precondition(Int64(entry.offset) >= end)
        precondition(Int64(entry.length) >= IndexFileFormat.recordLineBytesMin && Int(entry.length) <= RecordFormat.lineBytesMax)
        precondition(entry.kind != .checkpoint && hashes.count <= IndexFileFormat.keysPerRecordMax)
        guard Int64(entry.offset) + Int64(entry.length) < summary.segmentBytes else {
            throw SystemError(operation: "pread", path: SegmentName.name(first: summary.first), code: SystemError.inputOutput)
        }
        let record = IndexedRecord(
            sequence: entry.sequence, receivedAt: receivedAt, kind: entry.kind, status: status, failureClass: failureClass,
            payloadHash: entry.payloadHash, offset: entry.offset, length: entry.length)
        let place = try pages.place(for: IndexFileFormat.recordBytes)
        record.store(in: &pages.piece, at: place, first: summary.first)

        let ordinal = UInt32(summary.recordCount)
        requests.append(entry.requestHash, ordinal)
        // Two keys of one record may have the same hash: it is found once.
        for index in hashes.indices where !(0..<index).contains(where: { hashes[$0] == hashes[index] }) {
            keys.append(hashes[index], ordinal)
        }
        summary.earliest = summary.recordCount == 0 ? receivedAt : min(summary.earliest, receivedAt)
        summary.latest = summary.recordCount == 0 ? receivedAt : max(summary.latest, receivedAt)
        summary.counts.add(kind: entry.kind, status: status, failureClass: failureClass)
        states.append(record.state.byte)
        summary.recordCount += 1
        summary.last = entry.sequence
        end = Int64(entry.offset) + Int64(entry.length) + 1
    }

    /// Writes what is left, and the header. `last` is the highest sequence that is, or should be, in the segment,
    /// `durable` the highest position that a line in it proves, `damages` its damaged places, or the first of them,
    /// in order. The writer is used up. Returns the index with its filter, so that it need not be read again.
    package mutating func finish(last: UInt64, durable: UInt64, damages: [UnsoundPlace], damageCount: Int) throws(SystemError) -> IndexFile {
        try pages.finishSection()
        summary.keyCount = keys.count
        summary.last = max(summary.last, min(last, RecordFormat.sequenceMax))
        summary.durable = min(durable, RecordFormat.sequenceMax)
        let segment = SegmentName.name(first: summary.first)
        summary.damages = damages.prefix(IndexFileFormat.damagesMax).map {
            UnsoundPlace(
                segment: segment, offset: max(0, min($0.offset, summary.segmentBytes)), sequence: min($0.sequence, RecordFormat.sequenceMax))
        }
        summary.damageCount = max(damageCount, summary.damages.count)

        var filter = RequestFilter(records: summary.recordCount)
        try requests.drain { place throws(SystemError) in
            filter.insert(place.hash)
            try Self.append(place, to: &pages)
        }
        try pages.finishSection()
        try keys.drain { place throws(SystemError) in try Self.append(place, to: &pages) }
        try pages.finishSection()
        for state in states {
            let start = try pages.place(for: 1)
            pages.piece[start] = state
        }
        try pages.finishSection()
        for block in filter.blocks {
            let start = try pages.place(for: IndexFileFormat.blockBytes)
            for word in 0..<8 { LittleEndian.store(block[word], in: &pages.piece, at: start + 8 * word) }
        }
        try pages.finishSection()
        for damage in summary.damages {
            let start = try pages.place(for: IndexFileFormat.damageBytes)
            LittleEndian.store(UInt64(damage.offset), in: &pages.piece, at: start)
            LittleEndian.store(damage.sequence, in: &pages.piece, at: start + 8)
        }
        try pages.finishSection()
        try pages.finish(header: summary.page(versions: versions, hash: hash))
        return IndexFile(summary: summary, filter: filter)
    }

    private static func append(_ place: HashPlace, to pages: inout IndexPageWriter) throws(SystemError) {
        let start = try pages.place(for: IndexFileFormat.hashBytes)
        LittleEndian.store(place.hash, in: &pages.piece, at: start)
        LittleEndian.store(place.ordinal, in: &pages.piece, at: start + 8)
    }
}
