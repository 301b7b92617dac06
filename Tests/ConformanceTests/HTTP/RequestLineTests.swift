// RFC 9112 §2 and §3: line ends, the version and the request line.
//
// Promises: each refusal stands in a table with its section; the neighbours that must be taken stand beside it.
// Must not know: how a server splits a line.

import Testing
import TestSupport

@Suite("RFC 9112 §2, §3: the request line")
struct RequestLineTests {
    @Test(
        "RFC 9112 §2.2: a bare CR or LF ends no line; it is refused",
        arguments: [
            "POST /callback HTTP/1.1\nHost: x\r\nContent-Length: $L\r\n\r\n", "POST /callback HTTP/1.1\r\nHost: x\nContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\n\r\n", "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\n",
            "POST /callback HTTP/1.1\nHost: x\nContent-Length: $L\n\n", "POST /callback HTTP/1.1\rHost: x\r\nContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/1.1\r\nHost: x\rContent-Length: $L\r\n\r\n", "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\r\n\r\n",
            "POST /callback HTTP/1.1\r\r\nHost: x\r\nContent-Length: $L\r\n\r\n", "POST /callback HTTP/1.1\n\rHost: x\r\nContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\r\n", "POST /call\rback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n",
            "POST /call\nback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n", "PO\rST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/\r1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n", "POST /callback HTTP/1.1\r\nHost: x\r\nX\r: a\r\nContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/1.1\r\nHost: x\r\nX: a\r\n\rContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/1.1\r\nHost: x\r\nX: a\n\nContent-Length: $L\r\n\r\n",
            "POST /callback HTTP/1.1\r\nHost: x\r\nX:\r a\r\nContent-Length: $L\r\n\r\n", "\nPOST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n",
            "\rPOST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n", "\n\rPOST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n",
        ])
    func bareLineEnds(message: String) throws {
        try expectRefused(Array(message.utf8))
    }

    @Test("RFC 9112 §2.2: an empty line before a request is passed over", arguments: ["\r\n", "\r\n\r\n"])
    func emptyLines(lines: String) throws {
        try expectTaken(head: lines + "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
        // Also between two requests, where a client of old adds one to a body.
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("GET", "/healthz") + Array(lines.utf8) + requestBytes("GET", "/nowhere"))
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readAnswer().status == 404)
    }

    @Test("RFC 9112 §2.2: white space between the request line and the first field is refused", arguments: [" ", "\t", " \t "])
    func leadingWhiteSpace(space: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(space)Host: x\r\nContent-Length: $L")
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(space)X: y\r\nHost: x\r\nContent-Length: $L")
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(space)\r\nHost: x\r\nContent-Length: $L")
    }

    @Test(
        "RFC 9112 §2.3: a version that is not HTTP/digit.digit is refused",
        arguments: [
            "HTTP/1.10", "HTTP/1.1.1", "HTTP/1.", "HTTP/.1", "HTTP/1", "HTTP/", "HTTP", "HTTP/11", "HTTP/01.1", "HTTP/1.01", "HTTP/1.011", "HTTP/1,1",
            "HTTP/1 .1", "http/1.1", "Http/1.1", "HTTPS/1.1", "HTTP/1.1x", "HTTP/+1.1", "HTTP/1.+1", "HTTP/1.x", "HTTP/x.1", "HTTP/-1.1", "HTTP\\1.1",
            "HTTP//1.1", "HTTP/1.1/", "ICY", "HTP/1.1", "/1.1", "1.1", "HTTP/1.1;", "HTTP/1.1#", "HTTP/11.1", "HTTP/1\u{2024}1", "\u{FF11}.\u{FF11}",
            "HTTP/1.1\u{0}",
            "HTTP/4294967297.1", "HTTP/257.1",
        ])
    func malformedVersions(version: String) throws {
        try expectRefused(head: "POST /callback \(version)\r\nHost: x\r\nContent-Length: $L", [400, 505])
    }

    @Test("RFC 9110 §15.6.6: a major version other than 1 is 505", arguments: ["HTTP/0.9", "HTTP/0.0", "HTTP/2.0", "HTTP/2.1", "HTTP/3.0", "HTTP/9.9"])
    func majorVersions(version: String) throws {
        try expectRefused(head: "POST /callback \(version)\r\nHost: x\r\nContent-Length: $L", [505])
    }

    @Test("RFC 9110 §2.5: a higher minor version is served as 1.1, or refused as a version; never as something else", arguments: ["HTTP/1.2", "HTTP/1.9"])
    func minorVersions(version: String) throws {
        let answer = try Shared.server().exchange(requestBytes("GET", "/healthz", version: version))
        #expect(answer.status == 200 || answer.status == 505)
        #expect(answer.version == "HTTP/1.1")
        // What both would forbid stays forbidden.
        try expectRefused(head: "POST /callback \(version)\r\nHost: x\r\nContent-Length: $L\r\nTransfer-Encoding: chunked", [400, 505])
        try expectRefused(head: "POST /callback \(version)\r\nContent-Length: $L", [400, 505])
    }

    @Test(
        "RFC 9112 §3: a request line is three words between single spaces",
        arguments: [
            "POST  /callback HTTP/1.1", "POST /callback  HTTP/1.1", "POST\t/callback HTTP/1.1", "POST /callback\tHTTP/1.1", "POST \t/callback HTTP/1.1",
            " POST /callback HTTP/1.1", "\tPOST /callback HTTP/1.1", "POST /callback HTTP/1.1 ", "POST /callback HTTP/1.1\t", "POST /callback", "POST",
            "POST ", "POST /callback ", "POST HTTP/1.1", "/callback HTTP/1.1", " /callback HTTP/1.1", "POST /call back HTTP/1.1", "POST /callback HTTP/1.1 x",
            "POST /callback x HTTP/1.1", "POST\u{B}/callback HTTP/1.1", "POST\u{C}/callback HTTP/1.1", "POST /callback\u{A0}HTTP/1.1", "HTTP/1.1 200 OK",
            "\u{0}", ":", "x",
        ])
    func words(line: String) throws {
        try expectRefused(head: "\(line)\r\nHost: x\r\nContent-Length: $L", [400, 505])
    }

    @Test("RFC 9112 §3.1: a method has token bytes only; each other byte is refused")
    func methodBytes() throws {
        for byte in bytesOutsideTokens {
            try expectRefused(Array("PO".utf8) + [byte] + Array("ST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\r\n".utf8))
        }
    }

    @Test(
        "RFC 9110 §9.1: method names are case-sensitive, and one that is not recognized is 501",
        arguments: ["post", "Post", "pOST", "BREW", "!#$%&'*+-.^_`|~", "POSTS", "POS", "P"])
    func unrecognizedMethods(method: String) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let identifier = Shared.freshIdentifier()
        let body = Array(sentPayload(identifier).utf8)
        try connection.send(requestBytes(method, "/callback", body: body) + requestBytes("GET", "/healthz"), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 501 || (answer.status == 405 && answer["Allow"] != nil), "\(answer.status)")
        // RFC 9112 §9.3: its body was read, or the connection closed.
        if answer.announcesClose {
            #expect(try connection.readToEnd() == [])
        } else {
            #expect(try connection.readAnswer().status == 200)
        }
        #expect(try server.status(of: identifier).status == 404)
    }

    @Test("RFC 9112 §3: a method longer than any is 501, a target longer than any is 414, and neither is read on")
    func overLong() throws {
        let long = String(repeating: "A", count: 200_000)
        try expectRefused(head: "\(long) /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L", [400, 431, 501])
        try expectRefused(head: "POST /\(long) HTTP/1.1\r\nHost: x\r\nContent-Length: $L", [414])
        try expectRefused(head: "POST /callback?\(long) HTTP/1.1\r\nHost: x\r\nContent-Length: $L", [414])
        try expectRefused(head: "POST http://x/\(long) HTTP/1.1\r\nHost: x\r\nContent-Length: $L", [414])
        try expectRefused(head: "POST /callback HTTP/1.\(long)\r\nHost: x\r\nContent-Length: $L", [400, 414, 505])
        try expectRefused(head: "POST /callback\(String(repeating: " ", count: 200_000))HTTP/1.1\r\nHost: x\r\nContent-Length: $L", [400, 414])
    }

    @Test("RFC 9112 §3: a request line of 8,000 octets is read")
    func recommendedLength() throws {
        let target = "/callback?" + String(repeating: "q", count: 8_000 - "POST /callback? HTTP/1.1".utf8.count)
        try expectTaken(head: "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: $L")
    }

    @Test(
        "RFC 9112 §2.2: a stream of anything but HTTP is answered 400 at most, and closed",
        arguments: [
            [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03, 0x0D, 0x0A, 0x0D, 0x0A],
            Array("SSH-2.0-OpenSSH_9.2\r\n\r\n".utf8), Array("{\"request_id\":\"x\"}\r\n\r\n".utf8), Array("EHLO example.org\r\n\r\n".utf8),
            Array("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\r\n".utf8), [UInt8](repeating: 0, count: 64) + [13, 10, 13, 10], [0xFF, 0xFE, 13, 10, 13, 10],
        ] as [[UInt8]])
    func otherProtocols(bytes: [UInt8]) throws {
        try expectRefused(bytes)
    }
}
