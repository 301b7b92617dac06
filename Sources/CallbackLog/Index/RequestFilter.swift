// Which request hashes a segment does not hold: a blocked Bloom filter (Putze, Sanders, Singler 2007).
//
//     block    one of 512 bits, by the hash's high end; 64 bytes side by side
//     bits     eight of it, one in each word of 64, six bits of the hash's low end for each
//
// Promises: never says no of a hash that was inserted, however short hashes are cut. Says yes wrongly for about 1 in
// 250 others at 12 bits a hash. A question is a few ns in a processor's cache and a miss elsewhere; it allocates
// nothing, counts no references and takes no lock.
// Must not know: where the filter is kept.

struct RequestFilter: Sendable, Equatable {
    static let bitsPerRecord = 12
    typealias Block = SIMD8<UInt64>

    private(set) var blocks: [Block]

    /// How many blocks the filter of so many records has.
    static func blockCount(records: Int) -> Int { (records * bitsPerRecord + 511) / 512 }

    /// An empty filter for so many records.
    init(records: Int) { blocks = [Block](repeating: .zero, count: Self.blockCount(records: records)) }

    /// The filter whose blocks these are.
    init(_ blocks: [Block]) { self.blocks = blocks }

    /// Bytes that it takes in memory.
    var byteCount: Int { blocks.count * IndexFileFormat.blockBytes }

    /// What to look for; made once for a hash and asked of each filter.
    struct Probe {
        let hash: UInt64
        let bits: Block

        /// Not inlined, so that the bits come to whoever asks many filters in vector registers, not as eight numbers.
        @inline(never)
        init(_ hash: UInt64) {
            self.hash = hash
            let shifts = Block(hash, hash >> 6, hash >> 12, hash >> 18, hash >> 24, hash >> 30, hash >> 36, hash >> 42) & 63
            bits = Block(repeating: 1) &<< shifts
        }

        /// Which of so many blocks; `count` is above zero.
        @inline(__always)
        func block(of count: Int) -> Int { Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(count)).high) }

        /// False: whatever has this hash is not in `block`.
        @inline(__always)
        func mayBe(in block: Block) -> Bool {
            let missing = bits & ~block
            let half = missing.lowHalf | missing.highHalf
            let quarter = half.lowHalf | half.highHalf
            return quarter.x | quarter.y == 0
        }
    }

    /// Inserts a hash; the filter is not empty.
    mutating func insert(_ hash: UInt64) {
        let probe = Probe(hash)
        blocks[probe.block(of: blocks.count)] |= probe.bits
    }

    /// False: no record has this hash.
    @inline(__always)
    func mayHold(_ probe: Probe) -> Bool {
        let count = blocks.count
        return count > 0 && probe.mayBe(in: blocks[probe.block(of: count)])
    }
}
