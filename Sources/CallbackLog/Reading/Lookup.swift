// From a hash to the records that have it, over all segments.
//
// Promises: newest first, all as of one moment; nothing above the durable position. What a hash leads to is a
// candidate: whose it is stands in its line, and has to be read. Says so where a segment could not be asked.
// Must not know: request_ids, payloads.

import Platform

/// A record that has the hash that was asked for.
struct Candidate {
    let segment: any File
    let entry: RecordEntry
}

/// What a hash leads to.
struct Candidates {
    /// Newest first.
    var records: [Candidate] = []
    /// False where a segment could not be asked: its index is being made, or cannot be read.
    var isWhole = true
}

extension Shared {
    /// Every record whose request hash is this one.
    func candidates(of requestHash: UInt64, using pages: inout IndexPageBuffer) -> Candidates {
        var found = Candidates()
        var entries: [RecordEntry] = []
        let (sealed, filters, file) = published.withLock { published in
            published.open.index.appendEntries(of: requestHash, to: &entries)
            return (published.sealed, published.filters, published.open.file)
        }
        for entry in entries { found.records.append(Candidate(segment: file, entry: entry)) }
        let probe = RequestFilter.Probe(requestHash)
        var index = filters.count
        while let next = filters.last(before: index, mayHold: probe) {
            ask(sealed[next], requestHash, &found, &entries, &pages)
            index = next
        }
        return found
    }

    private func ask(
        _ segment: SealedSegment, _ requestHash: UInt64, _ found: inout Candidates, _ entries: inout [RecordEntry],
        _ pages: inout IndexPageBuffer
    ) {
        if case .missing = segment.index { return found.isWhole = false }
        do throws(IndexFault) {
            return try appendCandidates(in: segment, requestHash, &found, &entries, &pages)
        } catch {
            // Perhaps another index has taken its place since the look-up began, and its file was read instead.
            files.forget(.index, of: segment.first)
        }
        // Removed by retention since: then there is nothing to find.
        guard let present = sealed(segment.first) else { return }
        do throws(IndexFault) {
            try appendCandidates(in: present, requestHash, &found, &entries, &pages)
        } catch {
            found.isWhole = false
            suspect(segment.first)
        }
    }

    private func appendCandidates(
        in segment: SealedSegment, _ requestHash: UInt64, _ found: inout Candidates, _ entries: inout [RecordEntry],
        _ pages: inout IndexPageBuffer
    ) throws(IndexFault) {
        entries.removeAll(keepingCapacity: true)
        switch segment.index {
        case .inMemory(let index): index.appendEntries(of: requestHash, to: &entries)
        case .onDisk(let index): try index.appendRecords(of: requestHash, in: try open(.index, segment), using: &pages, to: &entries)
        case .missing: found.isWhole = false
        }
        guard !entries.isEmpty else { return }
        let file = try open(.segment, segment)
        for entry in entries { found.records.append(Candidate(segment: file, entry: entry)) }
    }

    private func open(_ role: OpenFiles.Role, _ segment: SealedSegment) throws(IndexFault) -> any File {
        do throws(SystemError) {
            return try files.file(role, of: segment.first)
        } catch {
            throw .system(error)
        }
    }
}
