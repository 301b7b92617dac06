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

    @Test("requests come in the order in which they became complete, streams of one connection side by side")
    func order() {
        let frames = headers(1, pseudo("POST", "/1"), ends: false) + headers(3, pseudo("POST", "/3"), ends: false)
            + headers(5, pseudo("GET", "/5")) + data(3, [3], ends: false) + data(1, [1]) + data(3, [3])
        let outcome = http2Outcome(frames)
        #expect(outcome.requests.map(\.path) == ["/5", "/1", "/3"])
        #expect(outcome.requests.map(\.body) == [[], [1], [3, 3]])
    }

    @Test("answers go out in any order, whatever the requests' was")
    func answersInAnyOrder() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + headers(1, pseudo()) + headers(3, pseudo()) + headers(5, pseudo()))
        #expect(peer.unanswered == [1, 3, 5] && peer.session.unansweredCount == 3)
        for (stream, status) in [(5, 205), (1, 201), (3, 203)] as [(Int32, UInt16)] {
            peer.respond(.empty(status), to: stream)
            peer.read()
            #expect(peer.outcome.answers[stream]?.status == String(status))
        }
        #expect(peer.session.unansweredCount == 0 && peer.outcome.answers.count == 3)
    }

    @Test("a second answer, one to a stream that is gone, or to one that never was, is nothing")
    func answersToNobody() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + headers(1, pseudo()) + headers(3, pseudo()))
        peer.feed(reset(3))
        for stream in [3, 5, 0, -1, .max, 2] as [Int32] {
            peer.respond(.text([1]), to: stream)
            peer.session.refuseUnprocessed(stream)
        }
        peer.respond(.empty(204), to: 1)
        peer.respond(.empty(500), to: 1)
        peer.read()
        peer.respond(.empty(500), to: 1)
        peer.read()
        #expect(peer.outcome.answers.mapValues(\.status) == [1: "204"])
        #expect(peer.session.unsentBytes == 0 && peer.session.unansweredCount == 0 && !peer.session.isFailed)
    }

    @Test("a client that waits for 100 gets it, once, and the answer behind it")
    func expectContinue() {
        let waiting = headers(1, pseudo("POST") + [("expect", "100-Continue"), ("content-length", "1")], ends: false)
        let peer = Peer()
        peer.feed(opening() + waiting)
        #expect(peer.outcome.answers[1]?.interim == ["100"] && peer.outcome.requests.isEmpty)
        let outcome = http2Outcome(waiting + data(1, [7]))
        #expect(outcome.answers[1]?.interim == ["100"] && outcome.answers[1]?.status == "204")
        #expect(outcome.requests.map(\.body) == [[7]])
        // Without a body there is nothing to go on with.
        #expect(http2Outcome(headers(1, pseudo() + [("expect", "100-continue")])).answers[1]?.interim == [])
    }

    @Test("a field's name goes out in lower case, and its value cannot have what no value can have")
    func sanitized() {
        let peer = Peer()
        var response = Response.empty(503)
        response.fields = [
            Response.Field(name: "Retry-After", value: "1"), Response.Field(name: "X-Odd", value: " a\r\nb\0\u{7F}"),
            Response.Field(name: "x-empty", value: "\n"),
        ]
        peer.response = response
        peer.feed(opening() + headers(1, pseudo()))
        let date = "Thu, 01 Jan 1970 00:00:00 GMT"
        let expected = ["date": date, "content-length": "0", "retry-after": "1", "x-odd": "a  b", "x-empty": ""]
        #expect(peer.outcome.answers[1]?.fields == expected)
    }

    @Test("204 and 304 have neither content nor length (RFC 9110 §8.6)", arguments: [204, 304] as [UInt16])
    func noContent(status: UInt16) {
        let peer = Peer()
        peer.response = .text([1, 2])
        peer.response?.status = status
        peer.feed(opening() + headers(1, pseudo()))
        #expect(peer.outcome.answers[1]?.fields.keys.sorted() == ["date"])
        #expect(peer.outcome.answers[1]?.body == [] && peer.outcome.answers[1]?.isEnded == true)
    }

    @Test("an answer whose fields cannot be sent resets its stream, and the connection goes on")
    func tooManyFields() {
        let peer = Peer()
        var response = Response.empty(200)
        response.fields = [Response.Field(name: "x", value: String(repeating: "a", count: 70_000))]
        peer.response = response
        peer.feed(opening() + headers(1, pseudo()))
        peer.read()
        #expect(peer.outcome.answers[1] == Answer(reset: 2))
        peer.response = .empty(204)
        peer.feed(headers(3, pseudo()))
        #expect(peer.outcome.answers[3]?.status == "204" && peer.session.unsentBytes == 0)
    }

    @Test("a stream that was reset before it was taken never comes")
    func resetBeforeTaken() {
        let peer = Peer()
        peer.feed(opening() + headers(1, pseudo("GET", "/1")) + headers(3, pseudo("GET", "/3")) + reset(1))
        #expect(peer.outcome.requests.map(\.path) == ["/3"])
        #expect(peer.session.heldBytes == 0 && peer.session.incompleteCount == 0)
    }

    @Test("refused unprocessed, a stream is reset so that it may be sent again (RFC 9113 §8.7)")
    func refusedUnprocessed() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + headers(1, pseudo()))
        peer.session.refuseUnprocessed(1)
        peer.read()
        #expect(peer.outcome.answers[1] == Answer(reset: 7) && peer.session.unansweredCount == 0)
    }

    @Test("frames of unknown types, priorities and padding change nothing")
    func passedOver() {
        let padded = frame(.data, flags: Flag.padded | Flag.endStream, stream: 1, [3, 0x61, 0x62, 0, 0, 0])
        let prioritized = frame(
            .headers, flags: Flag.priority | Flag.padded | Flag.endHeaders, stream: 1,
            [2] + fourBytes(7) + [15] + block(pseudo("POST")) + [0, 0])
        let outcome = http2Outcome(
            frame(.priority, stream: 9, fourBytes(3) + [1]) + frame(.unknown, flags: 0xFF, stream: 77, [1, 2, 3]) + prioritized
                + frame(.priorityUpdate, fourBytes(1) + Array("u=1".utf8)) + frame(.unknown) + padded)
        #expect(outcome.requests.map(\.body) == [[0x61, 0x62]] && !outcome.isFailed)
    }
}
