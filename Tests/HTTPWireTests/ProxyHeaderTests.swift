// The PROXY protocol's headers, each with the bytes in every split: what is one, and what is refused how soon.

import Testing

import struct TestSupport.SeededGenerator

@testable import HTTPWire

@Suite("A PROXY header")
struct ProxyHeaderTests {
    /// What `bytes` read as; every beginning of them must ask for more, or say already what the whole says.
    private func reading(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) -> ProxyHeader.Reading {
        let whole = ProxyHeader.read(bytes.span)
        for count in bytes.indices {
            let part = ProxyHeader.read(bytes.span.extracting(0..<count))
            if part != .needsMore, part != whole { #expect(part == whole, "split at \(count)", sourceLocation: sourceLocation) }
        }
        return whole
    }

    private func address(_ text: String) -> NodeAddress? {
        let bytes = Array(text.utf8)
        return NodeAddress(ipv4: bytes.span, at: bytes.indices) ?? NodeAddress(ipv6: bytes.span, at: bytes.indices)
    }

    // MARK: version 1

    @Test(
        "of version 1 names the client (§2.1)",
        arguments: [
            ("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "192.0.2.7"), ("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0"),
            ("PROXY TCP6 2001:db8::7 ::1 1 2\r\n", "2001:db8::7"), ("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7"),
            (
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            ), ("PROXY UNKNOWN\r\n", nil), ("PROXY UNKNOWN ffff:f...f:ffff anything 65535\r\n", nil),
        ] as [(String, String?)])
    func version1(line: String, source: String?) {
        let expected = ProxyHeader.Reading.header(bytes: line.utf8.count, source: source.flatMap(address))
        #expect(source == nil || source.flatMap(address) != nil)
        #expect(reading(Array(line.utf8)) == expected)
        for rest in ["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "\n"] {
            #expect(reading(Array((line + rest).utf8)) == expected, "what follows is the client's")
        }
    }

    @Test(
        "of version 1 is refused where it is not exactly one",
        arguments: [
            "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "proxy TCP4 192.0.2.7 192.0.2.8 1 2\r\n", "PROXY\r\n", "PROXY \r\n", "PROXY  TCP4 192.0.2.7 192.0.2.8 1 2\r\n",
            "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n", "PROXY TCP4 192.0.2.7 192.0.2.8 1 2 \r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n",
            "PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 1 \r\n", "PROXY TCP4 192.0.2.7  192.0.2.8 1 2\r\n",
            "PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 1 02\r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 -1 2\r\n",
            "PROXY TCP4 192.0.2.7 192.0.2.8 1 99999999999999999999\r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 a 2\r\n", "PROXY TCP4 192.0.2.07 192.0.2.8 1 2\r\n",
            "PROXY TCP4 192.0.2 192.0.2.8 1 2\r\n", "PROXY TCP4 192.0.2.7 x 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n",
            "PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n", "PROXY TCP 192.0.2.7 192.0.2.8 1 2\r\n", "PROXY TCP44 192.0.2.7 192.0.2.8 1 2\r\n",
            "PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n", "PROXY UNKNOWNS\r\n", "PROXY\tTCP4 192.0.2.7 192.0.2.8 1 2\r\n", "\u{16}\u{3}\u{1}\u{2}", "\0",
        ])
    func notVersion1(line: String) {
        #expect(reading(Array(line.utf8)) == .malformed)
    }

    @Test("of version 1 ends within 107 bytes")
    func version1Bound() {
        let begin = "PROXY UNKNOWN "
        let filling = String(repeating: "x", count: 107 - 2 - begin.utf8.count)
        #expect(reading(Array((begin + filling + "\r\n").utf8)) == .header(bytes: 107, source: nil))
        #expect(reading(Array((begin + filling + "x\r\n").utf8)) == .malformed)
        #expect(ProxyHeader.read(Array((begin + filling + "\r").utf8).span) == .needsMore)
        #expect(ProxyHeader.read(Array((begin + filling + "xx").utf8).span) == .malformed, "without waiting for its end")
    }

    // MARK: version 2

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private func version2(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return Self.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
    }

    private static let ipv4: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB]
    private static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 0, count: 15) + [1, 0, 1, 0, 2]
    private static let tlv: [UInt8] = [0x04, 0, 3, 1, 2, 3]

    @Test("of version 2 names the client, and is as long as it says (§2.2)")
    func version2() {
        for (bytes, source) in [
            (version2(0x21, 0x11, Self.ipv4), "192.0.2.7"), (version2(0x21, 0x11, Self.ipv4 + Self.tlv), "192.0.2.7"),
            (version2(0x21, 0x21, Self.ipv6), "2001:db8::7"), (version2(0x21, 0x21, Self.ipv6 + Self.tlv), "2001:db8::7"),
            // Of its own account, whatever family it says; no address known; a Unix socket's client.
            (version2(0x20, 0x00, []), nil), (version2(0x20, 0x11, Self.ipv4), nil), (version2(0x20, 0xFF, Self.tlv), nil),
            (version2(0x21, 0x00, []), nil), (version2(0x21, 0x00, Self.tlv), nil),
            (version2(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216)), nil),
        ] as [([UInt8], String?)] {
            let expected = ProxyHeader.Reading.header(bytes: bytes.count, source: source.flatMap(address))
            #expect(reading(bytes) == expected)
            #expect(reading(bytes + Array("GET / HTTP/1.1\r\n\r\n".utf8)) == expected)
        }
    }

    @Test("of version 2 is refused where it is not exactly one")
    func notVersion2() {
        for position in 1..<Self.signature.count {
            var bytes = version2(0x21, 0x11, Self.ipv4)
            bytes[position] ^= 0x20
            #expect(reading(bytes) == .malformed, "signature byte \(position)")
        }
        for command: UInt8 in [0x00, 0x01, 0x10, 0x11, 0x22, 0x2F, 0x30, 0x31, 0xFF] {
            #expect(reading(version2(command, 0x11, Self.ipv4)) == .malformed, "command \(command)")
        }
        // Datagrams on a stream, and what is not assigned.
        for family: UInt8 in [0x01, 0x02, 0x10, 0x12, 0x13, 0x20, 0x22, 0x30, 0x32, 0x41, 0xFF] {
            let bytes = version2(0x21, family, [UInt8](repeating: 0, count: 216))
            #expect(reading(bytes) == .malformed, "family \(family)")
            #expect(ProxyHeader.read(bytes.span.extracting(0..<14)) == .malformed, "as soon as it is known")
        }
        #expect(reading(version2(0x21, 0x11, Self.ipv4, length: 11)) == .malformed, "shorter than its addresses")
        #expect(reading(version2(0x21, 0x21, Self.ipv6, length: 35)) == .malformed)
        #expect(reading(version2(0x21, 0x31, [UInt8](repeating: 0, count: 215))) == .malformed)
    }

    @Test("of version 2 has at most 536 bytes, which is known before they come")
    func version2Bound() {
        let most = ProxyHeader.bytesMax - 16
        #expect(reading(version2(0x21, 0x11, Self.ipv4 + [UInt8](repeating: 0, count: most - 12))) == .header(bytes: 536, source: address("192.0.2.7")))
        #expect(ProxyHeader.read(version2(0x21, 0x11, [], length: most).span) == .needsMore)
        #expect(ProxyHeader.read(version2(0x21, 0x11, [], length: most + 1).span) == .malformed)
        #expect(ProxyHeader.read(version2(0x20, 0x00, [], length: 0xFFFF).span) == .malformed)
    }

    @Test("whatever bytes come, the reading is one of the three, and within the bytes")
    func junk() {
        var generator = SeededGenerator(seed: 0x9807)
        let samples = [version2(0x21, 0x11, Self.ipv4 + Self.tlv), version2(0x21, 0x21, Self.ipv6), Array("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nG".utf8)]
        for round in 0..<20_000 {
            var bytes = samples[round % samples.count]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...3, using: &generator))
            if case .header(let count, _) = ProxyHeader.read(bytes.span), !(15...bytes.count).contains(count) {
                Issue.record("\(bytes)")
            }
        }
    }
}
