// The members of one JSON object, for whoever reads another object than a callback.
//
// Promises: the grammar is the scanner's, whole: by the time `next` returns nil, every byte of the text has been
// checked. A name counts by its value (RFC 8259 §8.3). Nothing is copied: a value is a range of the text.
// Must not know: which members there may be, or what is answered.

/// A value of an object's member: its place in the text, and its kind.
public struct JSONValue: Sendable, Equatable {
    /// RFC 8259 §3; numbers told apart by whether they have a fraction or an exponent.
    public enum Kind: Sendable, CaseIterable {
        case object, array, string
        /// A number with neither fraction nor exponent.
        case integer
        case decimal, boolean, null
    }

    /// Which it is.
    public let kind: Kind
    /// The value whole, quotes of a string and brackets included.
    public let range: Range<Int>
    /// A string with half a surrogate pair: valid JSON (RFC 8259 §8.2), but no Unicode text.
    public let hasLoneSurrogate: Bool

    init(_ token: JSONToken) {
        range = token.range
        hasLoneSurrogate = token.hasLoneSurrogate
        kind =
            switch token.kind {
            case .object: .object
            case .array: .array
            case .string: .string
            case .integer: .integer
            case .decimal: .decimal
            case .yes, .no: .boolean
            case .null: .null
            }
    }
}

/// A member of an object.
public struct JSONMember: Sendable {
    private let name: JSONToken
    /// What stands behind its name.
    public let value: JSONValue

    init(_ name: JSONToken, _ value: JSONToken) {
        self.name = name
        self.value = JSONValue(value)
    }

    /// Whether the name's value is this one.
    public func isNamed(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        var letters = JSONUnescaping(name.content)
        for index in 0..<text.utf8CodeUnitCount where letters.next(bytes) != text.byte(at: index) { return false }
        return letters.next(bytes) == nil
    }
}

/// A walk over the members of a text that is one object.
public struct JSONMembers {
    private var scanner: JSONScanner
    private var isAtFirst = true
    private var isAtEnd = false

    /// Nil where the text is JSON but no object; what is no JSON at all is said first, whatever it begins with.
    public init?(_ text: Span<UInt8>) throws(JSONRejection) {
        scanner = JSONScanner(text)
        guard scanner.peek(text) == UInt8(ascii: "{") else {
            try JSONScanner.validate(text)
            return nil
        }
    }

    /// The next member, in the order they stand in; nil behind the last.
    /// - Parameter text: the same as for `init`.
    public mutating func next(_ text: Span<UInt8>) throws(JSONRejection) -> JSONMember? {
        guard !isAtEnd else { return nil }
        let name = isAtFirst ? try scanner.firstName(text) : try scanner.nextName(text)
        isAtFirst = false
        guard let name else {
            isAtEnd = true
            try scanner.finish(text)
            return nil
        }
        return JSONMember(name, try scanner.value(text, depth: 1))
    }
}
