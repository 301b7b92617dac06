// How long HTTP/1.1 clients that mean harm are borne, many of them at once, by a clock that the test turns.
//
// Promises: whatever they do, they are gone when their time is up, and a client that means well is there throughout.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Hostile: patience with HTTP/1.1")
struct HostilePatienceTests {
    private static let strangers = 60

    enum Drip: String, CaseIterable, Sendable { case head, body, chunks, extensions, trailers }

    @Test("what drips on 60 connections is 408 when its time is up, however it drips, and the connections are gone", arguments: Drip.allCases)
    func drips(_ drip: Drip) throws {
        let still = try StillServer()
        let chunked = "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        let (start, drop, seconds) =
            switch drip {
            case .head: ("POST /callback HTTP/1.1\r\nX: ", "a", 10)
            case .body: ("POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", " ", 30)
            case .chunks: (chunked, "1\r\nx\r\n", 30)
            case .extensions: (chunked, "1;aaaaaaaaaaaaaaa\r\nx\r\n", 30)
            case .trailers: (chunked + "0\r\n", "X: y\r\n", 30)
            }
        let attackers = try (0..<Self.strangers).map { _ in try still.connect() }
        for attacker in attackers { try attacker.send(start) }
        // Up to a second before the time is up.
        for _ in 0..<9 {
            try still.advance(seconds: seconds / 10)
            for attacker in attackers { try attacker.send(drop) }
            try still.serveClient()
        }
        for attacker in attackers { #expect(!attacker.isReadable(milliseconds: 0)) }
        #expect(still.strangers == Self.strangers)
        try still.advance(seconds: seconds / 10)
        for attacker in attackers {
            let answer = try attacker.readAnswer()
            #expect(answer.status == 408 && answer.announcesClose)
            // It goes on all the same.
            try attacker.send(drop, toleratingClose: true)
        }
        try still.serveClient()
        try eventually("they are gone, though none of them has closed") {
            try still.advance(seconds: Deadlines.lingerSeconds)
            return still.strangers == 0
        }
    }

    @Test("60 connections that say nothing, or nothing after an answer, are closed when their rest is over; who speaks stays")
    func idle() throws {
        let still = try StillServer()
        let attackers = try (0..<Self.strangers).map { _ in try still.connect() }
        for attacker in attackers.prefix(30) {
            try attacker.send(requestBytes("GET", "/healthz"))
            #expect(try attacker.readAnswer().status == 200)
        }
        for _ in 0..<7 {
            try still.advance(seconds: 10)
            try still.serveClient()
        }
        #expect(still.strangers == Self.strangers)
        try still.advance(seconds: 6)
        #expect(still.strangers == 0)
        try still.serveClient()
    }

    @Test("clients that ask much and read nothing are left after the time for writing, half-closed or not", arguments: [false, true])
    func notReading(halfCloses: Bool) throws {
        let still = try StillServer()
        try still.fillPage()
        let attackers = try (0..<20).map { _ in try NarrowConnection(port: still.port) }
        let requests = Array([[UInt8]](repeating: requestBytes("GET", StillServer.page), count: 5).joined())
        for attacker in attackers {
            attacker.offer(requests)
            if halfCloses { attacker.halfClose() }
        }
        try still.advance(seconds: Deadlines.writeSeconds - 1)
        #expect(still.strangers == attackers.count)
        try still.serveClient()
        try still.advance(seconds: 2)
        #expect(still.strangers == 0)
        try still.serveClient()
    }

    @Test("small answers that nobody reads end as large ones do")
    func smallNotReading() throws {
        let still = try StillServer()
        let attackers = try (0..<20).map { _ in try NarrowConnection(port: still.port) }
        let requests = Array([[UInt8]](repeating: requestBytes("GET", "/nowhere"), count: 1_200).joined())
        // Until it takes no more: the answers of what it took fill every buffer on the way.
        for attacker in attackers {
            var stillTurns = 0
            while stillTurns < 3 {
                stillTurns = attacker.offer(requests) == 0 ? stillTurns + 1 : 0
                try still.askClient()
            }
        }
        try still.advance(seconds: Deadlines.writeSeconds + 1)
        #expect(still.strangers == 0)
    }

    @Test("a reader that takes less than the least of its answer in the time for writing is left")
    func tooSlow() throws {
        let still = try StillServer()
        try still.fillPage()
        let attacker = try NarrowConnection(port: still.port)
        attacker.offer(requestBytes("GET", StillServer.page))
        try still.stir()
        for _ in 0..<5 {
            _ = try attacker.take(500)
            try still.advance(seconds: 6)
            try still.serveClient()
        }
        try still.advance(seconds: 1)
        #expect(still.strangers == 0, "2,500 bytes in 30 seconds")
    }

    @Test("a reader that takes twice the least gets all of its answer, however long that takes")
    func slowEnough() throws {
        let still = try StillServer()
        try still.fillPage()
        let reader = try NarrowConnection(port: still.port)
        reader.offer(requestBytes("GET", StillServer.page, fields: ["Connection: close"]))
        try still.stir()
        var taken = 0
        while true {
            let count = try reader.take(2 * Deadlines.writeBytesMin)
            taken += count
            if count < 2 * Deadlines.writeBytesMin { break }
            try still.advance(seconds: Deadlines.writeSeconds - 1)
            guard taken < 4 * 1_024 * 1_024 else { break }
        }
        #expect(taken > 1_000_000, "\(taken) bytes of a MiB")
    }

    @Test("who is answered and closed on, and goes on sending, is listened to no longer than for a MiB")
    func lingering() throws {
        let still = try StillServer()
        let attacker = try still.connect()
        try attacker.send(requestBytes("POST", "/elsewhere", fields: ["Content-Length: 1000000000"]))
        #expect(try attacker.readAnswer().status == 413)
        let mebibyte = [UInt8](repeating: 0x20, count: 1_024 * 1_024)
        for _ in 0..<4 { try attacker.send(mebibyte, toleratingClose: true) }
        // No clock is turned: it is the bytes that end it.
        try eventually("it is gone") {
            try still.serveClient()
            return still.strangers == 0
        }
    }
}
