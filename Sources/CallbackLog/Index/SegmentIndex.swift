// Where the records of one segment are, by request_id.
//
// Promises: a table of fixed-width entries in the order of the segment, and an open-addressing hash table
// from a keyed 64-bit hash to the newest entry of a request; the entries of one request are chained,
// newest first. Holds hashes, never keys: whoever looks something up verifies the key in the record, and
// tries every chain of equal hash. Append-only; 32-bit offsets, so a segment stays below 4 GiB.
// Must not know: files, durability; it is derived and can be rebuilt (invariant 6).

/// One record of a segment.
struct RecordEntry: Sendable {
    let sequence: UInt64
    let requestHash: UInt64
    let payloadHash: UInt64
    /// Of the line's first byte in the segment.
    let offset: UInt32
    /// Of the line, without its line feed.
    let length: UInt32
    let kind: RecordKind
    /// The entry before it of the same request in this segment, plus one; 0 for none.
    fileprivate(set) var previous: UInt32 = 0

    init(sequence: UInt64, requestHash: UInt64, payloadHash: UInt64, offset: UInt32, length: UInt32, kind: RecordKind) {
        self.sequence = sequence
        self.requestHash = requestHash
        self.payloadHash = payloadHash
        self.offset = offset
        self.length = length
        self.kind = kind
    }
}

struct SegmentIndex: Sendable {
    private(set) var entries: [RecordEntry] = []
    /// Entry plus one of a chain's newest entry in the low half; 0 is empty. In the high half that of its hash, so
    /// that a chain of another hash is passed over without a look at its entry. The count is a power of two, at
    /// most half full.
    private var slots: [UInt64] = []
    /// A Bloom filter with all bits of a hash in one word: most look-ups are for what is not in this segment, and
    /// must not cost a cache miss in its slots. A sixteenth of their size, made anew with them.
    private var filter: [UInt64] = []
    private var chainCount = 0

    /// Appends `entry` as the newest of the chain whose newest entry is `head`, or as a new chain.
    mutating func append(_ entry: RecordEntry, after head: Int?) {
        var entry = entry
        if let head {
            entry.previous = UInt32(head) + 1
            entries.append(entry)
            slots[slot(holding: head)] = Self.slot(newest: entries.count - 1, hash: entry.requestHash)
            return
        }
        if (chainCount + 1) * 2 > slots.count { grow() }
        entries.append(entry)
        insert(newest: entries.count - 1)
        chainCount += 1
    }

    /// The newest entry of each chain with this hash: none for most, rarely more than one.
    func heads(of requestHash: UInt64) -> [Int] {
        guard !slots.isEmpty, filter[word(of: requestHash)] & Self.bits(of: requestHash) == Self.bits(of: requestHash) else { return [] }
        var found: [Int] = []
        var slot = Int(truncatingIfNeeded: requestHash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == requestHash >> 32 {
                let head = Self.head(in: slots[slot])
                if entries[head].requestHash == requestHash { found.append(head) }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return found
    }

    /// The entry before `index` of the same request.
    func previous(of index: Int) -> Int? {
        entries[index].previous == 0 ? nil : Int(entries[index].previous) - 1
    }

    private func slot(holding head: Int) -> Int {
        var slot = Int(truncatingIfNeeded: entries[head].requestHash) & (slots.count - 1)
        while Self.head(in: slots[slot]) != head {
            // An empty slot on the way means that `head` is no chain's newest: our own fault.
            precondition(slots[slot] != 0)
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private mutating func insert(newest head: Int) {
        var slot = Int(truncatingIfNeeded: entries[head].requestHash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Self.slot(newest: head, hash: entries[head].requestHash)
        filter[word(of: entries[head].requestHash)] |= Self.bits(of: entries[head].requestHash)
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: max(64, old.count * 2))
        filter = [UInt64](repeating: 0, count: slots.count / 16)
        for held in old where held != 0 { insert(newest: Self.head(in: held)) }
    }

    private func word(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 40) & (filter.count - 1) }

    /// Three bits, from a part of the hash that chooses neither the word nor, in a large table, the slot.
    private static func bits(of hash: UInt64) -> UInt64 {
        1 << (hash >> 22 & 63) | 1 << (hash >> 28 & 63) | 1 << (hash >> 34 & 63)
    }

    private static func slot(newest head: Int, hash: UInt64) -> UInt64 { (hash & ~0xFFFF_FFFF) | UInt64(head + 1) }

    private static func head(in slot: UInt64) -> Int { Int(slot & 0xFFFF_FFFF) - 1 }
}

/// The keyed hash of the index: SipHash with a key drawn for each process, so that nobody can send
/// request_ids that collide.
struct KeyedHash: Sendable {
    /// Tests cut it short, so that ids collide all the same.
    var mask = UInt64.max

    func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hasher = Hasher()
        // The bytes are read before the closure returns.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize())) & mask
    }
}
