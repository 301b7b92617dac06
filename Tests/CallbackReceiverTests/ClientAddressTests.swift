// Whom a request counts for: the peer, unless a trusted proxy says otherwise.

import HTTPWire
import Platform
import Testing

@testable import CallbackReceiver

@Suite("The client's address")
struct ClientAddressTests {
    private func client(_ fields: [String], from peer: String, trusted: [String], refused: Bool = false) throws -> String {
        let proxies = TrustedProxies(networks: try trusted.map { try IPNetwork($0) })
        let host = refused ? "Host\r\n" : "Host: a\r\n"
        let bytes = Array(("GET / HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + host + "\r\n").utf8)
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        let event = session.receive(bytes.span, at: &position, into: &request)
        #expect(event == (refused ? .refused(.malformedField) : .request))
        return proxies.client(of: request, from: try #require(IPAddress(peer))).text
    }

    @Test("is the peer's where the peer is no trusted proxy, whatever the request says")
    func untrusted() throws {
        for fields in [["X-Forwarded-For: 1.2.3.4"], ["Forwarded: for=1.2.3.4"], []] {
            #expect(try client(fields, from: "192.0.2.7", trusted: []) == "192.0.2.7")
            #expect(try client(fields, from: "192.0.2.7", trusted: ["192.0.2.8", "10.0.0.0/8", "::/0"]) == "192.0.2.7")
            #expect(try client(fields, from: "::1", trusted: ["0.0.0.0/0"]) == "::1")
        }
    }

    @Test("is what a trusted proxy says, over as many of them as there are")
    func trusted() throws {
        let trusted = ["127.0.0.0/8", "::1", "10.0.0.0/8"]
        #expect(try client(["X-Forwarded-For: 1.2.3.4, 192.0.2.7, 10.1.1.1"], from: "127.0.0.1", trusted: trusted) == "192.0.2.7")
        #expect(try client(["Forwarded: for=\"[2001:db8::7]:80\""], from: "::1", trusted: trusted) == "2001:db8::7")
        #expect(try client(["X-Forwarded-For: 192.0.2.7"], from: "::ffff:127.0.0.1", trusted: trusted) == "192.0.2.7")
        #expect(try client(["X-Forwarded-For: ::ffff:192.0.2.7"], from: "127.0.0.1", trusted: trusted) == "192.0.2.7")
    }

    @Test("is the proxy's own where it names nobody")
    func nobody() throws {
        for fields in [[], ["X-Forwarded-For: unknown"], ["Forwarded: for=1.2.3.4", "X-Forwarded-For: 192.0.2.7"]] {
            #expect(try client(fields, from: "127.0.0.1", trusted: ["127.0.0.1"]) == "127.0.0.1")
        }
    }

    @Test("is the peer's where the head was not understood to its end")
    func refused() throws {
        #expect(try client(["X-Forwarded-For: 192.0.2.7"], from: "127.0.0.1", trusted: ["127.0.0.1"], refused: true) == "127.0.0.1")
    }
}

@Suite("The table of addresses")
struct AddressTableTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test("counts each address by itself, up to the bound, and forgets those that have none")
    func bound() throws {
        let table = AddressTable()
        let (first, second) = (try address("192.0.2.7"), try address("192.0.2.8"))
        #expect(table.take(first, max: 2) && table.take(first, max: 2) && !table.take(first, max: 2) && !table.take(first, max: 2))
        #expect(table.take(second, max: 2) && table.addressCount == 2)
        table.release(first)
        #expect(table.take(first, max: 2) && !table.take(first, max: 2), "what was refused was not counted")
        for address in [first, first, second] { table.release(address) }
        #expect(table.addressCount == 0)
        #expect(table.take(first, max: 2) && table.take(first, max: 2) && !table.take(first, max: 2))
    }

    @Test("counts IPv6 by /64, and an IPv4 address as one in either form")
    func subscribers() throws {
        let table = AddressTable()
        for (text, isTaken) in [
            ("2001:db8::1", true), ("2001:db8::ffff:0:0:2", false), ("2001:db8:0:1::1", true), ("192.0.2.7", true),
            ("::ffff:192.0.2.7", false), ("::1", true), ("127.0.0.1", true),
        ] { #expect(table.take(try address(text), max: 1) == isTaken, "\(text)") }
        table.release(try address("2001:db8::3"))
        #expect(table.take(try address("2001:db8::4"), max: 1))
    }
}
