// The session's states, as its diagram draws them: what is awaited, when to go on, when to close.

import Testing

@testable import HTTPWire

@Suite("A session goes through its states")
struct SessionTests {
    private static let expecting = "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"

    @Test("what is awaited follows what has arrived")
    func awaiting() {
        var connection = Connection(HTTPLimits())
        let steps: [(String, HTTP1Session.Awaiting)] = [
            ("", .idle), ("\r", .idle), ("\n", .idle), ("P", .head), ("OST / HTTP/1.1\r\n", .head),
            ("Host: a\r\nContent-Length: 2\r\n\r", .head), ("\n", .body), ("a", .body), ("b", .idle),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", .body), ("1\r\na\r\n0\r\n", .body),
            ("\r\n", .idle), ("\r\n", .idle),
        ]
        for (bytes, expected) in steps {
            connection.feed(bytes.utf8)
            #expect(connection.session.awaiting == expected, "after \(bytes.debugDescription)")
        }
        #expect(connection.outcome.requests.count == 2)
    }

    @Test("a complete request awaits its answer")
    func answer() {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        let input = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2".utf8)
        #expect(session.receive(input.span, at: &position, into: &request) == .request)
        #expect(position == input.count - 6)
        #expect(session.awaiting == .answer)
    }

    @Test(
        "a client that waits with its body is told to go on, once",
        arguments: ["Content-Length: 2\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func sendContinue(framing: String) {
        var connection = Connection(HTTPLimits())
        connection.feed((SessionTests.expecting + framing).utf8)
        #expect(connection.continues == 1)
        connection.feed("".utf8)
        #expect(connection.continues == 1)
        #expect(connection.session.awaiting == .body)
        connection.feed((framing.hasPrefix("C") ? "ab" : "2\r\nab\r\n0\r\n\r\n").utf8)
        #expect(connection.outcome.requests.first?.body == Array("ab".utf8))
        #expect(connection.continues == 1)
    }

    @Test("nobody is told to go on who has begun, has nothing to send, speaks HTTP/1.0 or is refused")
    func noContinue() {
        let cases = [
            SessionTests.expecting + "Content-Length: 2\r\n\r\na",
            SessionTests.expecting + "Content-Length: 0\r\n\r\n",
            SessionTests.expecting + "\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
            SessionTests.expecting + "Content-Length: 65537\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n",
        ]
        for bytes in cases {
            var connection = Connection(HTTPLimits())
            connection.feed(bytes.utf8)
            #expect(connection.continues == 0, "\(bytes.debugDescription)")
        }
    }

    @Test("the bytes to go on with are those of RFC 9110")
    func continueBytes() {
        var output: [UInt8] = []
        HTTP1Session.appendContinue(to: &output)
        #expect(output == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    @Test("an answer before the body closes the connection")
    func earlyAnswer() {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        let input = Array((SessionTests.expecting + "Content-Length: 2\r\n\r\n").utf8)
        #expect(session.receive(input.span, at: &position, into: &request) == .sendContinue)
        #expect(request.isHeadComplete && request.expectsContinue)
        var response = Response()
        response.status = 404
        var output: [UInt8] = []
        session.respond(response, date: HTTPDate(unixSeconds: 0), close: false, into: &output)
        #expect(session.mustClose)
        #expect(String(decoding: output, as: UTF8.self).hasSuffix("Connection: close\r\n\r\n"))
        position = 0
        let rest = Array("abGET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(session.receive(rest.span, at: &position, into: &request) == .needsMore)
        #expect(position == 0)
        #expect(session.awaiting == .idle)
    }

    @Test(
        "the connection stays or closes as RFC 9112 §9.3 has it",
        arguments: [
            ("HTTP/1.1\r\nHost: a", false), ("HTTP/1.1\r\nHost: a\r\nConnection: keep-alive", false),
            ("HTTP/1.1\r\nHost: a\r\nConnection: close", true), ("HTTP/1.1\r\nHost: a\r\nCONNECTION: x , CLOSE", true),
            ("HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close,y", true),
            ("HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close", true),
            ("HTTP/1.1\r\nHost: a\r\nConnection: closed, xclose,,", false),
            ("HTTP/1.1\r\nHost: a\r\nConnection:", false),
            ("HTTP/1.0", true), ("HTTP/1.0\r\nConnection: keep-alive", false), ("HTTP/1.0\r\nConnection: close", true),
            ("HTTP/1.0\r\nConnection: Keep-Alive, close", true), ("HTTP/1.0\r\nConnection: x", true),
        ])
    func persistence(versionAndFields: String, closes: Bool) {
        let seen = outcome("GET / \(versionAndFields)\r\n\r\n")
        #expect(seen.requests.count == 1)
        #expect(seen.mustClose == closes)
        #expect(String(decoding: seen.output, as: UTF8.self).contains("Connection: close") == closes)
    }

    @Test("a refusal is repeated, before its answer and after")
    func refusalStays() {
        var connection = Connection(HTTPLimits())
        connection.feed("GET / HTTP/1.1\r\n".utf8)
        connection.session.refuse(.headTimeout)
        #expect(connection.session.awaiting == .answer)
        connection.session.refuse(.endedEarly)
        connection.feed("Host: a\r\n\r\n".utf8)
        #expect(connection.outcome.refusal == .headTimeout)
        #expect(connection.outcome.mustClose)
        #expect(String(decoding: connection.outcome.output, as: UTF8.self).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        let output = connection.outcome.output
        connection.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(connection.outcome.requests == [])
        #expect(connection.outcome.output == output)
    }

    @Test("a deadline can refuse an idle connection and a body, too", arguments: ["", "POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\na"])
    func deadlines(bytes: String) {
        var connection = Connection(HTTPLimits())
        connection.feed(bytes.utf8)
        connection.session.refuse(.bodyTimeout)
        connection.feed("".utf8)
        #expect(connection.outcome.refusal == .bodyTimeout)
        #expect(connection.outcome.mustClose)
    }

    @Test("of a request that is refused at its first byte nothing of the one before is left")
    func stale() {
        let seen = outcome("GET /before HTTP/1.1\r\nHost: a\r\n\r\n\u{16}\u{3}")
        #expect(seen.requests.map(\.path) == ["/before"])
        #expect(seen.refusal == .notHTTP)
        #expect(seen.refused == nil)
    }

    @Test("an answer to a HEAD that is refused has no body")
    func refusedHead() {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        let input = Array("HEAD / HTTP/1.1\r\nHost : a\r\n\r\n".utf8)
        #expect(session.receive(input.span, at: &position, into: &request) == .refused(.malformedField))
        var response = Response()
        response.status = 400
        response.body = Array("wrong".utf8)
        var output: [UInt8] = []
        session.respondRefusal(response, date: HTTPDate(unixSeconds: 0), into: &output)
        #expect(String(decoding: output, as: UTF8.self).hasSuffix("Content-Length: 5\r\nConnection: close\r\n\r\n"))
    }
}
