// Going through the states of the log's records, a page of an index file or a handful of entries at a time.
//
// Promises: a walk looks at every record in its range of sequences that there is, in its direction, each once, over
// sealed segments and the open one, however often they are sealed, indexed again or removed meanwhile. It holds no
// segment between two runs. A segment that nobody can be asked about is not passed over: it says so.
// Must not know: which states are wanted, what is superseded.

import Platform

/// The states of some records that stand side by side.
struct StateRun {
    /// In the order of the log.
    private(set) var states: [UInt8] = []
    /// Every record of the log with a sequence in here that the walk has to look at is in the run.
    private(set) var sequences: ClosedRange<UInt64> = 0...0
    private var source = Source.nowhere

    private enum Source {
        case nowhere
        case memory(any File, [RecordEntry])
        /// The run begins with the record at this place of the index.
        case index(SealedSegment, IndexFile, Int)
    }

    /// The sequence of the record at `place`.
    func sequence(_ place: Int, in shared: Shared, using pages: inout IndexPageBuffer) throws(IndexFault) -> UInt64 {
        switch source {
        case .nowhere: return 0
        case .memory(_, let entries): return entries[place].sequence
        case .index(_, let index, let first):
            if index.summary.isDense { return index.summary.first + UInt64(first + place) }
            let sequence = try index.record(first + place, in: shared.files.file(of: index), using: &pages).sequence
            // Out of order in an index file whose checksums are right all the same: no walk goes back for it.
            guard sequences.contains(sequence) else { throw .damaged(page: index.statePlace(first + place).page) }
            return sequence
        }
    }

    /// Where the record at `place` is.
    func location(_ place: Int, in shared: Shared, using pages: inout IndexPageBuffer) throws(IndexFault) -> RecordLocation? {
        switch source {
        case .nowhere: return nil
        case .memory(let file, let entries): return RecordLocation(segment: file, entry: entries[place])
        case .index(let segment, let index, let first):
            let record = try index.record(first + place, in: shared.files.file(of: index), using: &pages)
            return RecordLocation(segment: try shared.open(segment), entry: record.entry(requestHash: 0))
        }
    }

    /// The sealed segment that it is of; nil where that was the open one.
    var segment: SealedSegment? { if case .index(let segment, _, _) = source { segment } else { nil } }

    /// Nothing in `sequences` is to be looked at.
    fileprivate mutating func skip(_ sequences: ClosedRange<UInt64>) {
        states.removeAll(keepingCapacity: true)
        source = .nowhere
        self.sequences = sequences
    }

    /// What comes first of the records of `range` that an index in memory has.
    fileprivate mutating func take(_ index: SegmentIndex, _ range: ClosedRange<UInt64>, isNewestFirst: Bool, in file: any File) {
        let places = index.firstIndex(atOrAbove: range.lowerBound)..<index.firstIndex(atOrAbove: range.upperBound + 1)
        let piece = places.piece(of: StateWalk.entriesAtOnce, atEnd: isNewestFirst)
        skip(range)
        guard !piece.isEmpty else { return }
        let entries = piece.map { (place: Int) in index[place] }
        for entry in entries { states.append(entry.state.byte) }
        source = .memory(file, entries)
        sequences = Self.covered(range, piece, of: places, first: entries[0].sequence, last: entries[entries.count - 1].sequence)
    }

    /// What comes first of the records of `range` that an index file has, as far as one page of states goes.
    fileprivate mutating func take(
        _ index: IndexFile, of segment: SealedSegment, _ range: ClosedRange<UInt64>, isNewestFirst: Bool, in shared: Shared,
        using pages: inout IndexPageBuffer
    ) throws(IndexFault) {
        let file = try shared.files.file(of: index)
        let start = try index.firstOrdinal(atOrAbove: range.lowerBound, in: file, using: &pages)
        let end = try index.firstOrdinal(atOrAbove: range.upperBound + 1, in: file, using: &pages)
        skip(range)
        guard start < end else { return }
        let perPage = IndexFileFormat.statesPerPage
        let piece = (start..<end).piece(of: isNewestFirst ? (end - 1) % perPage + 1 : perPage - start % perPage, atEnd: isNewestFirst)
        let (page, place) = index.statePlace(piece.lowerBound)
        try pages.load(page, ofIndex: index.number, in: file)
        states.append(contentsOf: pages.bytes[place..<place + piece.count])
        source = .index(segment, index, piece.lowerBound)
        let first = try sequence(0, in: shared, using: &pages)
        let last = try sequence(piece.count - 1, in: shared, using: &pages)
        sequences = Self.covered(range, piece, of: start..<end, first: first, last: last)
    }

    /// A run that ends where its segment does covers what is missing there, too.
    private static func covered(
        _ range: ClosedRange<UInt64>, _ piece: Range<Int>, of places: Range<Int>, first: UInt64, last: UInt64
    ) -> ClosedRange<UInt64> {
        let low = piece.lowerBound == places.lowerBound ? range.lowerBound : first
        return low...max(low, piece.upperBound == places.upperBound ? range.upperBound : last)
    }
}

extension Range<Int> {
    /// Its end or its beginning, so many at most.
    fileprivate func piece(of count: Int, atEnd: Bool) -> Range<Int> {
        atEnd ? Swift.max(lowerBound, upperBound - count)..<upperBound : lowerBound..<Swift.min(upperBound, lowerBound + count)
    }
}

struct StateWalk: Sendable {
    /// Entries of an index in memory that are copied at once, of the open one under its lock: some ten microseconds.
    static let entriesAtOnce = 1_024

    /// What is still to be looked at; nothing where `low` is above `high`.
    private(set) var low: UInt64
    private(set) var high: UInt64
    let isNewestFirst: Bool

    init(_ sequences: ClosedRange<UInt64>, isNewestFirst: Bool) {
        low = sequences.lowerBound
        high = sequences.upperBound
        self.isNewestFirst = isNewestFirst
    }

    var isFinished: Bool { low > high }

    /// Nothing below, nor above, is looked at.
    mutating func limit(from lowest: UInt64, through highest: UInt64) {
        low = max(low, lowest)
        high = min(high, highest)
    }

    /// Nothing received before `since`, nor from `until` on, is looked at: sequences are bounded by times, since neither
    /// ever decreases.
    mutating func limit(
        since: Timestamp?, until: Timestamp?, in shared: Shared, using reader: inout RecordReader
    ) throws(RecordReadFailure) {
        if let since { limit(from: try shared.firstSequence(receivedAtOrAfter: since, using: &reader), through: .max) }
        if let until {
            let first = try shared.firstSequence(receivedAtOrAfter: until, using: &reader)
            limit(from: first == 0 ? 1 : 0, through: first == 0 ? 0 : first - 1)
        }
    }

    /// Goes past `sequence`, which was looked at, and all that comes before it in the walk's direction.
    mutating func pass(_ sequence: UInt64) {
        if !isNewestFirst { low = max(low, sequence + 1) } else if sequence > 0 { high = min(high, sequence - 1) } else { (low, high) = (1, 0) }
    }

    mutating func pass(_ run: StateRun) { pass(isNewestFirst ? run.sequences.lowerBound : run.sequences.upperBound) }

    /// The states of the next records, into `run`. False where none are left.
    /// - Parameter isOfUse: whether a segment is to be looked at, by its counts.
    mutating func next(
        _ run: inout StateRun, in shared: Shared, using pages: inout IndexPageBuffer, isOfUse: (RecordCounts) -> Bool
    ) throws(RecordReadFailure) -> Bool {
        while !isFinished {
            guard let segment = sealedSegment(orTake: &run, in: shared) else {
                if !run.states.isEmpty { return true }
                pass(run)
                continue
            }
            let range = max(low, segment.first)...min(high, segment.successor - 1)
            do throws(IndexFault) {
                switch segment.index {
                case .missing: throw .stale
                case .inMemory(let index): run.take(index, range, isNewestFirst: isNewestFirst, in: try shared.open(segment))
                case .onDisk(let index):
                    if isOfUse(index.summary.counts) {
                        try run.take(index, of: segment, range, isNewestFirst: isNewestFirst, in: shared, using: &pages)
                    } else {
                        run.skip(range)
                    }
                }
            } catch {
                try shared.stumble(over: segment)
                continue
            }
            if !run.states.isEmpty { return true }
            pass(run)
        }
        return false
    }

    /// The sealed segment that is next; nil where that is the open one, of which the next entries are taken.
    private mutating func sealedSegment(orTake run: inout StateRun, in shared: Shared) -> SealedSegment? {
        run.skip(low...high)
        let (first, durable, segment) = shared.published.withLock { published -> (UInt64, UInt64, SealedSegment?) in
            // What is below went by retention; what is above is not there yet.
            let first = published.firstSequence
            let low = max(low, first)
            let high = min(high, published.durable)
            if low <= high {
                if let segment = published.sealed.first(endingAbove: isNewestFirst ? high : low) { return (first, published.durable, segment) }
                run.take(published.open.index, max(low, published.open.first)...high, isNewestFirst: isNewestFirst, in: published.open.file)
            }
            return (first, published.durable, nil)
        }
        limit(from: first, through: durable)
        return segment
    }
}

extension Shared {
    /// The index of `segment` could not be asked. Nothing to say where the segment has gone by retention, or has another
    /// index by now: then what is there now is asked.
    func stumble(over segment: SealedSegment) throws(RecordReadFailure) {
        guard sealed(segment.first) === segment else { return }
        if case .missing = segment.index { throw .indexing }
        suspect(segment.first)
        throw .indexing
    }
}
