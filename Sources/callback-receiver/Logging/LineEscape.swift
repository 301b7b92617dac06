// How a text stands in a line of the log.
//
// Promises: whatever a text holds, it ends no line, no field, steers no terminal, and reorders nothing that is read; it is valid
// logfmt or JSON (RFC 8259), and not longer than it may be. Must not know: what the text is.

enum LineEscape {
    /// Names longer than this are cut.
    static let nameBytesMax = 64

    /// Letters, digits, `_`, `-`, `.`; anything else becomes `_`.
    static func name(_ text: String) -> String {
        let safe = text.utf8.prefix(nameBytesMax).map { byte -> Character in
            let isSafe =
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            return isSafe ? Character(UnicodeScalar(byte)) : "_"
        }
        return safe.isEmpty ? "_" : String(safe)
    }

    /// In quotation marks only where it would not read as one word.
    static func logfmt(_ text: String, bytesMax: Int) -> String {
        let isWord =
            !text.isEmpty && text.utf8.count <= bytesMax
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C }
        return isWord ? text : logfmtQuoted(text, bytesMax: bytesMax)
    }

    /// In quotation marks; `bytesMax` bounds what stands between them.
    static func logfmtQuoted(_ text: String, bytesMax: Int) -> String {
        quoted(text, bytesMax: bytesMax) { "\\u{\(String($0.value, radix: 16))}" }
    }

    /// A string of JSON; `bytesMax` bounds what stands between its quotation marks.
    static func json(_ text: String, bytesMax: Int) -> String {
        // All that is unsafe has four digits.
        quoted(text, bytesMax: bytesMax) { "\\u\(String($0.value + 0x1_0000, radix: 16).dropFirst())" }
    }

    private static func quoted(_ text: String, bytesMax: Int, escape: (UnicodeScalar) -> String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let piece =
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "\n": "\\n"
                case "\r": "\\r"
                case "\t": "\\t"
                case _ where isUnsafe(scalar): escape(scalar)
                default: String(scalar)
                }
            if result.utf8.count + piece.utf8.count > bytesMax - 3 {
                return "\"\(result)…\""
            }
            result += piece
        }
        return "\"\(result)\""
    }

    /// True for what could end a line, steer a terminal or reorder what is read: C0, DEL, C1, line and
    /// paragraph separators, bidirectional controls (Unicode Annex 9 §2), byte order mark.
    static func isUnsafe(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
