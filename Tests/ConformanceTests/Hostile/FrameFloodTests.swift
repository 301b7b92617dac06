// Frames that are work for the server and nothing for the client (RFC 9113 §10.5), in floods.
//
// Promises: each flood ends with the connection, ENHANCE_YOUR_CALM said, before it has cost anything; others are served
// between any two of its segments. Must not know: how the server counts.

import Testing
import TestSupport

@Suite("Hostile: floods of frames")
struct FrameFloodTests {
    enum Flood: String, CaseIterable, Sendable {
        case ping, pingAcknowledgements, settings, settingsOfWindows, settingsAcknowledgements, priority, unknown, priorityUpdates
        case windowUpdatesOfConnection, windowUpdatesOfStream, emptyData, dataOfOneByte, paddingOnly, resetsOfOneStream, trailersWithoutEnd
    }

    @Test("a flood ends with ENHANCE_YOUR_CALM after a thousand frames or so", arguments: Flood.allCases)
    func flood(_ flood: Flood) throws {
        let siege = try Siege()
        try siege.expectEnded(
            by: { _ in [HTTP2Frame](repeating: Self.frame(of: flood), count: 100) }, nuisances: 100,
            // Of these the protocol itself knows no second one, or none without its cause (RFC 9113 §5.1, §6.5.3).
            with: [.resetsOfOneStream, .trailersWithoutEnd, .settingsAcknowledgements].contains(flood) ? [.enhanceYourCalm, .protocolError, .streamClosed] : [.enhanceYourCalm],
            // Streams 1 to 199 wait for a body.
            prepare: { attacker in try attacker.push((0..<100).map { _ in attacker.request("POST", "/callback", end: false) }) })
        try siege.expectRelieved()
    }

    private static func frame(of flood: Flood) -> HTTP2Frame {
        switch flood {
        case .ping: .ping()
        case .pingAcknowledgements: .ping(acknowledges: true)
        case .settings: .settings([])
        case .settingsOfWindows: .settings((0..<30).map { (HTTP2Setting.initialWindowSize, UInt32($0)) })
        case .settingsAcknowledgements: .settingsAcknowledgement
        case .priority: .priority(on: 3, dependsOn: 1)
        case .unknown: HTTP2Frame(kind: 0xEE, payload: [1, 2, 3])
        case .priorityUpdates: HTTP2Frame(kind: 0x10, payload: [0, 0, 0, 1] + Array("u=1".utf8))
        case .windowUpdatesOfConnection: .windowUpdate(0, 1)
        case .windowUpdatesOfStream: .windowUpdate(1, 1)
        case .emptyData: .data([], on: 1)
        case .dataOfOneByte: .data([0x20], on: 1)
        case .paddingOnly: .data([], on: 1, padding: 100)
        case .resetsOfOneStream: .reset(1)
        case .trailersWithoutEnd: .headers(HPACK.block([("x-trailer", "1")]), on: 1, end: false)
        }
    }

    @Test("PING and SETTINGS from a client that never reads: the server stops reading, what it has to say is bounded", arguments: [
        HTTP2Frame.ping(), .settings([]),
    ])
    func neverReading(frame: HTTP2Frame) throws {
        let siege = try Siege()
        let flood = [HTTP2Frame](repeating: frame, count: 100).flatMap(\.bytes)
        let attackers = try (0..<50).map { _ in try HTTP2Attacker(port: siege.port, receiveBytes: 4_096) }
        try siege.rounds(100) { _ in
            for attacker in attackers { _ = attacker.wire.offer(flood[...]) }
        }
        // A session each, and the answers that the kernel has not taken.
        try siege.expectHeld(bytes: 50 * (32 + 64) * 1_024, connections: 50)
        for attacker in attackers { attacker.wire.resetOnClose() }
    }

    enum Block: String, CaseIterable, Sendable { case full, empty, ofOneByte, emptyBehindEmpty }

    @Test("CONTINUATION without end: ENHANCE_YOUR_CALM after a few, full or empty; nothing is kept of it", arguments: Block.allCases)
    func continuations(_ block: Block) throws {
        let siege = try Siege()
        let field = HPACK.literal(Array("x-long".utf8), [UInt8](repeating: 0x61, count: 4_000))
        try siege.expectEnded(by: { attacker in
            switch block {
            case .full: (0..<10).map { _ in .continuation(field + field + field + field, on: 1, endHeaders: false) }
            case .empty, .emptyBehindEmpty: (0..<10).map { _ in .continuation([], on: 1, endHeaders: false) }
            case .ofOneByte: (0..<10).map { _ in .continuation([0x82], on: 1, endHeaders: false) }
            }
        }, nuisances: 1_000, attackers: 20, prepare: { attacker in
            let start = block == .emptyBehindEmpty ? [] : HPACK.block(HTTP2Connection.fields("GET", "/healthz"))
            try attacker.push([.headers(start, on: attacker.takeStream(), endHeaders: false)])
        })
        try siege.expectRelieved()
    }

    @Test("header blocks without a byte, each of a stream of its own, end like any other mistake")
    func emptyBlocks() throws {
        let siege = try Siege()
        try siege.expectEnded(by: { attacker in (0..<50).map { _ in .headers([], on: attacker.takeStream()) } }, nuisances: 50,
            with: [.enhanceYourCalm, .protocolError])
        try siege.expectRelieved()
    }

    @Test("a frame of 2^24-1 bytes is FRAME_SIZE_ERROR at its header, whatever its kind; its payload is not awaited", arguments: 0...9 as ClosedRange<UInt8>)
    func largestFrame(kind: UInt8) throws {
        let siege = try Siege()
        for _ in 0..<5 {
            let attacker = try HTTP2Attacker(port: siege.port)
            try attacker.push([attacker.request("POST", "/callback", end: false)])
            // §4.2: one that could alter the state of the connection is an error of the connection.
            let stream: UInt8 = [HTTP2FrameKind.settings, HTTP2FrameKind.ping, HTTP2FrameKind.goAway].contains(kind) ? 0 : kind == HTTP2FrameKind.headers ? 3 : 1
            try attacker.wire.push([0xFF, 0xFF, 0xFF, kind, 0, 0, 0, 0, stream], toleratingClose: true)
            try siege.serveClient()
            try attacker.readToEnd()
            #expect([.frameSizeError, .protocolError].contains(attacker.goAway), "\(attacker.goAway?.description ?? "none")")
        }
        try siege.expectHeld(bytes: 0, connections: 5)
        try siege.expectRelieved()
    }
}
