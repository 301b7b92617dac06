// Streams that are opened to be reset: by the client (CVE-2023-44487, rapid reset), or by the server, which the client's
// mistakes make do it (CVE-2025-8671, MadeYouReset).
//
// Promises: neither makes more streams at work than there may be, and a connection that does little else is ended.
// Must not know: how many resets a second are forgiven.

import Testing
import TestSupport

@Suite("Hostile: streams that are reset")
struct ResetFloodTests {
    @Test("rapid reset: streams opened and cancelled end with ENHANCE_YOUR_CALM after a thousand or so; others are served meanwhile")
    func rapidReset() throws {
        let siege = try Siege()
        let attackers = try siege.expectEnded(by: { attacker in
            (0..<50).flatMap { _ in
                let stream = attacker.takeStream()
                return [attacker.request(on: stream), .reset(stream)]
            }
        }, nuisances: 50)
        for attacker in attackers { #expect(attacker.answersBegun < Siege.forgiven, "what is cancelled before it is read is not answered") }
        try siege.expectRelieved()
    }

    @Test("rapid reset in two segments, so that each request is at work when it is cancelled, ends no later")
    func rapidResetInTwo() throws {
        let siege = try Siege()
        var open: [HTTP2Frame] = []
        try siege.expectEnded(by: { attacker in
            // The resets of the segment before, then as many new streams that cannot be answered yet.
            defer { open = [] }
            let resets = open
            return resets + (0..<50).map { _ in
                let stream = attacker.takeStream()
                open.append(.reset(stream))
                return attacker.request("POST", "/callback", end: false, on: stream)
            }
        }, nuisances: 50, prepare: { _ in open = [] })
        try siege.expectRelieved()
    }

    @Test("callbacks that are complete and then reset are stored whole or not at all, and no more of them than one connection may have waiting")
    func completeThenReset() throws {
        let faults = try FaultInjector()
        let siege = try Siege(faults: faults)
        try faults.set(.sync, .hold)
        let attacker = try HTTP2Attacker(port: siege.port)
        var sent = 0
        while !attacker.hasEnded, sent < Siege.forgiven + Siege.margin {
            var frames: [HTTP2Frame] = []
            for _ in 0..<50 {
                let stream = attacker.takeStream()
                frames += [
                    attacker.request("POST", "/callback", end: false, on: stream),
                    .data(Array(sentPayload("cancelled-\(sent)").utf8), on: stream, end: true),
                ]
                sent += 1
            }
            try attacker.push(frames)
            // It has them; now they are cancelled.
            try siege.askClient()
            try attacker.push((0..<50).map { .reset(UInt32(2 * (sent - 50 + $0) + 1)) })
            try siege.askClient()
            attacker.look()
        }
        try attacker.readToEnd()
        #expect(attacker.goAway == .enhanceYourCalm)
        try faults.clear()
        try siege.expectRelieved()
        let log = try siege.server.log()
        let stored = (0..<sent).count { log.records(of: "cancelled-\($0)").count == 1 }
        #expect(stored > 0 && stored <= 200, "\(stored) of \(sent): twice the streams of a connection may wait for the disk")
    }

    @Test("streams that the server is made to reset end the connection as the client's own resets do", arguments: [
        "a window of more than 2^31-1", "content beyond its length", "content short of its length", "a field name in capitals",
        "no path", "a connection-specific field", "an update by zero", "content behind the end", "fields behind the end", "a stream that depends on itself",
        "PRIORITY of four bytes",
    ])
    func madeYouReset(mistake: String) throws {
        let siege = try Siege()
        let attackers = try siege.expectEnded(
            by: { attacker in (0..<50).flatMap { _ in Self.provoking(mistake, attacker) } }, nuisances: 50, attackers: 2,
            // Some of these are errors of the connection to begin with (RFC 9113 §5.4.1).
            with: [.enhanceYourCalm, .protocolError, .streamClosed, .frameSizeError, .flowControlError])
        for attacker in attackers {
            #expect(attacker.resets.values.reduce(0, +) <= Siege.forgiven + Siege.margin)
        }
        try siege.expectRelieved()
    }

    /// A stream that the server has reason to reset.
    private static func provoking(_ mistake: String, _ attacker: HTTP2Attacker) -> [HTTP2Frame] {
        let stream = attacker.takeStream()
        func post(_ fields: [(String, String)] = []) -> HTTP2Frame { attacker.request("POST", "/callback", fields: fields, end: false, on: stream) }
        switch mistake {
        case "a window of more than 2^31-1": return [post(), .windowUpdate(stream, 0x7FFF_FFFF)]
        case "content beyond its length": return [post([("content-length", "1")]), .data([0x7B, 0x7D], on: stream)]
        case "content short of its length": return [post([("content-length", "9")]), .data([0x7B, 0x7D], on: stream, end: true)]
        case "a field name in capitals": return [post([("X-Capital", "1")])]
        case "no path": return [.headers(HPACK.block([(":method", "GET"), (":scheme", "http")]), on: stream)]
        case "a connection-specific field": return [post([("connection", "close")])]
        case "an update by zero": return [post(), .windowUpdate(stream, 0)]
        case "content behind the end": return [attacker.request(on: stream), .data([0x7B], on: stream)]
        case "fields behind the end": return [attacker.request(on: stream), attacker.request(on: stream)]
        case "a stream that depends on itself": return [post(), .priority(on: stream, dependsOn: stream)]
        default: return [post(), HTTP2Frame(kind: HTTP2FrameKind.priority, stream: stream, payload: [0, 0, 0, 0])]
        }
    }
}
