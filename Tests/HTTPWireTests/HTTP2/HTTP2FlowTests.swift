// Flow control in both directions (RFC 9113 §5.2, §6.9), and what is held meanwhile.
//
// Promises: the sums are exact at every step; nobody waits for a window that nobody will open.
// Must not know: floods.

import Testing

@testable import HTTPWire

@Suite("HTTP/2: flow control")
struct HTTP2FlowTests {
    static func http2Limits(held: Int = 2 << 20, unsent: Int = 256 << 10, streams: Int = 100) -> HTTP2Limits {
        var limits = HTTP2Limits()
        limits.heldBytesMax = held
        limits.unsentBytesMax = unsent
        limits.concurrentStreamsMax = streams
        return limits
    }

    @Test("answers wait for the stream's window, and go on where it opens")
    func streamWindow() {
        let peer = Peer()
        let body = (0..<100).map { UInt8($0) }
        peer.response = .text(body)
        peer.feed(opening([(4, 10)]) + headers(1, pseudo()))
        #expect(peer.outcome.answers[1]?.body == Array(body[..<10]) && peer.session.unsentBytes == 90)
        #expect(peer.session.isWaitingForWindow)
        peer.feed(windowUpdate(1, 25))
        #expect(peer.outcome.answers[1]?.body == Array(body[..<35]) && peer.session.isWaitingForWindow)
        // RFC 9113 §6.9.2: a new initial value opens, or closes, the windows of streams that are there.
        peer.feed(settingsFrame([(4, 50)]))
        #expect(peer.outcome.answers[1]?.body == Array(body[..<75]))
        peer.feed(settingsFrame([(4, 0)]) + windowUpdate(1, 20))
        #expect(peer.outcome.answers[1]?.body.count == 75)
        peer.feed(windowUpdate(1, 1_000))
        #expect(peer.outcome.answers[1]?.body == body && peer.outcome.answers[1]?.isEnded == true)
        #expect(peer.session.unsentBytes == 0 && !peer.session.isWaitingForWindow)
    }

    @Test("answers wait for the connection's window, which all share")
    func connectionWindow() {
        let peer = Peer()
        peer.response = .text([UInt8](repeating: 1, count: 40_000))
        peer.feed(opening([(4, 1 << 20)]) + headers(1, pseudo()) + headers(3, pseudo()))
        #expect(peer.session.unsentBytes == 80_000 - 65_535 && peer.session.isWaitingForWindow)
        // The rest of what is small gets through beside it.
        peer.response = .empty(204)
        peer.feed(headers(5, pseudo()))
        #expect(peer.outcome.answers[5]?.isEnded == true && peer.session.isWaitingForWindow)
        peer.feed(windowUpdate(0, 1 << 20))
        #expect(peer.outcome.answers[1]?.body.count == 40_000 && peer.outcome.answers[3]?.body.count == 40_000)
        #expect(peer.session.unsentBytes == 0)
    }

    @Test("a window closed over 100 streams holds no more than its bound and one answer each")
    func closedWindow() {
        let peer = Peer(HTTPLimits(), Self.http2Limits(unsent: 10_000))
        peer.response = .text([UInt8](repeating: 1, count: 1_000))
        peer.feed(opening([(4, 0)]) + settingsAcknowledgement)
        for index in 0..<100 {
            peer.feed(headers(Int32(2 * index + 1), pseudo()))
            #expect(peer.session.unsentBytes < 10_000 + 2_000)
        }
        // Those that were not answered yet wait, and cost what they hold.
        #expect(peer.outcome.requests.count == 10 && peer.session.heldBytes > 0 && !peer.outcome.isFailed)
        #expect(peer.session.unansweredCount == 0 && peer.outcome.answers.values.allSatisfy { $0.reset == nil })
        // They are given out as the window opens.
        peer.feed(windowUpdate(0, 100_000))
        for index in 0..<100 { peer.feed(windowUpdate(Int32(2 * index + 1), 1_000)) }
        for _ in 0..<10 {
            peer.take()
            peer.read()
        }
        #expect(peer.outcome.requests.count == 100 && peer.session.heldBytes == 0)
        #expect(peer.outcome.answers.values.filter { $0.body.count == 1_000 && $0.isEnded }.count == 100)
        #expect(peer.session.unsentBytes == 0)
    }

    @Test("an answer beyond the bound goes out, and what waited for it is served, not refused")
    func largeAnswer() {
        let peer = Peer()
        peer.response = .text([UInt8](repeating: 1, count: 3 << 20))
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()))
        peer.response = .empty(204)
        for index in 1..<50 { peer.feed(headers(Int32(2 * index + 1), pseudo())) }
        #expect(peer.outcome.requests.count == 1 && peer.session.isWaitingForWindow)
        peer.feed(windowUpdate(0, 3 << 20) + windowUpdate(1, 3 << 20))
        peer.take()
        peer.read()
        #expect(peer.outcome.requests.count == 50 && peer.outcome.answers[1]?.body.count == 3 << 20)
        #expect(peer.outcome.answers.values.allSatisfy { $0.isEnded && $0.reset == nil })
    }

    @Test("a stream that is reset while its answer waits leaves nothing behind")
    func resetWhileWaiting() {
        let peer = Peer()
        peer.response = .text([UInt8](repeating: 1, count: 1_000))
        peer.feed(opening([(4, 0)]))
        for index in 0..<50 { peer.feed(headers(Int32(2 * index + 1), pseudo())) }
        #expect(peer.session.unsentBytes == 50_000)
        peer.feed((0..<50).flatMap { reset(Int32(2 * $0 + 1)) })
        #expect(peer.session.unsentBytes == 0 && !peer.session.isWaitingForWindow && !peer.outcome.isFailed)
    }

    @Test("a window beyond 2^31-1 is an error of the stream, or of the connection (RFC 9113 §6.9.1)")
    func overflow() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + headers(1, pseudo()) + windowUpdate(1, .max >> 1))
        #expect(peer.session.unansweredCount == 0)
        #expect(peer.outcome.answers[1]?.reset == 3 || peer.outcome.goAway == 3)
        #expect(http2Outcome(windowUpdate(0, .max >> 1)).goAway == 3)
        // By the initial value, too (§6.5.2).
        #expect(http2Outcome(settingsFrame([(4, 1 << 31)])).goAway == 3)
        let opened = headers(1, pseudo("POST"), ends: false) + windowUpdate(1, .max >> 1 - 65_535)
        #expect(http2Outcome(opened + settingsFrame([(4, 65_536)])).goAway == 3)
        #expect(http2Outcome(opened + settingsFrame([(4, 65_535)])).goAway == nil)
    }

    @Test("an increment of 0 ends what it is for (RFC 9113 §6.9)")
    func zero() {
        #expect(http2Outcome(windowUpdate(0, 0)).goAway == 1)
    }

    @Test("the connection's window is given back when bodies are taken, so that uploads never stop")
    func givenBack() {
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement)
        let initial = peer.control.filter { $0.kind == .windowUpdate }.reduce(65_535) { $0 + Int($1.number()) }
        var sent = 0
        for index in 0..<400 {
            let body = [UInt8](repeating: 1, count: 16_000)
            peer.feed(post(Int32(2 * index + 1), body))
            sent += body.count
        }
        let given = peer.control.filter { $0.kind == .windowUpdate && $0.stream == 0 }
            .reduce(65_535) { $0 + Int($1.number()) }
        #expect(peer.outcome.requests.count == 400 && sent > initial)
        #expect(given - sent >= initial / 2 && given - sent <= initial)
        #expect(peer.session.heldBytes == 0)
    }

    @Test("what is refused, reset or padding is given back as well")
    func givenBackElsewhere() {
        let peer = Peer(HTTPLimits(bodyBytesMax: 10_000))
        peer.feed(opening() + settingsAcknowledgement)
        let initial = peer.control.filter { $0.kind == .windowUpdate }.reduce(65_535) { $0 + Int($1.number()) }
        var sent = 0
        for index in 0..<600 {
            let stream = Int32(2 * index + 1)
            peer.now += 1_000
            let body = [UInt8](repeating: 1, count: 8_000)
            peer.feed(headers(stream, pseudo("POST"), ends: false) + data(stream, body, ends: false))
            switch index % 3 {
            case 0: peer.feed(reset(stream))
            case 1:
                peer.feed(data(stream, body, ends: false))
                sent += body.count
            default:
                peer.feed(frame(.data, flags: Flag.padded | 1, stream: stream, [255] + [UInt8](repeating: 0, count: 255)))
                sent += 256
            }
            sent += body.count
        }
        let given = peer.control.filter { $0.kind == .windowUpdate && $0.stream == 0 }
            .reduce(65_535) { $0 + Int($1.number()) }
        #expect(!peer.outcome.isFailed && sent > initial && peer.session.heldBytes == 0)
        #expect(given - sent >= initial / 2 && given - sent <= initial)
    }

    @Test("more than the stream's window is an error of the stream, or of the connection (RFC 9113 §6.9.1)")
    func beyondWindow() {
        let peer = Peer(HTTPLimits(bodyBytesMax: 65_536))
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo("POST"), ends: false))
        for _ in 0..<4 { peer.feed(data(1, [UInt8](repeating: 0, count: 16_384), ends: false)) }
        #expect(peer.session.heldBytes >= 65_536)
        peer.feed(data(1, [0, 0], ends: false) + headers(3, pseudo()))
        #expect(peer.session.heldBytes == 0 && peer.outcome.refusals.isEmpty)
        // Newer libraries end the connection.
        let isReset = peer.outcome.answers[1] == Answer(reset: 3) && peer.outcome.answers[3]?.status == "204"
        #expect(isReset || (peer.outcome.isFailed && peer.outcome.goAway == 3))
    }

    @Test("requests that are taken and not answered hold no window")
    func taken() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + settingsAcknowledgement)
        for index in 0..<100 {
            let stream = Int32(2 * index + 1)
            peer.feed(headers(stream, pseudo("POST"), ends: false))
            for part in 0..<4 { peer.feed(data(stream, [UInt8](repeating: 0, count: 16_384), ends: part == 3)) }
        }
        #expect(!peer.outcome.isFailed && peer.session.unansweredCount == 100 && peer.session.heldBytes == 0)
    }

    @Test("at the bound of what is held, the newest incomplete stream makes room, and the others get on")
    func held() {
        let peer = Peer(HTTPLimits(bodyBytesMax: 10_000), Self.http2Limits(held: 60_000))
        peer.feed(opening() + settingsAcknowledgement)
        let half = [UInt8](repeating: 1, count: 5_000)
        for index in 0..<100 {
            let stream = Int32(2 * index + 1)
            peer.feed(headers(stream, pseudo("POST"), ends: false) + data(stream, half, ends: false))
            #expect(peer.session.heldBytes < 60_000)
        }
        #expect(peer.session.incompleteCount == 11 && !peer.outcome.isFailed)
        #expect(peer.outcome.answers.values.allSatisfy { $0 == Answer(reset: 7) })
        peer.feed((0..<11).flatMap { data(Int32(2 * $0 + 1), []) })
        #expect(peer.outcome.requests.count == 11 && peer.session.heldBytes == 0)
    }

    @Test("send stops at its bound, between frames, and goes on from there")
    func sendInPieces() {
        let peer = Peer()
        peer.reads = false
        peer.response = .text([UInt8](repeating: 7, count: 60_000))
        peer.feed(opening() + headers(1, pseudo()))
        var pieces = 0
        while peer.session.unsentBytes > 0 {
            #expect(peer.read(bytesMax: 100) <= 100 + 16_384 + 9)
            pieces += 1
        }
        #expect(pieces >= 4 && peer.outcome.answers[1]?.body.count == 60_000)
        #expect(peer.read(bytesMax: 0) == 0)
    }

    @Test("long answers on one stream do not hold up short ones on others")
    func fair() {
        let peer = Peer()
        peer.reads = false
        peer.response = .text([UInt8](repeating: 7, count: 250_000))
        peer.feed(opening([(4, 1 << 30)]) + windowUpdate(0, 1 << 30) + headers(1, pseudo()))
        peer.read(bytesMax: 50_000)
        peer.response = .text([1])
        for stream in [3, 5, 7] as [Int32] { peer.feed(headers(stream, pseudo())) }
        var rounds = 0
        while peer.outcome.answers[7]?.isEnded != true, rounds < 20 {
            peer.read(bytesMax: 20_000)
            rounds += 1
        }
        #expect(rounds <= 6 && peer.session.unsentBytes > 100_000)
    }
}
