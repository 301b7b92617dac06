// RFC 8259 as a recognizer: is this text one JSON value?
//
// Promises: exactly the grammar, for texts a test receives. Foundation's reader will not do here: it refuses
// numbers beyond its range and escaped lone surrogates, both of which a payload may contain and keeps.
// Must not know: values; nothing is converted.

/// One pass over the bytes of a JSON text.
struct JSONGrammar {
    private let bytes: [UInt8]
    private var index = 0

    /// Deeper nesting than any payload may have (64), and the objects around it.
    private static let depthMax = 100

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether the bytes are one JSON object with white space around it.
    static func acceptsObject(_ bytes: [UInt8]) -> Bool {
        var grammar = JSONGrammar(bytes)
        grammar.skipSpace()
        guard grammar.peek == UInt8(ascii: "{"), grammar.value(depth: 1) else { return false }
        grammar.skipSpace()
        return grammar.index == bytes.count
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) -> Bool {
        guard depth <= Self.depthMax else { return false }
        switch peek {
        case UInt8(ascii: "{"):
            return list("{", "}") { grammar in
                guard grammar.string() else { return false }
                grammar.skipSpace()
                guard grammar.take(":") else { return false }
                grammar.skipSpace()
                return grammar.value(depth: depth + 1)
            }
        case UInt8(ascii: "["): return list("[", "]") { $0.value(depth: depth + 1) }
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return literal("true")
        case UInt8(ascii: "f"): return literal("false")
        case UInt8(ascii: "n"): return literal("null")
        default: return number()
        }
    }

    private mutating func list(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ element: (inout JSONGrammar) -> Bool) -> Bool {
        guard take(open) else { return false }
        skipSpace()
        if take(close) { return true }
        while true {
            guard element(&self) else { return false }
            skipSpace()
            if take(close) { return true }
            guard take(",") else { return false }
            skipSpace()
        }
    }

    private mutating func literal(_ word: String) -> Bool {
        guard bytes[index...].starts(with: word.utf8) else { return false }
        index += word.utf8.count
        return true
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        let leadingZero = peek == UInt8(ascii: "0")
        let count = digits()
        guard count > 0, !leadingZero || count == 1 else { return false }
        if take("."), digits() == 0 { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return digits() > 0
        }
        return true
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while let byte = peek {
            index += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escape = peek else { return false }
            index += 1
            if escape == UInt8(ascii: "u") {
                let hexadecimal = bytes[index...].prefix(4)
                guard hexadecimal.count == 4, hexadecimal.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return false }
                index += 4
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return false
    }
}
