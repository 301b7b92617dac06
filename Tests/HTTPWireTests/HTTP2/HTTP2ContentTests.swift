// Answers over HTTP/2 whose content comes piece by piece (RFC 9113 §8.1).
//
// Promises: each piece goes as soon as the windows allow it; nothing is left of a stream that ends, by whoever's doing.

import Testing

@testable import HTTPWire

@Suite("HTTP/2: an answer comes piece by piece")
struct HTTP2ContentTests {
    private static var head: Response {
        var response = Response()
        response.contentType = "text/event-stream"
        return response
    }

    private func begin(_ peer: Peer, _ stream: Int32) -> Bool {
        peer.session.beginContent(Self.head, to: stream, date: HTTPDate(unixSeconds: 0))
    }

    private func append(_ peer: Peer, _ stream: Int32, _ text: String) {
        peer.session.append(content: Array(text.utf8).span, to: stream)
        peer.read()
    }

    private func opened(_ settings: [(id: UInt16, value: UInt32)] = [], streams: [Int32] = [1], method: String = "GET") -> Peer {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening(settings) + settingsAcknowledgement)
        for stream in streams { peer.feed(headers(stream, pseudo(method))) }
        #expect(peer.unanswered == streams)
        return peer
    }

    @Test("the head goes at once and without a length, pieces as they come, the end by itself")
    func pieces() {
        let peer = opened()
        #expect(begin(peer, 1))
        peer.read()
        #expect(peer.outcome.answers[1]?.fields["content-type"] == "text/event-stream")
        #expect(peer.outcome.answers[1]?.fields["content-length"] == nil)
        #expect(peer.outcome.answers[1]?.isEnded == false && peer.session.unsentContentBytes(of: 1) == 0)
        for (number, piece) in ["a", "bc", "", "def"].enumerated() {
            append(peer, 1, piece)
            #expect(peer.session.unsentBytes == 0, "piece \(number)")
        }
        #expect(peer.outcome.answers[1]?.body == Array("abcdef".utf8) && peer.outcome.answers[1]?.isEnded == false)
        peer.session.endContent(of: 1)
        peer.read()
        #expect(peer.outcome.answers[1]?.isEnded == true && peer.outcome.answers[1]?.reset == nil)
        #expect(peer.session.streamCount == 0 && peer.session.takeAbandoned() == nil)
    }

    @Test("what came before the head could go is not lost, and the end may come with it")
    func allAtOnce() {
        let peer = opened()
        #expect(begin(peer, 1))
        peer.session.append(content: Array("a".utf8).span, to: 1)
        peer.session.append(content: Array("b".utf8).span, to: 1)
        peer.session.endContent(of: 1)
        peer.read()
        #expect(peer.outcome.answers[1]?.body == Array("ab".utf8) && peer.outcome.answers[1]?.isEnded == true)
    }

    @Test("pieces wait for the window, are counted meanwhile, and go on in order")
    func window() {
        let peer = opened([(4, 5)])
        #expect(begin(peer, 1))
        append(peer, 1, "abc")
        append(peer, 1, "defgh")
        #expect(peer.outcome.answers[1]?.body == Array("abcde".utf8))
        #expect(peer.session.unsentContentBytes(of: 1) == 3 && peer.session.isWaitingForWindow)
        append(peer, 1, "ij")
        peer.feed(windowUpdate(1, 2))
        #expect(peer.outcome.answers[1]?.body == Array("abcdefg".utf8) && peer.session.unsentContentBytes(of: 1) == 3)
        peer.feed(windowUpdate(1, 100))
        #expect(peer.outcome.answers[1]?.body == Array("abcdefghij".utf8))
        #expect(peer.session.unsentBytes == 0 && !peer.session.isWaitingForWindow)
        peer.session.endContent(of: 1)
        peer.read()
        #expect(peer.outcome.answers[1]?.isEnded == true)
    }

    @Test("a hundred streams at once, each with its own pieces, and whole answers between")
    func manyStreams() {
        let streams = (0..<99).map { Int32(2 * $0 + 1) }
        let peer = opened([(4, 1 << 20)], streams: streams)
        peer.feed(windowUpdate(0, 1 << 20))
        for stream in streams { #expect(begin(peer, stream)) }
        for round in 0..<20 {
            for stream in streams { peer.session.append(content: Array("\(stream).\(round);".utf8).span, to: stream) }
            peer.read()
            peer.response = .empty(204)
            let between = Int32(199 + 2 * round)
            peer.feed(headers(between, pseudo()))
            #expect(peer.outcome.answers[between]?.isEnded == true)
        }
        for stream in streams { peer.session.endContent(of: stream) }
        peer.read()
        for stream in streams {
            let expected = (0..<20).map { "\(stream).\($0);" }.joined()
            #expect(peer.outcome.answers[stream]?.body == Array(expected.utf8) && peer.outcome.answers[stream]?.isEnded == true)
        }
        #expect(peer.session.streamCount == 0 && peer.session.unsentBytes == 0)
    }

    @Test("HEAD gets the head alone")
    func head() {
        let peer = opened(method: "HEAD")
        #expect(!begin(peer, 1))
        peer.read()
        #expect(peer.outcome.answers[1]?.status == "200" && peer.outcome.answers[1]?.isEnded == true)
        #expect(peer.session.streamCount == 0)
    }

    @Test("a stream that the client resets is said to be gone, once, whether it was begun or not", arguments: [true, false])
    func reset(isBegun: Bool) {
        let peer = opened(streams: [1, 3])
        if isBegun {
            #expect(begin(peer, 1))
            append(peer, 1, "abc")
        }
        peer.feed(HTTPWireTests.reset(1))
        #expect(peer.session.takeAbandoned() == 1 && peer.session.takeAbandoned() == nil)
        #expect(peer.session.unsentContentBytes(of: 1) == nil)
        // What still comes for it goes nowhere.
        append(peer, 1, "def")
        peer.session.endContent(of: 1)
        #expect(!begin(peer, 1))
        #expect(begin(peer, 3))
        append(peer, 3, "x")
        #expect(peer.outcome.answers[3]?.body == Array("x".utf8))
    }

    @Test("a stream that was answered whole, or ended before its request was, is not among them")
    func notAbandoned() {
        let peer = Peer()
        peer.response = .empty(204)
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()) + headers(3, pseudo("POST"), ends: false))
        peer.feed(HTTPWireTests.reset(3))
        #expect(peer.session.takeAbandoned() == nil)
    }

    @Test("content that breaks off resets its stream with INTERNAL_ERROR, and its neighbours go on")
    func breaksOff() {
        let peer = opened(streams: [1, 3])
        #expect(begin(peer, 1) && begin(peer, 3))
        append(peer, 1, "abc")
        peer.session.breakOff(1)
        append(peer, 3, "x")
        #expect(peer.outcome.answers[1]?.reset == HTTP2Session.ErrorCode.internalError.rawValue)
        #expect(peer.outcome.answers[1]?.isEnded == false && peer.outcome.answers[3]?.body == Array("x".utf8))
        #expect(peer.session.takeAbandoned() == nil && peer.session.streamCount == 1)
    }

    @Test("a client that gives the window back for each small piece does nothing wrong")
    func acknowledgedPieces() {
        let peer = opened()
        #expect(begin(peer, 1))
        for _ in 0..<5_000 {
            append(peer, 1, "event")
            peer.feed(windowUpdate(0, 5) + windowUpdate(1, 5))
        }
        #expect(!peer.session.isFailed && peer.outcome.answers[1]?.body.count == 25_000)
    }

    @Test("a client that opens its window byte by byte does")
    func crumbs() {
        let peer = opened([(4, 0)])
        #expect(begin(peer, 1))
        append(peer, 1, String(repeating: "x", count: 10_000))
        for _ in 0..<5_000 where !peer.session.isFailed { peer.feed(windowUpdate(1, 1)) }
        #expect(peer.session.isFailed && peer.outcome.goAway == HTTP2Session.ErrorCode.enhanceYourCalm.rawValue)
    }

    @Test("a stream that waits for its next piece keeps no more than a small one")
    func keepsLittle() {
        let peer = opened()
        #expect(begin(peer, 1))
        append(peer, 1, String(repeating: "x", count: 16_384))
        #expect(peer.outcome.answers[1]?.body.count == 16_384 && peer.session.unsentBytes == 0)
        #expect(peer.session.connection.streams[0].answer.capacity <= HTTP2Limits.spareBodyBytesMax)
    }
}
