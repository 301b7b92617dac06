// Hexadecimal and decimal digits: as the standard library writes them, and nothing else is read.
//
// Promises: every width, and every byte in every place. Must not know: what is written so.

import Platform
import Testing

@Suite("Digits in bytes")
struct HexadecimalTests {
    private func number(_ digits: [UInt8]) -> UInt64? { Hexadecimal.number(digits.span) }
    private func bytes(_ digits: [UInt8]) -> [UInt8]? { Hexadecimal.bytes(digits.span) }

    @Test("numbers are written in so many digits, and read back", arguments: [0, 1, 0xF, 0x10, 0xDEAD_BEEF, 1 << 63, .max] as [UInt64])
    func written(number: UInt64) {
        let digits = String(number, radix: 16)
        for count in digits.count...16 {
            let text = Hexadecimal.text(number, digits: count)
            #expect(text == String(repeating: "0", count: count - digits.count) + digits)
            #expect(self.number(Array(text.utf8)) == number)
        }
        var decimal: [UInt8] = []
        decimal.append(decimal: number)
        #expect(String(decoding: decimal, as: UTF8.self) == String(number))
    }

    @Test("bytes are written with two digits each, and read back")
    func pairs() {
        var text: [UInt8] = []
        Hexadecimal.append(Array(0...255), to: &text)
        #expect(bytes(text) == Array(0...255))
        #expect(bytes(Array(text.dropFirst())) == nil)
    }

    @Test("any other byte, and any other number of digits, is refused")
    func refused() {
        for byte in UInt8.min...UInt8.max {
            let isDigit = "0123456789abcdef".utf8.contains(byte)
            #expect((number([0x30, byte]) != nil) == isDigit)
            #expect((bytes([byte, 0x30]) != nil) == isDigit)
        }
        #expect(number([]) == nil)
        #expect(number([UInt8](repeating: 0x30, count: 17)) == nil)
    }
}
