// Which scanned values are usable for which field, and the numbers that they stand for.
//
// Promises: API.md §3, the column "usable", rule for rule, about the value after unescaping. Bounded work: no
// string is read further than its rule needs.
// Must not know: member names, places, or which value wins.

extension JSONToken {
    /// A string of 1 to 256 visible ASCII characters (0x21 to 0x7E).
    func isRequestID(_ bytes: Span<UInt8>) -> Bool {
        guard isNonEmptyString else { return false }
        if !isEscaped {
            let content = content
            guard content.count <= CallbackBounds.requestIDBytesMax else { return false }
            for index in content where !(0x21...0x7E ~= bytes[index]) { return false }
            return true
        }
        var letters = JSONUnescaping(content)
        var count = 0
        while let letter = letters.next(bytes) {
            count += 1
            guard 0x21...0x7E ~= letter, count <= CallbackBounds.requestIDBytesMax else { return false }
        }
        return true
    }

    /// A string of 1 to 512 bytes in UTF-8 without lone surrogates.
    func isIdentifier(_ bytes: Span<UInt8>) -> Bool {
        guard isNonEmptyString, !hasLoneSurrogate else { return false }
        guard isEscaped else { return content.count <= CallbackBounds.identifierBytesMax }
        var letters = JSONUnescaping(content)
        var count = 0
        while letters.next(bytes) != nil {
            count += 1
            guard count <= CallbackBounds.identifierBytesMax else { return false }
        }
        return true
    }

    /// A number without fraction or exponent, or a string of digits without leading zero. "0" itself has none.
    func isWholeNumber(_ bytes: Span<UInt8>) -> Bool {
        if kind == .integer { return true }
        guard isNonEmptyString else { return false }
        var letters = JSONUnescaping(content)
        var isZero = false
        var count = 0
        while let letter = letters.next(bytes) {
            guard letter &- 0x30 < 10, !isZero else { return false }
            isZero = count == 0 && letter == 0x30
            count += 1
        }
        return true
    }

    /// A whole number without a minus sign, up to 18 digits: so it fits a UInt64.
    func isCode(_ bytes: Span<UInt8>) -> Bool {
        isWholeNumber(bytes) && codeValue(bytes) != nil
    }

    /// The value of a usable code; nil where it has a sign or too many digits.
    func codeValue(_ bytes: Span<UInt8>) -> UInt64? {
        var letters = JSONUnescaping(kind == .string ? content : range)
        var code: UInt64 = 0
        var count = 0
        while let letter = letters.next(bytes) {
            count += 1
            guard letter &- 0x30 < 10, count <= CallbackBounds.codeDigitsMax else { return nil }
            code = code * 10 + UInt64(letter - 0x30)
        }
        return code
    }

    /// The number in the first `(#131049)` of a string: 1 to 18 digits between `(#` and `)`.
    func codeInParentheses(_ bytes: Span<UInt8>) -> UInt64? {
        enum Awaited { case parenthesis, sign, digits }
        var awaited = Awaited.parenthesis
        var letters = JSONUnescaping(content)
        var code: UInt64 = 0
        var count = 0
        while let letter = letters.next(bytes) {
            if awaited == .sign, letter == UInt8(ascii: "#") {
                (awaited, code, count) = (.digits, 0, 0)
            } else if awaited == .digits, letter &- 0x30 < 10, count < CallbackBounds.codeDigitsMax {
                code = code * 10 + UInt64(letter - 0x30)
                count += 1
            } else if awaited == .digits, letter == UInt8(ascii: ")"), count > 0 {
                return code
            } else {
                awaited = letter == UInt8(ascii: "(") ? .sign : .parenthesis
            }
        }
        return nil
    }
}
