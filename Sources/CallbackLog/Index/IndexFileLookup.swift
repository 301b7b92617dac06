// Finding the records of a hash in an index file.
//
// Promises: a look-up reads a page of the filter where that is not in memory, one or two pages of hashes, and the
// pages of the records that it finds. Hashes are uniform, so their place is reckoned; should they not be, since they
// are cut short or the file is hostile, the search bisects: it never reads more pages of hashes than that takes, and
// the run. What it gives is newest first, each within the segment.
// Must not know: request_ids: whoever asks verifies the record.

import Platform

extension IndexFile {
    /// How often a place is reckoned before the search bisects.
    private static let reckoningsMax = 4

    /// Appends every record of this request hash, newest first, or the newest 4,000. On a fault `entries` is as before.
    package func appendRecords(
        of requestHash: UInt64, in file: any File, using pages: inout IndexPageBuffer, to entries: inout [RecordEntry]
    ) throws(IndexFault) {
        let probe = RequestFilter.Probe(requestHash)
        if let filter {
            guard filter.mayHold(probe) else { return }
        } else {
            let count = RequestFilter.blockCount(records: summary.recordCount)
            guard count > 0 else { return }
            let block = probe.block(of: count)
            try pages.load(sections.filter.lowerBound + block / IndexFileFormat.blocksPerPage, ofIndex: number, in: file)
            let start = block % IndexFileFormat.blocksPerPage * IndexFileFormat.blockBytes
            guard probe.mayBe(in: RequestFilter.Block(pages.bytes.span, at: start)) else { return }
        }
        try findOrdinals(of: requestHash, countMax: Self.runEntriesMax, in: sections.requests, count: summary.recordCount, file, &pages)
        try appendFound(requestHash: requestHash, file, &pages, to: &entries)
    }

    /// Appends every record that has a key of this hash, newest first, or the newest `countMax`. Their request hash is not
    /// known here: it is 0. On a fault `entries` is as before.
    package func appendRecords(
        ofKey keyHash: UInt64, countMax: Int, in file: any File, using pages: inout IndexPageBuffer, to entries: inout [RecordEntry]
    ) throws(IndexFault) {
        try findOrdinals(of: keyHash, countMax: countMax, in: sections.keys, count: summary.keyCount, file, &pages)
        try appendFound(requestHash: 0, file, &pages, to: &entries)
    }

    /// The record at `ordinal` in the segment's order, below `summary.recordCount`.
    func record(_ ordinal: Int, in file: any File, using pages: inout IndexPageBuffer) throws(IndexFault) -> IndexedRecord {
        precondition(ordinal >= 0 && ordinal < summary.recordCount)
        let page = sections.records.lowerBound + ordinal / IndexFileFormat.recordsPerPage
        try pages.load(page, ofIndex: number, in: file)
        let start = ordinal % IndexFileFormat.recordsPerPage * IndexFileFormat.recordBytes
        guard let record = IndexedRecord(pages.bytes.span, at: start, in: summary) else { throw .damaged(page: page) }
        return record
    }

    /// The page that has the state of the record at `ordinal`, and where it stands on it.
    func statePlace(_ ordinal: Int) -> (page: Int, index: Int) {
        (sections.states.lowerBound + ordinal / IndexFileFormat.statesPerPage, ordinal % IndexFileFormat.statesPerPage)
    }

    /// Where the first record is whose sequence is this one or above it; `summary.recordCount` where there is none.
    func firstOrdinal(atOrAbove sequence: UInt64, in file: any File, using pages: inout IndexPageBuffer) throws(IndexFault) -> Int {
        guard sequence > summary.first else { return 0 }
        // No two records have one sequence, so it cannot lie further; where all are there, it lies there.
        var high = Int(min(sequence - summary.first, UInt64(summary.recordCount)))
        if summary.isDense { return high }
        var low = 0
        while low < high {
            let middle = low + (high - low) / 2
            if try record(middle, in: file, using: &pages).sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The place at `number` in the sorted table of request hashes, below `summary.recordCount`.
    func requestPlace(_ place: Int, in file: any File, using pages: inout IndexPageBuffer) throws(IndexFault) -> HashPlace {
        precondition(place >= 0 && place < summary.recordCount)
        let page = sections.requests.lowerBound + place / IndexFileFormat.hashesPerPage
        try pages.load(page, ofIndex: number, in: file)
        let found = HashPlace(pages.bytes.span, place % IndexFileFormat.hashesPerPage)
        guard Int(found.ordinal) < summary.recordCount else { throw .damaged(page: page) }
        return found
    }

    private func appendFound(
        requestHash: UInt64, _ file: any File, _ pages: inout IndexPageBuffer, to entries: inout [RecordEntry]
    ) throws(IndexFault) {
        let before = entries.count
        do throws(IndexFault) {
            for index in pages.ordinals.indices {
                let ordinal = Int(pages.ordinals[index])
                let record = try record(ordinal, in: file, using: &pages)
                if entries.count > before, record.sequence >= entries[entries.count - 1].sequence {
                    throw .damaged(page: sections.records.lowerBound + ordinal / IndexFileFormat.recordsPerPage)
                }
                entries.append(record.entry(requestHash: requestHash))
            }
        } catch {
            entries.removeSubrange(before...)
            throw error
        }
    }

    // MARK: a table of hashes

    /// Puts the records of `hash`, or the newest `countMax`, into `pages.ordinals`, newest first, from a table with so many places.
    private func findOrdinals(
        of hash: UInt64, countMax: Int, in section: Range<Int>, count: Int, _ file: any File, _ pages: inout IndexPageBuffer
    ) throws(IndexFault) {
        pages.ordinals.removeAll(keepingCapacity: true)
        guard var page = try lastPage(notAbove: hash, in: section, count: count, file, &pages) else { return }
        try pages.load(page, ofIndex: number, in: file)
        var index = placesNotAbove(hash, pages.bytes.span, placesOn(page, of: section, count)) - 1
        while pages.ordinals.count < countMax {
            if index < 0 {
                guard page > section.lowerBound else { return }
                page -= 1
                try pages.load(page, ofIndex: number, in: file)
                index = IndexFileFormat.hashesPerPage - 1
            }
            let place = HashPlace(pages.bytes.span, index)
            guard place.hash == hash else { return }
            guard Int(place.ordinal) < summary.recordCount, pages.ordinals.last.map({ place.ordinal < $0 }) ?? true else {
                throw .damaged(page: page)
            }
            pages.ordinals.append(place.ordinal)
            index -= 1
        }
    }

    /// The last page that begins with a hash not above `hash`, where its run ends if there is one; nil where all are above.
    private func lastPage(
        notAbove hash: UInt64, in section: Range<Int>, count: Int, _ file: any File, _ pages: inout IndexPageBuffer
    ) throws(IndexFault) -> Int? {
        // The page before `low` begins with no more than `hash`, that at `high` with more.
        var low = section.lowerBound
        var high = section.upperBound
        let pageCount = UInt64(section.count)
        guard pageCount > 0 else { return nil }
        /// How many pages hashes that are uniform take to get so much further.
        func pagesAcross(_ distance: UInt64) -> Int { Int(truncatingIfNeeded: distance.multipliedFullWidth(by: pageCount).high) }
        var reckoned = low + pagesAcross(hash)
        var reckonings = 0
        while low < high {
            reckonings += 1
            let page = reckonings > Self.reckoningsMax ? low + (high - low) / 2 : min(max(reckoned, low), high - 1)
            try pages.load(page, ofIndex: number, in: file)
            let lowest = HashPlace(pages.bytes.span, 0).hash
            if lowest > hash {
                high = page
                reckoned = page - 1 - pagesAcross(lowest - hash)
            } else {
                low = page + 1
                let highest = HashPlace(pages.bytes.span, placesOn(page, of: section, count) - 1).hash
                if highest > hash { break }
                reckoned = low + pagesAcross(hash - highest)
            }
        }
        return low > section.lowerBound ? low - 1 : nil
    }

    /// How many places are on a page of the section.
    func placesOn(_ page: Int, of section: Range<Int>, _ count: Int) -> Int {
        min(IndexFileFormat.hashesPerPage, count - (page - section.lowerBound) * IndexFileFormat.hashesPerPage)
    }

    /// How many of the first `count` places of a page are not above `hash`.
    private func placesNotAbove(_ hash: UInt64, _ page: Span<UInt8>, _ count: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if HashPlace(page, middle).hash > hash { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension HashPlace {
    /// The place of this index on a page.
    @inline(__always)
    init(_ page: Span<UInt8>, _ index: Int) {
        let start = index * IndexFileFormat.hashBytes
        self.init(hash: LittleEndian.load64(page, at: start), ordinal: LittleEndian.load32(page, at: start + 8))
    }
}
