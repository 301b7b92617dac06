// What strangers can make a server hold, and what it says of them: invariants 7, 8 and 9 of DESIGN.md.
//
// Promises: at each bound the server goes on serving. Must not know: how many descriptors there are.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Bounds")
struct BoundTests {
    @Test("at connections-max the longest idle makes room (invariant 7)")
    func longestIdle() throws {
        let running = try RunningServer { $0.connectionsMax = 2 }
        let first = try running.connect()
        let second = try running.connect()
        for connection in [first, second] {
            try connection.send(requestBytes("GET", "/healthz"))
            #expect(try connection.readAnswer().status == 200)
        }
        #expect(try running.post("third").status == 200)
        #expect(try first.readToEnd() == [])
        try second.send(requestBytes("GET", "/healthz"))
        #expect(try second.readAnswer().status == 200)
    }

    @Test("at connections-max who has just come is about to speak; who then says nothing makes room (invariant 7)")
    func silent() throws {
        let running = try RunningServer { $0.connectionsMax = 2 }
        let silent = try (0..<2).map { _ in try running.connect() }
        try eventually("both are there", holds: { running.openConnections == 2 })
        #expect(try running.post("too-early").status == 503)
        running.clock.advance(seconds: 2)
        // Asked again: the loop may still be accepting, with the time it read before.
        try eventually("room is made", holds: { try running.post("in-time").status == 200 })
        #expect(try silent[0].readToEnd() == [])
        try silent[1].send(requestBytes("GET", "/healthz"))
        #expect(try silent[1].readAnswer().status == 200)
    }

    @Test("at connections-max with none idle a newcomer is told 503, and room that comes free is used (invariant 7)")
    func noneIdle() throws {
        let running = try RunningServer { $0.connectionsMax = 2 }
        running.disk.hold()
        let waiting = try running.postHeld("a")
        let half = try running.connect()
        try half.send(requestBytes("POST", "/callback", fields: ["Expect: 100-continue", "Content-Length: 9"]))
        #expect(try half.readAnswer().status == 100, "it is within a request, for certain")
        let newcomer = try running.connect()
        let refused = try newcomer.readAnswer()
        #expect(refused.status == 503 && refused.announcesClose && refused["Retry-After"] == "1")
        #expect(try newcomer.readToEnd() == [])
        #expect(running.lines.lines.contains { $0.contains("connection refused") })
        running.disk.release()
        #expect(try waiting.readAnswer().status == 200)
        #expect(try running.post("b").status == 200, "the one that was answered is idle and makes room")
    }

    @Test("at connections-max no callback that came is lost to make room: each is answered, 200 or 503")
    func roomLosesNothing() throws {
        let running = try RunningServer { $0.connectionsMax = 4 }
        var stored = 0
        for round in 0..<20 {
            let connections = try (0..<12).map { number in
                let connection = try running.connect()
                try connection.send(postBytes(callback("id-\(round)-\(number)")), toleratingClose: true)
                return connection
            }
            for connection in connections {
                let answer = try connection.readAnswer()
                #expect(answer.status == 200 || answer.status == 503)
                if answer.status == 200 { stored += 1 }
            }
        }
        #expect(stored > 0 && Int(running.log.durable) == stored)
    }

    @Test("what waits behind a callback in flight waits in the kernel, and is answered once its turn comes (invariant 7)")
    func backPressure() throws {
        let running = try RunningServer()
        running.disk.hold()
        let connection = try running.postHeld("first")
        var bytes: [UInt8] = []
        for number in 0..<2_000 { bytes += postBytes(callback("id-\(number)", String(repeating: "x", count: 400))) }
        try connection.send(bytes)
        try running.stir()
        running.disk.release()
        for number in -1..<2_000 {
            #expect(try connection.readAnswer().object().string("request_id") == (number < 0 ? "first" : "id-\(number)"))
        }
    }

    @Test("whatever bytes come, the server answers the next one (invariant 8)", arguments: 1...3 as ClosedRange<UInt64>)
    func junk(seed: UInt64) throws {
        let running = try RunningServer()
        var generator = SeededGenerator(seed: seed)
        let samples = [
            postBytes(callback("a")), requestBytes("GET", "/v1/requests/a/callbacks?limit=3&cursor=1"),
            Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n".utf8),
        ]
        for round in 0..<150 {
            var bytes = samples[round % samples.count] + samples[(round / 3) % samples.count]
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
                default: bytes.insert(contentsOf: [0x0D, 0x0A, 0x00, 0x25, 0xFF].shuffled(using: &generator).prefix(2), at: place)
                }
            }
            let connection = try running.connect()
            try connection.send(bytes, toleratingClose: true)
            if round % 4 == 0 { connection.reset() } else { connection.halfClose() }
            if round % 4 != 0 {
                let answers = try connection.readToEnd()
                #expect(answers.isEmpty || answers.starts(with: "HTTP/1.1 ".utf8))
            }
        }
        #expect(try running.post("alive").status == 200)
        try eventually("every connection is closed", holds: { running.openConnections == 0 })
    }

    @Test("no secret, no payload and no query is in a log line or an error (invariant 9)")
    func secrets() throws {
        let running = try RunningServer()
        let mark = "s3cr3t"
        let requests = [
            postBytes(#"{"request_id":"\#(mark)","message":"\#(mark)"}"#, to: "/callback?key=\(mark)"),
            postBytes(#"{"\#(mark)":"\#(mark)"}"#, to: "/callback?key=\(mark)"),
            postBytes("\(mark){", to: "/callback?key=\(mark)"),
            requestBytes("GET", "/callback?\(mark)"), requestBytes("GET", "/v1/requests/a?\(mark)=\(mark)"),
            requestBytes("GET", "/v1/requests/a/callbacks?limit=\(mark)"), requestBytes("GET", "/nowhere?\(mark)"),
            requestBytes("GET", "/%zz?\(mark)"), requestBytes("BREW", "/healthz?\(mark)"),
            requestBytes("GET", "/v1/requests/a?\(mark)", host: "\(mark).example", fields: ["Authorization: Basic \(mark)"]),
            requestBytes("POST", "/callback?\(mark)", fields: ["Content-Length: \(mark)"]),
            requestBytes("POST", "/callback?\(mark)", fields: ["Content-Length: 99999999"]),
            requestBytes("GET", "/ \(mark)"), Array("\u{16}\u{3}\(mark)\r\n\r\n".utf8),
        ]
        for request in requests.dropFirst() {
            let answer = try running.exchange(request)
            #expect(answer.status >= 400)
            #expect(!answer.text.contains(mark), "\(answer.text)")
        }
        #expect(try running.exchange(requests[0]).status == 200)
        running.disk.fail(with: 28)
        let refused = try running.exchange(postBytes(callback("b", mark), to: "/callback?key=\(mark)"))
        #expect(refused.status == 503 && !refused.text.contains(mark) && !refused.text.contains(running.disk.path))
        running.disk.fail(with: nil)
        running.stop()
        let lines = running.lines.lines
        #expect(lines.contains { $0.contains("request refused") })
        for line in lines { #expect(!line.contains(mark), "\(line)") }
    }
}
