// Strings into JSON tokens, and tokens back into the strings they stand for.
//
// Promises: what is appended as a token is a valid JSON string in valid UTF-8, whatever came in: quotes,
// backslashes and control characters are escaped (RFC 8259 §7), bytes that are not UTF-8 and surrogates
// without their other half become U+FFFD. Nothing else is changed.
// Must not know: what is written around the token.

/// JSON string tokens.
public enum JSONString {
    /// U+FFFD in UTF-8.
    private static let replacement: [3 of UInt8] = [0xEF, 0xBF, 0xBD]

    /// Appends `text` as a JSON string token, quotes included.
    public static func append(_ text: String, to output: inout [UInt8]) {
        append(utf8: text.utf8Span.span, to: &output)
    }

    /// Appends `bytes`, taken as UTF-8, as a JSON string token, quotes included.
    ///
    /// Each byte that is no part of a UTF-8 sequence becomes one U+FFFD.
    public static func append(utf8 bytes: Span<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var index = 0
        var runStart = 0
        while index < bytes.count {
            index = JSONScanner.skipPlain(bytes, from: index)
            guard index < bytes.count else { break }
            let byte = bytes[index]
            if byte >= 0x80, let length = JSONScanner.sequenceLength(bytes, index) {
                index += length
            } else if byte >= 0x80 || byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                output.append(bytes, runStart..<index)
                appendEscaped(byte, to: &output)
                index += 1
                runStart = index
            } else {
                index += 1
            }
        }
        output.append(bytes, runStart..<bytes.count)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends the value of the string token at `range` of `text`, unescaped, in UTF-8.
    ///
    /// The token, quotes included, is one that this room found in the same text. A surrogate without its other
    /// half becomes U+FFFD.
    public static func appendUnescaped(_ range: Range<Int>, of text: Span<UInt8>, to output: inout [UInt8]) {
        precondition(range.count >= 2, "A string token has its quotes.")
        // Ids have no escape: they are copied as they stand.
        let content = range.lowerBound + 1..<range.upperBound - 1
        let plainEnd = min(JSONScanner.skipPlain(text, from: content.lowerBound), content.upperBound)
        output.append(text, content.lowerBound..<plainEnd)
        var letters = JSONUnescaping(plainEnd..<content.upperBound)
        while let letter = letters.next(text) { output.append(letter) }
    }

    /// Appends the value of a scanned string.
    static func appendValue(of token: JSONToken, in text: Span<UInt8>, to output: inout [UInt8]) {
        if token.isEscaped {
            appendUnescaped(token.range, of: text, to: &output)
        } else {
            output.append(text, token.content)
        }
    }

    /// Appends a scanned string as a token: as it came, or, where that has a surrogate without its other half,
    /// spelled anew with U+FFFD in its place. Appends `null` where there is no string.
    static func appendToken(_ token: JSONToken?, in text: Span<UInt8>, to output: inout [UInt8]) {
        guard let token else {
            for index in 0..<4 { output.append(("null" as StaticString).byte(at: index)) }
            return
        }
        guard token.hasLoneSurrogate else {
            output.append(text, token.range)
            return
        }
        var value: [UInt8] = []
        appendUnescaped(token.range, of: text, to: &value)
        append(utf8: value.span, to: &output)
    }

    /// The escape of a byte that may not stand in a string as it is, or U+FFFD for one that is not UTF-8.
    private static func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
        if byte >= 0x80 {
            for index in replacement.indices { output.append(replacement[index]) }
            return
        }
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        default:
            let digits: StaticString = "0123456789abcdef"
            output.append(UInt8(ascii: "u"))
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: "0"))
            output.append(digits.byte(at: Int(byte >> 4)))
            output.append(digits.byte(at: Int(byte & 0x0F)))
        }
    }
}
