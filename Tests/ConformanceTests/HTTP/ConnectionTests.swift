// RFC 9112: connections that persist, requests in a row, bodies in chunks, half-closed streams.
//
// Promises: what goes over the wire is written out byte by byte; no HTTP library smooths it.
// Must not know: HTTP/2.

import Testing
import TestSupport

@Suite("HTTP/1.1 connections")
struct ConnectionTests {
    @Test("a connection serves request after request")
    func keepAlive() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        for _ in 0..<20 {
            let identifier = Shared.freshIdentifier()
            try connection.send(postBytes(sentPayload(identifier)))
            let answer = try connection.readAnswer()
            #expect(answer.version == "HTTP/1.1" && answer.status == 200 && !answer.announcesClose)
            try connection.send(requestBytes("GET", "/v1/requests/\(identifier)"))
            #expect(try connection.readAnswer().object().string("request_id") == identifier)
        }
    }

    @Test("pipelined requests are answered in order (RFC 9112 §9.3.2)")
    func pipelining() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let identifiers = (0..<50).map { _ in Shared.freshIdentifier() }
        // A query right behind its callback must see it: the answers come in order.
        try connection.send(
            identifiers.flatMap { postBytes(sentPayload($0)) + requestBytes("GET", "/v1/requests/\($0)") + requestBytes("GET", "/nowhere") })
        for identifier in identifiers {
            let accepted = try connection.readAnswer()
            #expect(accepted.status == 200)
            #expect(try accepted.object().string("request_id") == identifier)
            let status = try connection.readAnswer()
            #expect(try status.object().integer("sequence") == accepted.object().integer("sequence"))
            #expect(try connection.readAnswer().status == 404)
        }
    }

    @Test("a request may arrive byte by byte")
    func byteByByte() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let identifier = Shared.freshIdentifier()
        for byte in postBytes(sentPayload(identifier)) { try connection.send([byte]) }
        #expect(try connection.readAnswer().object().string("request_id") == identifier)
    }

    @Test("a body in chunks is one body", arguments: [
        ["", "0\r\n\r\n"], [";name=value", "0;last\r\n\r\n"], [";a=\"q;\\\"\"", "0\r\nTrailer: x\r\n\r\n"], ["", "000\r\n\r\n"],
    ])
    func chunked(parts: [String]) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        for codingName in ["chunked", "Chunked"] {
            let identifier = Shared.freshIdentifier()
            var text = "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \(codingName)\r\n\r\n"
            for character in sentPayload(identifier) { text += "1\(parts[0])\r\n\(character)\r\n" }
            try connection.send(text + parts[1])
            let answer = try connection.readAnswer()
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try answer.object().string("request_id") == identifier)
        }
    }

    @Test("Expect: 100-continue is answered before the body, and only then (RFC 9110 §10.1.1)")
    func expectContinue() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let body = sentPayload(Shared.freshIdentifier())
        try connection.send(requestBytes("POST", "/callback", fields: ["Expect: 100-continue", "Content-Length: \(body.utf8.count)"]))
        #expect(try connection.readAnswer().status == 100)
        try connection.send(body)
        #expect(try connection.readAnswer().status == 200)

        // A body that will not be taken is refused without asking for it.
        let tooLarge = try server.connect()
        try tooLarge.send(requestBytes("POST", "/callback", fields: ["Expect: 100-continue", "Content-Length: 65537"]))
        #expect(try tooLarge.readAnswer().status == 413)
    }

    @Test("HTTP/1.0 is answered and the connection closed; 100-continue is not sent to it")
    func version10() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let identifier = Shared.freshIdentifier()
        try connection.send(
            requestBytes("POST", "/callback", host: nil, fields: ["Expect: 100-continue"], body: Array(sentPayload(identifier).utf8), version: "HTTP/1.0"))
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(try answer.object().string("request_id") == identifier)
        #expect(try connection.readToEnd() == [])
    }

    @Test("Connection: close is honoured and said", arguments: ["close", "Close", "foo, close"])
    func close(value: String) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let field = "Connection: \(value)"
        try connection.send(postBytes(sentPayload(Shared.freshIdentifier()), fields: [field]) + requestBytes("GET", "/healthz"), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(answer.announcesClose)
        #expect(try connection.readToEnd() == [])
    }

    @Test("a stream half-closed after its request still gets the answer")
    func halfClose() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let identifier = Shared.freshIdentifier()
        try connection.send(postBytes(sentPayload(identifier)) + requestBytes("GET", "/v1/requests/\(identifier)"))
        connection.halfClose()
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readToEnd() == [])
    }

    @Test("a stream that ends within a request stores nothing")
    func truncated() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let whole = postBytes(sentPayload(identifier))
        for length in [10, whole.count - sentPayload(identifier).utf8.count, whole.count - 1] {
            let connection = try server.connect()
            try connection.send(Array(whole[..<length]))
            connection.halfClose()
            let rest = String(decoding: try connection.readToEnd(), as: UTF8.self)
            #expect(!rest.contains(" 200 "), "\(rest)")
        }
        #expect(try server.status(of: identifier).status == 404)
    }

    @Test("absolute-form, empty lines before a request and odd field spelling are understood")
    func lenience() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let body = sentPayload(Shared.freshIdentifier())
        try connection.send(
            "\r\nPOST http://hooks.example/callback?x HTTP/1.1\r\nhOST:hooks.example\r\nX-Empty:\r\ncontent-LENGTH:   \(body.utf8.count)  \t\r\n\r\n\(body)")
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("many idle connections do not keep others from being served")
    func idle() throws {
        let server = try Shared.server()
        let idle = try (0..<100).map { _ in try server.connect() }
        #expect(try server.post(sentPayload(Shared.freshIdentifier())).status == 200)
        try idle[99].send(requestBytes("GET", "/healthz"))
        #expect(try idle[99].readAnswer().status == 200)
    }

    @Test("a burst of requests that nobody reads the answers of yet is answered in full")
    func burst() throws {
        let server = try Shared.server()
        let connections = try (0..<4).map { _ in try server.connect() }
        let identifiers = connections.map { _ in (0..<100).map { _ in Shared.freshIdentifier() } }
        for (connection, group) in zip(connections, identifiers) { try connection.send(group.flatMap { postBytes(sentPayload($0)) }) }
        for (connection, group) in zip(connections, identifiers) {
            for identifier in group { #expect(try connection.readAnswer().object().string("request_id") == identifier) }
        }
    }

    @Test("a client that goes away before its answer leaves its callback stored")
    func abandoned() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        do {
            let connection = try server.connect()
            try connection.send(postBytes(sentPayload(identifier)))
        }
        try eventually("the callback of a client that left") { try server.status(of: identifier).status == 200 }
    }

    @Test("every answer has a Date in the one preferred form (RFC 9110 §5.6.7, §6.6.1)")
    func date() throws {
        let server = try Shared.server()
        let answers = [try server.get("/healthz"), try server.get("/nowhere"), try server.post("x"), try server.post(sentPayload(Shared.freshIdentifier()))]
        for answer in answers {
            let date = try #require(answer["Date"])
            #expect(date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d [A-Z][a-z]{2} \d{4} [0-2]\d:[0-5]\d:[0-6]\d GMT/) != nil, "\(date)")
        }
    }

    @Test("targets of other forms are answered, and refused", arguments: [("OPTIONS", "*"), ("CONNECT", "example.org:443"), ("TRACE", "/callback")])
    func otherForms(method: String, target: String) throws {
        let answer = try Shared.server().exchange(requestBytes(method, target))
        #expect([400, 404, 405, 501].contains(answer.status) || (method == "OPTIONS" && answer.status / 100 == 2))
    }
}
