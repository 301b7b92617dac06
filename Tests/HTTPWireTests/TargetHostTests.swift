// Hosts and authorities: what is one, and which of them are the loopback interface.

import Testing

@testable import HTTPWire

@Suite("A host is read strictly")
struct TargetHostTests {
    private func parse(_ text: String) -> (TargetHost, String)? {
        // Something stands on both sides that must not be taken in.
        let bytes = Array("[\(text)1]".utf8)
        guard let host = TargetHost(parsing: bytes.span, at: 1..<1 + text.utf8.count) else { return nil }
        return (host, String(decoding: bytes[host.name], as: UTF8.self))
    }

    @Test(
        "name and port",
        arguments: [
            ("a", "a", nil), ("a.example", "a.example", nil), ("a:80", "a", 80), ("a:", "a", nil), ("a:0", "a", 0),
            ("a:00080", "a", 80), ("a:65535", "a", 65_535), ("192.0.2.7:8080", "192.0.2.7", 8080), ("[::1]", "[::1]", nil),
            ("[2001:db8::1]:443", "[2001:db8::1]", 443), ("[::1]:", "[::1]", nil), ("a_b-c~!$&'()*+,;=", "a_b-c~!$&'()*+,;=", nil),
            ("%41%c3", "%41%c3", nil),
        ] as [(String, String, UInt16?)])
    func sound(text: String, name: String, port: UInt16?) {
        let parsed = parse(text)
        #expect(parsed?.1 == name)
        #expect(parsed?.0.port == port)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", ":", ":80", "a b", "a\tb", "a:b", "a:8o", "a:-1", "a:+1", "a:65536", "a:99999999999999999999", "a:1:2", "a@b",
            "a/b", "a?b", "a#b", "a\\b", "a\"b", "a<b", "a^b", "é", "%", "a%4", "a%4g", "[", "[]", "[::1", "::1", "[::1]a",
            "[::1]80", "[1]", "[:]", "[:::]", "[::1::]", "[1::2::3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[12345::]",
            "[g::]", "[1:]", "[:1]", "[1:2:3:4:5:6:7:]", "[1:2:3:4:5:6:7:8::]", "[::1%25eth0]", "[::1%eth0]", "[v1.a]",
            "[::1.2.3]", "[::1.2.3.256]", "[::1.2.3.04]", "[1.2.3.4]", "[::1.2.3.4:5]", "[1:2:3:4:5:6:7:1.2.3.4]", "[::1 ]",
        ])
    func invalid(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(
        "loopback is what is loopback whoever is asked",
        arguments: [
            "localhost", "LocalHost", "localhost.", "localhost:80", "a.localhost", "A.b.LOCALHOST.", "127.0.0.1", "127.0.0.1:8080",
            "127.255.255.255", "127.0.0.0", "[::1]", "[::1]:80", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[0::0.0.0.1]",
            "[0:0:0:0:0:0:0.0.0.1]",
        ])
    func loopback(text: String) {
        #expect(parse(text)?.0.isLoopbackName == true)
    }

    @Test(
        "and nothing else",
        arguments: [
            "127.0.0.1.evil.com", "127.0.0.1.", "localhost.evil.com", "evil-localhost", "xlocalhost", "localhosts", ".localhost",
            "a..localhost", "localhost..", ".localhost.", "127.1", "127.0.1", "127", "2130706433", "0x7f.0.0.1", "0177.0.0.1",
            "127.0.0.01", "127.0.0.256", "127.0.0.1.1", "128.0.0.1", "126.255.255.255", "0.0.0.0", "%6cocalhost", "local%68ost",
            "[::2]", "[::]", "[1::1]", "[::1:0]", "[::ffff:127.0.0.1]", "[1:0:0:0:0:0:0:1]", "host", "a", "l",
        ])
    func notLoopback(text: String) {
        #expect(parse(text)?.0.isLoopbackName == false)
    }

    @Test(
        "an IPv6 address has its eight words",
        arguments: [
            ("::", [0, 0, 0, 0, 0, 0, 0, 0]), ("1::", [1, 0, 0, 0, 0, 0, 0, 0]), ("::1", [0, 0, 0, 0, 0, 0, 0, 1]),
            ("1::2", [1, 0, 0, 0, 0, 0, 0, 2]), ("1:2::7:8", [1, 2, 0, 0, 0, 0, 7, 8]), ("1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]),
            ("1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0]), ("::2:3:4:5:6:7:8", [0, 2, 3, 4, 5, 6, 7, 8]),
            ("1:2:3::5:6:7:8", [1, 2, 3, 0, 5, 6, 7, 8]), ("::192.0.2.1", [0, 0, 0, 0, 0, 0, 0xC000, 0x0201]),
            ("1:2:3:4:5:6:192.0.2.1", [1, 2, 3, 4, 5, 6, 0xC000, 0x0201]), ("abCD:0ef::", [0xABCD, 0xEF, 0, 0, 0, 0, 0, 0]),
        ] as [(String, [UInt16])])
    func words(text: String, expected: [UInt16]) {
        let bytes = Array(text.utf8)
        let words = IPv6Text.words(of: bytes.span, at: 0..<bytes.count)
        #expect(words.map { words in (0..<8).map { words[$0] } } == expected)
    }
}
