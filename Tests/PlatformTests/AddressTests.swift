// Addresses and networks: what is one, what it is written as, what a network holds.

import Testing

@testable import Platform

@Suite("An address")
struct IPAddressTests {
    @Test(
        "has one value and one text, in whichever spelling it comes",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::ffff:192.0.2.7", "192.0.2.7"), ("::FFFF:c000:207", "192.0.2.7"), ("0:0:0:0:0:ffff:c000:0207", "192.0.2.7"),
            ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0::1", "2001:db8::1"), ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ])
    func sound(spelling: String, text: String) throws {
        let address = try #require(IPAddress(spelling))
        #expect(address.text == text)
        #expect(IPAddress(text) == address)
        #expect(address.isIPv4 == !text.contains(":"))
        #expect(text.utf8.count <= IPAddress.textBytesMax)
    }

    @Test(
        "is nothing that could be read two ways",
        arguments: [
            "", "127.1", "127", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "127.0.0.256", "1.2.3.4.5", "1.2.3.4.",
            ".1.2.3.4", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4\u{0}", "::1\u{0}", "1.2.3.4:80", "[::1]", "::1]",
            "fe80::1%eth0", "::1%1", "1::2::3", ":::", ":1", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
            "12345::", "g::", "::1.2.3", "::1.2.3.256", "::1.2.3.4:5", "+1.2.3.4", "１.2.3.4", "localhost", "a", "abcd", "::1/128",
            "0000:0000:0000:0000:0000:0000:255.255.255.2555",
        ])
    func invalid(text: String) { #expect(IPAddress(text) == nil) }

    @Test(
        "is loopback in 127.0.0.0/8 and as ::1",
        arguments: [
            ("127.0.0.1", true), ("127.255.255.255", true), ("::1", true), ("::ffff:127.0.0.1", true), ("126.255.255.255", false),
            ("128.0.0.0", false), ("::", false), ("::2", false), ("1::1", false), ("0.0.0.1", false), ("::127.0.0.1", false),
        ])
    func loopback(text: String, expected: Bool) throws { #expect(try #require(IPAddress(text)).isLoopback == expected) }
}

@Suite("A network")
struct IPNetworkTests {
    @Test(
        "holds the addresses that share its prefix, and no others",
        arguments: [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "::a00:1", "a00::"]),
            ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8", "::192.0.2.7"]),
            ("192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1", "2001:db8::1"]),
            ("128.0.0.0/1", ["128.0.0.0", "255.0.0.1"], ["127.255.255.255", "::"]),
            ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"], ["2001:db7:ffff::", "2001:db9::", "32.1.13.184"]),
            ("2001:db8::/64", ["2001:db8::ffff:ffff:ffff:ffff"], ["2001:db8:0:1::"]),
            ("2001:db8::/65", ["2001:db8::7fff:ffff:ffff:ffff"], ["2001:db8::8000:0:0:0", "2001:db8:0:1::"]),
            ("2001:db8::/63", ["2001:db8:0:1:ffff::"], ["2001:db8:0:2::"]),
            ("::1", ["::1"], ["::", "::2", "0.0.0.1"]),
            ("::/0", ["::", "::1", "ffff::"], ["0.0.0.0", "192.0.2.7"]),
            ("::ffff:10.0.0.0/104", ["10.1.2.3"], ["11.0.0.0", "::"]),
        ])
    func contains(text: String, inside: [String], outside: [String]) throws {
        let network = try IPNetwork(text)
        for address in inside { #expect(network.contains(try #require(IPAddress(address))), "\(address)") }
        for address in outside { #expect(!network.contains(try #require(IPAddress(address))), "\(address)") }
    }

    @Test(
        "is written as one writes it",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.7/32", "192.0.2.7"), ("192.0.2.7", "192.0.2.7"), ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::/32", "2001:db8::/32"), ("::1/128", "::1"), ("::/0", "::/0"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ])
    func text(given: String, expected: String) throws {
        let network = try IPNetwork(given)
        #expect(network.text == expected)
        #expect(try IPNetwork(expected) == network)
    }

    private func fault(_ text: String) -> IPNetworkFault? {
        do throws(IPNetworkFault) {
            _ = try IPNetwork(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("is refused with the reason where it is none")
    func refused() throws {
        for text in ["", "/8", "10.0.0/8", "10.0.0.0.0/8", "localhost/8", "[::1]/128", " 10.0.0.0/8", "10.0.0.0 /8"] {
            #expect(fault(text) == .notAnAddress, "\(text)")
        }
        for text in ["10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/٨", "10.0.0.0/9999"] {
            #expect(fault(text) == .prefixLength(most: 32), "\(text)")
        }
        #expect(fault("::/129") == .prefixLength(most: 128))
        #expect(fault("10.1.2.3/8") == .bitsBehindPrefix(of: try IPNetwork("10.0.0.0/8")))
        #expect(fault("2001:db8::1/64") == .bitsBehindPrefix(of: try IPNetwork("2001:db8::/64")))
        #expect(fault("::ffff:0:0/95") == .bitsBehindPrefix(of: try IPNetwork("::fffe:0:0/95")))
    }

    @Test("of a subscriber is an IPv4 address, or the 64 bits an IPv6 one begins with")
    func subscriber() throws {
        func text(_ address: String) throws -> String { IPNetwork(subscriberOf: try #require(IPAddress(address))).text }
        #expect(try text("192.0.2.7") == "192.0.2.7")
        #expect(try text("::ffff:192.0.2.7") == "192.0.2.7")
        #expect(try text("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64")
    }
}
