// Requests in, answers out over HTTP/2: what a well-behaved client sees.
//
// Promises: each claim holds however the bytes are split.
// Must not know: hostile clients; they have files of their own.

import Testing

@testable import HTTPWire

@Suite("HTTP/2: requests and answers")
struct HTTP2ExchangeTests {
    @Test("a GET comes out as over HTTP/1.1")
    func get() throws {
        let outcome = http2Outcome(headers(1, pseudo("GET", "/a%2Fb?x=1&y", authority: "localhost:80") + [("accept", "*/*")]))
        let seen = try #require(outcome.requests.first)
        #expect(outcome.requests.count == 1 && outcome.refusals.isEmpty)
        #expect(seen.method == .get && seen.path == "/a%2Fb" && seen.query == "x=1&y")
        #expect(seen.authority == "localhost:80" && seen.isLoopback && !seen.isHTTP10)
        #expect(seen.fields == ["accept=*/*"] && seen.body.isEmpty)
        #expect(outcome.answers[1]?.status == "204" && outcome.answers[1]?.isEnded == true)
        #expect(outcome.answers[1]?.fields == ["date": "Thu, 01 Jan 1970 00:00:00 GMT"])
        #expect(outcome.isReady && !outcome.isFailed && outcome.goAway == nil)
    }

    @Test("a body comes whole, in whatever frames")
    func bodies() {
        let body = Array("hello, world".utf8)
        let frames = headers(1, pseudo("POST", "/c"), ends: false) + data(1, Array(body[..<5]), ends: false)
            + data(1, [], ends: false) + data(1, Array(body[5...])) + post(3, body, [("content-length", "12")])
        let outcome = http2Outcome(frames)
        #expect(outcome.requests.map(\.body) == [body, body])
        #expect(outcome.answers.mapValues(\.status) == [1: "204", 3: "204"])
    }

    @Test("an answer's body goes out in frames, with its type and length")
    func answer() {
        let peer = Peer()
        peer.response = .text(Array(repeating: 0x61, count: 40_000))
        peer.feed(opening() + headers(1, pseudo()))
        let answer = peer.outcome.answers[1]
        #expect(answer?.body.count == 40_000 && answer?.isEnded == true && answer?.status == "200")
        #expect(answer?.fields["content-type"] == "text/plain" && answer?.fields["content-length"] == "40000")
        #expect(peer.session.unsentBytes == 0 && peer.session.unansweredCount == 0)
    }

    @Test("HEAD gets the fields of GET and no body")
    func head() {
        let peer = Peer()
        peer.response = .text([1, 2, 3])
        peer.feed(opening() + headers(1, pseudo("HEAD")))
        #expect(peer.outcome.answers[1]?.fields["content-length"] == "3")
        #expect(peer.outcome.answers[1]?.body == [] && peer.outcome.answers[1]?.isEnded == true)
    }
}
