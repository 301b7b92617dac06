// The value of a string token, byte by byte: what RFC 8259 §7 says that its escapes stand for.
//
// Promises: yields UTF-8 and nothing else, without allocating; a surrogate outside a pair becomes U+FFFD.
// Must not know: whether a text is valid. It reads what `JSONScanner` let pass, and stays in bounds anyway.

/// A walk over the UTF-8 bytes that a JSON string's content stands for.
struct JSONUnescaping {
    /// Next byte of the token to read.
    private var at: Int
    private let end: Int
    /// Bytes of a character beyond ASCII that an escape stands for, next one lowest; zero when none are left.
    /// (No such character has a zero byte.)
    private var pending: UInt32 = 0

    /// A walk over `content`, the range between the quotes.
    init(_ content: Range<Int>) {
        at = content.lowerBound
        end = content.upperBound
    }

    /// The next byte of the value, or nil after the last.
    mutating func next(_ bytes: Span<UInt8>) -> UInt8? {
        if pending != 0 {
            defer { pending >>= 8 }
            return UInt8(truncatingIfNeeded: pending)
        }
        guard at < end else { return nil }
        let byte = bytes[at]
        guard byte == UInt8(ascii: "\\"), at + 1 < end else {
            at += 1
            return byte
        }
        guard let unit = Self.unit(bytes, at) else {
            at += 2
            return Self.shortEscape(bytes[at - 1])
        }
        at += 6
        if unit < 0x80 { return UInt8(unit) }
        return encode(scalar(after: unit, bytes))
    }

    /// The character of which `unit` is the first UTF-16 code unit; takes the second with it where it is a pair.
    private mutating func scalar(after unit: UInt16, _ bytes: Span<UInt8>) -> UInt32 {
        switch unit {
        case 0xD800...0xDBFF:
            guard at + 6 <= end, let low = Self.unit(bytes, at), 0xDC00...0xDFFF ~= low else { return 0xFFFD }
            at += 6
            return 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        case 0xDC00...0xDFFF: return 0xFFFD
        default: return UInt32(unit)
        }
    }

    /// The first byte of `scalar` in UTF-8 (RFC 3629 §3); the others wait in `pending`.
    private mutating func encode(_ scalar: UInt32) -> UInt8 {
        let last = 0x80 | scalar & 0x3F
        if scalar < 0x800 {
            pending = last
            return UInt8(0xC0 | scalar >> 6)
        }
        let third = 0x80 | scalar >> 6 & 0x3F
        if scalar < 0x10000 {
            pending = third | last << 8
            return UInt8(0xE0 | scalar >> 12)
        }
        pending = 0x80 | scalar >> 12 & 0x3F | third << 8 | last << 16
        return UInt8(0xF0 | scalar >> 18)
    }

    /// What a backslash and `letter` stand for; nil where that is no escape, or `\u`.
    static func shortEscape(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// The UTF-16 code unit of the `\uXXXX` at `start`, or nil where no such escape stands there.
    static func unit(_ bytes: Span<UInt8>, _ start: Int) -> UInt16? {
        guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"),
            bytes[start + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for index in start + 2..<start + 6 {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(byte - 0x61 + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(byte - 0x41 + 10)
            default: return nil
            }
        }
        return unit
    }
}
