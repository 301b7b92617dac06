// RFC 9112 §6, §11: a message that could be read two ways is refused, and nothing behind it is a request.
//
// Promises: every refused message carries a second one inside, which must never be stored.
// Must not know: which of several right statuses a server prefers, where the RFC leaves it open.

import Testing
import TestSupport

@Suite("RFC 9112 §6: where a body ends")
struct FramingTests {
    @Test(
        "RFC 9112 §6.3: both framings in one message are refused and the connection closes",
        arguments: [
            "Content-Length: $L\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: $L",
            "Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 0",
            "Content-Length: 0\r\nTransfer-Encoding: chunked", "content-length: $L\r\ntransfer-encoding: CHUNKED",
            "Transfer-Encoding: identity\r\nContent-Length: $L", "Content-Length: $L\r\nTransfer-Encoding:",
            "Content-Length:\r\nTransfer-Encoding: chunked", "Content-Length: x\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked\r\nContent-Length: $L",
        ])
    func bothFramings(fields: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(fields)", fields.contains("gzip") ? [400, 501] : [400])
        try expectRefused(head: "GET /healthz HTTP/1.1\r\nHost: x\r\n\(fields)", fields.contains("gzip") ? [400, 501] : [400])
    }

    @Test(
        "RFC 9112 §6.3: an invalid Content-Length is 400 and the connection closes",
        arguments: [
            "", "+$L", "-$L", "-0", "+0", "$L x", "$L;", "$L.0", "$L,0", "0x5", "0X5", "5h", "$L\u{A0}", "\"$L\"", "$L_0", "1_0", "1 0", "1\t0", "1e2", "five",
            "NaN", "٥", "５", ",", "$L,", ", $L", "$L $L", "$L\u{B}", "'5'", "(5)", "~5", "5-", "/", ":", "0\u{0}",
        ])
    func invalidLength(value: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: \(value)")
    }

    @Test(
        "RFC 9112 §6.3: Content-Length given twice is 400, alike or not",
        arguments: [
            "Content-Length: $L\r\nContent-Length: 0", "Content-Length: 0\r\nContent-Length: $L", "Content-Length: $L\r\nX: y\r\ncontent-length: 5",
            "Content-Length: 0, $L", "Content-Length: 0\r\nContent-Length: 0",
            "Content-Length: 5, 5", "Content-Length: 0\r\nContent-Length:", "Content-Length: 0\r\nContent-Length: 00", "Content-Length: 5,5,6",
        ])
    func duplicateLength(fields: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(fields)")
    }

    @Test("RFC 9110 §8.6: a length too large for a machine's integer does not wrap round to a small one")
    func overflow() throws {
        // The length of what follows, plus 2 to the power of 32, 63, 64, 65 and 128: read in that many bits, it would fit.
        let callback = postBytes(sentPayload("request-0000")).count
        let wrapped = ["4294967296", "9223372036854775808", "18446744073709551616", "36893488147419103232", "340282366920938463463374607431768211456"].map {
            adding(callback, to: $0)
        }
        for value in wrapped + ["9223372036854775807", "18446744073709551615", "18446744073709551616", String(repeating: "9", count: 100)] {
            try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: \(value)", [400, 413])
        }
    }

    /// The sum of a decimal numeral of any length and a small number.
    private func adding(_ number: Int, to numeral: String) -> String {
        var carry = number
        let digits = numeral.utf8.reversed().map { byte in
            let sum = Int(byte - 0x30) + carry
            carry = sum / 10
            return "\(sum % 10)"
        }
        return digits.reversed().joined()
    }

    @Test("RFC 9110 §8.6: leading zeros are digits like others")
    func leadingZeros() throws {
        try expectTaken(head: "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 000$L")
    }

    @Test(
        "RFC 9112 §6.3: where chunked is not the last coding of a request it is 400, and the connection closes",
        arguments: [
            "chunked, identity", "chunked, gzip", "identity", "gzip", "xchunked", "chunkedx", "chunke", "chunked-", "\"chunked\"", "chunked;q=1", "chunked x",
            "chunked;", "x", "", ",", "chunked, ,x", "chunked\u{A0}",
        ])
    func notChunked(value: String) throws {
        // §6.1 has 501 for a coding that a server does not know.
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \(value)", [400, 501])
    }

    @Test(
        "RFC 9112 §6.1: chunked applied twice is refused",
        arguments: [
            "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nX: y\r\ntransfer-encoding: x, chunked",
        ])
    func chunkedTwice(fields: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(fields)", [400, 501])
    }

    @Test("RFC 9112 §6.1: a coding that is not understood is 501", arguments: ["gzip, chunked", "deflate, chunked", "br, chunked", "x-unknown, chunked"])
    func unknownCoding(value: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \(value)", [501])
    }

    @Test(
        "RFC 9112 §6.1: Transfer-Encoding in a message of HTTP/1.0 is faulty framing, with a length beside it too",
        arguments: ["", "\r\nContent-Length: $L", "\r\nConnection: keep-alive"])
    func transferEncodingIn10(more: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\(more)")
    }

    @Test("RFC 9112 §6.3: a request with neither framing has no body; what follows is the next request")
    func noFraming() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        try connection.send(requestBytes("POST", "/callback") + requestBytes("GET", "/healthz"))
        let answer = try connection.readAnswer()
        #expect(answer.status == 400 || answer.status == 411)
        if answer.announcesClose { return }
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("RFC 9112 §6.3: a length of zero is a body, and an empty one")
    func zeroLength() throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("POST", "/callback", body: []) + requestBytes("GET", "/healthz", body: []) + requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 400)
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readAnswer().status == 200)
    }

    @Test(
        "RFC 9112 §9.3: a body nobody wants is read, or the connection closed; never is it the next request",
        arguments: [
            ("GET", "/healthz"), ("GET", "/nowhere"), ("DELETE", "/callback"), ("POST", "/nowhere"), ("PUT", "/v1/requests/x/callbacks"), ("BREW", "/callback"),
            ("OPTIONS", "*"), ("TRACE", "/callback"), ("GET", "/v1/requests/%"),
        ])
    func unwantedBody(method: String, target: String) throws {
        let server = try Shared.server()
        for chunked in [false, true] {
            let smuggled = Shared.freshIdentifier("smuggled")
            let body = postBytes(sentPayload(smuggled))
            let head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            let framed =
                chunked
                ? Array("\(head)Transfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
                : Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body
            let connection = try server.connect()
            try connection.send(framed + requestBytes("GET", "/healthz"), toleratingClose: true)
            let answer = try connection.readAnswer()
            if answer.announcesClose {
                #expect(try connection.readToEnd() == [])
            } else {
                let next = try connection.readAnswer()
                #expect(next.status == 200 && next.text.contains("request_id") == false, "\(next.text)")
                #expect(!connection.isReadable(milliseconds: 20))
            }
            #expect(try server.status(of: smuggled).status == 404, "\(method) \(target)")
        }
    }

    @Test("RFC 9112 §8: a message that ends before its length or its last chunk is incomplete, and nothing of it is stored")
    func incomplete() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let payload = sentPayload(identifier)
        let chunk = "\(String(payload.utf8.count, radix: 16))\r\n\(payload)\r\n"
        for message in [
            "Content-Length: \(payload.utf8.count + 1)\r\n\r\n\(payload)", "Transfer-Encoding: chunked\r\n\r\n\(chunk)",
            "Transfer-Encoding: chunked\r\n\r\n\(chunk)0", "Transfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n",
            "Transfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n\r", "Transfer-Encoding: chunked\r\n\r\n\(chunk)0\r\nX: y\r\n",
            "Content-Length: \(payload.utf8.count)\r\n",
        ] {
            let connection = try server.connect()
            try connection.send("POST /callback HTTP/1.1\r\nHost: x\r\n\(message)")
            connection.halfClose()
            #expect(!String(decoding: try connection.readToEnd(), as: UTF8.self).contains(" 200 "), "\(message)")
        }
        #expect(try server.status(of: identifier).status == 404)
    }
}
