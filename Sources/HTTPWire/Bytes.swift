// Byte classes of the HTTP grammar, and how spans of bytes are scanned, compared and copied.
//
// Promises: no allocation but an array's own growth; every access is within the span, checked.
// Beside HTTP2Session, which calls a C library, this is the one file of HTTPWire with unsafe constructs.
// Each is one of three: a bounds-checked unaligned load, a copy out of a buffer that lives as long as
// its closure, a read of a literal.
// Must not know: what the bytes mean.

/// The bytes that the grammar names.
enum Byte {
    static let tab: UInt8 = 0x09, lineFeed: UInt8 = 0x0A, carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20, quote: UInt8 = 0x22, hash: UInt8 = 0x23, percent: UInt8 = 0x25
    static let ampersand: UInt8 = 0x26, asterisk: UInt8 = 0x2A, comma: UInt8 = 0x2C, dot: UInt8 = 0x2E
    static let slash: UInt8 = 0x2F, zero: UInt8 = 0x30, colon: UInt8 = 0x3A, semicolon: UInt8 = 0x3B
    static let equals: UInt8 = 0x3D, question: UInt8 = 0x3F, openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C, closeBracket: UInt8 = 0x5D, delete: UInt8 = 0x7F

    /// tchar, RFC 9110 §5.6.2. Two words as a bit set: cheaper than a table, and nothing to initialize.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        isMember(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// A byte of a reg-name but for `%`: unreserved and sub-delims, RFC 3986 §3.2.2.
    @inline(__always)
    static func isRegisteredName(_ byte: UInt8) -> Bool {
        isMember(byte, low: 0x2BFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// White space between elements (OWS, RFC 9110 §5.6.3).
    @inline(__always)
    static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    /// What may stand in a field value or a quoted string: SP, HTAB, VCHAR, obs-text (RFC 9110 §5.5).
    @inline(__always)
    static func isFieldContent(_ byte: UInt8) -> Bool { byte == tab || (byte >= space && byte != delete) }

    /// VCHAR, RFC 5234 appendix B.1.
    @inline(__always)
    static func isVisible(_ byte: UInt8) -> Bool { byte > space && byte < delete }

    /// The lower-case letter of an ASCII letter; any other byte as it is.
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a decimal digit, nil for any other byte.
    @inline(__always)
    static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- zero
        return value < 10 ? value : nil
    }

    /// The value of a hexadecimal digit of either case, nil for any other byte.
    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt8? {
        if let value = digit(byte) { return value }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    @inline(__always)
    private static func isMember(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && (word >> UInt64(byte & 63)) & 1 == 1
    }
}

extension Span<UInt8> {
    /// The first index in `start..<end` with a control byte (below SP, or DEL), else `end`.
    ///
    /// Eight bytes at a time. A borrow runs only upwards, so the lowest flag is exact, whatever is
    /// flagged above it.
    func firstControl(from start: Int, to end: Int) -> Int {
        precondition(0 <= start && end <= count)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        // A UInt8 has no padding: all its bytes are initialized.
        let raw = unsafe bytes
        var index = start
        while index + 8 <= end {
            // Bounds: the load is checked against the span. Any bit pattern is a UInt64.
            let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            let deletes = word ^ (ones &* 0x7F)
            let flags = (((word &- ones &* 0x20) & ~word) | ((deletes &- ones) & ~deletes)) & highs
            if flags != 0 { return index + flags.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end {
            let byte = self[index]
            if byte < Byte.space || byte == Byte.delete { return index }
            index += 1
        }
        return end
    }

    /// The first index in `range` with this byte, nil without one.
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        let part = extracting(range)
        for index in part.indices where part[index] == byte { return range.lowerBound + index }
        return nil
    }

    /// Where the token that `range` begins with ends: the first index with another byte, else the end.
    func endOfToken(in range: Range<Int>) -> Int {
        let part = extracting(range)
        for index in part.indices where !Byte.isToken(part[index]) { return range.lowerBound + index }
        return range.upperBound
    }

    /// `range` without the white space at both its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, Byte.isWhiteSpace(self[lower]) { lower += 1 }
        while upper > lower, Byte.isWhiteSpace(self[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    /// Whether the bytes at `range` are exactly those of `literal`.
    func equals(_ literal: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        let part = extracting(range)
        // Lifetime: a literal lives for ever. Bounds: `index` is below its count, just compared.
        let expected = unsafe literal.utf8Start
        for index in part.indices where unsafe part[index] != expected[index] { return false }
        return true
    }

    /// Whether the bytes at `range` are those of `literal` but for the case of ASCII letters.
    ///
    /// `literal` is of lower-case letters, digits, and punctuation between SP and `?`. Setting bit 5
    /// then maps no other visible byte onto it, so this is exact for visible bytes.
    func equalsIgnoringCase(_ literal: StaticString, at range: Range<Int>) -> Bool {
        range.count == literal.utf8CodeUnitCount && startsIgnoringCase(literal, at: range)
    }

    /// Whether the bytes at both ranges are the same but for the case of ASCII letters.
    func equalsIgnoringCase(_ first: Range<Int>, _ second: Range<Int>) -> Bool {
        guard first.count == second.count else { return false }
        let (one, other) = (extracting(first), extracting(second))
        for index in one.indices where Byte.lowercased(one[index]) != Byte.lowercased(other[index]) { return false }
        return true
    }

    /// Whether the bytes at `range` begin with `literal`, as `equalsIgnoringCase` compares.
    func startsIgnoringCase(_ literal: StaticString, at range: Range<Int>) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard range.count >= count else { return false }
        let part = extracting(range.lowerBound..<range.lowerBound + count)
        // Lifetime: a literal lives for ever. Bounds: `index` is below its count.
        let expected = unsafe literal.utf8Start
        for index in part.indices where unsafe part[index] | 0x20 != expected[index] { return false }
        return true
    }
}

extension StaticString {
    /// The byte at `index` of a literal.
    func byte(at index: Int) -> UInt8 {
        precondition(0 <= index && index < utf8CodeUnitCount)
        // Lifetime: a literal lives for ever. Bounds: just checked.
        return unsafe utf8Start[index]
    }
}

extension [UInt8] {
    /// Appends a copy of `bytes`.
    mutating func append(_ bytes: Span<UInt8>) {
        // Lifetime: the buffer is used within the closure only. Bounds: it is the whole span.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends the bytes of a literal.
    mutating func append(_ literal: StaticString) {
        // Lifetime: a literal lives for ever. Bounds: its own count.
        unsafe append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Appends `number`, which is not negative, in hexadecimal.
    mutating func appendHexadecimal(_ number: Int) {
        precondition(number >= 0)
        let digits = Swift.max(1, (Int.bitWidth - number.leadingZeroBitCount + 3) / 4)
        for place in stride(from: digits - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: number >> (4 * place)) & 0xF
            append(digit < 10 ? Byte.zero + digit : Byte.zero + 39 + digit)
        }
    }

    /// Appends `number`, which is not negative, in decimal, without a string in between.
    mutating func appendDecimal(_ number: Int) {
        precondition(number >= 0)
        // The greatest Int has 19 digits.
        var digits = InlineArray<19, UInt8>(repeating: 0)
        var first = digits.count
        var rest = number
        repeat {
            first -= 1
            digits[first] = Byte.zero + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(first..<digits.count))
    }
}
