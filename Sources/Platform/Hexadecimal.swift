// Hexadecimal digits, lower case: one spelling for each value.
//
// Promises: what is written is read back; upper case, signs and any other number of digits are not read.
// Must not know: what is written so.

/// Numbers and bytes as lower-case hexadecimal digits.
public enum Hexadecimal {
    /// Appends the lowest `digits` digits of `number`.
    @inlinable
    public static func append(_ number: UInt64, digits: Int, to text: inout [UInt8]) {
        for shift in stride(from: UInt64(4 * (digits - 1)), through: 0, by: -4) {
            text.append(letter(UInt8(truncatingIfNeeded: number >> shift & 15)))
        }
    }

    /// The lowest `digits` digits of `number`.
    public static func text(_ number: UInt64, digits: Int) -> String {
        var text: [UInt8] = []
        append(number, digits: digits, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The number that the digits write, 16 at most; nil for anything else.
    @inlinable
    public static func number(_ digits: Span<UInt8>) -> UInt64? {
        guard 1...16 ~= digits.count else { return nil }
        var number: UInt64 = 0
        for index in digits.indices {
            guard let digit = digit(digits[index]) else { return nil }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    /// Two digits for each byte.
    public static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        for byte in bytes { append(UInt64(byte), digits: 2, to: &text) }
    }

    /// The bytes that digits write, two for each; nil for anything else.
    public static func bytes(_ digits: Span<UInt8>) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = number(digits.extracting(index..<(index + 2))) else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
        return bytes
    }

    @inlinable
    static func letter(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 87 + digit }

    @inlinable
    static func digit(_ letter: UInt8) -> UInt8? {
        switch letter {
        case 0x30...0x39: letter - 48
        case 0x61...0x66: letter - 87
        default: nil
        }
    }
}
