// Finding the records that have a newer one of their request, where nobody has noted them: after a start, or a loss.
//
//     indexes in memory       each record's request is looked up, as for a new callback
//     index files             their sorted tables of request hashes are merged, one range of hashes after the other
//
// Promises: a record is marked only where its request_id and that of a newer record were read and are the same. What
// cannot be read is not marked, and marks nothing. Memory is one range: about `placesAtOnce` hashes. Off the data path.
// Must not know: when it is done (SupersessionUpkeep.swift), what is kept on disk.

import Platform

struct SupersessionSearch {
    /// About so many hashes are held at once: half a megabyte.
    private static let placesAtOnce = 32_768
    /// Entries of the open segment that are looked at under its lock at once: some ten microseconds.
    private static let entriesAtOnce = 4_096

    private let shared: Shared
    private let isCancelled: () -> Bool
    private var reader = RecordReader()

    /// Ends early, and as if it had failed, once `isCancelled` says so.
    init(_ shared: Shared, isCancelled: @escaping () -> Bool) {
        self.shared = shared
        self.isCancelled = isCancelled
    }

    // MARK: indexes in memory

    /// Marks what a record that is indexed in memory, with a sequence above `position`, has to do with: it supersedes
    /// others, or is superseded. False where that could not be found out.
    mutating func followMemory(above position: UInt64) -> Bool {
        let firsts = shared.published.withLock { published in
            published.sealed.filter { if case .inMemory = $0.index { $0.successor > position + 1 } else { false } }.map(\.first) + [published.open.first]
        }
        // Newest first: then a request's older records are marked when they come.
        for first in firsts.reversed() {
            var end = Int.max
            while end > 0 {
                guard !isCancelled(), let entries = unmarked(in: first, before: &end, above: position) else { return false }
                for hash in entries {
                    let candidates = shared.candidates(of: hash, using: &reader.pages)
                    guard candidates.isWhole else { return false }
                    if candidates.records.count > 1 { mark(candidates.records) }
                }
            }
        }
        return true
    }

    /// The request hashes of some records before `end` in the segment's order, which is moved; nil where the index is no
    /// longer in memory.
    private func unmarked(in first: UInt64, before end: inout Int, above position: UInt64) -> [UInt64]? {
        shared.published.withLock { published in
            let index: SegmentIndex
            if published.open.first == first {
                index = published.open.index
            } else if let sealed = published.sealed.first(where: { $0.first == first }), case .inMemory(let known) = sealed.index {
                index = known
            } else {
                return nil
            }
            var hashes: [UInt64] = []
            end = min(end, index.count)
            let start = max(0, end - Self.entriesAtOnce)
            while end > start {
                end -= 1
                let sequence = index.sequence(end)
                if sequence <= position {
                    end = 0
                    break
                }
                if !published.supersessions.isMarked(sequence) { hashes.append(index.requestHash(end)) }
            }
            return hashes
        }
    }

    /// Marks each of `records`, newest first, that has a newer one of its request among them.
    private mutating func mark(_ records: [RecordLocation]) {
        var requests: Set<[UInt8]> = []
        var superseded: [UInt64] = []
        for record in records where record.kind != .unknown {
            guard let line = try? reader.read(record.entry, in: record.segment) else { continue }
            if !requests.insert(Array(reader.bytes[line.requestID])).inserted { superseded.append(record.sequence) }
        }
        guard !superseded.isEmpty else { return }
        shared.published.withLock { published in for sequence in superseded { published.supersessions.mark(sequence) } }
    }

    // MARK: index files

    private struct Table {
        let segment: SealedSegment
        let index: IndexFile
        /// The first place that is not taken yet.
        var next = 0
    }

    private struct Place {
        let hash: UInt64
        let table: UInt32
        let ordinal: UInt32
    }

    /// Marks the records of index files that others of index files supersede. Calls `between` now and then. False where
    /// that could not be found out.
    mutating func mergeFiles(between: () -> Void) -> Bool {
        var tables = shared.published.withLock { $0.sealed }.compactMap { segment -> Table? in
            if case .onDisk(let index) = segment.index { Table(segment: segment, index: index) } else { nil }
        }
        let count = tables.reduce(0) { $0 + $1.index.summary.recordCount }
        // Ranges of hashes by their highest bits, so many of them.
        var bits: UInt64 = 0
        while count >> Int(bits) > Self.placesAtOnce { bits += 1 }
        for range in 0..<(1 as UInt64) << bits {
            if isCancelled() { return false }
            let last = bits == 0 ? .max : range << (64 - bits) | .max >> bits
            guard var places = take(through: last, from: &tables) else { return false }
            places.sort { ($0.hash, $0.table, $0.ordinal) < ($1.hash, $1.table, $1.ordinal) }
            var start = 0
            while start < places.count {
                var end = start + 1
                while end < places.count, places[end].hash == places[start].hash { end += 1 }
                if end - start > 1, !markRun(places[start..<end], of: tables) { return false }
                start = end
            }
            between()
        }
        return true
    }

    /// Takes the places with hashes through `last` from all tables. Nil where one cannot be read.
    private mutating func take(through last: UInt64, from tables: inout [Table]) -> [Place]? {
        var places: [Place] = []
        for number in tables.indices {
            let index = tables[number].index
            do throws(IndexFault) {
                let file = try shared.files.file(of: index)
                while tables[number].next < index.summary.recordCount {
                    let place = try index.requestPlace(tables[number].next, in: file, using: &reader.pages)
                    if place.hash > last { break }
                    places.append(Place(hash: place.hash, table: UInt32(number), ordinal: place.ordinal))
                    tables[number].next += 1
                }
            } catch {
                guard isGone(tables[number].segment) else { return nil }
                tables[number].next = index.summary.recordCount
            }
        }
        return places
    }

    /// Marks the records of one hash, oldest first in `places`.
    private mutating func markRun(_ places: ArraySlice<Place>, of tables: [Table]) -> Bool {
        var records: [RecordLocation] = []
        for place in places.reversed() {
            let (segment, index) = (tables[Int(place.table)].segment, tables[Int(place.table)].index)
            do throws(IndexFault) {
                let record = try index.record(Int(place.ordinal), in: try shared.files.file(of: index), using: &reader.pages)
                records.append(RecordLocation(segment: try shared.open(segment), entry: record.entry(requestHash: place.hash)))
            } catch {
                guard isGone(segment) else { return false }
            }
        }
        mark(records)
        return true
    }

    /// Whether retention has taken the segment; where not, its index is to be looked at.
    private func isGone(_ segment: SealedSegment) -> Bool {
        guard shared.sealed(segment.first) != nil else { return true }
        shared.suspect(segment.first)
        return false
    }
}
