// A scanner for JSON texts: RFC 8259 whole, nothing more lenient, nothing less.
//
// Promises: every byte is looked at; what passes is grammatical JSON in valid UTF-8 with at most `depthMax`
// open arrays and objects. No allocation, no recursion, time linear in the text. Numbers are never converted:
// a token keeps the digits it came with. Every access is checked against the bounds of the span.
// One byte order mark before the text is forgiven (§8.1 lets a parser ignore it).
// Must not know: what any member means; that belongs to `CallbackPlace`.
//
// The scanner is a cursor only, and each step is given the bytes again, because a Span cannot be stored.
// A caller either takes a value whole (`value`) or steps into an object by name (`firstName`, `nextName`):
//
//     at `{` ──firstName──▶ at a value ──value, or a step into it──▶ after it ──nextName──▶ at a value …
//                     └──▶ nil: after `}`                                             └──▶ nil: after `}`

/// A cursor in a JSON text, and the steps it can take.
public struct JSONScanner {
    /// Most arrays and objects open at once; the outermost counts as 1. One bit each in the scanner's stack.
    public static let depthMax = 64

    /// Offset of the next byte to look at.
    var at: Int
    /// White space skipped so far, in bytes: zero at the end means that the text is compact already.
    private(set) var whiteSpaceBytes = 0

    /// A cursor at the first byte of the text's value, after a byte order mark and white space.
    init(_ bytes: Span<UInt8>) {
        at = Self.textStart(bytes)
        skipWhiteSpace(bytes)
    }

    /// Checks that `bytes` is one JSON text, and nothing else.
    ///
    /// - Throws: the first fault found, reading from the front.
    public static func validate(_ bytes: Span<UInt8>) throws(JSONRejection) {
        var scanner = JSONScanner(bytes)
        _ = try scanner.value(bytes, depth: 0)
        try scanner.finish(bytes)
    }

    /// Offset of the text after the byte order mark, where there is one (U+FEFF in UTF-8, RFC 3629 §6).
    static func textStart(_ bytes: Span<UInt8>) -> Int {
        guard bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF else { return 0 }
        return 3
    }

    /// Nothing but white space may follow the text's value (§2).
    mutating func finish(_ bytes: Span<UInt8>) throws(JSONRejection) {
        skipWhiteSpace(bytes)
        guard at == bytes.count else { throw .malformed(offset: at, .trailingBytes) }
    }

    /// The byte at the cursor, or NUL at the end: NUL starts no token, so it falls through to `unexpected`.
    @inline(__always)
    func peek(_ bytes: Span<UInt8>) -> UInt8 {
        at < bytes.count ? bytes[at] : 0
    }

    @inline(__always)
    mutating func skipWhiteSpace(_ bytes: Span<UInt8>) {
        let start = at
        while at < bytes.count, Self.isWhiteSpace(bytes[at]) { at += 1 }
        whiteSpaceBytes += at - start
    }

    /// Space, tab, line feed and carriage return, and no other (§2).
    @inline(__always)
    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte <= 0x20 && (byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09)
    }

    /// The refusal of whatever stands at the cursor.
    @inline(never)
    func unexpected(_ bytes: Span<UInt8>) -> JSONRejection {
        guard at == bytes.count else { return .malformed(offset: at, .unexpectedByte) }
        let isEmpty = at == Self.textStart(bytes) + whiteSpaceBytes
        return .malformed(offset: at, isEmpty ? .empty : .unexpectedEnd)
    }

    // MARK: Stepping into an object

    /// From the `{` to the value of the first member; its name, or nil where the object is empty and left.
    mutating func firstName(_ bytes: Span<UInt8>) throws(JSONRejection) -> JSONToken? {
        at += 1
        skipWhiteSpace(bytes)
        if peek(bytes) == UInt8(ascii: "}") {
            at += 1
            return nil
        }
        return try name(bytes)
    }

    /// From the end of a member's value to the next member's value; its name, or nil where the object is left.
    mutating func nextName(_ bytes: Span<UInt8>) throws(JSONRejection) -> JSONToken? {
        skipWhiteSpace(bytes)
        let byte = peek(bytes)
        guard byte == UInt8(ascii: ",") else {
            guard byte == UInt8(ascii: "}") else { throw unexpected(bytes) }
            at += 1
            return nil
        }
        at += 1
        skipWhiteSpace(bytes)
        return try name(bytes)
    }

    /// A member's name and the colon; the cursor is left on its value (§4).
    @inline(__always)
    private mutating func name(_ bytes: Span<UInt8>) throws(JSONRejection) -> JSONToken {
        guard peek(bytes) == UInt8(ascii: "\"") else { throw unexpected(bytes) }
        let name = try string(bytes)
        skipWhiteSpace(bytes)
        guard peek(bytes) == UInt8(ascii: ":") else { throw unexpected(bytes) }
        at += 1
        skipWhiteSpace(bytes)
        return name
    }

    // MARK: Taking a value whole

    /// The value at the cursor, with all it holds; the cursor is left after it.
    ///
    /// - Parameter depth: how many arrays and objects are open around it.
    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(JSONRejection) -> JSONToken {
        let byte = peek(bytes)
        guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else { return try scalar(bytes) }
        let start = at
        try skipContainer(bytes, depth: depth)
        return JSONToken(byte == UInt8(ascii: "{") ? .object : .array, start, at)
    }

    /// Steps over the array or object at the cursor. What is open is a stack of bits, 1 for an object.
    private mutating func skipContainer(_ bytes: Span<UInt8>, depth: Int) throws(JSONRejection) {
        var objects: UInt64 = 0
        var open = 0
        values: while true {
            let byte = peek(bytes)
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard depth + open < Self.depthMax else { throw .nestedTooDeep(offset: at) }
                let isObject = byte == UInt8(ascii: "{")
                at += 1
                skipWhiteSpace(bytes)
                if peek(bytes) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    at += 1
                } else {
                    open += 1
                    objects = objects << 1 | (isObject ? 1 : 0)
                    if isObject { _ = try name(bytes) }
                    continue values
                }
            } else {
                _ = try scalar(bytes)
            }
            // After a value: either the next one of the innermost container, or the ends of containers.
            while open > 0 {
                skipWhiteSpace(bytes)
                let isObject = objects & 1 == 1
                let byte = peek(bytes)
                if byte == UInt8(ascii: ",") {
                    at += 1
                    skipWhiteSpace(bytes)
                    if isObject { _ = try name(bytes) }
                    continue values
                }
                guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { throw unexpected(bytes) }
                at += 1
                objects >>= 1
                open -= 1
            }
            return
        }
    }

    /// A string, a number or one of the three literal names (§3).
    private mutating func scalar(_ bytes: Span<UInt8>) throws(JSONRejection) -> JSONToken {
        switch peek(bytes) {
        case UInt8(ascii: "\""): return try string(bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
        case UInt8(ascii: "t"): return try literal(bytes, "true", .yes)
        case UInt8(ascii: "f"): return try literal(bytes, "false", .no)
        case UInt8(ascii: "n"): return try literal(bytes, "null", .null)
        default: throw unexpected(bytes)
        }
    }

    private mutating func literal(
        _ bytes: Span<UInt8>, _ name: StaticString, _ kind: JSONToken.Kind
    ) throws(JSONRejection) -> JSONToken {
        let start = at
        for index in 0..<name.utf8CodeUnitCount {
            guard peek(bytes) == name.byte(at: index) else { throw unexpected(bytes) }
            at += 1
        }
        return JSONToken(kind, start, at)
    }

    /// `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?` (§6). What may follow it is the caller's rule.
    private mutating func number(_ bytes: Span<UInt8>) throws(JSONRejection) -> JSONToken {
        let start = at
        var kind = JSONToken.Kind.integer
        if peek(bytes) == UInt8(ascii: "-") { at += 1 }
        let isZero = peek(bytes) == UInt8(ascii: "0")
        let integerStart = at
        try digits(bytes)
        guard !isZero || at == integerStart + 1 else {
            throw .malformed(offset: integerStart, .malformedNumber)
        }
        if peek(bytes) == UInt8(ascii: ".") {
            kind = .decimal
            at += 1
            try digits(bytes)
        }
        if peek(bytes) | 0x20 == UInt8(ascii: "e") {
            kind = .decimal
            at += 1
            let sign = peek(bytes)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { at += 1 }
            try digits(bytes)
        }
        return JSONToken(kind, start, at)
    }

    /// One digit or more.
    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONRejection) {
        let start = at
        while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
        guard at > start else {
            throw .malformed(offset: at, at == bytes.count ? .unexpectedEnd : .malformedNumber)
        }
    }
}
