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
    /// False where a segment could not be asked: its index is being made, or cannot be read.
    var isWhole = true

    fileprivate mutating func append(_ entries: [RecordEntry], in segment: any File) {
        for entry in entries { records.append(RecordLocation(segment: segment, entry: entry)) }
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
                found.isWhole = false
            }
            guard !entries.isEmpty else { return }
            found.append(entries, in: try pages.disk.during { () throws(IndexFault) in try open(segment) })
        } catch {
            // Removed by retention since the look-up began: then there is nothing to find. Or read again since.
            let present = published.withLock { $0.sealed.first { $0.first == segment.first } }
            guard let present else { return }
            guard present === segment else { return ask(present, requestHash, &found, &pages) }
            found.isWhole = false
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
