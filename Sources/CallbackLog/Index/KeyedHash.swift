// The keyed hash of the indexes: SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF").
//
// Promises: whoever does not know the key cannot send ids that collide. The same key and bytes give the same
// hash on every machine, since index files keep hashes. Not a fingerprint: whatever a hash finds is verified
// in the record itself.
// Must not know: what is hashed, where the key is kept (Identity.swift).

import Platform

package struct KeyedHash: Sendable, Equatable {
    /// Drawn once for a log.
    let key: (UInt64, UInt64)
    /// Tests cut hashes short, so that ids collide all the same.
    var mask = UInt64.max

    package init(key: (UInt64, UInt64), mask: UInt64 = .max) {
        self.key = key
        self.mask = mask
    }

    /// With a key of its own.
    init(mask: UInt64 = .max) {
        var generator = SystemRandomNumberGenerator()
        self.init(key: (generator.next(), generator.next()), mask: mask)
    }

    package static func == (a: KeyedHash, b: KeyedHash) -> Bool { a.key == b.key && a.mask == b.mask }

    /// Tells one key (and mask) from another without giving it away.
    var check: UInt64 { KeyedHash(key: key).hash([0x63, 0x68, 0x65, 0x63, 0x6B].span) ^ ~mask }

    /// The hash of `bytes`.
    package func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var state = SipState(key)
        return finished(&state, bytes, from: 0, prefixBytes: 0)
    }

    /// The hash of the byte `domain` and `bytes` behind it: the same bytes hash to something else in another domain.
    func hash(_ bytes: Span<UInt8>, domain: UInt8) -> UInt64 {
        var state = SipState(key)
        guard bytes.count >= 7 else {
            state.absorb(UInt64(bytes.count + 1) << 56 | Self.tail(bytes, from: 0) << 8 | UInt64(domain))
            return state.finish() & mask
        }
        state.absorb(Self.tail(bytes.extracting(0..<7), from: 0) << 8 | UInt64(domain))
        return finished(&state, bytes, from: 7, prefixBytes: 1)
    }

    /// Absorbs `bytes` from `start` on, where a word begins, and the last word, which holds the length.
    @inline(__always)
    private func finished(_ state: inout SipState, _ bytes: Span<UInt8>, from start: Int, prefixBytes: Int) -> UInt64 {
        var position = start
        while bytes.count - position >= 8 {
            state.absorb(LittleEndian.load64(bytes, at: position))
            position += 8
        }
        state.absorb(UInt64(truncatingIfNeeded: bytes.count + prefixBytes) << 56 | Self.tail(bytes, from: position))
        return state.finish() & mask
    }

    /// The bytes from `start` on, at most seven, the first one lowest.
    @inline(__always)
    private static func tail(_ bytes: Span<UInt8>, from start: Int) -> UInt64 {
        let count = bytes.count - start
        // The last eight bytes in one load, and the bits of those before `start` shifted out.
        if bytes.count >= 8 { return LittleEndian.load64(bytes, at: bytes.count - 8) >> UInt64(64 - 8 * count) }
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(bytes[start + index]) << UInt64(8 * index) }
        return word
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
