// Why a text is not JSON, as values.
//
// Promises: a fault names the rule that was broken and where, and never carries a byte of the text, so
// that it may be shown, logged and counted (DESIGN invariant 9).
// Must not know: callbacks, HTTP, or what a caller answers.

/// The rule of RFC 8259 (or of UTF-8, RFC 3629) that a text breaks.
public enum JSONFault: UInt8, Sendable, Equatable, CaseIterable {
    /// Nothing but white space, or nothing at all (RFC 8259 §2: a text is one value).
    case empty
    /// The text ends inside a value.
    case unexpectedEnd
    /// A byte that no token can start with here, or that may not follow the token before it.
    case unexpectedByte
    /// Something other than white space after the one value of the text (§2).
    case trailingBytes
    /// A number that does not fit the grammar: a leading zero, or no digit where one must be (§6).
    case malformedNumber
    /// A backslash followed by what is no escape (§7).
    case malformedEscape
    /// A byte below 0x20 inside a string (§7).
    case controlCharacter
    /// Bytes that are not UTF-8: overlong, an encoded surrogate, above U+10FFFF, cut short (§8.1, RFC 3629 §3).
    case malformedUTF8

    /// The fault in words, for people.
    public var description: String {
        switch self {
        case .empty: "there is no JSON value"
        case .unexpectedEnd: "the text ends inside a value"
        case .unexpectedByte: "a byte stands where JSON allows none like it"
        case .trailingBytes: "something follows the JSON value"
        case .malformedNumber: "a number is not written as JSON asks"
        case .malformedEscape: "a backslash starts no escape that JSON knows"
        case .controlCharacter: "a string holds a control character that is not escaped"
        case .malformedUTF8: "a string is not valid UTF-8"
        }
    }
}

/// Why the scanner refuses a text.
public enum JSONRejection: Error, Sendable, Equatable {
    /// The text breaks `fault`'s rule at `offset`, in bytes from its beginning (a byte order mark counts).
    case malformed(offset: Int, JSONFault)
    /// The array or object that opens at `offset` would be the 65th open one (`JSONScanner.depthMax`).
    case nestedTooDeep(offset: Int)
}
