// More than can be stored, and more than can be held (invariant 7): what is refused, what is kept, who is spared.
//
// Promises: the disk is held and the clock stands, so that "too much" is a state and not a race.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Hostile: overload")
struct OverloadTests {
    private static let streams = 100

    /// `count` connections with 100 callbacks each before the held disk.
    private func fill(_ still: StillServer, connections count: Int) throws -> [HTTP2Connection] {
        still.disk.hold()
        return try (0..<count).map { number in
            let connection = try HTTP2Connection(port: still.port)
            var frames: [HTTP2Frame] = []
            for stream in 0..<Self.streams {
                let body = Array(callback("id-\(number)-\(stream)").utf8)
                let id = connection.takeStream()
                frames.append(.headers(HPACK.block(HTTP2Connection.fields("POST", "/callback")), on: id, end: false))
                frames.append(.data(body, on: id, end: true))
            }
            try connection.send(frames)
            // What was sent before the PING has been read.
            try connection.roundTrip()
            return connection
        }
    }

    private func expectAllStored(_ connections: [HTTP2Connection]) throws {
        for connection in connections {
            for stream in 0..<Self.streams { #expect(try connection.answer(on: UInt32(2 * stream + 1)).status == 200) }
        }
    }

    @Test("behind more than a batch on a slow disk newcomers are 503 at once, before they are decoded; what was taken is stored; then all goes on")
    func sheds() throws {
        let still = try StillServer()
        let connections = try fill(still, connections: Exchanges.batchCount / Self.streams + 2)
        // More than a batch, but not for long: nobody is refused for it.
        let early = try still.connect()
        try early.send(postBytes(callback("early")))
        try still.stir()
        #expect(!early.isReadable(milliseconds: 0))
        try still.advance(seconds: 2)
        let durable = still.log.durable
        for body in [callback("late"), "not JSON", callback("id-0-0")] {
            let answer = try still.exchange(postBytes(body))
            #expect(answer.status == 503 && answer["Retry-After"] == "1", "\(answer.text)")
            #expect(!answer.announcesClose, "the connection may stay")
        }
        let later = try HTTP2Connection(port: still.port)
        let refused = try later.post(callback("late"))
        #expect(refused.status == 503 && refused["Retry-After"] == "1")
        let metrics = try ScrapedMetrics(try still.get("/metrics").text)
        #expect(metrics["callback_receiver_shed_total{what=\"record\"}"] == 4)
        #expect(metrics["callback_receiver_callbacks_refused_total{reason=\"overloaded\"}"] == 4)
        // What needs no disk is served.
        #expect(try still.get("/v1/requests/good-1").status == 200)
        #expect(still.log.durable == durable)
        still.disk.release()
        try expectAllStored(connections)
        #expect(try early.readAnswer().status == 200)
        #expect(try still.get("/v1/requests/late").status == 404, "what was refused is not stored")
        for _ in 0..<20 { try still.serveClient() }
        #expect(try later.post(callback("late")).status == 200)
    }

    @Test("a queue of less than a batch is never shed, however long the disk takes, short of the time for a commit")
    func undisturbed() throws {
        let still = try StillServer()
        let connections = try fill(still, connections: 50)
        for second in 0..<4 {
            try still.advance(seconds: 1)
            let waiting = try still.connect()
            try waiting.send(postBytes(callback("waiting-\(second)")))
            try still.stir()
            #expect(!waiting.isReadable(milliseconds: 0))
        }
        still.disk.release()
        try expectAllStored(connections)
        try still.serveClient()
    }

    @Test("more bytes than may wait for the disk: 503 to those beyond, 200 to all before, none lost, none twice")
    func bytes() throws {
        let still = try StillServer { $0.callbackBodyBytesMax = 1_024 * 1_024 }
        still.disk.hold()
        let first = try still.connect()
        try first.send(postBytes(callback("first")))
        try eventually("the disk is held", holds: { still.disk.isHolding })
        // 48 of 900 kB; 32 MiB may wait.
        let senders = try (0..<48).map { number in
            let sender = try still.connect()
            try sender.send(postBytes(callback("large-\(number)", String(repeating: "x", count: 511)).dropLast(1) + #","pad":"\#(String(repeating: "y", count: 900_000))"}"#))
            return sender
        }
        try eventually("some are refused", holds: { senders.count { $0.isReadable(milliseconds: 0) } >= 5 })
        still.disk.release()
        #expect(try first.readAnswer().status == 200)
        for (number, sender) in senders.enumerated() {
            let status = try sender.readAnswer().status
            #expect(status == 200 || status == 503)
            #expect(try still.get("/v1/requests/large-\(number)").status == (status == 200 ? 200 : 404))
        }
        try still.serveClient()
    }

    // MARK: requests that are not whole

    @Test("bodies beyond what a loop holds: who has been sending for longest is refused, the others and short ones go on")
    func heldBodies() throws {
        let still = try StillServer { $0.callbackBodyBytesMax = 16 * 1_024 * 1_024 }
        let piece = [UInt8](repeating: 0x20, count: 1_024 * 1_024)
        let attackers = try (0..<6).map { _ in try still.connect() }
        for attacker in attackers {
            try attacker.send(requestBytes("POST", "/callback", fields: ["Content-Length: 16000000"]))
            for _ in 0..<12 { try attacker.send(piece) }
            try still.serveClient()
            try still.serveClientInTwo()
        }
        // 72 MiB of 64 that may be.
        #expect(try attackers[0].readAnswer().status == 408)
        for attacker in attackers.dropFirst() { #expect(!attacker.isReadable(milliseconds: 0)) }
    }

    /// A client that means well, whose callback comes in two pieces: the first is there, the other is on its way.
    private func beginInTwo(_ still: StillServer) throws -> (connection: RawConnection, rest: [UInt8]) {
        let connection = try still.connect()
        let bytes = postBytes(callback("in-two"))
        try connection.send(Array(bytes.dropLast(10)))
        try still.stir()
        return (connection, Array(bytes.suffix(10)))
    }

    @Test("streams beyond what a loop holds: who holds much is refused, not who means well and holds little")
    func heldStreams() throws {
        let still = try StillServer()
        let patient = try beginInTwo(still)
        let body = [UInt8](repeating: 0x20, count: 16_000)
        // 14 bodies of 64,000 bytes on each of 85 connections: 73 MiB, 0.9 MiB a connection.
        let attackers = try (0..<85).map { _ in
            let attacker = try HTTP2Connection(port: still.port)
            let streams = (0..<14).map { _ in attacker.takeStream() }
            try attacker.send(streams.map { .headers(HPACK.block(HTTP2Connection.fields("POST", "/callback")), on: $0, end: false) })
            for _ in 0..<4 { try attacker.send(streams.map { .data(body, on: $0) }) }
            try attacker.roundTrip()
            return attacker
        }
        for _ in 0..<5 {
            try still.serveClient()
            try still.serveClientInTwo()
        }
        #expect(attackers.contains { $0.streams.values.contains { $0.answer?.status == 408 } }, "some are refused")
        try patient.connection.send(patient.rest)
        #expect(try patient.connection.readAnswer().status == 200)
    }

    @Test("input behind callbacks that wait for the disk, beyond what a loop holds: who means well and holds little is not refused for it")
    func heldInput() throws {
        let still = try StillServer()
        let patient = try beginInTwo(still)
        still.disk.hold()
        let behind = Array([[UInt8]](repeating: requestBytes("GET", "/healthz"), count: 1_500).joined().prefix(62_000))
        // 62 kB on each of 1,150 connections: 68 MiB.
        let attackers = try (0..<1_150).map { number in
            let attacker = try still.connect()
            // Once a connection has had an answer, its window takes all that follows in one piece.
            try attacker.send(requestBytes("GET", "/healthz"))
            #expect(try attacker.readAnswer().status == 200)
            try attacker.send(postBytes(callback("first-\(number)")) + behind)
            return attacker
        }
        try still.stir()
        #expect(!patient.connection.isReadable(milliseconds: 0), "it is still waited for")
        try patient.connection.send(patient.rest)
        try still.stir()
        still.disk.release()
        #expect(try patient.connection.readAnswer().status == 200)
        for attacker in attackers { #expect(try attacker.readAnswer().status == 200) }
        try still.serveClient()
    }
}
