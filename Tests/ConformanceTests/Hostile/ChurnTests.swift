// Connections that come and go, that only half close, that are reset in whatever state they are in.
//
// Promises: no descriptor and no memory stays behind, and no loop spins on what is left. Must not know: routes.

import Testing
import TestSupport

@Suite("Hostile: connections that come and go")
struct ChurnTests {
    @Test("4,000 connections that close at once, or are reset: nothing stays behind, newcomers are served between", arguments: [false, true])
    func churn(resets: Bool) throws {
        let siege = try Siege()
        try siege.rounds(40) { _ in
            for _ in 0..<100 {
                let attacker = try Attacker(port: siege.port)
                if resets { attacker.resetOnClose() }
            }
        }
        try siege.expectHeld(bytes: 0, connections: 100)
        try siege.expectRelieved()
    }

    @Test("connections reset or closed within a head, a body, a chunk or between requests leave nothing behind", arguments: [false, true])
    func middles(resets: Bool) throws {
        let siege = try Siege()
        let whole = postBytes(sentPayload("torn"))
        let starts: [[UInt8]] = [
            Array(whole.prefix(1)), Array(whole.prefix(40)), Array(whole.dropLast(1)),
            Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".utf8),
            requestBytes("POST", "/callback", fields: ["Expect: 100-continue", "Content-Length: 100"]),
            requestBytes("GET", "/healthz"), requestBytes("GET", "/healthz") + Array(whole.prefix(40)),
            Array("\r\n".utf8), Array("PRI * HT".utf8), [0x16, 0x03, 0x01],
        ]
        try siege.rounds(30) { _ in
            for start in starts {
                let attacker = try Attacker(port: siege.port)
                try attacker.push(start)
                if resets { attacker.resetOnClose() }
            }
        }
        try siege.expectHeld(bytes: 0, connections: 2 * starts.count)
        try siege.expectRelieved()
        #expect(try siege.server.log().records(of: "torn").isEmpty, "no part of a callback is a callback")
    }

    @Test("connections half-closed before, within and behind a request are ended by the server, though nothing is ever read")
    func halfOpen() throws {
        let siege = try Siege()
        let starts: [[UInt8]] = [
            [], Array(postBytes(sentPayload("torn")).prefix(40)), Array(postBytes(sentPayload("torn")).dropLast(1)),
            requestBytes("GET", "/healthz"), Array("PRI * HTTP/2.0\r\n\r\nSM".utf8), Array("\r".utf8),
        ]
        var attackers: [Attacker] = []
        try siege.rounds(20) { _ in
            for start in starts {
                let attacker = try Attacker(port: siege.port)
                try attacker.push(start)
                attacker.halfClose()
                attackers.append(attacker)
            }
        }
        // They are still open at this end.
        try siege.expectRelieved()
        try siege.expectHeld(bytes: 0, connections: 0)
        #expect(attackers.count == 120)
    }

    @Test("callbacks whose senders are reset or leave while they wait for the disk are stored once, and hold no descriptor", arguments: [false, true])
    func waiting(resets: Bool) throws {
        let faults = try FaultInjector()
        let siege = try Siege(faults: faults)
        try faults.set(.sync, .hold)
        var attackers: [Attacker] = []
        for number in 0..<200 {
            let attacker = try Attacker(port: siege.port)
            // With a head behind it, so that there is input to hold, too.
            try attacker.push(postBytes(sentPayload("gone-\(number)")) + Array("GET /he".utf8))
            attackers.append(attacker)
            if number % 20 == 0 { try siege.askClient() }
        }
        for attacker in attackers { if resets { attacker.resetOnClose() } else { attacker.halfClose() } }
        // Both ends of the stream: these are gone for good, and that shows before the disk is back.
        attackers = []
        for _ in 0..<20 { try siege.askClient() }
        try siege.expectHeld(bytes: 200 * 4_096, connections: resets ? 0 : 200)
        try faults.clear()
        try siege.expectRelieved()
        let log = try siege.server.log()
        for number in 0..<200 { #expect(log.records(of: "gone-\(number)").count == 1) }
    }

    @Test("HTTP/2 connections that leave in the middle of everything leave no session and no stream behind", arguments: [false, true])
    func sessions(resets: Bool) throws {
        let siege = try Siege()
        try fillPage(siege)
        try siege.rounds(8) { round in
            for number in 0..<20 {
                let attacker = try HTTP2Attacker(port: siege.port)
                switch number % 5 {
                case 0: break
                // Answers on their way, windows closed behind them.
                case 1: try attacker.push((0..<20).map { _ in attacker.request("GET", "/v1/requests/page/callbacks") })
                // Bodies half there.
                case 2: for _ in 0..<20 {
                    let stream = attacker.takeStream()
                    try attacker.push([attacker.request("POST", "/callback", end: false, on: stream), .data([0x7B], on: stream)])
                }
                // A block half there, a frame half there.
                case 3: try attacker.push([.headers([0x82], on: 1, endHeaders: false)])
                default:
                    let stream = attacker.takeStream()
                    let body = Array(sentPayload("left-\(round)-\(number)").utf8)
                    try attacker.push([attacker.request("POST", "/callback", end: false, on: stream), .data(body, on: stream, end: true)])
                    try attacker.wire.push([0, 0, 9, 0], toleratingClose: true)
                }
                if resets { attacker.wire.resetOnClose() } else { attacker.wire.halfClose() }
            }
        }
        try siege.expectRelieved()
        // A few MiB of pages that were made and freed stay with the allocator, however long it goes on.
        try siege.expectHeld(bytes: 4 * 1_024 * 1_024, connections: 0)
    }

    @Test("connections reset while their answer is being written hold nothing", arguments: [false, true])
    func writing(resets: Bool) throws {
        let siege = try Siege()
        try fillPage(siege)
        let requests = Array([[UInt8]](repeating: requestBytes("GET", "/v1/requests/page/callbacks"), count: 12).joined())
        try siege.rounds(10) { _ in
            for _ in 0..<4 {
                let attacker = try Attacker(port: siege.port)
                try attacker.push(requests)
                // The first of several MiB: what is behind them cannot have left yet.
                let first: [UInt8] = try eventually("the answers begin") { attacker.take(bytesMax: 1_024) }
                #expect(statuses(in: first) == [200])
                if resets { attacker.resetOnClose() }
            }
        }
        try siege.expectRelieved()
    }
}

/// Twenty callbacks of 50 kB for one request: about 1 MiB when it is asked for, as large as a page may be.
func fillPage(_ siege: Siege, _ identifier: String = "page") throws {
    let connection = try siege.server.connect()
    for number in 0..<20 {
        try connection.send(postBytes(sentPayload(identifier, String(repeating: "z", count: 50_000 + number))))
        #expect(try connection.readAnswer().status == 200)
    }
    try siege.serveClient()
    try siege.beginAttack()
}
