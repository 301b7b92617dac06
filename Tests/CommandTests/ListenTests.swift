// Addresses: which are accepted, which are refused in which words, and which count as loopback.

import CallbackReceiver
import Testing

@testable import callback_receiver

@Suite("An address to listen on")
struct ListenTests {
    private func refusal(_ text: String) -> String? {
        do throws(Refusal) {
            _ = try Listen.parse(text)
            return nil
        } catch {
            return error.text
        }
    }

    @Test(
        "is a host and a port, and is written back as it came",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8_080), ("0.0.0.0:0", "0.0.0.0", 0), ("[::1]:65535", "::1", 65_535),
            ("[::]:1", "::", 1), ("localhost:80", "localhost", 80), ("a-b_c.example:80", "a-b_c.example", 80),
            ("[fe80::1:2]:80", "fe80::1:2", 80), ("[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", 80),
            ("[1:2:3:4:5:6:7:8]:80", "1:2:3:4:5:6:7:8", 80), ("[1::]:80", "1::", 80), ("h2:80", "h2", 80),
        ] as [(String, String, UInt16)])
    func accepted(text: String, host: String, port: UInt16) throws {
        let listen = try Listen.parse(text)
        #expect(listen == .init(host: host, port: port))
        #expect(listen.text == text)
    }

    @Test(
        "is refused where it is not exactly that",
        arguments: [
            "abc", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:-1", "127.0.0.1:080",
            "127.0.0.1 :80", "127.1:80", "127.0.0.01:80", "256.0.0.1:80", "1.2.3.4.5:80", "0x7f.0x1:80", "1:80",
            "[]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[1:2:3:4:5:6:7::8]:80", "[::1::]:80",
            "[12345::]:80", "[fe80::1%eth0]:80", "[:1]:80", "[g::]:80", "[:::]:80", "[127.0.0.1]:80", "[+1::]:80",
            "a..b:80", "-a:80", "a/b:80", "host.:80", "*:80",
        ])
    func refused(text: String) {
        #expect(
            refusal(text)
                == "\"\(text)\" is no address; write HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080")
    }

    @Test("says what else is wrong in its own words")
    func otherRefusals() {
        let remedy = "write HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080"
        #expect(refusal(":8080") == "names no host; \(remedy)")
        #expect(refusal("::1:8080") == "\"::1:8080\" has an IPv6 address without brackets; \(remedy)")
        #expect(refusal("[::1:80") == "\"[::1:80\" has an IPv6 address without brackets; \(remedy)")
        #expect(refusal("localhost:65536") == "port 65536 is too large; the most is 65535, and 0 takes a free port")
    }

    @Test(
        "may be a socket of systemd, by its name",
        arguments: ["callback", "80", "callback-receiver.socket", "a b", String(repeating: "n", count: 255)])
    func handed(name: String) throws {
        #expect(try Listen.parse("systemd:\(name)") == .handed(name: name))
        #expect(ServerConfiguration.Listen.handed(name: name).text == "systemd:\(name)")
    }

    @Test("names no socket where systemd could not call one so", arguments: ["", "a:b", "ä", "a\tb", String(repeating: "n", count: 256)])
    func notHanded(name: String) {
        #expect(refusal("systemd:\(name)")?.contains("names no socket of systemd; write for example systemd:callback") == true)
    }

    @Test("a host name has at most 253 bytes")
    func longName() {
        let labels = Array(repeating: String(repeating: "a", count: 49), count: 5).joined(separator: ".")
        #expect(refusal("\(labels).aaa:1") == nil)
        #expect(refusal("\(labels).aaaa:1") != nil)
    }

    @Test(
        "is loopback where that is certain",
        arguments: ["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "0::0001", "localhost", "LocalHost"])
    func loopback(host: String) { #expect(Listen.isLoopback(host)) }

    @Test(
        "counts as beyond loopback otherwise",
        arguments: [
            "0.0.0.0", "::", "128.0.0.1", "::ffff:127.0.0.1", "localhost.example", "127.0.0.1.example", "::2", "1::1",
            "192.168.0.1", "",
        ])
    func beyond(host: String) { #expect(!Listen.isLoopback(host)) }
}
