// Digests against the vectors of the standards, and against the lengths where a padding could go wrong.

import CrispCallback
import Testing

@Suite("Digests are those of the standards")
struct DigestTests {
    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    @Test(
        "SHA-256: FIPS 180-4, and NIST's examples to it",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
            ),
            (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ])
    func sha256(text: String, digest: String) {
        let bytes = Array(text.utf8)
        let ours = SHA256.digest(bytes.span)
        #expect(Self.hex(ours) == digest)
    }

    /// RFC 4231 §4.2 to §4.8; of case 5 the first 128 bits, as there.
    private static let rfc4231: [(key: [UInt8], message: [UInt8], code: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        ([UInt8](repeating: 0x0C, count: 20), Array("Test With Truncation".utf8), "a3b6167473100ee06e0c796c2955552b"),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array(
                "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."
                    .utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test("HMAC-SHA256: the seven cases of RFC 4231", arguments: rfc4231.indices)
    func hmac(number: Int) {
        let vector = Self.rfc4231[number]
        let code = Self.hex(HMACSHA256.code(key: vector.key.span, message: vector.message.span))
        #expect(code.hasPrefix(vector.code))
    }

    @Test("a message in pieces has the code of the whole, wherever it is cut")
    func pieces() {
        let key = Array("a key".utf8)
        let message = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let whole = HMACSHA256.code(key: key.span, message: message.span)
        for cut in 0...message.count {
            var code = HMACSHA256(key: key.span)
            code.add(message.span.extracting(..<cut))
            code.add(message.span.extracting(cut...))
            let joined = code.end()
            #expect(joined == whole)
        }
    }

    @Test("keys of a block's length and about it, and none at all, are those of RFC 2104 §2")
    func keyLengths() {
        // By the definition, with the digest alone: H(K xor opad, H(K xor ipad, text)).
        let message = Array("text".utf8)
        for length in [0, 1, 31, 32, 63, 64, 65, 128] {
            let key = [UInt8](repeating: 0x5A, count: length)
            var block = length > 64 ? SHA256.digest(key.span) : key
            block += [UInt8](repeating: 0, count: 64 - block.count)
            let inner = SHA256.digest((block.map { $0 ^ 0x36 } + message).span)
            let outer = SHA256.digest((block.map { $0 ^ 0x5C } + inner).span)
            let code = HMACSHA256.code(key: key.span, message: message.span)
            #expect(code == outer, "a key of \(length) bytes")
        }
    }

    @Test("equal is what has the same length and the same bytes, each of them counted")
    func equality() {
        // A span cannot stand in an expectation.
        func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool { ConstantTime.isEqual(one.span, other.span) }
        let bytes = (0..<40).map { UInt8($0) }
        #expect(isEqual(bytes, Array(bytes)))
        #expect(isEqual([], []))
        #expect(!isEqual(bytes, Array(bytes.dropLast())))
        #expect(!isEqual([], [0]))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            #expect(!isEqual(bytes, other))
        }
    }
}
