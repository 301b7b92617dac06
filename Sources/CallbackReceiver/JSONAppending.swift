// JSON text put together in a byte array, piece by piece.
//
// Promises: appends exactly what is named; strings go through CrispCallback's escaping. Whoever appends keeps
// the grammar. Must not know: which answer it is part of.

import CallbackLog
import CrispCallback

extension [UInt8] {
    /// A string token.
    mutating func append(jsonString text: String) { JSONString.append(text, to: &self) }

    /// A string token of UTF-8 bytes.
    mutating func append(jsonString bytes: Span<UInt8>) { JSONString.append(utf8: bytes, to: &self) }

    /// A string token of RFC 3339.
    mutating func append(jsonString time: Timestamp) {
        append(0x22)
        time.append(to: &self)
        append(0x22)
    }
}
