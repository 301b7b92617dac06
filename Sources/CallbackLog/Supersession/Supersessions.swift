// Which records are no longer the newest of their request: a bit for each that is not.
//
// Promises: a bit that is set is true: its request has a newer record, which was found by reading both. A bit that is
// not set says nothing until `isWhole`. 1.25 MB for ten million records; a chunk is made only when a bit in it is set.
// The newest supersessions are kept one by one, so that the log can be seen as of an older position. Everything is
// derived (invariant 6): kept in a file, followed up from there at a start, or made again from the indexes.
// Must not know: files, indexes, what a record is.

struct Supersessions: Sendable {
    /// Records of one chunk, 8 KiB of bits.
    static let chunkRecords: UInt64 = 65_536
    static let chunkWords = Int(chunkRecords) / 64
    /// Supersessions that are kept one by one: 1 MiB. A view of the log that more have happened since has to look
    /// closer at each record.
    static let recentMax = 65_536

    struct Supersession: Equatable, Sendable {
        let record: UInt64
        /// The newer record of the same request.
        let by: UInt64
    }

    /// By sequence, divided by `chunkRecords`.
    private(set) var chunks: [UInt64: [UInt64]] = [:]
    /// Every record that has a newer one of its request has its bit.
    private(set) var isWhole: Bool
    /// How often track was lost: whoever has followed up says with it what it has seen.
    private(set) var losses: UInt64 = 0
    /// By the superseding record, ascending; a ring that begins at `oldest` once it is full.
    private var recent: [Supersession] = []
    private var oldest = 0
    /// Every supersession by a record above this one is among the recent.
    private var recentBehind: UInt64
    /// The position through which the file on disk says it; 0 for none.
    var keptThrough: UInt64 = 0

    /// Of a log as of `durable`, about which nothing is known.
    init(durable: UInt64, isWhole: Bool = false) {
        recentBehind = durable
        self.isWhole = isWhole
    }

    /// `record` is no longer the newest of its request: `newer`, which becomes visible now, is.
    mutating func note(_ record: UInt64, by newer: UInt64) {
        mark(record)
        let supersession = Supersession(record: record, by: newer)
        guard recent.count == Self.recentMax else { return recent.append(supersession) }
        recentBehind = recent[oldest].by
        recent[oldest] = supersession
        oldest = (oldest + 1) % Self.recentMax
    }

    /// The same of a record that was superseded before the log was opened.
    mutating func mark(_ record: UInt64) {
        let place = Int(record % Self.chunkRecords)
        chunks[record / Self.chunkRecords, default: [UInt64](repeating: 0, count: Self.chunkWords)][place / 64] |= 1 << UInt64(place % 64)
    }

    func isMarked(_ record: UInt64) -> Bool {
        chunks[record / Self.chunkRecords].map { Self.isSet(record, in: $0) } ?? false
    }

    /// Whether `chunk`, which is the record's, has its bit.
    @inline(__always)
    static func isSet(_ record: UInt64, in chunk: [UInt64]) -> Bool {
        let place = Int(record % chunkRecords)
        return chunk[place / 64] >> UInt64(place % 64) & 1 == 1
    }

    /// Takes over what a file says: nothing else was known. Through its position it is all.
    mutating func take(_ chunks: [UInt64: [UInt64]]) {
        for (number, words) in chunks {
            guard let known = self.chunks[number] else {
                self.chunks[number] = words
                continue
            }
            self.chunks[number] = zip(known, words).map { $0 | $1 }
        }
    }

    /// All is known again, unless track was lost since there were `losses`.
    mutating func becomeWhole(losses: UInt64) {
        if self.losses == losses { isWhole = true }
    }

    /// Records became visible whose predecessors nobody could look for.
    mutating func loseTrack() {
        isWhole = false
        losses += 1
    }

    /// Records are gone that superseded others: nothing is known any more.
    mutating func forget() {
        chunks = [:]
        keptThrough = 0
        loseTrack()
    }

    /// Retention has removed all records below `first`.
    mutating func forget(below first: UInt64) {
        for number in chunks.keys where (number + 1) * Self.chunkRecords <= first { chunks[number] = nil }
    }

    /// Adds to `records` those up to `position` that were superseded by records above `position` and above `seen`. False
    /// where not all of these are known one by one.
    func addRecent(above seen: UInt64, asOf position: UInt64, to records: inout Set<UInt64>) -> Bool {
        let start = max(seen, position)
        guard recentBehind <= start else { return false }
        var low = 0
        var high = recent.count
        while low < high {
            let middle = low + (high - low) / 2
            if recent[(oldest + middle) % recent.count].by <= start { low = middle + 1 } else { high = middle }
        }
        for index in low..<recent.count {
            let supersession = recent[(oldest + index) % recent.count]
            if supersession.record <= position { records.insert(supersession.record) }
        }
        return true
    }
}

/// The log as of a position: which records were the newest of their requests then. For one reader after the other.
struct NewestView: Sendable {
    let position: UInt64
    /// Superseded, but only since.
    private var revived: Set<UInt64> = []
    /// Supersessions by records up to here are among `revived`.
    private var seen: UInt64
    /// So many have happened since that not all of them are known one by one: then everything may be the newest.
    private(set) var isBlind = false
    private var chunkNumber: UInt64?
    private var chunk: [UInt64]?

    init(asOf position: UInt64) {
        self.position = position
        seen = position
    }

    /// False only where the record was superseded, as of the position.
    mutating func mayBeNewest(_ record: UInt64, in shared: Shared) -> Bool { isNewest(record, in: shared) || isBlind }

    /// Whether it is not superseded, or only since the position, as far as that is known.
    mutating func isNewest(_ record: UInt64, in shared: Shared) -> Bool {
        let number = record / Supersessions.chunkRecords
        if number != chunkNumber {
            shared.published.withLock { published in
                chunk = published.supersessions.chunks[number]
                if !published.supersessions.addRecent(above: seen, asOf: position, to: &revived) { isBlind = true }
                seen = max(seen, published.durable)
            }
            chunkNumber = number
        }
        guard let chunk, Supersessions.isSet(record, in: chunk) else { return true }
        return revived.contains(record)
    }
}
