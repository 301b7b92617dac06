// From a sequence to the record that has it, or to the next one there is.
//
// Promises: nothing above the durable position; nothing is skipped but what is not there: what was lost to damage, or
// went by retention. A segment whose index is being made is not skipped: it says so.
// Must not know: what is in a record, who follows the log.

import Platform

extension Shared {
    /// The first record there is with this sequence or a higher one.
    func record(atOrAfter sequence: UInt64, using pages: inout IndexPageBuffer) throws(RecordReadFailure) -> RecordLocation? {
        var wanted = sequence
        while true {
            // As it is now: what was found of the segment before it may have gone.
            let (sealed, found) = published.withLock { published -> (SealedSegment?, RecordLocation?) in
                if let segment = published.sealed.first(endingAbove: wanted) { return (segment, nil) }
                let place = published.open.index.firstIndex(atOrAbove: wanted)
                guard place < published.open.index.count else { return (nil, nil) }
                return (nil, RecordLocation(segment: published.open.file, entry: published.open.index[place]))
            }
            guard let sealed else { return found }
            if case .missing = sealed.index { throw .indexing }
            do throws(IndexFault) {
                if let location = try firstRecord(of: sealed, atOrAbove: wanted, using: &pages) { return location }
                wanted = sealed.successor
            } catch {
                // Gone by retention, or read again since: then what is there now is asked.
                guard self.sealed(sealed.first) === sealed else { continue }
                suspect(sealed.first)
                throw .indexing
            }
        }
    }

    private func firstRecord(
        of segment: SealedSegment, atOrAbove sequence: UInt64, using pages: inout IndexPageBuffer
    ) throws(IndexFault) -> RecordLocation? {
        switch segment.index {
        case .missing: return nil
        case .inMemory(let index):
            let place = index.firstIndex(atOrAbove: sequence)
            return place < index.count ? RecordLocation(segment: try open(segment), entry: index[place]) : nil
        case .onDisk(let index):
            let file = try files.file(of: index)
            let ordinal = try index.firstOrdinal(atOrAbove: sequence, in: file, using: &pages)
            guard ordinal < index.summary.recordCount else { return nil }
            let record = try index.record(ordinal, in: file, using: &pages)
            // Out of order in an index file whose checksums are right all the same: nobody is sent back.
            guard record.sequence >= sequence else { throw .damaged(page: index.sections.records.lowerBound) }
            return RecordLocation(segment: try open(segment), entry: record.entry(requestHash: 0))
        }
    }
}

extension [SealedSegment] {
    /// The first one that has, or should have, a sequence at or above this one.
    func first(endingAbove sequence: UInt64) -> SealedSegment? {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle].successor <= sequence { low = middle + 1 } else { high = middle }
        }
        return low < count ? self[low] : nil
    }
}
