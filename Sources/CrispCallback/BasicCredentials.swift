// `user:password` out of the value of an Authorization field (RFC 7617 §2).
//
// Promises: strict: the scheme in any case, one space or more, base64 with its padding (RFC 4648 §4) and nothing behind it.
// What could be read in two ways is none: other letters, bits that are left over, a missing colon. How long it takes
// depends on the length, and on where the first wrong letter is, but on no secret.
// Must not know: which credentials are right.

/// Reads and compares the credentials of HTTP Basic (RFC 7617).
public enum BasicCredentials {
    /// Appends user, colon and password as they stand in `field`.
    /// - Returns: false where the field holds no Basic credentials; `output` is then as before.
    public static func decode(_ field: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        let scheme: StaticString = "basic"
        var at = scheme.utf8CodeUnitCount
        guard field.count > at, field[at] == UInt8(ascii: " ") else { return false }
        // RFC 9110 §11.1: the scheme's name is case-insensitive.
        for index in 0..<at where field[index] | 0x20 != scheme.byte(at: index) { return false }
        while at < field.count, field[at] == UInt8(ascii: " ") { at += 1 }
        let before = output.count
        // RFC 7617 §2: without a colon it is no user-pass.
        guard appendDecoded(field.extracting(at...), to: &output), output[before...].contains(UInt8(ascii: ":")) else {
            output.removeSubrange(before...)
            return false
        }
        return true
    }

    /// RFC 4648 §4, strictly: a multiple of four letters, padded at the end alone, no bits that mean nothing (§3.5).
    private static func appendDecoded(_ text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
        guard !text.isEmpty, text.count % 4 == 0 else { return false }
        var padding = 0
        while padding < 2, text[text.count - 1 - padding] == UInt8(ascii: "=") { padding += 1 }
        var bits: UInt32 = 0
        for index in 0..<text.count - padding {
            guard let digit = digit(text[index]) else { return false }
            bits = bits << 6 | UInt32(digit)
            guard index % 4 == 3 else { continue }
            output.append(UInt8(truncatingIfNeeded: bits >> 16))
            output.append(UInt8(truncatingIfNeeded: bits >> 8))
            output.append(UInt8(truncatingIfNeeded: bits))
            bits = 0
        }
        switch padding {
        case 1:
            // Three letters are 18 bits: two bytes and two bits that must be zero.
            guard bits & 0b11 == 0 else { return false }
            output.append(UInt8(truncatingIfNeeded: bits >> 10))
            output.append(UInt8(truncatingIfNeeded: bits >> 2))
        case 2:
            // Two letters are 12 bits: one byte and four bits.
            guard bits & 0b1111 == 0 else { return false }
            output.append(UInt8(truncatingIfNeeded: bits >> 4))
        default: break
        }
        return true
    }

    private static func digit(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
