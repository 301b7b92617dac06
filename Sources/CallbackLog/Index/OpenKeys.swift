// What the records of the open segment can be found by beside their request_id: in memory, as SegmentIndex.
//
// Promises: append-only while it is served, apart by the highest bits of the hash, so that a look-up goes through a 256th. Half
// of a hash is kept: whatever is found may be another key's, and whoever asks verifies the record anyway.
// Must not know: records, what is found by what.

struct OpenKeys: Sendable {
    private static let partCount = 256

    private struct Place {
        let mark: UInt32
        let ordinal: UInt32
    }

    /// By the highest bits of the hash; each in the order of the segment.
    private var parts = [PiecewiseArray<Place, 256>](repeating: PiecewiseArray(), count: partCount)

    mutating func append(_ hash: UInt64, _ ordinal: UInt32) {
        parts[Self.part(of: hash)].append(Place(mark: Self.mark(of: hash), ordinal: ordinal))
    }

    /// Takes away those of `ordinal` and of what came after it.
    mutating func removeAll(from ordinal: UInt32) {
        for part in parts.indices {
            // In the order of the segment, so they stand at the end.
            while let last = parts[part].last, last.ordinal >= ordinal { parts[part].removeLast() }
        }
    }

    /// Calls `body` with the records that have `hash`, newest first, each once, and at most `countMax` of them.
    func forEachNewestFirst(of hash: UInt64, countMax: Int, _ body: (Int) -> Void) {
        let mark = Self.mark(of: hash)
        var found = 0
        var before: UInt32?
        // Two keys of one record may have the same hash.
        let part = Self.part(of: hash)
        for index in (0..<parts[part].count).reversed() {
            let place = parts[part][index]
            guard place.mark == mark, place.ordinal != before else { continue }
            body(Int(place.ordinal))
            before = place.ordinal
            found += 1
            if found == countMax { return }
        }
    }

    private static func part(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 56) }

    /// Below the bits that choose the part.
    private static func mark(of hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 24) }
}
