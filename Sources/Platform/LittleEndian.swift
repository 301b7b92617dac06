// Numbers in bytes, the lowest byte first, wherever they stand.
//
// Promises: each function checks that the number lies within before it touches memory, and traps where it does not:
// such a call is an error of the program, never of its input. No pointer outlives the call that it was made in.
// Must not know: what the numbers mean.

/// Numbers in bytes, the lowest first.
public enum LittleEndian {
    /// The number in the four bytes from `offset`; `offset + 4` is at most the count.
    @inlinable @inline(__always)
    public static func load32(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        // Bounds: checked by the call itself, which only leaves it open whether the bits mean anything; for an
        // integer all do.
        UInt32(littleEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The number in the eight bytes from `offset`; `offset + 8` is at most the count.
    @inlinable @inline(__always)
    public static func load64(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        // Bounds: as above.
        UInt64(littleEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Makes the four bytes from `offset` say `value`; `offset + 4` is at most the count.
    @inlinable @inline(__always)
    public static func store(_ value: UInt32, in bytes: inout [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset <= bytes.count - 4)
        // Bounds: checked above. Lifetime: the pointer is used within the closure alone.
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self) }
    }

    /// Makes the eight bytes from `offset` say `value`; `offset + 8` is at most the count.
    @inlinable @inline(__always)
    public static func store(_ value: UInt64, in bytes: inout [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset <= bytes.count - 8)
        // Bounds: checked above. Lifetime: the pointer is used within the closure alone.
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self) }
    }
}
