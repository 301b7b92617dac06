// Chunked bodies: what the grammar has is read, and nothing else.

import Testing

@testable import HTTPWire

@Suite("A chunked body is read to the letter")
struct ChunkedTests {
    static let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test(
        "its chunks are joined, extensions and trailers dropped",
        arguments: [
            ("0\r\n\r\n", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "abc"),
            ("3\r\nabc\r\n2\r\nde\r\n000\r\n\r\n", "abcde"),
            ("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
            ("0000000000000001\r\nx\r\n0\r\n\r\n", "x"),
            ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
            ("1;a\r\nx\r\n0;b=c\r\n\r\n", "x"),
            ("1;a;b=c;d=\"e;f\\\"g\\\\\"\r\nx\r\n0\r\n\r\n", "x"),
            ("1 ; a = b\t;c = \"d\" ;e\r\nx\r\n0\r\n\r\n", "x"),
            ("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x"),
            ("1\r\nx\r\n0\r\nA: b\r\nC:\r\nD: \t\r\n\r\n", "x"),
        ])
    func accepted(body: String, content: String) {
        let seen = outcome(ChunkedTests.head + body + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(seen.refusal == nil)
        #expect(seen.requests.map(\.path) == ["/", "/next"])
        #expect(seen.requests.first?.body == Array(content.utf8))
    }

    @Test(
        "what is not in the grammar is refused",
        arguments: [
            "\r\n", " 1\r\nx", "-1\r\n", "+1\r\nx", "0x1\r\nx", "1_\r\n", "g\r\n", ";a\r\n", "1,\r\n",
            "00000000000000000\r\n\r\n", "10000000000000001\r\n", "1\nx\r\n0\r\n\r\n", "1\rx", "1\r\rx",
            "1 \r\nx", "1\t\r\nx", "1 2\r\n", "1;\r\nx", "1;;a\r\n", "1;=b\r\n", "1;a=\r\n", "1;a= \r\n",
            "1;a \r\n", "1;a=b \r\n", "1;a=b c\r\n", "1;a b\r\n", "1;a=\"b\r\n", "1;a=\"b\n\"\r\n",
            "1;a=\"b\"c\r\n", "1;a=\"\\\r\"\r\n", "1;a=\"\\\u{0}\"\r\n", "1;a\u{7f}\r\n", "1;a\n", "1;a=b\n",
            "1;a=\"b\"\n", "1;a\u{e9}\r\n", "1\r\nxy", "1\r\nx\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1\r\nx\rx",
            "1\r\nx\r0", "1\r\nx\r\n\r\n", "\u{ff21}\r\n",
        ])
    func malformed(body: String) {
        let seen = outcome(ChunkedTests.head + body)
        #expect(seen.refusal == .malformedChunk)
        #expect(seen.requests == [])
    }

    @Test(
        "trailer fields are checked like others",
        arguments: [
            "A b: c\r\n\r\n", "A : b\r\n\r\n", ": b\r\n\r\n", "A\r\n\r\n", "A: b\n\r\n", "A: b\rc", "A: \u{0}",
            "A: b\r\n c\r\n\r\n", " A: b\r\n\r\n", "\n", "\rA", "A: b\r\n\n", "A: \u{7f}\r\n\r\n",
        ])
    func malformedTrailers(trailers: String) {
        #expect(outcome(ChunkedTests.head + "0\r\n" + trailers).refusal == .malformedTrailer)
    }

    @Test("a field in the trailers does not become one of the request")
    func trailersAreDropped() throws {
        let seen = outcome(ChunkedTests.head + "0\r\nContent-Length: 9\r\nHost: evil\r\nX: y\r\n\r\n")
        #expect(seen.refusal == nil)
        #expect(seen.requests.first?.fields == ["Host=a", "Transfer-Encoding=chunked"])
    }

    @Test("a body of the largest size is read, one byte more is refused before it arrives")
    func bodyBytesMax() {
        let limits = HTTPLimits(bodyBytesMax: 5)
        let whole = outcome(ChunkedTests.head + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", limits: limits)
        #expect(whole.requests.first?.body == Array("abcde".utf8))
        let beyond = outcome(ChunkedTests.head + "2\r\nab\r\n4\r\n", limits: limits)
        #expect(beyond.refusal == .bodyTooLarge)
        #expect(beyond.refused?.body == Array("ab".utf8))
        #expect(beyond.refused?.path == "/")
        #expect(outcome(ChunkedTests.head + "7fffffffffffffff\r\n").refusal == .bodyTooLarge)
        #expect(outcome(ChunkedTests.head + "ffffffffffffffff\r\n").refusal == .bodyTooLarge)
    }

    @Test("a chunk line of the greatest length is read, a longer one refused")
    func chunkLine() {
        func line(_ count: Int) -> String { "1;" + String(repeating: "a", count: count - 2) + "\r\nx\r\n0\r\n\r\n" }
        #expect(outcome(ChunkedTests.head + line(HTTPLimits.chunkLineBytesMax)).refusal == nil)
        #expect(outcome(ChunkedTests.head + line(HTTPLimits.chunkLineBytesMax + 1)).refusal == .chunkLineTooLong)
    }

    @Test("extensions of a whole body are bounded, however many chunks they are spread over")
    func extensionBytes() {
        // `;` and 127 bytes are 128 bytes of extensions.
        let chunk = "1;" + String(repeating: "a", count: 127) + "\r\nx\r\n"
        let count = HTTPLimits.chunkExtensionBytesMax / 128
        let most = String(repeating: chunk, count: count)
        let within = outcome(ChunkedTests.head + most + "0\r\n\r\n")
        #expect(within.refusal == nil)
        #expect(within.requests.first?.body.count == count)
        #expect(outcome(ChunkedTests.head + most + chunk).refusal == .chunkLineTooLong)
    }

    @Test("a trailer section of the greatest length is read, a longer one refused")
    func trailerBytes() {
        func trailers(_ count: Int) -> String { "0\r\nA:" + String(repeating: "b", count: count - 6) + "\r\n\r\n" }
        #expect(outcome(ChunkedTests.head + trailers(HTTPLimits.trailerBytesMax)).refusal == nil)
        #expect(outcome(ChunkedTests.head + trailers(HTTPLimits.trailerBytesMax + 1)).refusal == .trailersTooLarge)
    }
}
