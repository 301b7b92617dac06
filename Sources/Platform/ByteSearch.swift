// memchr(3) and memcmp(3) over a span.
//
// Promises: the first index of a byte, or nil; whether a literal stands somewhere. Reads only the span. Must not know: what lines are.

import Glibc

/// Finds bytes in spans, as memchr(3) does.
public enum ByteSearch {
    /// The first index of `byte` in `bytes` at or after `start`, which must not exceed the count.
    @inline(__always)
    public static func firstIndex(of byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int? {
        precondition(start >= 0 && start <= bytes.count)
        // The pointer lives for the call; memchr looks at count - start bytes of it.
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard start < buffer.count, let base = buffer.baseAddress else { return nil }
            guard let found = unsafe memchr(base + start, Int32(byte), buffer.count - start) else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// True where `literal` stands in `bytes` at `start`. Both must lie within.
    @inline(__always)
    public static func isEqual(_ bytes: Span<UInt8>, at start: Int, to literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        precondition(start >= 0 && count <= bytes.count - start)
        // memcmp looks at `count` bytes of each: within the span by the check, within the literal by its own count.
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return count == 0 }
            return unsafe memcmp(base + start, literal.utf8Start, count) == 0
        }
    }
}
