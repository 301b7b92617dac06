// Streamed answers: in order, as fast as they are read, and gone when their peer is.
//
// Promises: each claim over HTTP/1.1 or HTTP/2 or both, with a source in the test's hands.
// Must not know: what real streams say.

import HTTPWire
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Streamed answers")
struct StreamTests {
    private func running(_ feed: Feed, _ kind: StreamKind = .events, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> RunningServer {
        let routes = furtherRoutes([
            "/stream": { response in
                response.contentType = "text/event-stream"
                return feed.stream(kind)
            }
        ])
        return try RunningServer(furtherRoute: routes, configure)
    }

    /// A head and so many bytes of chunked content behind it.
    private func readContent(_ connection: RawConnection, until end: String) throws -> String {
        var text = ""
        while !text.hasSuffix(end) {
            guard let byte = try connection.readBytes(1) else { return text }
            text += String(decoding: byte, as: UTF8.self)
        }
        return text
    }

    @Test("pieces come as there are any: what was there, what comes with each record, and the end")
    func pieces() throws {
        let feed = Feed()
        feed.add("one\n")
        let running = try running(feed)
        let connection = try running.connect()
        let http2 = try HTTP2Connection(port: running.port)
        try connection.send(requestBytes("GET", "/stream"))
        let stream = try http2.request("GET", "/stream")
        #expect(try readContent(connection, until: "one\n\r\n").hasSuffix("Transfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n"))
        try http2.read { $0.streams[stream]?.body == Array("one\n".utf8) }
        for number in 0..<20 {
            feed.add("line \(number)\n")
            #expect(try running.post("id-\(number)").status == 200)
            #expect(try readContent(connection, until: "line \(number)\n\r\n").hasSuffix("line \(number)\n\r\n"))
            try http2.read { $0.streams[stream]?.body.count ?? 0 == feed.state.withLock { $0.text.count } }
        }
        feed.end(.end)
        #expect(try running.post("last").status == 200)
        #expect(try readContent(connection, until: "0\r\n\r\n") == "0\r\n\r\n")
        let answer = try http2.answer(on: stream)
        #expect(answer.body == feed.state.withLock { $0.text } && answer["content-length"] == nil)
        // Both connections go on.
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
        #expect(try http2.exchange("GET", "/healthz").status == 200)
    }

    @Test("a long content arrives whole, in both versions and over HTTP/1.0")
    func long() throws {
        let feed = Feed()
        for number in 0..<40_000 { feed.add("this is line number \(number) of many\n") }
        feed.end(.end)
        let expected = feed.state.withLock { $0.text }
        let running = try running(feed, .export)
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/stream") + requestBytes("GET", "/healthz"))
        let answer = try connection.readAnswer()
        #expect(answer.body == expected && answer["Transfer-Encoding"] == "chunked" && answer["Content-Length"] == nil)
        // What stood behind it comes behind it.
        #expect(try connection.readAnswer().text == #"{"status":"alive"}"#)
        let old = try running.connect()
        try old.send(requestBytes("GET", "/stream", version: "HTTP/1.0"))
        let oldAnswer = try old.readAnswer()
        #expect(oldAnswer.body == expected && oldAnswer["Transfer-Encoding"] == nil && oldAnswer.announcesClose)
        let http2 = try HTTP2Connection(port: running.port)
        #expect(try http2.exchange("GET", "/stream").body == expected)
    }

    @Test("HEAD has the head alone, and takes no place")
    func head() throws {
        let feed = Feed()
        let running = try running(feed, .export)
        let connection = try running.connect()
        for _ in 0..<2 * Following.exportsMax { try connection.send(requestBytes("HEAD", "/stream")) }
        for _ in 0..<2 * Following.exportsMax {
            let answer = try connection.readAnswer(toHEAD: true)
            #expect(answer.status == 200 && answer["Content-Type"] == "text/event-stream")
        }
        let http2 = try HTTP2Connection(port: running.port)
        #expect(try http2.exchange("HEAD", "/stream").status == 200)
        #expect(feed.pulls == 0)
    }

    @Test("content that cannot be had whole is seen to be cut off")
    func broken() throws {
        let feed = Feed()
        feed.add("half")
        feed.end(.broken)
        let running = try running(feed, .export)
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/stream"))
        let text = String(decoding: try connection.readToEnd(), as: UTF8.self)
        #expect(text.hasSuffix("4\r\nhalf\r\n"))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/stream")
        guard case .reset(let code) = try http2.outcome(of: stream) else { return #expect(Bool(false), "not reset") }
        #expect(code == .internalError)
        #expect(try http2.exchange("GET", "/healthz").status == 200)
    }

    @Test("a peer that does not read costs what the kernel holds and a piece, and is closed by the deadline for writing")
    func notReading() throws {
        let counted = EndlessSource.CountedBytes()
        let routes = furtherRoutes([
            "/stream": { _ in .stream(PreparedStream(kind: .events, source: EndlessSource(pulledBytes: counted), path: [])) }
        ])
        let running = try RunningServer(furtherRoute: routes)
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/stream"))
        // It grows until nothing more goes; then nobody asks the source.
        var before = -1
        try eventually("the source rests", holds: {
            try running.stir()
            defer { before = counted.count }
            return counted.count == before
        })
        #expect(counted.count < 8 * 1_024 * 1_024)
        #expect(running.openConnections >= 1)
        try running.advance(seconds: Deadlines.writeSeconds + 1)
        try eventually("it is closed", holds: { running.openConnections == 0 })
        let taken = counted.count
        try running.stir()
        #expect(counted.count == taken)
    }

    @Test("over HTTP/2 a closed window holds a stream back, not its neighbours; a reset ends it")
    func window() throws {
        let counted = EndlessSource.CountedBytes()
        let routes = furtherRoutes([
            "/stream": { _ in .stream(PreparedStream(kind: .events, source: EndlessSource(pulledBytes: counted), path: [])) }
        ])
        let running = try RunningServer(furtherRoute: routes)
        let http2 = try HTTP2Connection(port: running.port)
        http2.givesWindowsBack = false
        let stream = try http2.request("GET", "/stream")
        try http2.read { $0.streams[stream]?.body.count ?? 0 >= 60_000 }
        try http2.roundTrip()
        #expect(counted.count < 65_535 + 3 * Loop.pieceBytesMax)
        try http2.send(.windowUpdate(0, 1 << 20))
        #expect(try http2.exchange("GET", "/healthz").status == 200)
        let before = counted.count
        try http2.send(.windowUpdate(stream, 100_000))
        try http2.read { $0.streams[stream]?.body.count ?? 0 >= 160_000 }
        #expect(counted.count > before)
        try http2.send(.reset(stream, .cancel))
        try http2.roundTrip()
        try running.stir()
        let after = counted.count
        try running.stir()
        #expect(counted.count == after)
        #expect(try http2.exchange("GET", "/healthz").status == 200)
    }
}
