// The index of one sealed segment, ready to be asked.
//
// Promises: constants and, where it is kept, the filter; no descriptor. Whoever asks brings the file; of any other than
// it was made from no page is taken. Trusts nothing in it: a fault is thrown and never answered wrongly around, and
// no entry lies outside the segment. Memory follows the segment's size, not what the file claims.
// Must not know: when the file is opened, whether records can be read, what is rebuilt.

import Platform

package final class IndexFile: Sendable {
    /// Of records with one hash, the newest that a look-up gives: four requests' worth, should their hashes collide.
    package static let runEntriesMax = CallbackLog.recordsPerRequestMax * 4

    package let summary: SegmentSummary
    /// Nil where it is not kept: then it is asked in the file.
    let filter: RequestFilter?
    let sections: IndexSections

    /// Of a file that was written so, or read.
    init(summary: SegmentSummary, filter: RequestFilter?) {
        self.summary = summary
        self.filter = filter
        sections = summary.sections
    }

    var number: UInt64 { summary.number }

    /// Reads the header, the damaged places and, where it is kept, the filter of the index in `file`: of the segment
    /// that begins with `first` and has so many bytes, while the next one begins with `successor`. The other pages
    /// are checked when they are read.
    package convenience init(
        _ file: any File, first: UInt64, successor: UInt64, segmentBytes: Int64, versions: DerivedVersions, hash: KeyedHash,
        keepsFilter: Bool
    ) throws(IndexFault) {
        let size: Int64
        do throws(SystemError) {
            size = try file.size()
        } catch {
            throw .system(error)
        }
        var pages = IndexPageBuffer()
        do throws(IndexFault) {
            try pages.load(0, ofIndex: IndexPage.header, in: file)
        } catch {
            // What is not sound and does not even begin as an index never was one.
            if case .damaged = error, !SegmentSummary.isIndex(pages.bytes.span) { throw .notAnIndex }
            throw error
        }
        guard SegmentSummary.isIndex(pages.bytes.span) else { throw .notAnIndex }
        var summary = SegmentSummary(first: first, successor: successor, segmentBytes: segmentBytes)
        let listed = try summary.read(pages.bytes.span, versions: versions, hash: hash)

        let sections = IndexSections(records: summary.recordCount, keys: summary.keyCount, damages: listed)
        guard size == Int64(sections.pageCount) * Int64(IndexPage.bytes) else {
            throw .damaged(page: min(sections.pageCount, Int(size / Int64(IndexPage.bytes))))
        }
        let segment = SegmentName.name(first: first)
        for index in 0..<listed {
            let page = sections.damages.lowerBound + index / IndexFileFormat.damagesPerPage
            try pages.load(page, ofIndex: summary.number, in: file)
            let start = index % IndexFileFormat.damagesPerPage * IndexFileFormat.damageBytes
            guard let place = UnsoundPlace(pages.bytes.span, at: start, in: summary, segment: segment) else { throw .damaged(page: page) }
            summary.damages.append(place)
        }
        let filter = keepsFilter ? try Self.filter(in: sections.filter, records: summary.recordCount, summary.number, file, &pages) : nil
        self.init(summary: summary, filter: filter)
    }

    private static func filter(
        in section: Range<Int>, records: Int, _ number: UInt64, _ file: any File, _ pages: inout IndexPageBuffer
    ) throws(IndexFault) -> RequestFilter {
        let count = RequestFilter.blockCount(records: records)
        var blocks: [RequestFilter.Block] = []
        blocks.reserveCapacity(count)
        for index in 0..<count {
            try pages.load(section.lowerBound + index / IndexFileFormat.blocksPerPage, ofIndex: number, in: file)
            blocks.append(RequestFilter.Block(pages.bytes.span, at: index % IndexFileFormat.blocksPerPage * IndexFileFormat.blockBytes))
        }
        return RequestFilter(blocks)
    }

    /// The same index, asking its filter in the file.
    package func withoutFilter() -> IndexFile { IndexFile(summary: summary, filter: nil) }

    /// The same index with its filter in memory, which is read where it was not.
    func withFilter(from file: any File, using pages: inout IndexPageBuffer) throws(IndexFault) -> IndexFile {
        if filter != nil { return self }
        let filter = try Self.filter(in: sections.filter, records: summary.recordCount, number, file, &pages)
        return IndexFile(summary: summary, filter: filter)
    }

    /// False: no record has this request hash. Nil where the filter is not in memory.
    @inline(__always)
    func mayHold(_ requestHash: UInt64) -> Bool? { mayHold(RequestFilter.Probe(requestHash)) }

    /// The same; for whoever asks many indexes of one hash.
    @inline(__always)
    func mayHold(_ probe: RequestFilter.Probe) -> Bool? { filter?.mayHold(probe) }
}

extension RequestFilter.Block {
    /// The block at `start` of a page.
    init(_ page: Span<UInt8>, at start: Int) {
        self = .zero
        for word in 0..<8 { self[word] = LittleEndian.load64(page, at: start + 8 * word) }
    }
}
