// From a hash to the records that have it, over all segments.
//
// Promises: newest first, all as of one moment; nothing above the durable position. What a hash leads to is a
// candidate: whose it is stands in its line, and has to be read. Says so where a segment could not be asked.
// Must not know: request_ids, payloads.

import Platform

/// A record that has the hash that was asked for.
typealias Candidate = RecordLocation

/// What a hash leads to.
struct Candidates {
    /// Newest first.
    var records: [RecordLocation] = []
    /// Segments that could not be asked: their index is being made, or cannot be read.
    var unread = Unread()
    var isWhole: Bool { unread.segments == nil }

    fileprivate mutating func append(_ entries: [RecordEntry], in segment: any File) {
        for entry in entries { records.append(RecordLocation(segment: segment, entry: entry)) }
    }
}

/// Where there may be more of what was looked for.
struct Unread: Equatable {
    /// Those that could not be read.
    var records: Set<UInt64> = []
    /// From the first segment that could not be asked through the last.
    private(set) var segments: Range<UInt64>?
    var isEmpty: Bool { records.isEmpty && segments == nil }

    mutating func insert(_ sequences: Range<UInt64>) {
        segments = min(sequences.lowerBound, segments?.lowerBound ?? .max)..<max(sequences.upperBound, segments?.upperBound ?? 0)
    }

    mutating func formUnion(_ other: Unread) {
        records.formUnion(other.records)
        if let sequences = other.segments { insert(sequences) }
    }
}

extension Shared {
    /// Every record whose request hash is this one.
    func candidates(of requestHash: UInt64, using pages: inout IndexPageBuffer) -> Candidates {
        var found = Candidates()
        pages.entries.removeAll(keepingCapacity: true)
        let (sealed, filters, file) = published.withLock { published in
            published.open.index.appendEntries(of: requestHash, to: &pages.entries)
            return (published.sealed, published.filters, published.open.file)
        }
        found.append(pages.entries, in: file)
        let probe = RequestFilter.Probe(requestHash)
        var index = filters.count
        while let next = filters.last(before: index, mayHold: probe) {
            ask(sealed[next], requestHash, &found, &pages)
            index = next
        }
        return found
    }

    private func ask(
        _ segment: SealedSegment, _ requestHash: UInt64, _ found: inout Candidates, _ pages: inout IndexPageBuffer
    ) {
        var entries: [RecordEntry] = []
        swap(&entries, &pages.entries)
        defer { swap(&entries, &pages.entries) }
        entries.removeAll(keepingCapacity: true)
        do throws(IndexFault) {
            switch segment.index {
            case .inMemory(let index): index.appendEntries(of: requestHash, to: &entries)
            case .onDisk(let index):
                let file = try pages.disk.during { () throws(IndexFault) in try files.file(of: index) }
                try index.appendRecords(of: requestHash, in: file, using: &pages, to: &entries)
            case .missing:
                found.unread.insert(segment.sequences)
            }
            guard !entries.isEmpty else { return }
            found.append(entries, in: try pages.disk.during { () throws(IndexFault) in try open(segment) })
        } catch {
            // Removed by retention since the look-up began: then there is nothing to find. Or read again since.
            let present = published.withLock { $0.sealed.first { $0.first == segment.first } }
            guard let present else { return }
            guard present === segment else { return ask(present, requestHash, &found, &pages) }
            found.unread.insert(segment.sequences)
            suspect(segment.first)
        }
    }

    /// The file of a sealed segment.
    func open(_ segment: SealedSegment) throws(IndexFault) -> any File {
        do throws(SystemError) {
            return try files.segment(segment.first)
        } catch {
            throw .system(error)
        }
    }
}
