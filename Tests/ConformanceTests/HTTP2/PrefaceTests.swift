// RFC 9113 §3.3, §3.4: prior knowledge on the port that speaks HTTP/1.1 too, and both prefaces.
//
// Promises: every prefix and every damage of the preface; HTTP/1.1 on the same port goes on.
// Must not know: what comes after the prefaces.

import Testing
import TestSupport

@Suite("RFC 9113 §3: starting HTTP/2")
struct PrefaceTests {
    @Test("RFC 9113 §3.4: the server's first frame is SETTINGS, and it acknowledges the client's")
    func serverPreface() throws {
        let connection = try HTTP2Connection(port: Shared.server().port, handshakes: false)
        try connection.sendPreface()
        // HTTP2Connection refuses any other first frame.
        try connection.read { $0.settingsAcknowledged == 1 }
        let first = try #require(connection.received.first)
        #expect(first.kind == HTTP2FrameKind.settings && first.flags == 0 && first.stream == 0)
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }

    @Test("RFC 9113 §3.4: requests sent with the preface, before the server's was seen, are answered")
    func requestsAtOnce() throws {
        let connection = try HTTP2Connection(port: Shared.server().port, handshakes: false)
        let first = HTTP2Frame.headers(healthBlock, on: 1), second = HTTP2Frame.headers(postBlock(), on: 3, end: false)
        let identifier = Shared.freshIdentifier()
        let data = HTTP2Frame.data(Array(sentPayload(identifier).utf8), on: 3, end: true)
        let settings = HTTP2Frame.settings([])
        connection.expectAnswers(to: [settings, first, second, data])
        try connection.raw.send(HTTP2Frame.preface + settings.bytes + first.bytes + second.bytes + data.bytes)
        #expect(try connection.answer(on: 1).status == 200)
        #expect(try connection.answer(on: 3).object().string("request_id") == identifier)
    }

    @Test("RFC 9113 §3.4: the preface may come in any pieces", arguments: [1, 2, 3, 5, 14, 18, 23, 24, 25, 33])
    func pieces(length: Int) throws {
        let connection = try HTTP2Connection(port: Shared.server().port, handshakes: false)
        let settings = HTTP2Frame.settings([])
        connection.expectAnswers(to: [settings])
        let bytes = HTTP2Frame.preface + settings.bytes
        for start in stride(from: 0, to: bytes.count, by: length) {
            try connection.raw.send(Array(bytes[start..<min(start + length, bytes.count)]))
            // A pause that the server can see: it has nothing to say yet, or only its own preface.
            if start == 0, length < 3 { _ = connection.raw.isReadable(milliseconds: 20) }
        }
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }

    @Test("RFC 9113 §3.4: a damaged preface is refused, and what follows is not executed")
    func damagedPreface() throws {
        let server = try Shared.server()
        for index in HTTP2Frame.preface.indices {
            let smuggled = Shared.freshIdentifier("smuggled")
            var bytes = HTTP2Frame.preface
            bytes[index] ^= 0x20
            let connection = try server.connect()
            try connection.send(
                bytes + HTTP2Frame.settings([]).bytes + HTTP2Frame.headers(postBlock(), on: 1, end: false).bytes
                    + HTTP2Frame.data(Array(sentPayload(smuggled).utf8), on: 1, end: true).bytes + postBytes(sentPayload(smuggled)), toleratingClose: true)
            // Whatever is said is an error, in the one protocol or the other.
            let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
            #expect(!text.contains(" 200 "), "\(index): \(text.debugDescription)")
            #expect(try server.status(of: smuggled).status == 404, "\(index)")
        }
    }

    @Test("RFC 9113 §3.4: a preface that stops half-way keeps nobody else from being served, and ends with its stream")
    func half() throws {
        let server = try Shared.server()
        for length in [1, 3, 16, 23] {
            let connection = try server.connect()
            try connection.send(Array(HTTP2Frame.preface[..<length]))
            #expect(try server.get("/healthz").status == 200)
            connection.halfClose()
            #expect(!String(decoding: try connection.readToEnd(), as: UTF8.self).contains(" 200 "))
        }
    }

    @Test(
        "RFC 9113 §3.4: a first frame other than SETTINGS is PROTOCOL_ERROR",
        arguments: [
            HTTP2Frame.ping(), .headers(healthBlock, on: 1), .windowUpdate(0, 1), .settingsAcknowledgement, .priority(on: 1, dependsOn: 0), .goAway(),
            .data([1], on: 1),
        ])
    func firstFrame(frame: HTTP2Frame) throws {
        let connection = try HTTP2Connection(port: Shared.server().port, handshakes: false)
        try connection.raw.send(HTTP2Frame.preface + frame.bytes)
        try connection.readToEnd()
        // §3.4: a GOAWAY may be omitted here.
        #expect(connection.goAways.allSatisfy { $0.code == .protocolError }, "\(connection.goAways)")
        #expect(connection.streams.values.allSatisfy { $0.fields == nil })
    }

    @Test("RFC 9113 §3.3: HTTP/1.1 and HTTP/2 are served side by side on one port")
    func bothProtocols() throws {
        let server = try Shared.server()
        let second = try connectHTTP2()
        let first = try server.connect()
        for _ in 0..<3 {
            let identifier = Shared.freshIdentifier()
            #expect(try second.post(sentPayload(identifier)).status == 200)
            try first.send(requestBytes("GET", "/v1/requests/\(identifier)"))
            #expect(try first.readAnswer().object().string("request_id") == identifier)
        }
    }

    @Test("RFC 9113 §3.4: the preface within an HTTP/1.1 connection starts nothing")
    func lateSwitch() throws {
        let server = try Shared.server()
        let connection = try server.connect()
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
        try connection.send(HTTP2Frame.preface + HTTP2Frame.settings([]).bytes, toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 505 || answer.status == 400)
        #expect(try connection.readToEnd() == [])
    }

    @Test("RFC 9113 §6.5.2: the server's settings are lawful, and allow as many streams as is recommended")
    func settings() throws {
        // Their bounds are held in HTTP2Rules, for every connection.
        let connection = try connectHTTP2()
        #expect((connection.peerSettings[HTTP2Setting.concurrentStreamsMax] ?? .max) >= 100)
        #expect(connection.peerSettings[HTTP2Setting.enablePush] ?? 0 == 0)
    }
}
