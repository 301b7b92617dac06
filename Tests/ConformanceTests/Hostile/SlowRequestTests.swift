// Requests that come as slowly as they can, on many connections: heads, bodies, chunks (RFC 9112 §9.5: a server may
// close what is too slow; when it does is in the tests of CallbackReceiver, which turn the clock).
//
// Promises: what all of them together hold is bounded by the limits of one request. Must not know: deadlines.

import Testing
import TestSupport

@Suite("Hostile: requests that do not end")
struct SlowRequestTests {
    private static let connections = 300
    /// A head or a body that grows has at most twice its size in storage.
    private static let growthFactor = 2
    /// Of a connection and its buffers' rounding, beside the bytes it sent.
    private static let connectionBytes = 4 * 1_024

    @Test("heads that drip on 300 connections: each holds what it has sent, others are served between any two drops")
    func heads() throws {
        let siege = try Siege()
        let attackers = try (0..<Self.connections).map { _ in try Attacker(port: siege.port) }
        let bytes = requestBytes("POST", "/callback", fields: ["X-Slow: \(String(repeating: "a", count: 100))"])
        try siege.rounds(60) { round in
            for attacker in attackers { try attacker.push([bytes[round]]) }
        }
        try siege.expectHeld(bytes: Self.connections * Self.connectionBytes, connections: Self.connections)
        try siege.expectAtRest()
        for attacker in attackers { #expect(attacker.take(bytesMax: 1) == nil, "neither answered nor closed: it has its time") }
    }

    @Test("heads that never end are 431 at the bound on a head, and 300 of them just below it hold no more than that")
    func longHeads() throws {
        let siege = try Siege()
        let head = Array("POST /callback HTTP/1.1\r\nHost: x\r\nX-Long: ".utf8)
        let line = Array((String(repeating: "a", count: 1_000)).utf8)
        let attackers = try (0..<Self.connections).map { _ in try Attacker(port: siege.port) }
        try siege.rounds(16) { round in
            for attacker in attackers { try attacker.push(round == 0 ? head : line) }
        }
        try siege.expectHeld(
            bytes: Self.connections * (Self.growthFactor * 16 * 1_024 + Self.connectionBytes), connections: Self.connections)
        for attacker in attackers {
            for _ in 0..<2 { try attacker.push(line, toleratingClose: true) }
            #expect(try statuses(in: attacker.readToEnd()) == [431])
        }
        try siege.serveClient()
    }

    @Test("bodies that drip on 300 connections hold what they have sent, wave after wave, and are served when they end")
    func bodies() throws {
        let siege = try Siege()
        for wave in 0..<3 {
            let attackers = try (0..<Self.connections).map { _ in try Attacker(port: siege.port) }
            let body = sentPayload("slow", String(repeating: "x", count: 60_000))
            let bytes = requestBytes("POST", "/callback", body: Array(body.utf8))
            let piece = bytes.count / 10
            try siege.rounds(10) { round in
                // All but the last byte.
                for attacker in attackers { try attacker.push(Array(bytes[round * piece..<min((round + 1) * piece, bytes.count - 1)])) }
            }
            try siege.expectHeld(
                bytes: Self.connections * (Self.growthFactor * 65_536 + Self.connectionBytes), connections: Self.connections)
            for attacker in attackers.dropFirst() { attacker.resetOnClose() }
            guard wave == 2 else { continue }
            try attackers[0].push(Array(bytes.dropFirst(min(10 * piece, bytes.count - 1))))
        }
        try siege.expectRelieved()
    }

    @Test("a body in chunks of one byte is 413 one byte beyond the bound; none of its chunks keeps others waiting")
    func chunks() throws {
        let siege = try Siege()
        let attacker = try Attacker(port: siege.port)
        try attacker.push(Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
        let chunks = Array(String(repeating: "1\r\nx\r\n", count: 65_536 / 64).utf8)
        try siege.rounds(64) { _ in try attacker.push(chunks) }
        #expect(attacker.take(bytesMax: 1) == nil, "as many bytes as a body may have")
        try siege.expectHeld(bytes: Self.growthFactor * 65_536, connections: 1)
        try attacker.push(Array("1\r\nx\r\n".utf8))
        #expect(try statuses(in: attacker.readToEnd()) == [413])
    }

    @Test("chunks of one byte with extensions of 250 are 400 after 16 KiB of them")
    func extensions() throws {
        let siege = try Siege()
        let attackers = try (0..<100).map { _ in try Attacker(port: siege.port) }
        for attacker in attackers {
            try attacker.push(Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
        }
        let chunk = Array("1;\(String(repeating: "e", count: 249))\r\nx\r\n".utf8)
        try siege.rounds(65) { _ in
            for attacker in attackers { try attacker.push(chunk) }
        }
        try siege.expectHeld(bytes: 100 * Self.connectionBytes, connections: 100)
        for attacker in attackers {
            try attacker.push(chunk)
            #expect(try statuses(in: attacker.readToEnd()) == [400])
            attacker.halfClose()
        }
        try siege.expectRelieved()
    }

    @Test("a trailer section that never ends is 431 at its bound")
    func trailers() throws {
        let siege = try Siege()
        let attacker = try Attacker(port: siege.port)
        try attacker.push(Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n".utf8))
        let line = Array("X-Trailer: \(String(repeating: "t", count: 1_000))\r\n".utf8)
        try siege.rounds(8) { _ in try attacker.push(line) }
        try attacker.push(line)
        #expect(try statuses(in: attacker.readToEnd()) == [431])
        attacker.halfClose()
        try siege.expectRelieved()
    }

    @Test("a body declared huge is refused before a byte of it, never asked for, and takes no room", arguments: [
        ("65537", 413), ("1000000000000000000", 413), ("9223372036854775807", 413), ("9223372036854775808", 400),
        ("18446744073709551616", 400), ("99999999999999999999999999999999", 400),
    ])
    func hugeLength(length: String, status: Int) throws {
        let siege = try Siege()
        for expectation in [[], ["Expect: 100-continue"]] {
            try siege.rounds(20) { _ in
                let attacker = try Attacker(port: siege.port)
                try attacker.push(requestBytes("POST", "/callback", fields: ["Content-Length: \(length)"] + expectation))
                // Beyond 63 bits it is no length at all.
                #expect(try statuses(in: attacker.readToEnd()) == [status])
            }
        }
        try siege.expectHeld(bytes: 0, connections: 1)
        try siege.expectRelieved()
    }

    @Test("a chunk declared huge is 413 at its size", arguments: ["FFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF", "8000000000000000", "10001"])
    func hugeChunk(size: String) throws {
        let siege = try Siege()
        try siege.rounds(20) { _ in
            let attacker = try Attacker(port: siege.port)
            try attacker.push(Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n".utf8))
            #expect(try statuses(in: attacker.readToEnd()) == [413])
        }
        try siege.expectHeld(bytes: 0, connections: 1)
        try siege.expectRelieved()
    }
}
