// Text put together in a byte array, piece by piece.
//
// Promises: appends exactly what is named, without a string in between; inlined wherever it is called, since records and
// answers are made of it. Must not know: which format it is part of.

extension [UInt8] {
    /// The literal's bytes as they are.
    @inlinable
    public mutating func append(_ literal: StaticString) {
        // A static string's storage lives for ever; its count is its own.
        unsafe append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Appends all of `bytes`.
    @inlinable
    public mutating func append(_ bytes: Span<UInt8>) {
        // Copied before the closure returns.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// The number in decimal digits.
    @inlinable
    public mutating func append(decimal number: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        repeat {
            first -= 1
            digits[first] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(first...))
    }
}
