// The compact form of a JSON text.
//
// Promises: takes away white space between tokens and a leading byte order mark, and changes nothing else:
// no escape, no digit, no order. What is compact already comes back the same.
// Must not know: whether the text is valid. Of an invalid one it makes something, in bounds and in linear time.

/// JSON texts as they are stored.
public enum JSONText {
    /// Appends `text`, which `JSONScanner` let pass, without white space between its tokens.
    public static func appendCompact(_ text: Span<UInt8>, to output: inout [UInt8]) {
        var index = JSONScanner.textStart(text)
        var runStart = index
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                index = stringEnd(text, index)
            } else if JSONScanner.isWhiteSpace(byte) {
                output.append(text, runStart..<index)
                repeat { index += 1 } while index < text.count && JSONScanner.isWhiteSpace(text[index])
                runStart = index
            } else {
                index += 1
            }
        }
        output.append(text, runStart..<index)
    }

    /// Offset after the closing quote of the string that opens at `start`.
    private static func stringEnd(_ text: Span<UInt8>, _ start: Int) -> Int {
        var index = start + 1
        while true {
            index = JSONScanner.skipPlain(text, from: index)
            guard index < text.count else { return text.count }
            switch text[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index = min(index + 2, text.count)
            default: index += 1
            }
        }
    }
}
