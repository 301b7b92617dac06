// The keyed hash of the indexes: SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF").
//
// Promises: whoever does not know the key cannot send ids that collide. The same key and bytes give the same
// hash on every machine, since index files keep hashes. Not a fingerprint: whatever a hash finds is verified
// in the record itself.
// Must not know: what is hashed, where the key is kept (Identity.swift).

struct KeyedHash: Sendable, Equatable {
    /// Drawn once for a log.
    let key: (UInt64, UInt64)
    /// Tests cut hashes short, so that ids collide all the same.
    var mask = UInt64.max

    init(key: (UInt64, UInt64), mask: UInt64 = .max) {
        self.key = key
        self.mask = mask
    }

    /// With a key of its own.
    init(mask: UInt64 = .max) {
        var generator = SystemRandomNumberGenerator()
        self.init(key: (generator.next(), generator.next()), mask: mask)
    }

    static func == (a: KeyedHash, b: KeyedHash) -> Bool { a.key == b.key && a.mask == b.mask }

    /// Tells one key (and mask) from another without giving it away.
    var check: UInt64 { hash([0x63, 0x68, 0x65, 0x63, 0x6B].span) ^ ~mask }

    func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var state = SipState(key)
        var position = 0
        while bytes.count - position >= 8 {
            var word: UInt64 = 0
            for index in 0..<8 { word |= UInt64(bytes[position + index]) << UInt64(8 * index) }
            state.absorb(word)
            position += 8
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        for index in 0..<(bytes.count - position) { last |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        state.absorb(last)
        return state.finish() & mask
    }
}

/// The four words of SipHash, with one round for each word of input and three at the end.
private struct SipState {
    private var a, b, c, d: UInt64

    init(_ key: (UInt64, UInt64)) {
        a = key.0 ^ 0x736f_6d65_7073_6575
        b = key.1 ^ 0x646f_7261_6e64_6f6d
        c = key.0 ^ 0x6c79_6765_6e65_7261
        d = key.1 ^ 0x7465_6462_7974_6573
    }

    @inline(__always)
    mutating func absorb(_ word: UInt64) {
        d ^= word
        round()
        a ^= word
    }

    mutating func finish() -> UInt64 {
        c ^= 0xFF
        for _ in 0..<3 { round() }
        return a ^ b ^ c ^ d
    }

    @inline(__always)
    private mutating func round() {
        a &+= b
        b = Self.rotated(b, 13) ^ a
        a = Self.rotated(a, 32)
        c &+= d
        d = Self.rotated(d, 16) ^ c
        a &+= d
        d = Self.rotated(d, 21) ^ a
        c &+= b
        b = Self.rotated(b, 17) ^ c
        c = Self.rotated(c, 32)
    }

    @inline(__always)
    private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
