// JSON text put together in a byte array, piece by piece.
//
// Promises: appends exactly what is named; strings go through CrispCallback's escaping. Whoever appends keeps
// the grammar. Must not know: which answer it is part of.

import CallbackLog
import CrispCallback

extension [UInt8] {
    /// The literal's bytes as they are.
    mutating func append(json literal: StaticString) {
        // A static string's storage lives for ever; its count is its own.
        unsafe append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// The number in decimal digits.
    mutating func append(json number: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        repeat {
            first -= 1
            digits[first] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        } while rest > 0
        append(json: digits.span.extracting(first...))
    }

    /// The bytes, which are JSON already.
    mutating func append(json bytes: Span<UInt8>) {
        // Copied before the closure returns.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// A string token.
    mutating func append(jsonString text: String) { JSONString.append(text, to: &self) }

    /// A string token of UTF-8 bytes.
    mutating func append(jsonString bytes: Span<UInt8>) { JSONString.append(utf8: bytes, to: &self) }

    /// A string token of RFC 3339.
    mutating func append(json time: Timestamp) {
        append(0x22)
        time.append(to: &self)
        append(0x22)
    }
}
