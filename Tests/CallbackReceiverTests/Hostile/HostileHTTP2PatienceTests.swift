// How long HTTP/2 clients that mean harm are borne, by a clock that the test turns (RFC 9113 §10.5).
//
// Promises: whatever they mix of streams, windows and pauses, they are gone when their time is up.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Hostile: patience with HTTP/2")
struct HostileHTTP2PatienceTests {
    private static let closedWindow = [(HTTP2Setting.initialWindowSize, UInt32(0))]

    /// A client that never gives a window back.
    private func connect(_ still: StillServer, _ settings: [(UInt16, UInt32)] = closedWindow) throws -> HTTP2Connection {
        let connection = try HTTP2Connection(port: still.port, settings: settings)
        connection.givesWindowsBack = false
        return connection
    }

    @Test("a part of the preface, or the preface and nothing, or drop by drop, ends with the time for a head", arguments: [1, 3, 10, 23, 24, 30])
    func preface(count: Int) throws {
        let still = try StillServer()
        let bytes = HTTP2Frame.preface + HTTP2Frame.settings([]).bytes
        let attackers = try (0..<20).map { _ in try still.connect() }
        for (number, attacker) in attackers.enumerated() {
            // Half of them at once, half of them in two drops.
            try attacker.send(Array(bytes.prefix(number % 2 == 0 ? count : (count + 1) / 2)))
        }
        try still.advance(seconds: 9)
        for (number, attacker) in attackers.enumerated() where number % 2 == 1 { try attacker.send(Array(bytes[((count + 1) / 2)..<count])) }
        try still.serveClient()
        #expect(still.strangers == 20)
        try still.advance(seconds: 2)
        for attacker in attackers { _ = try attacker.readToEnd() }
        try still.advance(seconds: Deadlines.lingerSeconds + 1)
        #expect(still.strangers == 0)
    }

    @Test("who greets and asks nothing is closed when its rest is over, PING or not", arguments: [false, true])
    func idle(pings: Bool) throws {
        let still = try StillServer()
        let attackers = try (0..<20).map { _ in try HTTP2Connection(port: still.port) }
        for _ in 0..<7 {
            try still.advance(seconds: 10)
            try still.serveClient()
            if pings { for attacker in attackers { try attacker.roundTrip() } }
        }
        #expect(still.strangers == 20)
        try still.advance(seconds: 6)
        for attacker in attackers {
            try attacker.readToEnd()
            #expect(attacker.goAways.last?.code == .noError)
        }
        try still.advance(seconds: Deadlines.lingerSeconds + 1)
        #expect(still.strangers == 0)
    }

    @Test("a body that drips is 408 within twice the time for a body, whatever other streams do meanwhile; those streams are served")
    func bodies() throws {
        let still = try StillServer()
        let attacker = try HTTP2Connection(port: still.port)
        var dripping: [(stream: UInt32, second: Int)] = []
        var refused = 0
        for second in stride(from: 0, through: 150, by: 5) {
            let stream = try attacker.open(HTTP2Connection.fields("POST", "/callback"))
            dripping.append((stream, second))
            for (open, _) in dripping where attacker.streams[open]?.isEnded == false && attacker.streams[open]?.reset == nil {
                try attacker.send(.data([0x20], on: open))
            }
            let status = try attacker.exchange("GET", "/healthz").status
            #expect(status == 200)
            try still.advance(seconds: 5)
            try still.serveClient()
            try attacker.roundTrip()
            for (open, since) in dripping where second + 5 - since > 60 {
                let answer = attacker.streams[open]?.answer
                #expect(answer?.status == 408, "stream \(open) has dripped for \(second + 5 - since) seconds")
                refused += 1
            }
            dripping.removeAll { second + 5 - $0.second > 60 }
        }
        #expect(refused > 10)
    }

    @Test("a header block that never ends is borne no longer than a body, and then a rest")
    func headerBlock() throws {
        let still = try StillServer()
        let attackers = try (0..<20).map { _ in try HTTP2Connection(port: still.port) }
        for attacker in attackers {
            try attacker.send(.headers(HPACK.block(HTTP2Connection.fields("GET", "/healthz")), on: attacker.takeStream(), endHeaders: false))
        }
        for _ in 0..<24 {
            try still.advance(seconds: 5)
            try still.serveClient()
        }
        #expect(still.strangers == 0, "after 30 and 75 seconds and a little")
    }

    @Test("100 streams whose windows stay closed, on each of 10 connections, are left after the time for writing")
    func closedWindows() throws {
        let still = try StillServer()
        try still.fillPage()
        let attackers = try (0..<10).map { _ in try connect(still) }
        for attacker in attackers {
            for _ in 0..<100 { _ = try attacker.request("GET", StillServer.page) }
            // Behind a PING that is answered: all of it has been read.
            try attacker.roundTrip()
        }
        try still.advance(seconds: Deadlines.writeSeconds - 1)
        try still.serveClient()
        #expect(still.strangers == 10)
        try still.advance(seconds: 3)
        #expect(still.strangers == 0)
    }

    enum Pretence: String, CaseIterable, Sendable { case cancel, askForHeads, openByOne, ping, askMore }

    @Test("a window that stays closed is not made up for by anything else that the client does", arguments: Pretence.allCases)
    func pretences(_ pretence: Pretence) throws {
        let still = try StillServer()
        try still.fillPage()
        let attacker = try connect(still)
        // With little unsent, so that more is served; or with much.
        let blocked = pretence == .askForHeads
            ? [try attacker.request("GET", StillServer.page + "?limit=1")] : try (0..<20).map { _ in try attacker.request("GET", StillServer.page) }
        try attacker.roundTrip()
        try eventually("nobody else is there") {
            try still.stir()
            return still.strangers == 1
        }
        for turn in 0..<Deadlines.writeSeconds / 2 {
            guard still.strangers == 1 else { break }
            switch pretence {
            case .cancel: try attacker.send(.reset(blocked[turn % blocked.count]))
            case .askForHeads: _ = try attacker.open(HTTP2Connection.fields("HEAD", StillServer.page), end: true)
            case .openByOne: for stream in blocked.prefix(5) { try attacker.send(.windowUpdate(stream, 1)) }
            case .ping: for _ in 0..<100 { try attacker.send(.ping()) }
            case .askMore: _ = try attacker.request("GET", "/healthz")
            }
            try attacker.roundTrip()
            try still.advance(seconds: 2)
            try still.serveClient()
        }
        try still.advance(seconds: 3)
        #expect(still.strangers == 0, "nothing of the answers has left for \(Deadlines.writeSeconds) seconds")
    }

    @Test("who opens its windows and reads nothing, or makes the server talk and reads nothing, is left as well", arguments: [false, true])
    func notReading(asks: Bool) throws {
        let still = try StillServer()
        try still.fillPage()
        let attackers = try (0..<10).map { _ in try NarrowConnection(port: still.port) }
        let greeting = HTTP2Frame.preface + HTTP2Frame.settings([(HTTP2Setting.initialWindowSize, 0x7FFF_FFFF)]).bytes + HTTP2Frame.windowUpdate(0, 0x7FFF_0000).bytes
        for attacker in attackers { attacker.offer(greeting) }
        if asks {
            let requests = (0..<20).flatMap { HTTP2Frame.headers(HPACK.block(HTTP2Connection.fields("GET", StillServer.page)), on: UInt32(2 * $0 + 1)).bytes }
            for attacker in attackers { attacker.offer(requests) }
            try still.stir()
            try still.advance(seconds: Deadlines.writeSeconds - 1)
            try still.serveClient()
            #expect(still.strangers == 10)
            try still.advance(seconds: 3)
        } else {
            // As many as are forgiven, then as many as time forgives: what it says piles up, and is not read.
            let pings = [HTTP2Frame](repeating: .ping(), count: 900).flatMap(\.bytes)
            for _ in 0..<12 {
                for attacker in attackers { attacker.offer(pings) }
                try still.advance(seconds: 8)
                try still.serveClient()
            }
        }
        #expect(still.strangers == 0)
    }

    @Test("streams that are refused and go on sending are reset a little later; the connection's places come free, and nobody else waits")
    func refusedStreams() throws {
        let still = try StillServer()
        let attacker = try HTTP2Connection(port: still.port)
        var streams: [UInt32] = []
        for _ in 0..<100 {
            streams.append(try attacker.open(HTTP2Connection.fields("POST", "/callback") + [("content-length", "1000000")]))
        }
        for stream in streams { #expect(try attacker.answer(on: stream).status == 413) }
        for _ in 0..<4 {
            for stream in streams where attacker.streams[stream]?.reset == nil { try attacker.send(.data([UInt8](repeating: 0x20, count: 20), on: stream)) }
            try attacker.roundTrip()
            try still.advance(seconds: 1)
            try still.serveClient()
        }
        try attacker.roundTrip()
        for stream in streams { #expect(attacker.streams[stream]?.reset == .noError) }
        #expect(try attacker.exchange("GET", "/healthz").status == 200)
    }

    @Test("a client that goes on after GOAWAY is listened to no longer than for a MiB, or until the time to read it is over")
    func afterGoAway() throws {
        let still = try StillServer()
        let attacker = try HTTP2Connection(port: still.port)
        try attacker.raw.send([0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1])
        try attacker.readToEnd()
        #expect(attacker.goAways.count == 1)
        for _ in 0..<32 { try attacker.raw.send([UInt8](repeating: 0, count: 64 * 1_024), toleratingClose: true) }
        try eventually("it is gone") {
            try still.serveClient()
            return still.strangers == 0
        }
    }
}
