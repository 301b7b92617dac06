// Who a connection counts for, and who a log line names: the peer, or whom a trusted proxy names.
//
// Promises: peers are addresses of 127.0.0.0/8, each a stranger to the others. Must not know: loops.

import Platform
import Testing
import TestSupport

@testable import CallbackReceiver

private let alive = requestBytes("GET", "/healthz")
/// Refused with 422, which is logged.
private let refused = postBytes("{}")

private func refused(_ fields: String...) -> [UInt8] { postBytes("{}", fields: fields) }

@Suite("A limit on connections per address")
struct ConnectionsPerAddressTests {
    @Test("one more than the limit is told 503 and closed, others are served, and a place that comes free is given again", arguments: [1, 2])
    func limit(loops: Int) throws {
        let running = try RunningServer {
            $0.connectionsPerAddressMax = 2
            $0.loops = loops
        }
        var mine = [try running.connect(from: "127.0.0.2"), try running.connect(from: "127.0.0.2")]
        for connection in mine { #expect(try connection.exchange(alive) == 200) }
        for _ in 0..<3 {
            let answer = try running.connect(from: "127.0.0.2").readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("Retry-After: ") && answer.contains("Connection: close"))
            #expect(answer.contains("server.connections-per-address-max"))
        }
        #expect(running.hasLogged("connection refused", "server.connections-per-address-max", "peer=127.0.0.2"))
        #expect(try running.connect(from: "127.0.0.3").exchange(alive) == 200)
        #expect(try mine[1].exchange(alive) == 200)
        mine.removeFirst()
        try eventually("the place is free", holds: { try running.connect(from: "127.0.0.2").exchange(alive) == 200 })
    }

    @Test("however connections end, their places come free: after hundreds there is one again")
    func release() throws {
        let running = try RunningServer {
            $0.connectionsPerAddressMax = 1
            $0.connectionsMax = 3
        }
        for round in 0..<200 {
            let connection = try running.connect(from: "127.0.0.\(2 + round % 5)")
            switch round % 4 {
            case 0: connection.send(alive)
            case 1: connection.send("GET / HT")
            case 2: connection.send("nonsense\r\n\r\n")
            default: break
            }
        }
        for host in 2...6 {
            try eventually("a place is free", holds: { try running.connect(from: "127.0.0.\(host)").exchange(alive) == 200 })
        }
    }

    @Test("who is closed without a word, since too many are being told already, holds no place of its address")
    func dropped() throws {
        let running = try RunningServer {
            $0.connectionsPerAddressMax = 1
            $0.connectionsMax = 1
        }
        let busy = try running.connect(from: "127.0.0.2")
        #expect(try busy.exchange(requestBytes("POST", "/callback", fields: ["Expect: 100-continue", "Content-Length: 9"])) == 100)
        let hosts = (1...Loop.turnedAwayMax + 6).map { "127.0.1.\($0)" }
        var crowd = try hosts.map { try running.connect(from: $0) }
        let answers = try crowd.map { try $0.readToEnd() }
        let dropped = zip(hosts, answers).filter { $0.1.isEmpty }.map(\.0)
        #expect(dropped.count == 6)
        crowd = []
        for host in dropped {
            let answer = try eventually("it is told") {
                let answer = try running.connect(from: host).readToEnd()
                return answer.isEmpty ? nil : answer
            }
            #expect(answer.contains("(server.connections-max)"), "\(answer)")
        }
        #expect(running.openConnections == 1)
    }

    @Test("a trusted proxy has as many as it likes: it carries everyone")
    func proxy() throws {
        let proxies = try IPNetwork("127.0.0.2/31")
        let running = try RunningServer {
            $0.connectionsPerAddressMax = 1
            $0.trustedProxies = [proxies]
        }
        let many = try (0..<5).map { _ in try running.connect(from: "127.0.0.2") }
        for connection in many { #expect(try connection.exchange(alive) == 200) }
        let other = try running.connect(from: "127.0.0.4")
        #expect(try other.exchange(alive) == 200)
        #expect(try PeerConnection.status(running.connect(from: "127.0.0.4").readToEnd()) == 503)
    }

    @Test("without a limit nobody is counted")
    func none() throws {
        let running = try RunningServer()
        let many = try (0..<50).map { _ in try running.connect(from: "127.0.0.2") }
        for connection in many { #expect(try connection.exchange(alive) == 200) }
    }
}

@Suite("Log lines name the client")
struct ClientInLogTests {
    @Test("that a trusted proxy names, and the peer itself where it is none")
    func forwarded() throws {
        let proxy = try IPNetwork("127.0.0.2")
        let running = try RunningServer { $0.trustedProxies = [proxy] }
        #expect(try running.connect(from: "127.0.0.2").exchange(refused("X-Forwarded-For: 1.2.3.4, 192.0.2.7")) == 422)
        #expect(running.hasLogged("request refused", "status=422", "peer=192.0.2.7"))
        #expect(try running.connect(from: "127.0.0.2").exchange(refused("Forwarded: for=\"[2001:db8::7]\"")) == 422)
        #expect(running.hasLogged("request refused", "peer=2001:db8::7"))
        #expect(try running.connect(from: "127.0.0.3").exchange(refused("X-Forwarded-For: 192.0.2.8")) == 422)
        #expect(running.hasLogged("request refused", "peer=127.0.0.3"))
        #expect(!running.hasLogged("192.0.2.8"))
        #expect(try running.connect(from: "127.0.0.2").exchange(refused) == 422)
        #expect(running.hasLogged("request refused", "peer=127.0.0.2"))
    }

    @Test("of a callback that could not be stored, too")
    func notStored() throws {
        let proxy = try IPNetwork("127.0.0.2")
        let running = try RunningServer { $0.trustedProxies = [proxy] }
        running.disk.fail(with: 28)
        let connection = try running.connect(from: "127.0.0.2")
        #expect(try connection.exchange(postBytes(callback("a"), fields: ["X-Forwarded-For: 192.0.2.7"])) == 503)
        #expect(running.hasLogged("request refused", "method=POST", "path=/callback ", "status=503", "peer=192.0.2.7"))
        running.disk.fail(with: nil)
    }

    @Test("a proxy that is trusted opens no door: the API stays closed to what it forwards")
    func openDoor() throws {
        let proxies = try IPNetwork("127.0.0.0/8")
        let running = try RunningServer { $0.trustedProxies = [proxies] }
        let connection = try running.connect(from: "127.0.0.2")
        #expect(try connection.exchange(requestBytes("GET", "/v1/requests/a")) == 404)
        #expect(try connection.exchange(requestBytes("GET", "/v1/requests/a", fields: ["X-Forwarded-For: 127.0.0.1"])) == 401)
    }
}
