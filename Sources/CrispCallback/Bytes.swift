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

    /// Whether the bytes from `offset` are those of `name`, which has at least four. Room for it is the caller's
    /// to have checked.
    @inline(__always)
    func holds(_ name: StaticString, at offset: Int) -> Bool {
        let length = name.utf8CodeUnitCount
        precondition(length >= 4 && offset >= 0 && length <= count - offset)
        // Bounds: each load ends at or before `length`, which is the literal's own and within the span by the
        // check above. Lifetime: a literal is never freed, the span's pointer stays in the closure.
        let literal = unsafe UnsafeRawPointer(name.utf8Start)
        return unsafe bytes.withUnsafeBytes { span in
            let text = unsafe span.baseAddress.unsafelyUnwrapped + offset
            guard length >= 8 else {
                // Two halves that overlap: 4 to 7 bytes.
                return unsafe text.loadUnaligned(as: UInt32.self) == literal.loadUnaligned(as: UInt32.self)
                    && (text + length - 4).loadUnaligned(as: UInt32.self)
                        == (literal + length - 4).loadUnaligned(as: UInt32.self)
            }
            var index = 0
            while index + 8 < length {
                guard
                    unsafe text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                        == literal.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                else { return false }
                index += 8
            }
            return unsafe text.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
                == literal.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
        }
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
