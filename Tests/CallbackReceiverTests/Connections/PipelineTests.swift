// Requests in a row, half-closed streams, resets: who gets which answer.
//
// Promises: every connection gets its own answers, in its own order, and nothing of another's.

import Glibc
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Pipelines")
struct PipelineTests {
    /// Twenty callbacks of 50 kB for one request: a page of them is larger than what may be unsent.
    private func fill(_ running: RunningServer) throws {
        for number in 0..<20 {
            #expect(try running.exchange(postBytes(callback("large", String(repeating: "z", count: 50_000 + number)))).status == 200)
        }
    }

    @Test("a request behind a large answer is answered, though the peer says nothing more")
    func behindLarge() throws {
        let running = try RunningServer()
        try fill(running)
        for limit in [1, 2, 3, 20] {
            let connection = try running.connect()
            try connection.send(
                requestBytes("GET", "/v1/requests/large/callbacks?limit=\(limit)") + requestBytes("GET", "/healthz") + postBytes(callback("behind-\(limit)")))
            #expect(try connection.readAnswer().object().array("callbacks")?.count == limit)
            #expect(try connection.readAnswer().text == #"{"status":"alive"}"#)
            #expect(try connection.readAnswer().status == 200)
        }
    }

    @Test("what a peer does not read bounds what is done for it (invariant 7)")
    func notReading() throws {
        let running = try RunningServer()
        try fill(running)
        let before = running.log.durable
        let pairs = 150
        let connection = try running.connect()
        var bytes: [UInt8] = []
        for number in 0..<pairs { bytes += postBytes(callback("pair-\(number)")) + requestBytes("GET", "/v1/requests/large/callbacks") }
        try connection.send(bytes)
        try eventually("the first is stored", holds: { running.log.durable > before })
        // Time enough for every word of the log to come back, were the answers not in the way.
        for number in 0..<60 { #expect(try running.post("other-\(number)").status == 200) }
        let stored = Int(running.log.durable - before) - 60
        #expect(stored < pairs / 2, "\(stored) callbacks were taken in though their answers cannot leave")
        for number in 0..<pairs {
            #expect(try connection.readAnswer().object().string("request_id") == "pair-\(number)")
            #expect(try connection.readAnswer().body.count > 1_000_000)
        }
    }

    @Test("a thousand requests in a row are answered in their order, callbacks and questions mixed")
    func order() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        var bytes: [UInt8] = []
        for number in 0..<500 { bytes += postBytes(callback("id-\(number)")) + requestBytes("GET", "/v1/requests/id-\(number)") }
        try connection.send(bytes)
        for number in 0..<500 {
            for _ in 0..<2 {
                let answer = try connection.readAnswer()
                #expect(answer.status == 200)
                #expect(try answer.object().string("request_id") == "id-\(number)")
            }
        }
    }

    @Test("FIN behind a request: answered, then closed")
    func finBehindRequest() throws {
        let running = try RunningServer()
        running.disk.hold()
        let connection = try running.postHeld("a", behind: requestBytes("GET", "/v1/requests/a"))
        connection.halfClose()
        try running.stir()
        running.disk.release()
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readAnswer().object().string("status") == "sent")
        #expect(try connection.readToEnd() == [])
        try eventually("the connection is closed", holds: { running.openConnections == 0 })
    }

    @Test("FIN within a request is 400 with that request's own path, whoever asked last", arguments: [
        (Array(postBytes(callback("a"), to: "/callback?key=secret").dropLast(5)), "/callback" as String?),
        (Array(requestBytes("GET", "/healthz").dropLast(3)), nil),
        (Array("GE".utf8), nil),
    ])
    func finWithinRequest(bytes: [UInt8], instance: String?) throws {
        let running = try RunningServer()
        let connection = try running.connect()
        try connection.send(bytes)
        try running.stir()
        #expect(try running.get("/v1/requests/of-somebody-else").status == 404)
        connection.halfClose()
        let answer = try connection.readAnswer()
        #expect(answer.status == 400)
        #expect(answer.announcesClose)
        #expect(try answer.object().string("instance") == instance)
        #expect(try connection.readToEnd() == [])
    }

    @Test("FIN before a request, or behind an answer, is answered with nothing")
    func finBetweenRequests() throws {
        let running = try RunningServer()
        let silent = try running.connect()
        silent.halfClose()
        #expect(try silent.readToEnd() == [])
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
        try connection.send("\r")
        connection.halfClose()
        #expect(try connection.readToEnd() == [])
    }

    @Test("a callback whose sender is gone is stored; the next in its slot gets its own answer only")
    func reset() throws {
        let running = try RunningServer()
        running.disk.hold()
        for round in 0..<5 {
            var gone: RawConnection? = try running.postHeld("gone-\(round)")
            try running.stir()
            gone?.reset()
            gone = nil
            try eventually("the reset is seen", holds: { running.openConnections == 0 })
        }
        // Slots, and very likely descriptors, of those that are gone.
        let others = try (0..<5).map { number in
            let connection = try running.connect()
            try connection.send(postBytes(callback("here-\(number)")))
            return connection
        }
        try running.stir()
        running.disk.release()
        for (number, connection) in others.enumerated() {
            #expect(try connection.readAnswer().object().string("request_id") == "here-\(number)")
        }
        try running.stir()
        for connection in others { #expect(!connection.isReadable(milliseconds: 0)) }
        for round in 0..<5 { #expect(try running.get("/v1/requests/gone-\(round)").status == 200) }
    }

    @Test("many connections at once over two loops each get their own answers")
    func manyAtOnce() throws {
        let running = try RunningServer { $0.loops = 2 }
        let connections = try (0..<100).map { _ in try running.connect() }
        for round in 0..<5 {
            for (number, connection) in connections.enumerated() { try connection.send(postBytes(callback("id-\(round)-\(number)"))) }
            for (number, connection) in connections.enumerated() {
                #expect(try connection.readAnswer().object().string("request_id") == "id-\(round)-\(number)")
            }
        }
        #expect(running.log.durable == 500)
    }
}
