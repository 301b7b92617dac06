// RFC 9112 §9: connections that persist, requests in a row, half-closed streams and the end.
//
// Promises: what goes over the wire is written out byte by byte; no HTTP library smooths it.
// Must not know: HTTP/2.

import Testing
import TestSupport

@Suite("RFC 9112 §9: connections")
struct ConnectionTests {
    @Test("RFC 9112 §9.3: a connection serves request after request")
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

    @Test("RFC 9112 §9.3.2: pipelined requests are answered in order")
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

    @Test(
        "RFC 9112 §9.3: a connection of HTTP/1.0 ends after its answer, unless both sides keep it alive",
        arguments: ["X: y", "Connection: keep-alive", "Keep-Alive: timeout=5"])
    func version10(field: String) throws {
        let connection = try Shared.server().connect()
        try connection.send(
            requestBytes("GET", "/healthz", fields: [field], version: "HTTP/1.0") + requestBytes("GET", "/nowhere", version: "HTTP/1.0"), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        // RFC 9112 §2.3: the version is the server's own, its highest of that major one.
        #expect(answer.version == "HTTP/1.1")
        // RFC 9112 §6.1: no coding for whoever cannot know it.
        #expect(answer["Transfer-Encoding"] == nil)
        let keepsAlive = field == "Connection: keep-alive" && answer["Connection"]?.lowercased() == "keep-alive"
        if keepsAlive { #expect(try connection.readAnswer().status == 404) }
        #expect(try connection.readToEnd() == [])
    }

    @Test(
        "RFC 9112 §9.6: after close nothing further of the connection is executed, and the answer says close",
        arguments: [
            "Connection: close", "Connection: Close", "connection: foo, close", "Connection: close, keep-alive", "Connection: keep-alive\r\nConnection: close",
            "Connection:close\t", "Connection: foo,CLOSE,bar",
        ])
    func close(field: String) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        let smuggled = Shared.freshIdentifier("smuggled")
        try connection.send(postBytes(sentPayload(Shared.freshIdentifier()), fields: [field]) + postBytes(sentPayload(smuggled)), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        #expect(try server.status(of: smuggled).status == 404)
    }

    @Test(
        "RFC 9112 §9.3: an option that merely looks like close does not close",
        arguments: ["closed", "not-close", "clos", "keep-alive", "x=close", "\"close\""])
    func noClose(value: String) throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("GET", "/healthz", fields: ["Connection: \(value)"]) + requestBytes("GET", "/nowhere"), toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200 && !answer.announcesClose || answer.status == 400)
        if answer.status == 200 { #expect(try connection.readAnswer().status == 404) }
    }

    @Test("RFC 9112 §9.6: a refusal reaches a client that is still sending; the connection is closed in stages")
    func closedInStages() throws {
        let server = try Shared.server()
        for start in [requestBytes("POST", "/callback", fields: ["Content-Length: 4000000"]), Array("POST /callback HTTP/1.1\r\n bad\r\n\r\n".utf8)] {
            let connection = try server.connect()
            try connection.send(start)
            // What is sent now meets a server that has given its answer.
            for _ in 0..<8 { try connection.send([UInt8](repeating: 0x61, count: 16_384), toleratingClose: true) }
            let answer = try connection.readAnswer()
            #expect(answer.status == 413 || answer.status == 400)
            #expect(answer.announcesClose)
            #expect(try connection.readToEnd() == [])
        }
    }

    @Test("RFC 9112 §9.6: a stream half-closed after its request still gets the answer")
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

    @Test("RFC 9112 §8: a stream that ends within a request stores nothing")
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
}
