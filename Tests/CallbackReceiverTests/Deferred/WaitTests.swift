// Requests that wait for their callback: answered when it comes, when their time is up, when nobody waits any more.
//
// Promises: each claim with a question in the test's hands, over HTTP/1.1 or HTTP/2 or both.
// Must not know: what a real wait asks.

import HTTPWire
import Synchronization
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Waits")
struct WaitTests {
    /// What a wait asks: nothing until the test says what is known.
    private final class Known: Sendable {
        private let text = Mutex<String?>(nil)
        private let asked = Atomic<Int>(0)
        private let hash = Atomic<UInt64>(0)
        var askedCount: Int { asked.load(ordering: .sequentiallyConsistent) }
        func set(_ text: String?) { self.text.withLock { $0 = text } }
        /// Which request's records it waits for.
        func follow(_ hash: UInt64) { self.hash.store(hash, ordering: .sequentiallyConsistent) }

        func disposition(milliseconds: Int64 = 30_000) -> Disposition {
            .wait(
                PreparedWait(requestHash: hash.load(ordering: .sequentiallyConsistent), milliseconds: milliseconds, path: Array("/wait".utf8)) { _ in
                    self.asked.add(1, ordering: .sequentiallyConsistent)
                    let text = self.text.withLock { $0 }
                    return WaitAnswer(response: plainAnswer(text ?? "nothing yet"), isFinal: text != nil)
                })
        }
    }

    private func running(_ known: Known, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws -> RunningServer {
        let running = try RunningServer(furtherRoute: furtherRoutes(["/wait": { _ in known.disposition() }]), configure)
        known.follow(running.log.hash(of: Array("it".utf8).span))
        return running
    }

    @Test("what is known already is answered at once")
    func atOnce() throws {
        let known = Known()
        known.set("there")
        let running = try running(known)
        #expect(try running.get("/wait").text == "there")
        #expect(try HTTP2Connection(port: running.port).exchange("GET", "/wait").text == "there")
    }

    @Test("what comes later is answered when it comes, requests behind it then, neighbours over HTTP/2 before")
    func later() throws {
        let known = Known()
        let running = try running(known)
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/wait") + requestBytes("GET", "/healthz"))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/wait")
        try eventually("both are asked", holds: { known.askedCount == 2 })
        // Another request's record: nobody is asked. One of theirs that changes nothing: asked again, and not answered.
        #expect(try http2.post(callback("beside")).status == 200)
        try running.stir()
        #expect(known.askedCount == 2)
        #expect(try http2.post(callback("it", "wamid.0")).status == 200)
        try eventually("both are asked again", holds: { known.askedCount == 4 })
        #expect(!connection.isReadable(milliseconds: 50))
        known.set("there")
        #expect(try running.post("it").status == 200)
        #expect(try connection.readAnswer().text == "there")
        #expect(try connection.readAnswer().text == #"{"status":"alive"}"#)
        #expect(try http2.answer(on: stream).text == "there")
    }

    @Test("when the time is up the answer is what is known, and not before")
    func timeIsUp() throws {
        let known = Known()
        let running = try running(known)
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/wait"))
        try eventually("it is asked", holds: { known.askedCount == 1 })
        try running.advance(seconds: 29)
        #expect(!connection.isReadable(milliseconds: 0) && known.askedCount == 1)
        try running.advance(seconds: 2)
        let answer = try connection.readAnswer()
        #expect(answer.text == "nothing yet" && !answer.announcesClose)
    }

    @Test("a peer that ends its side has what is known at once, and its place is free")
    func peerEnds() throws {
        let known = Known()
        let running = try running(known)
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/wait"))
        try eventually("it is asked", holds: { known.askedCount == 1 })
        connection.halfClose()
        #expect(try connection.readAnswer().text == "nothing yet")
        #expect(try connection.readToEnd() == [])
        let before = known.askedCount
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/wait")
        try eventually("it is asked", holds: { known.askedCount > before })
        http2.raw.halfClose()
        #expect(try http2.answer(on: stream).text == "nothing yet")
    }

    @Test("who is gone is waited for by nobody: a reset connection, a reset stream", arguments: [true, false])
    func gone(isHTTP2: Bool) throws {
        let known = Known()
        let running = try running(known)
        let neighbour = try HTTP2Connection(port: running.port)
        if isHTTP2 {
            let stream = try neighbour.request("GET", "/wait")
            try eventually("it is asked", holds: { known.askedCount == 1 })
            try neighbour.send(.reset(stream, .cancel))
            try neighbour.roundTrip()
        } else {
            let connection = try running.connect()
            try connection.send(requestBytes("GET", "/wait"))
            try eventually("it is asked", holds: { known.askedCount == 1 })
            connection.reset()
        }
        try eventually("nobody else is there", holds: { running.openConnections == 1 })
        #expect(try neighbour.post(callback("it")).status == 200)
        #expect(try neighbour.exchange("GET", "/healthz").status == 200)
        #expect(known.askedCount == 1)
    }

    @Test("a stop answers all of them with what is known, promptly, and says that the connection ends")
    func drain() throws {
        let known = Known()
        let running = try running(known) { $0.drainSeconds = 30 }
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/wait"))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/wait")
        try eventually("both are asked", holds: { known.askedCount == 2 })
        let stopping = running.beginStop()
        let answer = try connection.readAnswer()
        #expect(answer.text == "nothing yet" && answer.announcesClose)
        #expect(try http2.answer(on: stream).text == "nothing yet")
        try http2.readToEnd()
        #expect(stopping.wait())
    }

    @Test("two thousand waits for one request are all answered by its one callback")
    func many() throws {
        let known = Known()
        let running = try running(known)
        let connections = try (0..<20).map { _ in try HTTP2Connection(port: running.port) }
        var streams: [[UInt32]] = []
        for connection in connections { streams.append(try (0..<100).map { _ in try connection.request("GET", "/wait") }) }
        try eventually("all of them are asked", holds: { known.askedCount == 2_000 })
        known.set("there")
        #expect(try running.post("it").status == 200)
        for (connection, ids) in zip(connections, streams) {
            for id in ids { #expect(try connection.answer(on: id).text == "there") }
        }
        #expect(known.askedCount <= 4_000)
    }

    @Test("as many wait as may; one more is told 503 at once, and has a place when another leaves (invariant 7)")
    func bound() throws {
        let known = Known()
        let running = try running(known)
        let connections = try (0...Following.waitsMax / 100).map { _ in try HTTP2Connection(port: running.port) }
        for number in 0..<Following.waitsMax { _ = try connections[number / 100].request("GET", "/wait") }
        for connection in connections { try connection.roundTrip() }
        let refused = try running.get("/wait")
        #expect(refused.status == 503 && refused["Retry-After"] == Problem.overloadRetrySeconds && refused.text.contains("wait"))
        try connections[0].send(.reset(1, .cancel))
        try connections[0].roundTrip()
        let stream = try connections[0].request("GET", "/wait")
        try connections[0].roundTrip()
        #expect(connections[0].streams[stream]?.fields == nil)
        #expect(try running.get("/wait").status == 503)
        known.set("there")
        #expect(try running.post("it").status == 200)
        #expect(try connections[0].answer(on: stream).text == "there")
        #expect(try running.get("/wait").text == "there")
    }
}
