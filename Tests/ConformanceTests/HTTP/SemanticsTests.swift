// RFC 9110 §6 to §15: what an answer must carry, methods, expectations, and requests that ask for too much.
//
// Promises: for HTTP/1.1; HTTP2/ParityTests holds the same of HTTP/2.
// Must not know: payloads beyond one that is stored.

import Foundation
import Testing
import TestSupport

@Suite("RFC 9110: semantics")
struct SemanticsTests {
    static let resources = [
        "/healthz", "/readyz", "/nowhere", "/v1/requests/nobody", "/v1/requests/nobody/callbacks", "/v1/requests/%", "/callback",
        "/v1/requests/x/callbacks?limit=0",
    ]

    @Test("RFC 9110 §6.6.1, §5.6.7: every answer has a Date in the one preferred form")
    func date() throws {
        let server = try Shared.server()
        let answers =
            [
                try server.post("x"), try server.post(sentPayload(Shared.freshIdentifier())), try server.exchange(requestBytes("BREW", "/callback")),
                try server.exchange(Array("x\r\n\r\n".utf8)),
            ]
            + (try Self.resources.map { try server.get($0) })
        for answer in answers {
            #expect(answer.fields.filter { $0.name.lowercased() == "date" }.count == 1)
            let date = try #require(answer["Date"])
            #expect(
                date.wholeMatch(
                    of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} [0-2]\d:[0-5]\d:[0-6]\d GMT/) != nil,
                "\(date)")
        }
    }

    @Test("RFC 9112 §4, §5: an answer is written by the grammar: CRLF, tokens, one length")
    func grammar() throws {
        let server = try Shared.server()
        for request in [
            requestBytes("GET", "/healthz"), requestBytes("GET", "/nowhere"), postBytes(sentPayload(Shared.freshIdentifier())), Array("x\r\n\r\n".utf8),
            requestBytes("BREW", "/callback"), requestBytes("HEAD", "/healthz"),
        ] {
            let connection = try server.connect()
            try connection.send(request)
            connection.halfClose()
            let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
            let headEnd = try #require(text.range(of: "\r\n\r\n"))
            let lines = text[..<headEnd.lowerBound].components(separatedBy: "\r\n")
            #expect(lines[0].wholeMatch(of: /HTTP\/1\.1 [1-5]\d\d [\x20-\x7E]*/) != nil, "\(lines[0])")
            for line in lines.dropFirst() {
                #expect(line.wholeMatch(of: /[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?[\x21-\x7E]([\x20-\x7E]*[\x21-\x7E])?/) != nil, "\(line.debugDescription)")
            }
            let names = lines.dropFirst().map { $0.prefix { $0 != ":" }.lowercased() }
            // RFC 9112 §6.2, §6.3: one framing, given once.
            #expect(names.filter { $0 == "content-length" || $0 == "transfer-encoding" }.count == 1, "\(lines)")
        }
    }

    @Test("RFC 9110 §9.1, §9.3.2: HEAD is answered wherever GET is, as GET is, without content", arguments: resources)
    func head(target: String) throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("GET", target) + requestBytes("HEAD", target) + requestBytes("GET", target))
        let get = try connection.readAnswer()
        let head = try connection.readAnswer(toHEAD: true)
        // RFC 9110 §8.6: a length other than GET's would be a lie.
        #expect(head.status == get.status)
        #expect(head["Content-Length"] == "\(get.body.count)" || head["Content-Length"] == nil)
        #expect(head["Content-Type"] == get["Content-Type"])
        #expect(head["Allow"] == get["Allow"])
        // The next answer begins where HEAD's head ended.
        #expect(try connection.readAnswer().body.count == get.body.count)
    }

    @Test(
        "RFC 9110 §9.3.2: a HEAD that is refused has no content either",
        arguments: [
            "HEAD /healthz HTTP/1.1\r\n\r\n", "HEAD /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
            "HEAD /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "HEAD * HTTP/1.1\r\nHost: x\r\n\r\n",
            "HEAD /healthz HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", "HEAD /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HEAD /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            "HEAD /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        ])
    func refusedHEAD(request: String) throws {
        let connection = try Shared.server().connect()
        try connection.send(request, toleratingClose: true)
        #expect((400...599).contains(try connection.readAnswer(toHEAD: true).status))
        connection.halfClose()
        #expect(String(decoding: try connection.readToEnd(), as: UTF8.self) == "")
    }

    @Test(
        "RFC 9110 §15.5.6, §10.2.1: 405 names what is allowed, and that is answered otherwise",
        arguments: [
            ("/callback", "GET"), ("/callback", "DELETE"), ("/healthz", "POST"), ("/readyz", "DELETE"), ("/v1/requests/x", "POST"),
            ("/v1/requests/x/callbacks", "PUT"),
        ])
    func allow(target: String, method: String) throws {
        let server = try Shared.server()
        let answer = try server.exchange(requestBytes(method, target, body: []))
        #expect(answer.status == 405)
        let allowed = try #require(answer["Allow"]).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(!allowed.isEmpty && !allowed.contains(method))
        for other in allowed {
            let status = try server.exchange(requestBytes(other, target, body: []), toHEAD: other == "HEAD").status
            #expect(status != 405 && status != 501, "\(other) \(target)")
        }
    }

    @Test("RFC 9110 §9.3.8: TRACE repeats nothing that a third person might read")
    func trace() throws {
        let answer = try Shared.server().exchange(requestBytes("TRACE", "/callback?key=s3cret", fields: ["Authorization: Basic c2VjcmV0", "Cookie: s3cret"]))
        #expect([405, 501].contains(answer.status))
        #expect(!answer.text.contains("s3cret") && !answer.text.contains("c2VjcmV0"))
    }

    @Test("RFC 9110 §9.2.1: a safe method with content changes nothing", arguments: ["GET", "HEAD", "OPTIONS", "TRACE"])
    func safe(method: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        for target in ["/callback", "/v1/requests/\(identifier)"] {
            let connection = try server.connect()
            try connection.send(requestBytes(method, target, body: Array(sentPayload(identifier).utf8)), toleratingClose: true)
            #expect(try connection.readAnswer(toHEAD: method == "HEAD").status >= 400)
        }
        #expect(try server.status(of: identifier).status == 404)
    }

    @Test("RFC 9110 §10.1.1: 100 (Continue) comes before the body, which is not waited for", arguments: ["100-continue", "100-Continue", "100-CONTINUE"])
    func expectContinue(value: String) throws {
        let connection = try Shared.server().connect()
        let body = sentPayload(Shared.freshIdentifier())
        try connection.send(requestBytes("POST", "/callback", fields: ["Expect: \(value)", "Content-Length: \(body.utf8.count)"]))
        #expect(try connection.readAnswer().status == 100)
        #expect(!connection.isReadable(milliseconds: 20))
        try connection.send(body)
        // A server that said 100 says something final.
        #expect(try connection.readAnswer().status == 200)
        try connection.send(requestBytes("POST", "/callback", fields: ["Expect: \(value)", "Transfer-Encoding: chunked"]))
        #expect(try connection.readAnswer().status == 100)
        try connection.send("\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("RFC 9112 §9.3.2, RFC 9110 §10.1.1: 100 (Continue) comes in its turn, behind the answers before it, and has no length")
    func continueInTurn() throws {
        let connection = try Shared.server().connect()
        for _ in 0..<5 {
            let identifiers = (0..<3).map { _ in Shared.freshIdentifier() }
            let body = sentPayload(identifiers[2])
            try connection.send(
                postBytes(sentPayload(identifiers[0])) + postBytes(sentPayload(identifiers[1]))
                    + requestBytes("POST", "/callback", fields: ["Expect: 100-continue", "Content-Length: \(body.utf8.count)"]))
            for identifier in identifiers.dropLast() { #expect(try connection.readAnswer().object().string("request_id") == identifier) }
            let interim = try connection.readAnswer()
            #expect(interim.status == 100)
            // RFC 9110 §8.6, RFC 9112 §6.1: neither framing in a 1xx.
            #expect(interim["Content-Length"] == nil && interim["Transfer-Encoding"] == nil)
            try connection.send(body)
            #expect(try connection.readAnswer().object().string("request_id") == identifiers[2])
        }
    }

    @Test(
        "RFC 9110 §10.1.1: what will be refused is refused without asking for its content",
        arguments: [
            ("POST", "/callback", 65_537, 413), ("POST", "/nowhere", 5, 404), ("DELETE", "/callback", 5, 405), ("BREW", "/callback", 5, 501),
        ])
    func refusedUnasked(method: String, target: String, length: Int, status: Int) throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes(method, target, fields: ["Expect: 100-continue", "Content-Length: \(length)"]))
        let first = try connection.readAnswer()
        // Asking is allowed where the head does not settle it; waiting in silence is not.
        if first.status == 100, length < 100 {
            try connection.send([UInt8](repeating: 0x61, count: length))
            #expect(try connection.readAnswer().status == status)
        } else {
            #expect(first.status == status)
        }
    }

    @Test("RFC 9110 §10.1.1: the expectation of an HTTP/1.0 request is ignored: it sees no 1xx")
    func expectIn10() throws {
        let identifier = Shared.freshIdentifier()
        let body = Array(sentPayload(identifier).utf8)
        let connection = try Shared.server().connect()
        try connection.send(
            requestBytes("POST", "/callback", host: nil, fields: ["Expect: 100-continue", "Content-Length: \(body.count)"], version: "HTTP/1.0"))
        #expect(!connection.isReadable(milliseconds: 50))
        try connection.send(body)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(try answer.object().string("request_id") == identifier)
        #expect(try connection.readToEnd() == [])
    }

    @Test(
        "RFC 9110 §10.1.1: another expectation is 417 or ignored, and nothing is read twice",
        arguments: ["x", "200-ok", "100-continue-please", "100-continue=x", ""])
    func otherExpectations(value: String) throws {
        let connection = try Shared.server().connect()
        try connection.send(
            postBytes(sentPayload(Shared.freshIdentifier()), fields: ["Expect: \(value)"]) + requestBytes("GET", "/nowhere"), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200 || answer.status == 417, "\(answer.status)")
        if answer.announcesClose {
            #expect(try connection.readToEnd() == [])
        } else {
            #expect(try connection.readAnswer().status == 404)
        }
    }

    @Test("RFC 9110 §7.8: an Upgrade is answered in HTTP/1.1: never with 101 to what is not spoken, never to HTTP/1.0", arguments: ["HTTP/1.1", "HTTP/1.0"])
    func upgrade(version: String) throws {
        for name in ["h2c", "HTTP/2.0", "websocket", "TLS/1.0", "x"] {
            let fields = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: \(name)", "HTTP2-Settings: AAMAAABkAAQAAP__"]
            let answer = try Shared.server().exchange(requestBytes("GET", "/healthz", fields: fields, version: version))
            #expect(answer.status == 200 && answer.version == "HTTP/1.1", "\(name): \(answer.status)")
        }
    }

    @Test(
        "RFC 9110 §13.1, §14.2: conditions without a validator to test, and ranges nobody serves, are ignored",
        arguments: [
            "If-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT", "If-Modified-Since: nonsense", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
            "If-None-Match: \"x\"", "Range: bytes=0-0", "Range: pages=1-2", "If-Range: \"x\"",
        ])
    func conditions(field: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        #expect(try server.exchange(postBytes(sentPayload(identifier), fields: [field])).status == 200)
        let whole = try server.status(of: identifier)
        let answer = try server.exchange(requestBytes("GET", "/v1/requests/\(identifier)", fields: [field]))
        #expect(answer.status == 200 && answer.body == whole.body)
    }

    @Test("RFC 9110 §11.6.1: a 401 carries a challenge")
    func challenge() throws {
        let answer = try Shared.server().exchange(requestBytes("GET", "/v1/requests/x", host: "evil.example"))
        #expect(answer.status == 401)
        #expect(try #require(answer["WWW-Authenticate"]).wholeMatch(of: /Basic realm="[^"]*"(, ?charset="UTF-8")?/) != nil, "\(answer.fields)")
    }
}
