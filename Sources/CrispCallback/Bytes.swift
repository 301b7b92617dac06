// The one file of this room with unsafe code: what Span and Array do not offer in checked form.
//
// Promises: every function checks its bounds before it touches memory, and traps where they are broken: such
// a call is an error of this room, never of its input. No pointer outlives the call that it was made in.
// Must not know: JSON.

extension Span<UInt8> {
    /// The eight bytes from `offset`, the first one lowest. `offset + 8` is at most `count`.
    @inline(__always)
    func littleEndianWord(at offset: Int) -> UInt64 {
        // Bounds: checked by the call itself, which only leaves it open whether the bits mean anything; for an
        // integer all do.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension [UInt8] {
    /// Appends `range` of `bytes`. The array must not be the span's own storage; exclusivity rules that out.
    @inline(__always)
    mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        // Bounds: checked by `extracting`. Lifetime: the pointer is used within the closure alone.
        unsafe bytes.extracting(range).withUnsafeBufferPointer { source in
            unsafe append(contentsOf: source)
        }
    }
}

extension StaticString {
    /// The byte at `offset`, below `utf8CodeUnitCount`.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < utf8CodeUnitCount)
        // Bounds: checked above. Lifetime: a literal's bytes are never freed.
        return unsafe utf8Start[offset]
    }
}
