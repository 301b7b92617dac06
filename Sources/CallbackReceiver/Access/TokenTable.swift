// The tokens of a moment, as loops look them up.
//
// Promises: immutable. A look-up hashes what was presented and compares one digest in constant time, whether or not the
// identifier is known. Must not know: files, who asks.

import CrispCallback

struct TokenTable: Sendable {
    enum Standing: Sendable {
        /// No tokens file has ever existed.
        case neverCreated
        /// These are all there are; perhaps none any more.
        case kept
        /// There are some, or were, and they cannot be read: nothing is allowed.
        case unreadable
    }

    let standing: Standing
    private let tokens: [UInt64: Token]

    static let neverCreated = TokenTable(standing: .neverCreated, tokens: [:])
    static let unreadable = TokenTable(standing: .unreadable, tokens: [:])

    /// The tokens that a file holds: no identifier stands in it twice.
    init(_ tokens: [Token]) {
        self.init(standing: .kept, tokens: Dictionary(tokens.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first }))
    }

    private init(standing: Standing, tokens: [UInt64: Token]) {
        self.standing = standing
        self.tokens = tokens
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// What the key of an unknown identifier is compared with.
    private static let nobody = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// The token of this identifier, where `key` is its key.
    func token(identifier: ArraySlice<UInt8>, key: ArraySlice<UInt8>) -> Token? {
        let token = Hexadecimal.number(identifier.span).flatMap { tokens[$0] }
        let digest = SHA256.digest(key.span)
        let expected = token?.digest ?? Self.nobody
        return ConstantTime.isEqual(digest.span, expected.span) ? token : nil
    }
}

/// Lower-case hexadecimal digits, one spelling for each value.
enum Hexadecimal {
    /// The number that exactly 16 digits write; nil for anything else.
    static func number(_ digits: Span<UInt8>) -> UInt64? {
        guard digits.count == 16 else { return nil }
        var number: UInt64 = 0
        for index in digits.indices {
            guard let digit = digit(digits[index]) else { return nil }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    /// The bytes that digits write, two for each; nil for anything else.
    static func bytes(_ digits: Span<UInt8>) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        for byte in bytes {
            text.append(letter(byte >> 4))
            text.append(letter(byte & 0xF))
        }
    }

    private static func letter(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 87 + digit }

    private static func digit(_ letter: UInt8) -> UInt8? {
        switch letter {
        case 0x30...0x39: letter - 48
        case 0x61...0x66: letter - 87
        default: nil
        }
    }
}
