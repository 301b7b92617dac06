// Answers whose content comes piece by piece, over HTTP/1.1 and HTTP/1.0, byte for byte.
//
// Promises: requests are read whole, byte by byte and split at every place, and what is written is the same.

import Testing

@testable import HTTPWire

@Suite("An answer comes piece by piece")
struct ContentTests {
    private static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    private static let start = "HTTP/1.1 200 OK\r\n" + date + "Content-Type: text/event-stream\r\n"

    private static var head: Response {
        var response = Response()
        response.contentType = "text/event-stream"
        return response
    }

    /// What is written where each request is answered by these pieces, and what `mustClose` says at the end.
    private static func answers(
        _ input: [UInt8], cutAt cuts: [Int], pieces: [String], close: Bool, endsWhole: Bool
    ) -> (text: String, mustClose: Bool, awaiting: HTTP1Session.Awaiting) {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var output: [UInt8] = []
        var pending: [UInt8] = []
        var start = 0
        for cut in cuts + [input.count] {
            pending += input[start..<cut]
            start = cut
            var position = 0
            while !session.mustClose, session.receive(pending.span, at: &position, into: &request) == .request {
                guard session.beginContent(head, date: HTTPDate(unixSeconds: 784_111_777), close: close, into: &output) else { continue }
                #expect(session.awaiting == .answer)
                for piece in pieces { session.append(content: Array(piece.utf8).span, to: &output) }
                if endsWhole { session.endContent(close: false, into: &output) } else { session.breakOff() }
            }
            pending.removeSubrange(..<position)
        }
        return (String(decoding: output, as: UTF8.self), session.mustClose, session.awaiting)
    }

    private func answers(
        _ request: String, pieces: [String] = ["one", "", "two two two two two"], close: Bool = false, endsWhole: Bool = true
    ) -> (text: String, mustClose: Bool) {
        let input = Array(request.utf8)
        let whole = Self.answers(input, cutAt: [], pieces: pieces, close: close, endsWhole: endsWhole)
        for cuts in [Array(1..<input.count)] + (1..<input.count).map({ [$0] }) {
            let split = Self.answers(input, cutAt: cuts, pieces: pieces, close: close, endsWhole: endsWhole)
            if split != whole { #expect(split == whole, "cut at \(cuts)") }
        }
        #expect(whole.awaiting == .idle)
        return (whole.text, whole.mustClose)
    }

    @Test("in chunks, an empty piece in none, the last chunk at its end (RFC 9112 §7.1), and the connection stays")
    func chunks() {
        let chunked = Self.start + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n13\r\ntwo two two two two\r\n0\r\n\r\n"
        let request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(answers(request) == (chunked, false))
        // A request behind it is read when it has ended, and not before.
        #expect(answers(request + request) == (chunked + chunked, false))
    }

    @Test("until the connection closes for HTTP/1.0, which has no chunks, though it would be kept")
    func version10() {
        let expected = Self.start + "Connection: close\r\n\r\nonetwo two two two two"
        #expect(answers("GET / HTTP/1.0\r\n\r\n") == (expected, true))
        #expect(answers("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == (expected, true))
    }

    @Test("with its head alone for HEAD")
    func head() {
        let chunked = Self.start + "Transfer-Encoding: chunked\r\n\r\n"
        #expect(answers("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n") == (chunked + chunked, false))
        #expect(answers("HEAD / HTTP/1.0\r\n\r\n") == (Self.start + "Connection: close\r\n\r\n", true))
    }

    @Test("and says at its beginning that the connection closes, where either side asks for it")
    func close() {
        let expected = Self.start + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        #expect(answers("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", pieces: ["x"]) == (expected, true))
        #expect(answers("GET / HTTP/1.1\r\nHost: a\r\n\r\n", pieces: ["x"], close: true) == (expected, true))
    }

    @Test("and is seen not to be whole where it breaks off: no last chunk, and nothing behind it (RFC 9112 §8)")
    func broken() {
        let expected = Self.start + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(answers(request + request, pieces: ["x"], endsWhole: false) == (expected, true))
    }

    @Test("a server that stops may close behind a content that was to keep the connection")
    func closesAtEnd() {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        var output: [UInt8] = []
        let input = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(session.receive(input.span, at: &position, into: &request) == .request)
        #expect(session.beginContent(Self.head, date: HTTPDate(unixSeconds: 0), close: false, into: &output))
        #expect(!session.mustClose)
        session.endContent(close: true, into: &output)
        #expect(session.mustClose && output.suffix(5) == Array("0\r\n\r\n".utf8))
    }

    @Test("with every length in hexadecimal", arguments: [0, 1, 9, 10, 15, 16, 255, 256, 16_384, 65_535, Int.max])
    func hexadecimal(number: Int) {
        var output: [UInt8] = []
        output.appendHexadecimal(number)
        #expect(String(decoding: output, as: UTF8.self) == String(number, radix: 16))
    }
}
