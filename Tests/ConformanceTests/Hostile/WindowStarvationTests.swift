// Answers that the client asks for and does not take: windows that stay closed (RFC 9113 §10.5), over many streams and
// many connections; and header blocks that say much in few bytes (RFC 7541 §7.3).
//
// Promises: what a connection makes the server hold is bounded, whatever is asked. Must not know: when a client that takes
// nothing is left, which is in the tests of CallbackReceiver.

import Testing
import TestSupport

@Suite("Hostile: windows that stay closed, fields that blow up")
struct WindowStarvationTests {
    /// A session and its tables.
    private static let idleSessionBytes = 32 * 1_024
    /// The same with 100 streams.
    private static let sessionBytes = 128 * 1_024
    /// What may be unsent, two pages, and the one that passes it; half as much again for arrays that grow.
    private static let unsentBytes = (2 + 1) * 1_024 * 1_024 * 3 / 2

    @Test("100 streams on each of 20 connections ask for a MiB each and take nothing: each connection holds three answers at most", arguments: [
        0, 1, 65_535,
    ] as [UInt32])
    func closedWindows(initial: UInt32) throws {
        let siege = try Siege()
        try fillPage(siege)
        let attackers = try (0..<20).map { _ in try HTTP2Attacker(port: siege.port, settings: [(HTTP2Setting.initialWindowSize, initial)]) }
        try siege.rounds(20) { _ in
            for attacker in attackers {
                try attacker.push((0..<5).map { _ in attacker.request("GET", "/v1/requests/page/callbacks") })
                attacker.look()
            }
        }
        try siege.expectHeld(bytes: 20 * (Self.unsentBytes + Self.sessionBytes), connections: 20)
        try siege.expectAtRest()
        for attacker in attackers { #expect(!attacker.hasEnded, "it has its time") }
    }

    @Test("windows opened by one byte at a time end with ENHANCE_YOUR_CALM before the answers have left")
    func windowsByOne() throws {
        let siege = try Siege()
        try fillPage(siege)
        let attackers = try siege.expectEnded(by: { _ in
            (0..<100).map { .windowUpdate(UInt32(2 * $0 + 1), 1) }
        }, nuisances: 100, attackers: 1, settings: [(HTTP2Setting.initialWindowSize, 0)], prepare: { attacker in
            try attacker.push((0..<100).map { _ in attacker.request("GET", "/v1/requests/page/callbacks") })
        })
        #expect(attackers[0].contentBytes <= Siege.forgiven + Siege.margin)
    }

    @Test("the same asked again after a cancel holds no more: what is cancelled is forgotten")
    func cancelledAnswers() throws {
        let siege = try Siege()
        try fillPage(siege)
        let attackers = try (0..<10).map { _ in try HTTP2Attacker(port: siege.port, settings: [(HTTP2Setting.initialWindowSize, 0)]) }
        try siege.rounds(40) { _ in
            for attacker in attackers {
                let stream = attacker.takeStream()
                try attacker.push([attacker.request("GET", "/v1/requests/page/callbacks", on: stream)])
                try attacker.push([.reset(stream)])
            }
        }
        try siege.expectHeld(bytes: 10 * (Self.unsentBytes + Self.sessionBytes), connections: 10)
    }

    @Test("500 connections that only greet hold a session each, and nothing is done for them")
    func idleSessions() throws {
        let siege = try Siege()
        let attackers = try (0..<500).map { _ in try HTTP2Attacker(port: siege.port) }
        try siege.rounds(10) { _ in }
        for attacker in attackers { attacker.look() }
        try siege.expectHeld(bytes: 500 * Self.idleSessionBytes, connections: 500)
        try siege.expectAtRest()
        for attacker in attackers { attacker.wire.resetOnClose() }
    }

    // MARK: header compression

    @Test("an entry of 4 KB referred to thousands of times is ENHANCE_YOUR_CALM, and takes no room", arguments: [true, false])
    func bomb(isOneBlock: Bool) throws {
        let siege = try Siege()
        let entry = HPACK.literal(Array("x-bomb".utf8), [UInt8](repeating: 0x62, count: 4_000), .incremental)
        // The newest entry of the dynamic table.
        let references = [UInt8](repeating: 0xBE, count: 12_000)
        let request = HPACK.block(HTTP2Connection.fields("GET", "/healthz"))
        try siege.expectEnded(by: { attacker in
            if isOneBlock { return [.headers(request + entry + references, on: attacker.takeStream())] }
            // In CONTINUATION, as many as there may be.
            let stream = attacker.takeStream()
            return [.headers(request + entry, on: stream, endHeaders: false)] + (0..<8).map { .continuation(references, on: stream, endHeaders: $0 == 7) }
        }, nuisances: 1_000, attackers: 20)
        try siege.expectRelieved()
    }

    @Test("the table refilled for every stream, and fields just beyond a head's bound: 431 each, the connection goes on, nothing grows")
    func largeHeads() throws {
        let siege = try Siege()
        let attacker = try HTTP2Attacker(port: siege.port, settings: [(HTTP2Setting.headerTableSize, UInt32.max)])
        let request = HPACK.block(HTTP2Connection.fields("GET", "/healthz"))
        try siege.rounds(60) { round in
            let entry = HPACK.literal(Array("x-\(round)".utf8), [UInt8](repeating: 0x62, count: 4_000), .incremental)
            try attacker.push([.headers(request + entry + [UInt8](repeating: 0xBE, count: 5), on: attacker.takeStream())])
            attacker.look()
        }
        try siege.expectHeld(bytes: Self.sessionBytes, connections: 1)
        try eventually("every stream is answered") {
            attacker.look()
            return attacker.answersBegun == 60 || attacker.hasEnded
        }
        #expect(attacker.answersBegun == 60 && !attacker.hasEnded)
    }

    @Test("thousands of tiny fields are ENHANCE_YOUR_CALM, a hundred are 431")
    func manyFields() throws {
        let siege = try Siege()
        let request = HPACK.block(HTTP2Connection.fields("GET", "/healthz"))
        try siege.expectEnded(by: { attacker in
            // accept-language, empty: one byte each.
            [.headers(request + [UInt8](repeating: 0x91, count: 100), on: attacker.takeStream()),
             .headers(request + [UInt8](repeating: 0x91, count: 10_000), on: attacker.takeStream())]
        }, nuisances: 1_000, attackers: 20)
        try siege.expectRelieved()
    }

    // MARK: bodies

    @Test("a body declared huge is answered 413 on its stream before a byte of it, asked for or not; the connection's other streams go on", arguments: [
        "65537", "1000000000000000000", "9223372036854775807",
    ])
    func hugeLength(length: String) throws {
        let siege = try Siege()
        let connection = try HTTP2Connection(port: siege.port)
        try siege.rounds(10) { _ in
            for fields in [[("content-length", length)], [("content-length", length), ("expect", "100-continue")]] {
                let stream = try connection.open(HTTP2Connection.fields("POST", "/callback") + fields)
                let answer = try connection.answer(on: stream)
                let interim = connection.streams[stream]?.interim
                #expect(answer.status == 413 && interim == [])
            }
            let status = try connection.exchange("GET", "/healthz").status
            #expect(status == 200)
        }
        try siege.expectHeld(bytes: Self.sessionBytes, connections: 1)
    }

    @Test("bodies that drip on 100 streams of each of 100 connections: the loop holds no more than its bound of them, and who means well is served")
    func drippingBodies() throws {
        let siege = try Siege()
        let attackers = try (0..<100).map { _ in try HTTP2Attacker(port: siege.port) }
        let piece = [UInt8](repeating: 0x20, count: 6_400)
        let streams = attackers.map { attacker in (0..<30).map { _ in attacker.takeStream() } }
        for (number, attacker) in attackers.enumerated() {
            try attacker.push(streams[number].map { attacker.request("POST", "/callback", end: false, on: $0) })
        }
        // 30 bodies of 64,000 bytes a connection, 192 MB of them together.
        try siege.rounds(10) { _ in
            for (number, attacker) in attackers.enumerated() {
                attacker.look()
                try attacker.push(streams[number].map { .data(piece, on: $0) })
            }
        }
        // 64 MiB in arrays that grow by doubling.
        try siege.expectHeld(bytes: 2 * 64 * 1_024 * 1_024 + 100 * Self.sessionBytes, connections: 100)
        for attacker in attackers { attacker.wire.resetOnClose() }
    }
}
