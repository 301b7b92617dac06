// The inside of a JSON string: escapes (RFC 8259 §7) and UTF-8 (RFC 3629 §4).
//
// Promises: a string passes only if every byte of it is part of a whole UTF-8 sequence, no control character
// stands bare, and every escape is one of the grammar. A surrogate escaped outside a pair is grammar (§8.2):
// it passes and is noted on the token.
// Must not know: what the string is for.
//
// Plain ASCII is stepped over eight bytes at a time; anything that needs a look stops the stride.

extension JSONScanner {
    /// The string whose opening quote is at the cursor; the cursor is left after its closing quote.
    mutating func string(_ bytes: Span<UInt8>) throws(JSONRejection) -> JSONToken {
        let start = at
        var isEscaped = false
        var hasLoneSurrogate = false
        var index = start + 1
        while true {
            index = Self.skipPlain(bytes, from: index)
            guard index < bytes.count else { throw .malformed(offset: bytes.count, .unexpectedEnd) }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                at = index + 1
                return JSONToken(
                    .string, start, index + 1, isEscaped: isEscaped, hasLoneSurrogate: hasLoneSurrogate)
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                let escape = try Self.escape(bytes, index)
                if escape.isLoneSurrogate { hasLoneSurrogate = true }
                index = escape.end
            } else if byte >= 0x80 {
                index = try Self.beyondASCII(bytes, index)
            } else if byte < 0x20 {
                throw .malformed(offset: index, .controlCharacter)
            } else {
                index += 1
            }
        }
    }

    /// Offset of the first byte at or after `start` that is a quote, a backslash, a control character or beyond
    /// ASCII; within the last seven bytes of the text, of some byte no later than that.
    @inline(__always)
    static func skipPlain(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while index <= bytes.count - 8 {
            // A subtraction borrows out of a byte only where that byte is a hit; so the lowest hit is true.
            let word = bytes.littleEndianWord(at: index)
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            let controlHits = (word &- (ones &* 0x20)) & ~word
            let quoteHits = (quotes &- ones) & ~quotes
            let backslashHits = (backslashes &- ones) & ~backslashes
            let hits = (controlHits | quoteHits | backslashHits | word) & tops
            guard hits == 0 else { return index + hits.trailingZeroBitCount >> 3 }
            index += 8
        }
        return index
    }

    /// Offset after the escape whose backslash is at `start`, both halves of a surrogate pair as one; and
    /// whether it is a surrogate without its other half.
    @inline(never)
    private static func escape(
        _ bytes: Span<UInt8>, _ start: Int
    ) throws(JSONRejection) -> (end: Int, isLoneSurrogate: Bool) {
        guard start + 1 < bytes.count else { throw .malformed(offset: bytes.count, .unexpectedEnd) }
        guard bytes[start + 1] == UInt8(ascii: "u") else {
            guard JSONUnescaping.shortEscape(bytes[start + 1]) != nil else {
                throw .malformed(offset: start, .malformedEscape)
            }
            return (start + 2, false)
        }
        guard start + 6 <= bytes.count else { throw .malformed(offset: bytes.count, .unexpectedEnd) }
        guard let unit = JSONUnescaping.unit(bytes, start) else {
            throw .malformed(offset: start, .malformedEscape)
        }
        switch unit {
        case 0xD800...0xDBFF:
            guard let low = JSONUnescaping.unit(bytes, start + 6), 0xDC00...0xDFFF ~= low else {
                return (start + 6, true)
            }
            return (start + 12, false)
        case 0xDC00...0xDFFF: return (start + 6, true)
        default: return (start + 6, false)
        }
    }

    /// Offset after the run of sequences beyond ASCII that starts at `start`.
    @inline(never)
    private static func beyondASCII(_ bytes: Span<UInt8>, _ start: Int) throws(JSONRejection) -> Int {
        var index = start
        while index < bytes.count, bytes[index] >= 0x80 {
            guard let length = sequenceLength(bytes, index) else {
                throw .malformed(offset: index, .malformedUTF8)
            }
            index += length
        }
        return index
    }

    /// Length of the UTF-8 sequence that starts at `start` with a byte beyond ASCII, or nil where there is none.
    ///
    /// The second byte's bounds are those of RFC 3629 §4: they shut out overlong forms (E0, F0), encoded
    /// surrogates (ED) and what lies above U+10FFFF (F4).
    static func sequenceLength(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[start] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard length <= bytes.count - start, second.contains(bytes[start + 1]) else { return nil }
        for index in start + 2..<start + length where bytes[index] & 0xC0 != 0x80 { return nil }
        return length
    }
}
