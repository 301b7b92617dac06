// RFC 9112 §6.3, §11: a message that could be read two ways is refused, and nothing behind it is a request.
//
// Promises: every refused message carries a second one inside, which must never be stored.
// Must not know: which of several right statuses a server prefers, where the RFC leaves it open.

import Testing
import TestSupport

@Suite("HTTP/1.1 framing")
struct FramingTests {
    /// The head of a request that must be refused, without its last empty line; `$L` is the length of the body that follows.
    static let ambiguous: [String] = [
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\nTransfer-Encoding: chunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\nContent-Length: 0",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 0, $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: +$L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: -$L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L x",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L.0",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length:",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616",
        "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length : $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\n Content-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nX: y\r\n folded: z\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \u{0B}chunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:",
        "POST /callback HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked",
        "POST /callback HTTP/1.1\r\nHost: x\r\nX: a\rTransfer-Encoding: chunked\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nX: a\u{0}b\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nX y: a\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\n: a\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nno colon\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x\r\nHost: x\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: x, y\r\nContent-Length: $L",
        "POST /callback HTTP/1.1\r\nHost: a/b\r\nContent-Length: $L",
        "POST /call back HTTP/1.1\r\nHost: x\r\nContent-Length: $L",
        "POST  /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L",
        "POST callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L",
        "POST /callback HTTP/1.1 \r\nHost: x\r\nContent-Length: $L",
        "POST /callback HTTP/1.10\r\nHost: x\r\nContent-Length: $L",
        "POST /callback http/1.1\r\nHost: x\r\nContent-Length: $L",
        "POST /callback\r\nHost: x\r\nContent-Length: $L",
        "PO(ST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L",
        "POST /call\u{7F}back HTTP/1.1\r\nHost: x\r\nContent-Length: $L",
    ]

    @Test("an ambiguous head is refused, the connection closed, and what follows never read", arguments: ambiguous)
    func smuggling(head: String) throws {
        let server = try Shared.server()
        let smuggled = Shared.freshIdentifier("smuggled")
        let body = postBytes(sentPayload(smuggled))
        let connection = try server.connect()
        try connection.send(head.replacing("$L", with: "\(body.count)") + "\r\n\r\n", toleratingClose: true)
        try connection.send(body + requestBytes("GET", "/healthz"), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 400 || (answer.status == 501 && head.contains("Transfer-Encoding")), "\(answer.status)")
        #expect(answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        #expect(try server.status(of: smuggled).status == 404)
    }

    @Test(
        "a broken chunk is refused and the connection closed",
        arguments: [
            "0x5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n", "g\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "8000000000000000\r\nhello\r\n0\r\n\r\n", "5;\u{0}\r\nhello\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
        ])
    func chunks(body: String) throws {
        let server = try Shared.server()
        let smuggled = Shared.freshIdentifier("smuggled")
        let connection = try server.connect()
        try connection.send(requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"]) + Array(body.utf8), toleratingClose: true)
        try connection.send(postBytes(sentPayload(smuggled)), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 400 || answer.status == 413, "\(answer.status)")
        #expect(answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        #expect(try server.status(of: smuggled).status == 404)
    }

    @Test("a transfer coding that is not chunked is 501 (RFC 9112 §6.1)", arguments: ["gzip, chunked", "deflate, chunked"])
    func transferCodings(value: String) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        try connection.send(requestBytes("POST", "/callback", fields: ["Transfer-Encoding: \(value)"]) + Array("0\r\n\r\n".utf8), toleratingClose: true)
        #expect(try connection.readAnswer().status == 501)
        #expect(try connection.readToEnd() == [])
    }

    @Test("a major version other than 1 is 505", arguments: ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9"])
    func versions(version: String) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        try connection.send(requestBytes("GET", "/healthz", version: version), toleratingClose: true)
        #expect(try connection.readAnswer().status == 505)
        #expect(try connection.readToEnd() == [])
    }

    @Test("a method nobody knows is 501, and the connection lives on or is closed in order")
    func unknownMethod() throws {
        let answer = try Shared.server().exchange(requestBytes("BREW", "/callback"))
        // RFC 9110 §9.1: 501 for a method not recognized, 405 for one not allowed here.
        #expect(answer.status == 501 || answer.status == 405)
        #expect(answer.status == 501 || answer["Allow"] != nil)
    }
}
