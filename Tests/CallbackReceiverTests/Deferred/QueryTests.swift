// Questions that are answered off the loop: who waits for them, and who does not.
//
// Promises: each claim over HTTP/1.1 and HTTP/2, with a question that stays open until the test says so.
// Must not know: what real routes ask.

import HTTPWire
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Questions answered off the loop")
struct QueryTests {
    private static func routes(_ gate: Gate) -> Router.FurtherRoute {
        furtherRoutes([
            "/open": { _ in .query(Query(path: Array("/open".utf8)) { _ in plainAnswer("open") }) },
            "/held": { _ in
                .query(
                    Query(path: Array("/held".utf8)) { _ in
                        gate.pass()
                        return plainAnswer("held")
                    })
            },
        ])
    }

    @Test("an answer comes in both versions, to HEAD without its content")
    func answers() throws {
        let running = try RunningServer(furtherRoute: Self.routes(Gate()))
        #expect(try running.get("/open").text == "open")
        let connection = try running.connect()
        try connection.send(requestBytes("HEAD", "/open") + requestBytes("GET", "/open"))
        #expect(try connection.readAnswer(toHEAD: true)["Content-Length"] == "4")
        #expect(try connection.readAnswer().text == "open")
        let http2 = try HTTP2Connection(port: running.port)
        #expect(try http2.exchange("GET", "/open").text == "open")
        #expect(try http2.exchange("HEAD", "/open").body == [])
    }

    @Test("nobody else waits for a long question: neither callbacks nor the neighbours on an HTTP/2 connection")
    func othersGoOn() throws {
        let gate = Gate()
        let running = try RunningServer(furtherRoute: Self.routes(gate))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/held")
        try eventually("the question is asked", holds: { gate.waitingCount == 1 })
        #expect(try http2.post(callback("beside")).status == 200)
        #expect(try running.post("other").status == 200)
        gate.open()
        #expect(try http2.answer(on: stream).text == "held")
    }

    @Test("requests behind it on an HTTP/1.1 connection are answered behind it")
    func order() throws {
        let gate = Gate()
        let running = try RunningServer(furtherRoute: Self.routes(gate))
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/held") + requestBytes("GET", "/open") + postBytes(callback("behind")))
        try eventually("the question is asked", holds: { gate.waitingCount == 1 })
        try running.stir()
        #expect(running.log.durable == 0)
        gate.open()
        #expect(try connection.readAnswer().text == "held")
        #expect(try connection.readAnswer().text == "open")
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("beyond the bound a question is refused with 503 and Retry-After, and there is room again later (invariant 7)")
    func bound() throws {
        let gate = Gate()
        let running = try RunningServer(furtherRoute: Self.routes(gate))
        let connections = try (0..<12).map { _ in try HTTP2Connection(port: running.port) }
        // The first is on the queue before the others, so that none of them is answered meanwhile.
        let first = try connections[0].request("GET", "/held")
        try eventually("the question is asked", holds: { gate.waitingCount == 1 })
        for number in 1..<QueryQueue.waitingMax { _ = try connections[number / 100].request("GET", "/open") }
        for connection in connections { try connection.roundTrip() }
        let refused = try running.get("/open")
        #expect(refused.status == 503 && refused["Retry-After"] == "1")
        #expect(refused["Content-Type"] == "application/problem+json")
        gate.open()
        #expect(try connections[0].answer(on: first).status == 200)
        try eventually("there is room again", holds: { try running.get("/open").status == 200 })
    }

    @Test("a question that takes too long is answered 503, and its answer finds nobody when it comes")
    func expires() throws {
        let gate = Gate()
        let running = try RunningServer(furtherRoute: Self.routes(gate))
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/held"))
        try eventually("the question is asked", holds: { gate.waitingCount == 1 })
        try running.advance(seconds: QueryLane.log.secondsMax - 1)
        #expect(!connection.isReadable(milliseconds: 0))
        try running.advance(seconds: 2)
        let answer = try connection.readAnswer()
        #expect(answer.status == 503 && !answer.announcesClose)
        try connection.send(requestBytes("GET", "/open"))
        gate.open()
        #expect(try connection.readAnswer().text == "open")
    }

    @Test("who leaves before the answer leaves nothing behind, and whoever has its descriptor next gets no word of it")
    func leaves() throws {
        let gate = Gate()
        let running = try RunningServer(furtherRoute: Self.routes(gate))
        for _ in 0..<20 {
            let connection = try running.connect()
            try connection.send(requestBytes("GET", "/held"))
            connection.reset()
        }
        try eventually("all of them are gone", holds: { running.openConnections == 0 })
        let next = try running.connect()
        try running.stir()
        gate.open()
        try running.stir()
        #expect(!next.isReadable(milliseconds: 100))
        try next.send(requestBytes("GET", "/open"))
        #expect(try next.readAnswer().text == "open")
    }

    @Test("a stop answers the questions that were asked, and closes behind them")
    func drain() throws {
        let gate = Gate()
        let running = try RunningServer(furtherRoute: Self.routes(gate)) { $0.drainSeconds = 30 }
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/held"))
        let http2 = try HTTP2Connection(port: running.port)
        let stream = try http2.request("GET", "/held")
        try eventually("a question is asked", holds: { gate.waitingCount == 1 })
        try http2.roundTrip()
        let stopping = running.beginStop()
        try eventually("the listener is closed", holds: { !running.takesConnections })
        gate.open()
        let answer = try connection.readAnswer()
        #expect(answer.text == "held" && answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        #expect(try http2.answer(on: stream).text == "held")
        try http2.readToEnd()
        #expect(http2.goAways.last?.code == .noError)
        #expect(stopping.wait())
    }
}
