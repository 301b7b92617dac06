// Connections that begin with a PROXY header: taken from trusted proxies, asked of them, and of nobody else.
//
// Promises: 127.0.0.2 is the proxy, others are strangers. Must not know: the header's grammar beyond two samples.

import Platform
import Testing
import TestSupport

@testable import CallbackReceiver

private let alive = requestBytes("GET", "/healthz")

/// Version 1, naming that client.
private func header(_ client: String) -> [UInt8] { Array("PROXY TCP4 \(client) 198.51.100.1 56324 443\r\n".utf8) }

/// Version 2: 192.0.2.7, or the proxy itself (LOCAL).
private func binaryHeader(isLocal: Bool = false) -> [UInt8] {
    Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [isLocal ? 0x20 : 0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 4, 1, 0xBB]
}

@Suite("A PROXY header on a connection")
struct ProxyHeaderConnectionTests {
    private func server(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> RunningServer {
        let proxy = try IPNetwork("127.0.0.2")
        return try RunningServer {
            $0.trustedProxies = [proxy]
            $0.hasProxyHeaders = true
            configure(&$0)
        }
    }

    @Test("names the client, whole or byte by byte, in one piece with the first request or before it")
    func named() throws {
        for (begin, client) in [(header("192.0.2.7"), "192.0.2.7"), (binaryHeader(), "192.0.2.7"), (binaryHeader(isLocal: true), "127.0.0.2")] {
            for style in 0..<3 {
                let running = try server()
                let connection = try running.connect(from: "127.0.0.2")
                switch style {
                case 0: connection.send(begin + postBytes("{}"))
                case 1: connection.drip(begin + postBytes("{}"))
                default:
                    connection.send(begin)
                    try running.stirFrom("127.0.0.3")
                    connection.send(postBytes("{}"))
                }
                #expect(PeerConnection.status(String(decoding: try connection.read(), as: UTF8.self)) == 422)
                #expect(running.hasLogged("request refused", "status=422", "peer=\(client)"))
                #expect(try connection.exchange(alive) == 200, "the connection stays, and has one header")
            }
        }
    }

    @Test("is followed by HTTP/2 as well as by HTTP/1.1")
    func preface() throws {
        let running = try server()
        let connection = try running.connect(from: "127.0.0.2")
        connection.drip(header("192.0.2.7"))
        connection.drip(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0])
        let answer = try connection.read()
        #expect(answer.count >= 9 && answer[3] == 4, "a SETTINGS frame (RFC 9113 §3.4): \(answer)")
    }

    @Test(
        "is asked of a trusted proxy: without one, or with half of one, it is closed without an answer",
        arguments: [
            Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
            Array("PROXY TCP4 192.0.2.7\r\nGET / HTTP/1.1\r\n\r\n".utf8), Array("PROXY ".utf8), [], Array("\r\n\r\n\0\r\nQUIT".utf8),
            Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0xFF, 0xFF],
        ])
    func missing(bytes: [UInt8]) throws {
        let running = try server()
        let connection = try running.connect(from: "127.0.0.2")
        connection.send(bytes)
        connection.endSending()
        #expect(try connection.readToEnd() == "")
        let isWrong = bytes.count > 6 && bytes.last != UInt8(ascii: "T")
        #expect(running.hasLogged("connection closed", "PROXY", "peer=127.0.0.2") == isWrong)
        #expect(try running.connect(from: "127.0.0.3").exchange(alive) == 200)
    }

    @Test("has the time of a header, from the connection's begin")
    func slow() throws {
        for begin in [[], Array("PROXY TCP4 192.".utf8)] {
            let running = try server { $0.headerSeconds = 5 }
            let connection = try running.connect(from: "127.0.0.2")
            connection.send(begin)
            try eventually("it is there", holds: { running.openConnections == 1 })
            try running.stirFrom("127.0.0.3")
            running.clock.advance(seconds: 6)
            try running.stirFrom("127.0.0.3")
            #expect(try connection.readToEnd() == "")
        }
    }

    @Test("is not taken from anyone else: there it is no HTTP")
    func untrusted() throws {
        let running = try server()
        for begin in [header("192.0.2.7"), binaryHeader()] {
            let connection = try running.connect(from: "127.0.0.3")
            connection.send(begin + alive)
            #expect(PeerConnection.status(try connection.readToEnd()) == 400)
        }
        #expect(!running.hasLogged("192.0.2.7"))
        #expect(try running.connect(from: "127.0.0.3").exchange(alive) == 200)
    }

    @Test("is not taken where it is not switched on")
    func off() throws {
        let running = try server { $0.hasProxyHeaders = false }
        let connection = try running.connect(from: "127.0.0.2")
        connection.send(header("192.0.2.7") + alive)
        #expect(PeerConnection.status(try connection.readToEnd()) == 400)
        #expect(try running.connect(from: "127.0.0.2").exchange(alive) == 200)
    }

    @Test("says whose word counts: who it names is believed about others only if trusted")
    func chain() throws {
        let inside = try IPNetwork("10.0.0.0/8")
        let running = try server { $0.trustedProxies.append(inside) }
        let fields = ["X-Forwarded-For: 192.0.2.9"]
        let direct = try running.connect(from: "127.0.0.2")
        #expect(try direct.exchange(header("192.0.2.7") + postBytes("{}", fields: fields)) == 422)
        #expect(running.hasLogged("request refused", "peer=192.0.2.7") && !running.hasLogged("192.0.2.9"))
        let inner = try running.connect(from: "127.0.0.2")
        #expect(try inner.exchange(header("10.1.1.1") + postBytes("{}", fields: fields)) == 422)
        #expect(running.hasLogged("request refused", "peer=192.0.2.9"))
    }

    @Test("makes the client count that it names: one beyond the limit is told 503, others are served")
    func limit() throws {
        let running = try server { $0.connectionsPerAddressMax = 1 }
        var first: PeerConnection? = try running.connect(from: "127.0.0.2")
        #expect(try first?.exchange(header("192.0.2.7") + alive) == 200)
        let second = try running.connect(from: "127.0.0.2")
        second.send(header("192.0.2.7") + alive)
        let answer = try second.readToEnd()
        #expect(PeerConnection.status(answer) == 503 && answer.contains("server.connections-per-address-max"))
        #expect(running.hasLogged("connection refused", "server.connections-per-address-max", "peer=192.0.2.7"))
        #expect(try running.connect(from: "127.0.0.2").exchange(header("192.0.2.8") + alive) == 200)
        #expect(try first?.exchange(alive) == 200)
        first = nil
        try eventually(
            "the place is free", holds: { try running.connect(from: "127.0.0.2").exchange(header("192.0.2.7") + alive) == 200 })
        let own = try (0..<3).map { _ in try running.connect(from: "127.0.0.2") }
        for connection in own { #expect(try connection.exchange(binaryHeader(isLocal: true) + alive) == 200, "the proxy's own checks") }
    }
}

extension RunningServer {
    /// As `stir`, from a peer that needs no header.
    fileprivate func stirFrom(_ host: String) throws {
        for _ in 0..<3 { #expect(try connect(from: host).exchange(alive) == 200) }
    }
}
