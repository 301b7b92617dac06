// What one request may cost over HTTP/2: head, fields, target, body, and header blocks that are bombs.
//
// Promises: each bound is met from both sides; beyond it the stream is answered and reset with NO_ERROR
// (RFC 9113 §8.1), far beyond it the connection ends with ENHANCE_YOUR_CALM.
// Must not know: floods of whole frames; FloodTests has them.

import Testing

@testable import HTTPWire

private let enhanceYourCalm: UInt32 = 11

@Suite("HTTP/2: limits of a request")
struct HTTP2LimitTests {
    static let limits: HTTPLimits = {
        var limits = HTTPLimits(bodyBytesMax: 100)
        limits.headBytesMax = 1_000
        limits.fieldsMax = 8
        limits.requestLineBytesMax = 300
        return limits
    }()

    /// The size of a head, as RFC 9113 §6.5.2 counts it.
    static func size(_ fields: Fields) -> Int {
        fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
    }

    @Test("a head at its bound is taken, one byte more is 431")
    func head() {
        let filling = 1_000 - Self.size(pseudo() + [("x", "")])
        let most = pseudo() + [("x", String(repeating: "a", count: filling))]
        #expect(http2Outcome(headers(1, most), limits: Self.limits).requests.count == 1)
        let over = pseudo() + [("x", String(repeating: "a", count: filling + 1))]
        let outcome = http2Outcome(headers(1, over) + headers(3, pseudo()), limits: Self.limits)
        #expect(outcome.refusals == [.headTooLarge] && outcome.answers[1]?.status == "431")
        #expect(outcome.answers[1]?.reset == nil && outcome.answers[3]?.status == "204")
    }

    @Test("as many fields as may be are taken, one more is 431")
    func fields() {
        let most = pseudo() + (0..<8).map { ("x\($0)", "") }
        #expect(http2Outcome(headers(1, most), limits: Self.limits).requests.first?.fields.count == 8)
        let outcome = http2Outcome(headers(1, most + [("y", "")]), limits: Self.limits)
        #expect(outcome.refusals == [.tooManyFields] && outcome.answers[1]?.status == "431")
    }

    @Test("a target at its bound is taken, one byte more is 414")
    func target() {
        let most = "/" + String(repeating: "a", count: 299)
        #expect(http2Outcome(headers(1, pseudo("GET", most)), limits: Self.limits).requests.first?.path == most)
        let outcome = http2Outcome(headers(1, pseudo("GET", most + "a")), limits: Self.limits)
        #expect(outcome.refusals == [.targetTooLong] && outcome.answers[1]?.status == "414")
    }

    @Test("a body at its bound is taken, one byte more is 413, and no more of it is awaited")
    func body() {
        let most = [UInt8](repeating: 1, count: 100)
        #expect(http2Outcome(post(1, most), limits: Self.limits).requests.map(\.body) == [most])
        let over = headers(1, pseudo("POST"), ends: false) + data(1, most, ends: false) + data(1, [1], ends: false)
        let outcome = http2Outcome(over + headers(3, pseudo()), limits: Self.limits)
        #expect(outcome.refusals == [.bodyTooLarge] && outcome.answers[1]?.status == "413")
        #expect(outcome.answers[1]?.isEnded == true && outcome.answers[1]?.reset == nil)
        #expect(outcome.answers[3]?.status == "204")
    }

    @Test("a body declared beyond its bound is 413 before any of it")
    func declared() {
        for length in ["101", "9223372036854775807"] {
            let peer = Peer(Self.limits)
            peer.feed(opening() + headers(1, pseudo("POST") + [("content-length", length)], ends: false))
            #expect(peer.outcome.refusals == [.bodyTooLarge] && peer.outcome.answers[1]?.status == "413")
            #expect(peer.session.heldBytes == 0 && peer.session.unansweredCount == 0)
            // What was on its way is passed over.
            peer.feed(data(1, [UInt8](repeating: 0, count: 90), ends: false) + data(1, []) + headers(3, pseudo()))
            #expect(peer.outcome.answers[3]?.status == "204" && !peer.outcome.isFailed)
        }
    }

    @Test("of a body that is too large what has come is given out with its refusal, up to 64 KiB, and what comes behind it is given back")
    func tooLargeBody() {
        for (limits, head, pieces, kept) in [
            (Self.limits, [("content-length", "200")], [90, 30], 120), (Self.limits, [], [100, 50, 3], 153), (Self.limits, [], [101], 101),
            (Self.limits, [("content-length", "70000")], [16_384, 16_384, 16_384, 16_000], 65_152),
            (HTTPLimits(bodyBytesMax: 70_000), [], [16_384, 16_384, 16_384, 16_384, 4_400, 65], 69_936),
            (HTTPLimits(bodyBytesMax: 70_000), [("content-length", "80000")], [16_384, 16_384, 16_384, 16_384, 4_000], 65_536),
        ] as [(HTTPLimits, [(String, String)], [Int], Int)] {
            let body = (0..<pieces.reduce(0, +)).map { UInt8($0 % 251) }
            var bytes = settingsAcknowledgement + headers(1, pseudo("POST") + head, ends: false)
            var start = 0
            for piece in pieces {
                bytes += data(1, Array(body[start..<start + piece]), ends: false)
                start += piece
            }
            let peer = Peer(limits)
            peer.feed(opening())
            let session = peer.session
            session.receive(bytes.span, now: 0)
            var request = Request()
            #expect(session.next(into: &request) == .refused(1, .bodyTooLarge) && session.heldBytes == 0)
            #expect(request.body == Array(body[..<kept]), "\(request.body.count) of \(pieces)")
            session.receive(data(1, [1], ends: false).span, now: 0)
            #expect(session.heldBytes == 0 && !session.isFailed)
        }
    }

    @Test("a client that goes on sending what was refused is reset with NO_ERROR a second later (RFC 9113 §8.1)")
    func lingering() {
        let refused = headers(1, pseudo("POST") + [("content-length", "101")], ends: false)
        for isSilent in [true, false] {
            let peer = Peer(Self.limits)
            peer.feed(opening() + refused)
            #expect(peer.outcome.answers[1]?.isEnded == true && peer.session.incompleteCount == 1)
            peer.now = 999
            peer.feed(data(1, [1, 2, 3], ends: false))
            #expect(peer.outcome.answers[1]?.reset == nil && peer.session.heldBytes == 0)
            peer.now = 1_000
            if isSilent { peer.session.endLingering(now: 1_000) } else { peer.feed(data(1, [1, 2, 3], ends: false)) }
            peer.read()
            #expect(peer.outcome.answers[1]?.reset == 0 && peer.session.incompleteCount == 0)
            #expect(peer.outcome.answers[1]?.status == "413" && !peer.outcome.isFailed)
        }
        // One that ends it, or resets it, needs no reset.
        for last in [data(1, []), reset(1)] {
            let peer = Peer(Self.limits)
            peer.feed(opening() + refused + last)
            peer.now = 5_000
            peer.feed(headers(3, pseudo()))
            #expect(peer.session.incompleteCount == 0 && peer.outcome.answers[1]?.reset != 0)
            #expect(peer.outcome.answers[3]?.status == "204")
        }
    }

    @Test("a refused stream that has ended is not reset behind its answer")
    func refusedWhole() {
        let outcome = http2Outcome(headers(1, pseudo("GET", "/a#b")), limits: Self.limits)
        #expect(outcome.answers[1]?.isEnded == true && outcome.answers[1]?.reset == nil)
    }

    @Test("a head four times over ends the connection, and none of it is kept")
    func excess() {
        let value = String(repeating: "a", count: 7_000)
        let peer = Peer(Self.limits)
        // The bound of trailers, 8,192, is the greater here: 4 x that.
        peer.feed(opening() + headers(1, pseudo() + (0..<2).map { ("x\($0)", value) }, ends: false))
        #expect(peer.outcome.refusals == [.headTooLarge])
        #expect(http2Outcome(
            headers(1, pseudo() + (0..<2).map { ("x\($0)", value) }, ends: false), limits: Self.limits
        ).goAway == nil)
        var block = block(pseudo())
        for index in 0..<5 { block += literal(Array("x\(index)".utf8), Array(value.utf8)) }
        let parts = stride(from: 0, to: block.count, by: 16_000).map { Array(block[$0..<min(block.count, $0 + 16_000)]) }
        var frames = frame(.headers, stream: 1, parts[0])
        for part in parts.dropFirst() { frames += frame(.continuation, stream: 1, part) }
        let outcome = http2Outcome(frames, limits: Self.limits)
        #expect(outcome.isFailed && outcome.goAway == enhanceYourCalm && outcome.requests.isEmpty)
    }

    @Test("a header-compression bomb ends the connection after four times the bound, not a byte later")
    func bomb() {
        // An entry of about 4,000 bytes in the dynamic table, and then one byte for each time it is named.
        let entry = literal(Array("x".utf8), Array(repeating: 0x61, count: 3_900), isIndexed: true)
        let bomb = block(pseudo()) + entry + [UInt8](repeating: 0x80 | 62, count: 12_000)
        let outcome = http2Outcome(frame(.headers, flags: Flag.endHeaders, stream: 1, bomb))
        #expect(outcome.isFailed && outcome.goAway == enhanceYourCalm && outcome.requests.isEmpty)
        // Spread over streams, none of them far over its bound, it is 431 for each.
        let peer = Peer()
        peer.feed(opening() + frame(.headers, flags: 5, stream: 1, block(pseudo()) + entry))
        for stream in 1...90 {
            let block = block(pseudo()) + [UInt8](repeating: 0x80 | 62, count: 15)
            peer.feed(frame(.headers, flags: 5, stream: Int32(2 * stream + 1), block))
            #expect(peer.session.heldBytes == 0)
        }
        #expect(peer.outcome.refusals == Array(repeating: .headTooLarge, count: 90) && !peer.outcome.isFailed)
    }

    @Test("a bomb in trailers, or on a stream that was refused, is a bomb as well")
    func bombElsewhere() {
        let entry = literal(Array("x".utf8), Array(repeating: 0x61, count: 3_900), isIndexed: true)
        let bomb = entry + [UInt8](repeating: 0x80 | 62, count: 12_000)
        let trailers = headers(1, pseudo("POST"), ends: false) + frame(.headers, flags: 5, stream: 1, bomb)
        #expect(http2Outcome(trailers).goAway == enhanceYourCalm)
        var http2Limits = HTTP2Limits()
        http2Limits.concurrentStreamsMax = 1
        let peer = Peer(HTTPLimits(), http2Limits)
        peer.response = nil
        peer.feed(opening() + headers(1, pseudo()))
        peer.feed(frame(.headers, flags: 5, stream: 3, block(pseudo()) + bomb))
        #expect(peer.session.heldBytes == 0 && peer.unanswered == [1] && peer.outcome.answers[3]?.reset == 7)
    }

    @Test("trailers over their bound are 431")
    func trailers() {
        let long = String(repeating: "a", count: 4_090)
        let fields: Fields = [("x", long), ("y", long), ("z", "")]
        let outcome = http2Outcome(headers(1, pseudo("POST"), ends: false) + headers(1, fields))
        #expect(outcome.refusals == [.trailersTooLarge] && outcome.answers[1]?.status == "431")
    }

    @Test("a head in a few CONTINUATIONs is read, in many it is a flood (CVE-2024-27316)")
    func continuations() {
        func split(_ pieces: Int, _ fields: Fields) -> [UInt8] {
            let block = block(fields)
            var frames = frame(.headers, flags: Flag.endStream, stream: 1, Array(block[..<10]))
            for piece in 1..<pieces { frames += frame(.continuation, stream: 1, [block[9 + piece]]) }
            return frames + frame(.continuation, flags: Flag.endHeaders, stream: 1, Array(block[(9 + pieces)...]))
        }
        #expect(http2Outcome(split(7, pseudo())).requests.count == 1)
        let outcome = http2Outcome(split(12, pseudo()))
        #expect(outcome.requests.isEmpty && outcome.goAway == enhanceYourCalm)
        // Also where each is empty.
        let empty = frame(.headers, stream: 1) + (0..<50).flatMap { _ in frame(.continuation, stream: 1) }
        #expect(http2Outcome(empty).goAway == enhanceYourCalm)
    }

    @Test("a block that cannot be decoded is a connection error (RFC 9113 §4.3)", arguments: [
        [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x80 | 70], [0x40, 0x85, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0],
        [0x3F, 0xFF, 0xFF, 0x7F], [0, 0x7F, 0xFF, 0xFF, 0xFF, 0x0F],
    ] as [[UInt8]])
    func undecodable(block: [UInt8]) {
        let outcome = http2Outcome(frame(.headers, flags: 5, stream: 1, block) + headers(3, pseudo()))
        #expect(outcome.isFailed && outcome.goAway == 9 && outcome.requests.isEmpty)
    }
}
