// One value or member name as the scanner found it: where it stands, and what was noticed on the way.
//
// Promises: a token is made only by `JSONScanner`, from bytes that passed the grammar; so what reads a
// token again (`JSONUnescaping`) needs no second check.
// Must not know: what a member means.

/// A scanned value: its place in the text, and its kind.
struct JSONToken: Sendable, Equatable {
    /// What stands there. A number is an `integer` when it has neither fraction nor exponent (RFC 8259 §6).
    enum Kind: UInt8, Sendable {
        case object, array, string, integer, decimal, yes, no, null
    }

    /// Offset of the first byte: the opening quote of a string, the bracket of an array or object.
    let start: Int
    /// Offset just after the last byte.
    let end: Int
    let kind: Kind
    /// A string with at least one escape: its bytes are not its value.
    let isEscaped: Bool
    /// A string with `\ud800` to `\udfff` outside a pair: valid JSON (§8.2), but no Unicode text.
    let hasLoneSurrogate: Bool

    @inline(__always)
    init(_ kind: Kind, _ start: Int, _ end: Int, isEscaped: Bool = false, hasLoneSurrogate: Bool = false) {
        self.start = start
        self.end = end
        self.kind = kind
        self.isEscaped = isEscaped
        self.hasLoneSurrogate = hasLoneSurrogate
    }

    /// The token whole, quotes of a string included.
    var range: Range<Int> { start..<end }

    /// What stands between the quotes. Strings only.
    var content: Range<Int> { start + 1..<end - 1 }

    /// A string of at least one character.
    var isNonEmptyString: Bool { kind == .string && end - start > 2 }
}
