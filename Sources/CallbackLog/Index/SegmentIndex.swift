// Where the records of the open segment are, by request_id: in memory, since it grows with every batch.
//
// Promises: entries of fixed width in the order of the segment, linked newest first by their keyed 64-bit hashes,
// hash tables to the newest of each, and beside them what else a record is found by (OpenKeys.swift). Holds hashes,
// never keys: whoever looks something up verifies the key in the record. Append-only while it is served, in pieces: no append
// copies more than a 256th of the table, so nobody waits for a table that grows.
// Must not know: files, durability; it is derived and can be rebuilt (invariant 6).

/// Where one record of a segment is, and what can be told of it unread.
package struct RecordEntry: Sendable, Equatable {
    package let sequence: UInt64
    package let requestHash: UInt64
    package let payloadHash: UInt64
    /// Of the line's first byte in the segment.
    package let offset: UInt32
    /// Of the line, without its line feed. At most `RecordFormat.lineBytesMax`.
    package let length: UInt32
    package let kind: RecordKind
    package let state: RecordState

    /// - Parameter state: nil where nobody has told anything of the record.
    package init(
        sequence: UInt64, requestHash: UInt64, payloadHash: UInt64, offset: UInt32, length: UInt32, kind: RecordKind, state: RecordState? = nil
    ) {
        self.sequence = sequence
        self.requestHash = requestHash
        self.payloadHash = payloadHash
        self.offset = offset
        self.length = length
        self.kind = kind
        self.state = state ?? RecordState(kind)
    }

    /// The same once it is told what the record says of itself.
    func described(as state: RecordState) -> RecordEntry {
        RecordEntry(
            sequence: sequence, requestHash: requestHash, payloadHash: payloadHash, offset: offset, length: length, kind: kind, state: state)
    }

    /// The entry of a sound line that is a record, at `offset` of a segment that begins with `first`. Nil where a
    /// segment's bounds of 4 GiB and 2^32 sequences are passed: no log of ours has such a line, so it is not served.
    init?(_ line: ParsedLine, _ bytes: Span<UInt8>, at offset: Int64, first: UInt64, hash: KeyedHash, identifier: inout [UInt8]) {
        guard let sequence = line.sequence, sequence >= first, sequence - first <= UInt64(UInt32.max), offset <= Int64(UInt32.max) else { return nil }
        identifier.removeAll(keepingCapacity: true)
        line.appendRequestID(of: bytes, to: &identifier)
        self.init(
            sequence: sequence, requestHash: hash.hash(identifier.span), payloadHash: hash.hash(bytes.extracting(line.payload)),
            offset: UInt32(offset), length: UInt32(bytes.count), kind: line.kind)
    }
}

struct SegmentIndex: Sendable {
    /// An entry in 32 bytes.
    private struct Packed {
        let requestHash: UInt64
        let payloadHash: UInt64
        let offset: UInt32
        /// The length below, the low half of the state above it, the kind in the top three bits.
        let lengthAndKind: UInt32
        /// Above the segment's first.
        let sequence: UInt32
        /// The entry before it of the same hash, plus one, or 0 for none; the high half of the state in the top four bits.
        let previousAndClass: UInt32

        /// A segment of 4 GiB has fewer entries than these bits count: no line of a record is below 100 bytes.
        var previous: UInt32 { previousAndClass & (1 << SegmentIndex.classShift - 1) }
        var state: RecordState {
            RecordState(byte: UInt8(truncatingIfNeeded: lengthAndKind >> SegmentIndex.statusShift & 15 | (previousAndClass >> SegmentIndex.classShift) << 4))
        }
    }

    private typealias Entries = PiecewiseArray<Packed, 8_192>
    private static let tableCount = 256
    /// `RecordFormat.lineBytesMax` has 25 bits.
    private static let statusShift: UInt32 = 25
    private static let kindShift: UInt32 = 29
    private static let classShift: UInt32 = 28

    /// The segment's first sequence.
    let first: UInt64
    private var entries = Entries()
    /// By the highest bits of the hash.
    private var tables = [HashTable](repeating: HashTable(), count: tableCount)
    private var keys = OpenKeys()

    init(first: UInt64) { self.first = first }

    var count: Int { entries.count }

    /// The entry at `index` in the order of the segment.
    subscript(index: Int) -> RecordEntry {
        let packed = entries[index]
        return RecordEntry(
            sequence: first + UInt64(packed.sequence), requestHash: packed.requestHash, payloadHash: packed.payloadHash,
            offset: packed.offset, length: packed.lengthAndKind & (1 << Self.statusShift - 1),
            kind: RecordKind(rawValue: UInt8(packed.lengthAndKind >> Self.kindShift)) ?? .unknown, state: packed.state)
    }

    /// The first entry whose sequence is above this one.
    func firstIndex(above sequence: UInt64) -> Int? {
        let index = firstIndex(atOrAbove: sequence + 1)
        return index < count ? index : nil
    }

    /// Where the first entry is whose sequence is this one or above it; `count` where there is none.
    func firstIndex(atOrAbove sequence: UInt64) -> Int {
        guard sequence > first else { return 0 }
        // No two entries have one sequence, so it cannot lie further; without a hole it lies there.
        var high = Int(min(sequence - first, UInt64(count)))
        if high < count, self.sequence(high) == sequence { return high }
        var low = 0
        while low < high {
            let middle = low + (high - low) / 2
            if self.sequence(middle) < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Of the entry at `index`.
    func sequence(_ index: Int) -> UInt64 { first + UInt64(entries[index].sequence) }

    func state(_ index: Int) -> RecordState { entries[index].state }

    func requestHash(_ index: Int) -> UInt64 { entries[index].requestHash }

    /// Appends the newest entry. Its sequence is at most 2^32 above the segment's first. `keys` are the hashes of what
    /// else it can be found by.
    mutating func append(_ entry: RecordEntry, keys hashes: Span<UInt64> = Span()) {
        let index = UInt32(truncatingIfNeeded: count)
        let previous = tables[Self.table(of: entry.requestHash)].put(index, hash: entry.requestHash, in: entries)
        entries.append(
            Packed(
                requestHash: entry.requestHash, payloadHash: entry.payloadHash, offset: entry.offset,
                lengthAndKind: entry.length | UInt32(entry.state.status) << Self.statusShift | UInt32(entry.kind.rawValue) << Self.kindShift,
                sequence: UInt32(truncatingIfNeeded: entry.sequence - first),
                previousAndClass: (previous.map { $0 + 1 } ?? 0) | UInt32(entry.state.failureClass) << Self.classShift))
        for place in hashes.indices { keys.append(hashes[place], index) }
    }

    /// Takes the entries from `start` on away again, as if they had never been appended.
    mutating func removeAll(from start: Int) {
        for index in (start..<count).reversed() {
            // It is the newest of its hash: newer ones are gone.
            let packed = entries[index]
            tables[Self.table(of: packed.requestHash)].takeBack(
                to: packed.previous == 0 ? nil : packed.previous - 1, hash: packed.requestHash, in: entries)
            entries.removeLast()
        }
        keys.removeAll(from: UInt32(truncatingIfNeeded: start))
    }

    /// Appends every entry with a key of this hash, newest first, or the newest `countMax`; and perhaps some whose hash is
    /// like it.
    func appendEntries(ofKey keyHash: UInt64, countMax: Int, to entries: inout [RecordEntry]) {
        keys.forEachNewestFirst(of: keyHash, countMax: countMax) { entries.append(self[$0]) }
    }

    /// Appends every entry of this hash, newest first. Most have none.
    func appendEntries(of requestHash: UInt64, to entries: inout [RecordEntry]) {
        var next = tables[Self.table(of: requestHash)].newest(of: requestHash, in: self.entries)
        while let index = next {
            let packed = self.entries[Int(index)]
            if packed.requestHash == requestHash { entries.append(self[Int(index)]) }
            next = packed.previous == 0 ? nil : packed.previous - 1
        }
    }

    private static func table(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 56) }
}

extension SegmentIndex {
    /// From a hash to the newest entry that has it: open addressing, at most half full. A slot is an entry, which tells its hash
    /// itself. What is found may have another hash in the bits that choose the table, so whoever follows the links compares.
    private struct HashTable: Sendable {
        /// The entry plus one; 0: empty. Their count is a power of two.
        private var slots: [UInt32] = []
        /// A Bloom filter with all bits of a hash in one word: most look-ups are for what is not in this segment, and
        /// must not cost a cache miss in the slots, and another in the entries. A sixteenth of their count, made anew with them.
        private var filter: [UInt64] = []
        private var used = 0

        func newest(of hash: UInt64, in entries: Entries) -> UInt32? {
            let mark = Self.mark(of: hash)
            guard !slots.isEmpty, filter[word(of: mark)] & Self.bits(of: mark) == Self.bits(of: mark) else { return nil }
            let newest = slots[place(of: mark, in: entries)]
            return newest == 0 ? nil : newest - 1
        }

        /// Makes `index`, which is not among the entries yet, the newest of `hash`; returns the one before.
        mutating func put(_ index: UInt32, hash: UInt64, in entries: Entries) -> UInt32? {
            if (used + 1) * 2 > slots.count { grow(entries) }
            let mark = Self.mark(of: hash)
            let place = place(of: mark, in: entries)
            let previous = slots[place]
            slots[place] = index + 1
            guard previous == 0 else { return previous - 1 }
            used += 1
            filter[word(of: mark)] |= Self.bits(of: mark)
            return nil
        }

        /// Makes `previous` the newest of `hash` again, or takes the hash out. The newest is still among the entries.
        mutating func takeBack(to previous: UInt32?, hash: UInt64, in entries: Entries) {
            var hole = place(of: Self.mark(of: hash), in: entries)
            if let previous { return slots[hole] = previous + 1 }
            // What stands behind an empty slot is not found: whatever was put further because of this one moves up.
            var next = (hole + 1) & (slots.count - 1)
            while slots[next] != 0 {
                let home = home(of: mark(slots[next], entries))
                if (next &- home) & (slots.count - 1) >= (next &- hole) & (slots.count - 1) {
                    slots[hole] = slots[next]
                    hole = next
                }
                next = (next + 1) & (slots.count - 1)
            }
            slots[hole] = 0
            used -= 1
        }

        /// Where `mark` stands, or the empty slot where it would.
        private func place(of mark: UInt32, in entries: Entries) -> Int {
            var place = home(of: mark)
            while slots[place] != 0, self.mark(slots[place], entries) != mark { place = (place + 1) & (slots.count - 1) }
            return place
        }

        private mutating func grow(_ entries: Entries) {
            let old = slots
            slots = [UInt32](repeating: 0, count: max(64, old.count * 2))
            filter = [UInt64](repeating: 0, count: slots.count / 16)
            for slot in old where slot != 0 {
                let mark = mark(slot, entries)
                // No two of them have one mark.
                var place = home(of: mark)
                while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
                slots[place] = slot
                filter[word(of: mark)] |= Self.bits(of: mark)
            }
        }

        /// Of the entry in a slot.
        private func mark(_ slot: UInt32, _ entries: Entries) -> UInt32 { Self.mark(of: entries[Int(slot - 1)].requestHash) }

        private func home(of mark: UInt32) -> Int { Int(mark) & (slots.count - 1) }

        /// Below the bits that choose the table.
        private static func mark(of hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 24) }

        private func word(of mark: UInt32) -> Int { Int(mark >> 18) & (filter.count - 1) }

        private static func bits(of mark: UInt32) -> UInt64 { 1 << UInt64(mark & 63) | 1 << UInt64(mark >> 6 & 63) | 1 << UInt64(mark >> 12 & 63) }
    }
}
