// For whom a request came, by what proxies say: chains, spoofs, and everything that ends the walk.

import Testing

@testable import HTTPWire

@Suite("Forwarded and X-Forwarded-For")
struct ForwardedForTests {
    private func address(_ text: String) throws -> NodeAddress {
        let bytes = Array(text.utf8)
        return try #require(
            NodeAddress(ipv4: bytes.span, at: bytes.indices) ?? NodeAddress(ipv6: bytes.span, at: bytes.indices))
    }

    /// The client of a request with these fields, where 10.0.0.0/8 and fd00::/8 are trusted; "-" for none.
    private func client(_ fields: [String]) throws -> String {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        let bytes = Array(text.utf8)
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        #expect(session.receive(bytes.span, at: &position, into: &request) == .request)
        let client = ForwardedFor.client(of: request) { hop in
            hop.high >> 56 == 0xFD || hop.high == 0 && hop.low >> 24 == 0xFFFF_0A
        }
        guard let client else { return "-" }
        for known in Self.known where try address(known) == client { return known }
        return "\(client)"
    }

    /// Addresses that the tests name.
    private static let known = ["192.0.2.7", "192.0.2.8", "10.0.0.1", "10.0.0.2", "2001:db8::7", "fd00::1", "1.2.3.4"]

    @Test(
        "the last address that a trusted hop names is the client's",
        arguments: [
            // One hop: whatever stands left of it was written by the client.
            ("192.0.2.7", "192.0.2.7"), ("1.2.3.4, 192.0.2.7", "192.0.2.7"), ("1.2.3.4,192.0.2.7", "192.0.2.7"),
            ("10.0.0.1, 192.0.2.7", "192.0.2.7"),
            // Trusted hops are walked over.
            ("192.0.2.7, 10.0.0.1", "192.0.2.7"), ("1.2.3.4, 192.0.2.7, 10.0.0.2, 10.0.0.1", "192.0.2.7"),
            ("192.0.2.7, fd00::1, 10.0.0.1", "192.0.2.7"), ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
            // Spellings.
            ("2001:db8::7", "2001:db8::7"), ("[2001:db8::7]", "2001:db8::7"), ("[2001:db8::7]:443", "2001:db8::7"),
            ("192.0.2.7:47011", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), (" 192.0.2.7 \t", "192.0.2.7"),
            (", ,192.0.2.7, ,", "192.0.2.7"), ("192.0.2.7\t,\t10.0.0.1", "192.0.2.7"),
            // What is no address ends the walk where it stands.
            ("unknown", "-"), ("", "-"), (",", "-"), ("192.0.2.7, unknown", "-"), ("192.0.2.7, unknown, 10.0.0.1", "10.0.0.1"),
            ("192.0.2.7, 127.1, 10.0.0.1", "10.0.0.1"), ("192.0.2.7 10.0.0.1", "-"), ("192.0.2.7;10.0.0.1", "-"),
            ("192.0.2.07", "-"), ("192.0.2.7:", "-"), ("192.0.2.7:123456", "-"), ("192.0.2.7:x", "-"), ("[192.0.2.7]", "-"),
            ("[2001:db8::7", "-"), ("2001:db8::7]", "-"), ("[2001:db8::7]443", "-"), ("[]", "-"), ("[", "-"),
            ("2001:db8::7%eth0", "-"), ("\"192.0.2.7\"", "-"), ("for=192.0.2.7", "-"), ("a.example", "-"), ("\u{E9}", "-"),
        ])
    func listed(value: String, expected: String) throws {
        #expect(try client(["X-Forwarded-For: \(value)"]) == expected)
    }

    @Test(
        "Forwarded is read by its grammar (RFC 7239 §4, §6)",
        arguments: [
            ("for=192.0.2.7", "192.0.2.7"), ("For=192.0.2.7", "192.0.2.7"), ("for=\"192.0.2.7:47011\"", "192.0.2.7"),
            ("for=\"[2001:db8::7]\"", "2001:db8::7"), ("For=\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("for=\"192.0.2.7:_port-1.x\"", "192.0.2.7"), ("for=\"192.0.2.7\"", "192.0.2.7"),
            ("for=192.0.2.7;proto=http;by=203.0.113.43", "192.0.2.7"), ("proto=http; for=192.0.2.7 ;by=_x", "192.0.2.7"),
            (";;for=192.0.2.7;", "192.0.2.7"), ("for=192.0.2.7, for=10.0.0.1", "192.0.2.7"),
            ("for=1.2.3.4, for=192.0.2.7;proto=https, for=\"[fd00::1]\"", "192.0.2.7"), (", ,for=192.0.2.7,,", "192.0.2.7"),
            // Delimiters within quotation marks are not delimiters.
            ("for=192.0.2.7;host=\"a, for=1.2.3.4\"", "192.0.2.7"), ("for=192.0.2.7;host=\"a\\\", for=1.2.3.4\"", "192.0.2.7"),
            ("host=\"a;for=1.2.3.4\", for=192.0.2.7", "192.0.2.7"),
            // Hops that do not say who.
            ("for=unknown", "-"), ("for=_hidden", "-"), ("for=\"_hidden:80\"", "-"), ("proto=https", "-"), ("by=192.0.2.7", "-"),
            ("for=192.0.2.7, for=_hidden, for=10.0.0.1", "10.0.0.1"), ("for=192.0.2.7, proto=http, for=10.0.0.1", "10.0.0.1"),
            // A parameter twice, and whatever is no address, end the walk where they stand.
            ("for=192.0.2.7;for=192.0.2.8", "-"), ("for=1.2.3.4, for=192.0.2.7;FOR=192.0.2.7, for=10.0.0.1", "10.0.0.1"),
            ("for=\"2001:db8::7\"", "-"), ("for=\"[192.0.2.7]\"", "-"), ("for=\"192.0.2.\\7\"", "-"), ("for=\" 192.0.2.7\"", "-"),
            ("for=\"\"", "-"), ("for=\"192.0.2.7:_\"", "-"), ("for=\"192.0.2.7:_a b\"", "-"), ("for=127.1, for=10.0.0.1", "10.0.0.1"),
            // A line that cannot be taken apart says nothing at all: where would its last element begin?
            ("for=192.0.2.7:80", "-"), ("for=[2001:db8::7]", "-"), ("for", "-"), ("for=", "-"), ("=192.0.2.7", "-"), ("for =192.0.2.7", "-"),
            ("for= 192.0.2.7", "-"), ("192.0.2.7", "-"), ("for=\"192.0.2.7", "-"), ("for=\"192.0.2.7\\\"", "-"), ("for=\"", "-"),
            ("for=\"x\\", "-"), ("for=\"1.2.3.4, for=192.0.2.7", "-"), ("for=1.2.3.4 for=192.0.2.7", "-"), ("for=192.0.2.7\"\"", "-"),
        ])
    func forwarded(value: String, expected: String) throws {
        #expect(try client(["Forwarded: \(value)"]) == expected)
    }

    @Test("several lines are one list, the last line nearest; a line that is malformed ends the walk, not those behind it")
    func lines() throws {
        #expect(try client(["X-Forwarded-For: 1.2.3.4", "Via: x", "x-forwarded-for: 192.0.2.7"]) == "192.0.2.7")
        #expect(try client(["X-Forwarded-For: 1.2.3.4, 192.0.2.7", "X-Forwarded-For: 10.0.0.1"]) == "192.0.2.7")
        #expect(try client(["X-Forwarded-For: 192.0.2.7", "X-Forwarded-For:"]) == "192.0.2.7", "an empty line is an empty list")
        #expect(try client(["Forwarded: for=\"1.2.3.4", "Forwarded: for=192.0.2.7"]) == "192.0.2.7")
        #expect(try client(["Forwarded: for=1.2.3.4", "Forwarded: for=\"", "Forwarded: for=10.0.0.1"]) == "10.0.0.1")
    }

    @Test("without a field nobody is named")
    func absent() throws {
        #expect(try client([]) == "-")
        #expect(try client(["X-Forwarded-Host: 192.0.2.7", "Via: 1.1 192.0.2.7"]) == "-")
    }

    @Test("both fields are believed as far as they say the same: one of them may be the client's own")
    func both() throws {
        #expect(try client(["Forwarded: for=192.0.2.7", "X-Forwarded-For: 192.0.2.7"]) == "192.0.2.7")
        #expect(try client(["Forwarded: for=1.2.3.4", "X-Forwarded-For: 192.0.2.7"]) == "-")
        #expect(try client(["X-Forwarded-For: 1.2.3.4", "Forwarded: for=192.0.2.7"]) == "-")
        #expect(try client(["Forwarded: for=\"", "X-Forwarded-For: 192.0.2.7"]) == "-")
        #expect(try client(["Forwarded:", "X-Forwarded-For: 192.0.2.7"]) == "-", "it is there, and names nobody")
        #expect(try client(["Forwarded: for=1.2.3.4, for=10.0.0.1", "X-Forwarded-For: 192.0.2.7, 10.0.0.1"]) == "10.0.0.1")
        #expect(try client(["Forwarded: for=192.0.2.7, for=10.0.0.1", "X-Forwarded-For: 10.0.0.1"]) == "10.0.0.1")
        #expect(
            try client(["Forwarded: for=192.0.2.7, for=10.0.0.1", "X-Forwarded-For: 1.2.3.4, ::ffff:192.0.2.7, 10.0.0.1"])
                == "192.0.2.7")
    }

    @Test("no more than the bound's hops are walked, within a line and over lines")
    func bound() throws {
        let trusted = Array(repeating: "10.0.0.1", count: ForwardedFor.hopsMax - 1)
        func line(_ hops: [String]) -> String { "X-Forwarded-For: " + hops.joined(separator: ",") }
        #expect(try client([line(["192.0.2.7"] + trusted)]) == "192.0.2.7")
        #expect(try client([line(["192.0.2.7", "10.0.0.2"] + trusted)]) == "10.0.0.2")
        #expect(try client([line(["192.0.2.7"]), line(["10.0.0.2"]), line(trusted)]) == "10.0.0.2")
        #expect(try client([line(Array(repeating: "1.2.3.4", count: 900) + ["192.0.2.7"] + trusted)]) == "192.0.2.7")
        let elements = (["192.0.2.7", "10.0.0.2"] + trusted).map { "for=" + $0 }
        #expect(try client(["Forwarded: " + elements.joined(separator: ",")]) == "10.0.0.2")
    }
}
