// Streams that say nothing, streams of peers that leave, streams while the server stops, and how many there may be.
//
// Promises: each claim over HTTP/1.1 or HTTP/2 or both, time standing still but where the test turns it.
// Must not know: what real streams say.

import HTTPWire
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("The ends of streamed answers")
struct StreamEndTests {
    private func routes(_ feed: Feed) -> Router.FurtherRoute {
        furtherRoutes(["/events": { _ in feed.stream(.events) }, "/export": { _ in feed.stream(.export) }])
    }

    /// Reads up to the end of a chunk with this content.
    private func readChunk(_ connection: RawConnection, _ content: String) throws {
        var text = ""
        while !text.hasSuffix(content + "\r\n") {
            guard let byte = try connection.readBytes(1) else { throw TestFailure.unreadable("the end, behind \(text)") }
            text += String(decoding: byte, as: UTF8.self)
        }
    }

    @Test("an idle event stream has a comment each fifteen seconds, in both versions; an export has none")
    func comments() throws {
        let feed = Feed()
        let still = try StillServer(furtherRoute: routes(feed))
        let events = try still.connect()
        try events.send(requestBytes("GET", "/events"))
        let export = try still.connect()
        try export.send(requestBytes("GET", "/export"))
        let http2 = try HTTP2Connection(port: still.port)
        let stream = try http2.request("GET", "/events")
        try eventually("all three are asked", holds: { feed.pulls >= 3 })
        try still.advance(seconds: Loop.commentSeconds - 1)
        try http2.roundTrip()
        #expect(http2.streams[stream]?.body == [])
        for round in 1...3 {
            try still.advance(seconds: Loop.commentSeconds)
            try readChunk(events, ":\n\n")
            try http2.read { $0.streams[stream]?.body == Array(String(repeating: ":\n\n", count: round).utf8) }
        }
        feed.add("x")
        feed.end(.end)
        try still.advance(seconds: 2)
        #expect(try export.readAnswer().text == "x")
    }

    @Test("an export that waits is asked again, though no record comes")
    func exportWaits() throws {
        let feed = Feed()
        let still = try StillServer(furtherRoute: routes(feed))
        let export = try still.connect()
        try export.send(requestBytes("GET", "/export"))
        try eventually("it is asked", holds: { feed.pulls == 1 })
        feed.add("there\n")
        feed.end(.end)
        try still.advance(seconds: 2)
        #expect(try export.readAnswer().text == "there\n")
    }

    @Test("event streams end with the server, cleanly and at once; an export goes on to its own end")
    func drain() throws {
        let feed = Feed()
        feed.add("first\n")
        let running = try RunningServer(furtherRoute: routes(feed)) { $0.drainSeconds = 30 }
        let events = try running.connect()
        try events.send(requestBytes("GET", "/events"))
        let export = try running.connect()
        try export.send(requestBytes("GET", "/export"))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/events")
        try eventually("all of them have all there is", holds: { feed.pulls >= 6 })
        let stopping = running.beginStop()
        #expect(try events.readAnswer().text == "first\n")
        #expect(try events.readToEnd() == [])
        #expect(try http2.answer(on: stream).text == "first\n")
        try http2.readToEnd()
        #expect(http2.goAways.last?.code == .noError)
        feed.add("last\n")
        feed.end(.end)
        running.clock.advance(seconds: 2)
        #expect(try export.readAnswer().text == "first\nlast\n")
        #expect(try export.readToEnd() == [])
        #expect(stopping.wait())
    }

    @Test("a peer that is gone frees its place, and whoever has its descriptor next gets no word of it")
    func gone() throws {
        let feed = Feed()
        let running = try RunningServer(furtherRoute: routes(feed))
        for number in 0..<20 {
            let connection = try running.connect()
            try connection.send(requestBytes("GET", "/events"))
            try eventually("it is asked", holds: { feed.pulls > number })
            // FIN for every other one, a reset for the rest: a peer that only ended its side is written to, and shows.
            if number % 2 == 0 { connection.reset() }
        }
        try eventually("all of them are gone", holds: {
            try running.stir()
            return running.openConnections == 0
        })
        let next = try running.connect()
        try running.stir()
        feed.add("for those who are gone")
        #expect(try running.post("it").status == 200)
        try running.stir()
        #expect(!next.isReadable(milliseconds: 100))
        try next.send(requestBytes("GET", "/healthz"))
        #expect(try next.readAnswer().text == #"{"status":"alive"}"#)
    }

    @Test("a peer that only ended its side has the rest of the stream")
    func halfClosed() throws {
        let feed = Feed()
        let running = try RunningServer(furtherRoute: routes(feed))
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/events"))
        try eventually("it is asked", holds: { feed.pulls == 1 })
        connection.halfClose()
        try readChunk(connection, ":\n\n")
        feed.add("more\n")
        #expect(try running.post("it").status == 200)
        try readChunk(connection, "more\n")
        feed.end(.end)
        #expect(try running.post("other").status == 200)
        #expect(String(decoding: try connection.readToEnd(), as: UTF8.self) == "0\r\n\r\n")
    }

    @Test("as many event streams as may be, and exports; one more is told 503, and has a place when another leaves (invariant 7)")
    func bounds() throws {
        let feed = Feed()
        let running = try RunningServer(furtherRoute: routes(feed))
        for (path, max) in [("/events", Following.eventStreamsMax), ("/export", Following.exportsMax)] {
            let connections = try (0...max / 100).map { _ in try HTTP2Connection(port: running.port) }
            var streams: [UInt32] = []
            for number in 0..<max { streams.append(try connections[number / 100].request("GET", path)) }
            for connection in connections { try connection.roundTrip() }
            let refused = try running.get(path)
            #expect(refused.status == 503 && refused["Retry-After"] == "10")
            try connections[0].send(.reset(streams[0], .cancel))
            try connections[0].roundTrip()
            let again = try connections[0].request("GET", path)
            try connections[0].read { $0.streams[again]?.fields != nil }
            #expect(connections[0].streams[again]?.fields?.first?.value == "200")
            #expect(try running.get(path).status == 503)
        }
    }

    @Test("a thousand streams get all of a long content each, in order, a piece at a time")
    func thousand() throws {
        let feed = Feed()
        let running = try RunningServer(furtherRoute: routes(feed))
        let connections = try (0..<10).map { _ in try HTTP2Connection(port: running.port, settings: [(HTTP2Setting.initialWindowSize, 1 << 20)]) }
        var streams: [[UInt32]] = []
        for connection in connections {
            try connection.send(.windowUpdate(0, 1 << 30))
            streams.append(try (0..<100).map { _ in try connection.request("GET", "/events") })
        }
        for round in 0..<10 {
            for line in 0..<20 { feed.add("round \(round), line \(line)\n") }
            #expect(try running.post("id-\(round)").status == 200)
        }
        let expected = feed.state.withLock { $0.text }
        for (connection, ids) in zip(connections, streams) {
            for id in ids { try connection.read { $0.streams[id]?.body.count ?? 0 >= expected.count } }
            for id in ids { #expect(connection.streams[id]?.body == expected) }
        }
    }
}
