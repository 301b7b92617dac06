// An HTTP/2 client that keeps no rule it does not want to keep (RFC 9113), and what the server says to it.
//
// Promises: frames go out as they are given; of the server's only the headers are looked at, so that nothing it sends is
// ever answered, neither SETTINGS nor PING nor a window. Must not know: HPACK.

import Testing
import TestSupport

final class HTTP2Attacker {
    let wire: Attacker
    /// Why the server ended the connection, once it has said so.
    private(set) var goAway: HTTP2ErrorCode?
    /// Streams that the server reset, by code.
    private(set) var resets: [HTTP2ErrorCode: Int] = [:]
    /// HEADERS frames of the server: an answer begins with each.
    private(set) var answersBegun = 0
    /// Bytes of the server's DATA frames.
    private(set) var contentBytes = 0
    /// The server has closed.
    private(set) var hasEnded = false

    private var unread: [UInt8] = []
    private var nextStream: UInt32 = 1

    /// Connects, and sends the preface with these settings.
    init(port: UInt16, settings: [(UInt16, UInt32)] = [], receiveBytes: Int32? = nil) throws {
        wire = try Attacker(port: port, receiveBytes: receiveBytes)
        try wire.push(HTTP2Frame.preface + HTTP2Frame.settings(settings).bytes)
    }

    func takeStream() -> UInt32 {
        defer { nextStream += 2 }
        return nextStream
    }

    /// Sends frames in one piece, unless the server has closed.
    func push(_ frames: [HTTP2Frame]) throws { try wire.push(frames.flatMap(\.bytes), toleratingClose: true) }

    /// The frame that asks for `target`, or begins to send to it.
    func request(_ method: String = "GET", _ target: String = "/healthz", fields: [(String, String)] = [], end: Bool = true, on stream: UInt32? = nil) -> HTTP2Frame {
        .headers(HPACK.block(HTTP2Connection.fields(method, target) + fields), on: stream ?? takeStream(), end: end)
    }

    /// Takes what has come, and waits for nothing.
    func look() {
        while !hasEnded, let bytes = wire.take(bytesMax: 64 * 1_024) {
            if bytes.isEmpty { hasEnded = true } else { note(bytes) }
        }
    }

    /// Reads on until the server has closed.
    func readToEnd() throws {
        try eventually("the server ends the connection") {
            look()
            return hasEnded
        }
    }

    private func note(_ bytes: [UInt8]) {
        unread += bytes
        var start = 0
        while unread.count - start >= 9 {
            let length = Int(unread[start]) << 16 | Int(unread[start + 1]) << 8 | Int(unread[start + 2])
            guard unread.count - start >= 9 + length else { break }
            note(kind: unread[start + 3], unread[(start + 9)..<(start + 9 + length)])
            start += 9 + length
        }
        unread.removeFirst(start)
    }

    private func note(kind: UInt8, _ payload: ArraySlice<UInt8>) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
        switch kind {
        case HTTP2FrameKind.headers: answersBegun += 1
        case HTTP2FrameKind.data: contentBytes += payload.count
        case HTTP2FrameKind.reset: resets[HTTP2ErrorCode(rawValue: number(payload)), default: 0] += 1
        case HTTP2FrameKind.goAway: goAway = HTTP2ErrorCode(rawValue: number(payload.dropFirst(4)))
        default: break
        }
    }
}

extension Siege {
    /// What the server forgives of frames that are work for it and nothing for the client, at once; and a margin for what
    /// time forgives while it lasts.
    static let forgiven = 1_000, margin = 4_000

    /// Several attackers, one after another, each sending `step` until the server ends its connection: the client has its
    /// turn between any two steps.
    /// - Parameters:
    ///   - nuisances: how many of what is not forgiven for ever are in one step.
    ///   - prepare: what each attacker does first.
    /// - Returns: the attackers, whose connections have ended.
    @discardableResult
    func expectEnded(
        by step: (HTTP2Attacker) -> [HTTP2Frame], nuisances: Int, attackers: Int = 3, settings: [(UInt16, UInt32)] = [],
        with codes: Set<HTTP2ErrorCode> = [.enhanceYourCalm], prepare: (HTTP2Attacker) throws -> Void = { _ in }
    ) throws -> [HTTP2Attacker] {
        var ended: [HTTP2Attacker] = []
        for _ in 0..<attackers {
            let attacker = try HTTP2Attacker(port: port, settings: settings)
            try prepare(attacker)
            var sent = 0
            while !attacker.hasEnded, sent <= Self.forgiven + Self.margin {
                try attacker.push(step(attacker))
                sent += nuisances
                try serveClient()
                attacker.look()
            }
            try attacker.readToEnd()
            #expect(attacker.goAway.map { codes.contains($0) } == true, "GOAWAY \(attacker.goAway?.description ?? "none"), after \(sent)")
            ended.append(attacker)
        }
        try expectHeld(bytes: 0, connections: attackers)
        return ended
    }
}
