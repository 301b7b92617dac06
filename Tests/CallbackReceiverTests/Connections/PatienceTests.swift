// How long a connection may take: every deadline, by a clock that the test turns.
//
// Promises: nothing here waits for time; a turn of the clock is noticed at the loop's next event.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Patience")
struct PatienceTests {
    @Test("after a quiet time everything has its whole time: callback, head, body, new connection")
    func afterQuiet() throws {
        let running = try RunningServer { $0.idleSeconds = 3_600 }
        let connection = try running.connect()
        try connection.send(postBytes(callback("first")))
        #expect(try connection.readAnswer().status == 200)
        // Longer than every other deadline; no event tells the loop.
        running.clock.advance(seconds: 60)
        try connection.send(postBytes(callback("second")))
        #expect(try connection.readAnswer().status == 200)
        for part in [15, 60] {
            running.clock.advance(seconds: 60)
            let bytes = postBytes(callback("in-two-parts-\(part)"))
            try connection.send(Array(bytes.prefix(part)))
            try running.stir()
            try connection.send(Array(bytes.dropFirst(part)))
            #expect(try connection.readAnswer().status == 200)
        }
        running.clock.advance(seconds: 4_000)
        #expect(try running.post("new-connection").status == 200)
    }

    @Test("a head that does not come is 408, however it drips")
    func head() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        let bytes = postBytes(callback("a"))
        for byte in bytes.prefix(4) {
            try connection.send([byte])
            try running.advance(seconds: 3)
        }
        let answer = try connection.readAnswer()
        #expect(answer.status == 408)
        #expect(answer.announcesClose)
        #expect(try answer.object().string("instance") == nil, "the head is not known")
        #expect(try connection.readToEnd() == [])
    }

    @Test("a body that does not come is 408, however it drips, with its own path")
    func body() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        let bytes = postBytes(callback("a"), to: "/callback?key=secret")
        try connection.send(Array(bytes.dropLast(10)))
        for byte in bytes.suffix(10).prefix(4) {
            try running.advance(seconds: 9)
            try connection.send([byte])
        }
        let answer = try connection.readAnswer()
        #expect(answer.status == 408)
        #expect(try answer.object().string("instance") == "/callback")
        #expect(try connection.readToEnd() == [])
    }

    @Test("the head of the next request has a time of its own")
    func secondHead() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        let request = requestBytes("GET", "/healthz")
        try connection.send(Array(request.prefix(10)))
        try running.advance(seconds: 8)
        // The rest of the first, and a part of the second, in one piece.
        try connection.send(Array(request.dropFirst(10)) + Array(request.prefix(10)))
        #expect(try connection.readAnswer().status == 200)
        try running.advance(seconds: 8)
        try connection.send(Array(request.dropFirst(10)))
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("a head behind a callback that waits for the disk has its time from then on")
    func headBehindPending() throws {
        let running = try RunningServer()
        running.disk.hold()
        let request = requestBytes("GET", "/healthz")
        let connection = try running.postHeld("a", behind: Array(request.prefix(10)))
        try running.advance(seconds: 4)
        running.disk.release()
        #expect(try connection.readAnswer().status == 200)
        try running.advance(seconds: 8)
        try connection.send(Array(request.dropFirst(10)))
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("rest between requests begins anew with each answer, and ends")
    func idle() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        for _ in 0..<3 {
            try connection.send(requestBytes("GET", "/healthz"))
            #expect(try connection.readAnswer().status == 200)
            try running.advance(seconds: 50)
        }
        try running.advance(seconds: 30)
        #expect(try connection.readToEnd() == [])
    }

    @Test("empty lines do not lengthen a rest")
    func emptyLines() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        try connection.send("\r")
        try running.advance(seconds: 50)
        try connection.send("\n")
        try running.advance(seconds: 50)
        #expect(try connection.readToEnd() == [])
    }

    @Test("a peer that takes nothing of its answers is let go")
    func write() throws {
        let running = try RunningServer()
        for number in 0..<20 { #expect(try running.exchange(postBytes(callback("a", String(repeating: "\(number % 10)", count: 50_000 + number)))).status == 200) }
        let connection = try running.connect()
        for _ in 0..<40 { try connection.send(requestBytes("GET", "/v1/requests/a/callbacks")) }
        // Forty mebibytes go into no socket's buffers: much of it waits here.
        try running.stir()
        #expect(connection.isReadable(milliseconds: 15_000))
        try eventually("the connection is closed") {
            try running.advance(seconds: 31)
            return running.openConnections == 0
        }
        _ = try connection.readToEnd()
    }

    @Test("a peer that does not close after the last answer is let go")
    func linger() throws {
        let running = try RunningServer()
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/healthz", fields: ["Connection: close"]))
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readToEnd() == [])
        #expect(running.openConnections == 1)
        try eventually("the connection is closed") {
            try running.advance(seconds: 3)
            return running.openConnections == 0
        }
    }

    @Test("a disk that hangs is 503 after five seconds, its late word is ignored, the next request gets its own (invariant 3)")
    func commit() throws {
        let running = try RunningServer()
        running.disk.hold()
        let connection = try running.postHeld("late")
        try running.advance(seconds: 4)
        #expect(!connection.isReadable(milliseconds: 0))
        try running.advance(seconds: 2)
        let refused = try connection.readAnswer()
        #expect(refused.status == 503 && refused["Retry-After"] == "10" && !refused.announcesClose)
        #expect(try refused.object().string("instance") == "/callback")
        // On the same connection, before the word on the first has come.
        try connection.send(postBytes(callback("next")))
        try running.stir()
        running.disk.release()
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(try answer.object().string("request_id") == "next")
        #expect(try running.get("/v1/requests/late").status == 200, "stored all the same")
        try running.stir()
        #expect(!connection.isReadable(milliseconds: 0))
    }

    @Test("a callback behind answers that the peer takes slowly has its own five seconds")
    func commitBehindAnswers() throws {
        let running = try RunningServer()
        for number in 0..<20 { _ = try running.exchange(postBytes(callback("a", String(repeating: "z", count: 50_000 + number)))) }
        running.disk.hold()
        let connection = try running.connect()
        let durable = running.log.durable
        var bytes: [UInt8] = []
        for _ in 0..<40 { bytes += requestBytes("GET", "/v1/requests/a/callbacks") }
        try connection.send(bytes + postBytes(callback("behind")))
        // Forty mebibytes wait for this side; the callback's turn comes when they have left.
        for _ in 0..<40 { #expect(try connection.readAnswer().status == 200) }
        try eventually("the callback waits for the disk", holds: { running.disk.isHolding })
        try running.advance(seconds: 6)
        #expect(try connection.readAnswer().status == 503)
        #expect(running.log.durable == durable)
    }
}
