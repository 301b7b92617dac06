// From a moment to the first record that was received then or later.
//
// Promises: few reads: times never decrease in a log (API.md §7), so it bisects; which segment it is their summaries
// tell. What cannot be read is passed over.
// Must not know: what the moment is for.

import Platform

extension Shared {
    /// The sequence of the first record that was received at `moment` or later; one above the durable position where
    /// there is none. Records below `start` are not asked.
    func firstSequence(
        receivedAtOrAfter moment: Timestamp, from start: UInt64 = 0, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> UInt64 {
        var low = start
        while true {
            let (segment, open, durable) = published.withLock { ($0.sealed.first(endingAbove: low), $0.open.first, $0.durable) }
            guard let segment else { return try firstOpenSequence(receivedAtOrAfter: moment, from: max(low, open), through: durable, using: &reader) }
            if case .onDisk(let index) = segment.index, index.summary.recordCount == 0 || index.summary.latest < moment {
                low = segment.successor
                continue
            }
            do throws(IndexFault) {
                if let sequence = try firstSequence(of: segment, receivedAtOrAfter: moment, from: low, using: &reader) { return sequence }
                low = segment.successor
            } catch {
                try stumble(over: segment)
            }
        }
    }

    private func firstSequence(
        of segment: SealedSegment, receivedAtOrAfter moment: Timestamp, from start: UInt64, using reader: inout RecordReader
    ) throws(IndexFault) -> UInt64? {
        switch segment.index {
        case .missing: throw .stale
        case .inMemory(let index):
            let file = try open(segment)
            let count = index.count
            let place = Self.bisect(index.firstIndex(atOrAbove: start)..<count) { place in
                (try? reader.read(index[place], in: file)).map { $0.receivedAt >= moment }
            }
            return place < count ? index.sequence(place) : nil
        case .onDisk(let index):
            let file = try files.file(of: index)
            var low = try index.firstOrdinal(atOrAbove: start, in: file, using: &reader.pages)
            var high = index.summary.recordCount
            while low < high {
                let middle = low + (high - low) / 2
                if try index.record(middle, in: file, using: &reader.pages).receivedAt < moment { low = middle + 1 } else { high = middle }
            }
            return low < index.summary.recordCount ? try index.record(low, in: file, using: &reader.pages).sequence : nil
        }
    }

    private func firstOpenSequence(
        receivedAtOrAfter moment: Timestamp, from start: UInt64, through durable: UInt64, using reader: inout RecordReader
    ) throws(RecordReadFailure) -> UInt64 {
        let (first, places) = published.withLock { published in
            (published.open.first, published.open.index.firstIndex(atOrAbove: start)..<published.open.index.firstIndex(atOrAbove: durable + 1))
        }
        let place = Self.bisect(places) { place in
            guard let location = openRecord(place, of: first) else { return nil }
            return (try? reader.read(location.entry, in: location.segment)).map { $0.receivedAt >= moment }
        }
        guard place < places.upperBound else { return durable + 1 }
        // Sealed meanwhile: then it is asked as such.
        guard let location = openRecord(place, of: first) else {
            return try firstSequence(receivedAtOrAfter: moment, from: start, using: &reader)
        }
        return location.sequence
    }

    /// The entry at `place` of the open segment, as long as that is the one that begins with `first`.
    private func openRecord(_ place: Int, of first: UInt64) -> RecordLocation? {
        published.withLock { published in
            guard published.open.first == first, place < published.open.index.count else { return nil }
            return RecordLocation(segment: published.open.file, entry: published.open.index[place])
        }
    }

    /// The first of `places` that `isAtOrAfter` is true for, where it is false and then true; its end where there is none.
    /// It is nil for what cannot be told, which counts as what comes behind it.
    private static func bisect(_ places: Range<Int>, _ isAtOrAfter: (Int) -> Bool?) -> Int {
        var low = places.lowerBound
        var high = places.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            var probe = middle
            var answer: Bool?
            while probe < high {
                answer = isAtOrAfter(probe)
                if answer != nil { break }
                probe += 1
            }
            if answer == false { low = probe + 1 } else { high = middle }
        }
        return low
    }
}
