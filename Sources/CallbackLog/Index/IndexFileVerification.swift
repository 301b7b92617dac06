// An index file held against all that it promises, page by page.
//
// Promises: what passes was written so, and answers every look-up as the writer meant it. Memory is a few pages, the
// filter, and a byte for each record. Must not know: the segment's own lines: whoever has them compares the records.

import Platform

extension IndexFile {
    /// Calls `body` with every record, in the segment's order.
    package func forEachRecord(
        in file: any File, using pages: inout IndexPageBuffer, _ body: (IndexedRecord) throws(IndexFault) -> Void
    ) throws(IndexFault) {
        for ordinal in 0..<summary.recordCount { try body(record(ordinal, in: file, using: &pages)) }
    }

    /// Checks every page, that records are in order and as the header counts them, that both tables of hashes are in
    /// order and lead to records, the requests' to each record once, that the filter holds every request hash, and that
    /// the states are the records'.
    package func verify(in file: any File, using pages: inout IndexPageBuffer) throws(IndexFault) {
        var header = IndexPageBuffer()
        try header.load(0, ofIndex: IndexPage.header, in: file)
        for page in [sections.filter, sections.damages].joined() { try pages.load(page, ofIndex: number, in: file) }
        try verifyRecords(file, &pages)
        let filter = try withoutFilter().withFilter(from: file, using: &pages).filter
        var isSeen = [Bool](repeating: false, count: summary.recordCount)
        try forEachPlace(in: sections.requests, count: summary.recordCount, file, &pages) { place, page throws(IndexFault) in
            guard !isSeen[Int(place.ordinal)], filter?.mayHold(RequestFilter.Probe(place.hash)) == true else { throw .damaged(page: page) }
            isSeen[Int(place.ordinal)] = true
        }
        try forEachPlace(in: sections.keys, count: summary.keyCount, file, &pages) { _, _ in }
    }

    private func verifyRecords(_ file: any File, _ pages: inout IndexPageBuffer) throws(IndexFault) {
        var states = IndexPageBuffer()
        var counts = RecordCounts()
        var before: IndexedRecord?
        var earliest: Timestamp?
        var latest: Timestamp?
        for ordinal in 0..<summary.recordCount {
            let record = try record(ordinal, in: file, using: &pages)
            if let before, record.sequence <= before.sequence || UInt64(record.offset) <= UInt64(before.offset) + UInt64(before.length) {
                throw .damaged(page: sections.records.lowerBound + ordinal / IndexFileFormat.recordsPerPage)
            }
            counts.add(kind: record.kind, status: record.status, failureClass: record.failureClass)
            let (page, index) = statePlace(ordinal)
            try states.load(page, ofIndex: number, in: file)
            guard states.bytes[index] == record.state.byte else { throw .damaged(page: page) }
            earliest = min(earliest ?? record.receivedAt, record.receivedAt)
            latest = max(latest ?? record.receivedAt, record.receivedAt)
            before = record
        }
        guard counts == summary.counts, before.map({ $0.sequence <= summary.last }) ?? true,
            earliest ?? summary.earliest == summary.earliest, latest ?? summary.latest == summary.latest
        else { throw .damaged(page: 0) }
    }

    /// Every place of a table, each above the one before it and of a record that there is.
    private func forEachPlace(
        in section: Range<Int>, count: Int, _ file: any File, _ pages: inout IndexPageBuffer,
        _ body: (HashPlace, _ page: Int) throws(IndexFault) -> Void
    ) throws(IndexFault) {
        var before: HashPlace?
        for page in section {
            try pages.load(page, ofIndex: number, in: file)
            for index in 0..<placesOn(page, of: section, count) {
                let place = HashPlace(pages.bytes.span, index)
                guard Int(place.ordinal) < summary.recordCount, before.map({ $0 < place }) ?? true else { throw .damaged(page: page) }
                try body(place, page)
                before = place
            }
        }
    }
}
