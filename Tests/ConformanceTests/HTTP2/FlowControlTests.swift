// RFC 9113 §5.2 and §6.9: windows, in both directions.
//
// Promises: HTTP2Rules fails a test in which the server sends a byte more than a window allows; here windows are
// small, shut, below zero and overflowing.
// Must not know: how large a server makes its own windows.

import Testing
import TestSupport

@Suite("RFC 9113 §5.2, §6.9: flow control")
struct FlowControlTests {
    /// Stores callbacks of one fresh request until its page is that large.
    private func largeRequest(callbacks: Int) throws -> String {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier("large")
        let connection = try server.connect()
        let padding = String(repeating: "p", count: 60_000)
        for index in 0..<callbacks {
            try connection.send(postBytes(#"{"request_id":"\#(identifier)","n":\#(index),"padding":"\#(padding)"}"#))
            #expect(try connection.readAnswer().status == 200)
        }
        return identifier
    }

    @Test("RFC 9113 §6.9: a page larger than every window is delivered as windows open, byte for byte", arguments: [1_000, 16_384, 65_535] as [UInt32])
    func pageInSmallWindows(window: UInt32) throws {
        let identifier = try largeRequest(callbacks: 5)
        let whole = try Shared.server().get("/v1/requests/\(identifier)/callbacks").body
        let connection = try connectHTTP2([(HTTP2Setting.initialWindowSize, window)])
        #expect(try connection.exchange("GET", "/v1/requests/\(identifier)/callbacks").body == whole)
    }

    @Test("RFC 9113 §6.9.1: with a shut window the fields come and no DATA; others go on; one byte of window is one byte")
    func shutWindow() throws {
        let connection = try connectHTTP2([(HTTP2Setting.initialWindowSize, 0)])
        connection.givesWindowsBack = false
        let shut = try connection.request("GET", "/nowhere")
        try connection.read { $0.streams[shut]?.fields != nil }
        try connection.roundTrip()
        #expect(connection.streams[shut]?.body == [])
        // HEAD needs no window, nor does a request's own body.
        #expect(try connection.exchange("HEAD", "/nowhere").status == 404)
        let open = try connection.request("POST", "/callback", body: Array(sentPayload(Shared.freshIdentifier()).utf8))
        try connection.send(.windowUpdate(open, 10_000))
        #expect(try connection.answer(on: open).status == 200)
        for count in 1...5 {
            try connection.send(.windowUpdate(shut, 1))
            try connection.read { $0.streams[shut]?.body.count == count }
        }
        try connection.send(.windowUpdate(shut, 0x7FFF_FFFF))
        #expect(try connection.answer(on: shut).status == 404)
    }

    @Test("RFC 9113 §6.9.1: the connection's window holds for all streams together")
    func connectionWindow() throws {
        let identifier = try largeRequest(callbacks: 1)
        let connection = try connectHTTP2([(HTTP2Setting.initialWindowSize, 0x7FFF_FFFF)])
        connection.givesWindowsBack = false
        let streams = try (0..<3).map { _ in try connection.request("GET", "/v1/requests/\(identifier)/callbacks") }
        try connection.read { connection in connection.receiveWindow == 0 }
        try connection.roundTrip()
        // What has no DATA is not held up.
        #expect(try connection.exchange("HEAD", "/healthz").status == 200)
        #expect(streams.reduce(0) { $0 + (connection.streams[$1]?.body.count ?? 0) } == 65_535)
        try connection.send(.windowUpdate(0, 0x7FFF_FFFF - 65_535))
        let bodies = try streams.map { try connection.answer(on: $0).body }
        for body in bodies { #expect(body.count > 60_000 && body == bodies[0]) }
    }

    @Test("RFC 9113 §6.9.2: a smaller initial window takes open streams below zero, and nothing is sent until they are above")
    func negativeWindow() throws {
        let identifier = try largeRequest(callbacks: 2)
        let connection = try connectHTTP2([(HTTP2Setting.initialWindowSize, 40_000)])
        connection.givesWindowsBack = false
        let stream = try connection.request("GET", "/v1/requests/\(identifier)/callbacks")
        try connection.read { $0.streams[stream]?.body.count == 40_000 }
        try connection.send(.setting(HTTP2Setting.initialWindowSize, 10_000), .windowUpdate(0, 1_000_000))
        try connection.read { $0.settingsAcknowledged == 2 }
        #expect(connection.streams[stream]?.receiveWindow == -30_000)
        try connection.send(.windowUpdate(stream, 30_000))
        try connection.roundTrip()
        #expect(connection.streams[stream]?.body.count == 40_000)
        try connection.send(.windowUpdate(stream, 7))
        try connection.read { $0.streams[stream]?.body.count == 40_007 }
        // §6.9.2: raised again by SETTINGS alone.
        try connection.send(.setting(HTTP2Setting.initialWindowSize, 1_000_000))
        #expect(try connection.answer(on: stream).body.count > 120_000)
    }

    @Test("RFC 9113 §6.9: an increment of 0 is PROTOCOL_ERROR, of the stream or of the connection")
    func zeroIncrement() throws {
        try expectConnectionError([.protocolError]) { try $0.send(.windowUpdate(0, 0)) }
        try expectStreamError([.protocolError]) { connection in
            let stream = connection.takeStream()
            try connection.send(.headers(postBlock(), on: stream, end: false), .windowUpdate(stream, 0))
            return stream
        }
    }

    @Test("RFC 9113 §6.9.1: a window beyond 2^31-1 is FLOW_CONTROL_ERROR, of the stream or of the connection")
    func overflow() throws {
        try expectConnectionError([.flowControlError]) { try $0.send(.windowUpdate(0, 0x7FFF_FFFF)) }
        try expectStreamError([.flowControlError]) { connection in
            let stream = connection.takeStream()
            try connection.send(.headers(postBlock(), on: stream, end: false), .windowUpdate(stream, 0x7FFF_FFFF))
            return stream
        }
    }

    @Test("RFC 9113 §6.9.2: SETTINGS that take a stream's window beyond 2^31-1 are FLOW_CONTROL_ERROR")
    func overflowBySettings() throws {
        try expectConnectionError([.flowControlError]) { connection in
            let stream = connection.takeStream()
            try connection.send(
                .headers(postBlock(), on: stream, end: false), .windowUpdate(stream, 0x7FFF_FFFF - 65_535), .setting(HTTP2Setting.initialWindowSize, 65_536))
        }
    }

    @Test("RFC 9113 §6.9: a window of 2^31-1, and the reserved bit of an increment, are lawful")
    func largestWindow() throws {
        let connection = try connectHTTP2()
        try connection.send(.windowUpdate(0, 0x7FFF_FFFF - 65_535))
        let stream = try connection.request("GET", "/healthz")
        #expect(try connection.answer(on: stream).status == 200)
        // Of what that answer took, one byte is given back, its reserved bit set.
        connection.givesWindowsBack = false
        #expect(try connection.exchange("GET", "/healthz").status == 200)
        try connection.raw.send(HTTP2Frame.windowUpdate(0, 0x8000_0001).bytes)
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }

    @Test("RFC 9113 §5.2: a body of the largest size is taken as windows come, one after another and side by side")
    func bodyBeyondWindows() throws {
        let connection = try connectHTTP2()
        func body() -> [UInt8] {
            let start = #"{"request_id":"\#(Shared.freshIdentifier())","a":""#
            return Array((start + String(repeating: "x", count: 65_536 - start.utf8.count - 2) + #""}"#).utf8)
        }
        for _ in 0..<4 { #expect(try connection.exchange("POST", "/callback", body: body()).status == 200) }
        // Ten bodies at once, a piece of each in turn: more than one connection window.
        let bodies = (0..<10).map { _ in body() }
        let streams = try bodies.map { _ in try connection.open(HTTP2Connection.fields("POST", "/callback")) }
        for start in stride(from: 0, to: 65_536, by: 8_192) {
            for (stream, body) in zip(streams, bodies) {
                try connection.sendBody(Array(body[start..<start + 8_192]), on: stream, end: start + 8_192 == 65_536)
            }
        }
        for stream in streams { #expect(try connection.answer(on: stream).status == 200) }
    }

    @Test("RFC 9113 §5.2.2: as many of the largest bodies at once as streams are allowed come to their ends, none starving another")
    func noDeadlock() throws {
        let connection = try connectHTTP2()
        let limit = min(100, Int(connection.peerSettings[HTTP2Setting.concurrentStreamsMax] ?? 100))
        let bodies = (0..<limit).map { _ in
            let start = #"{"request_id":"\#(Shared.freshIdentifier())","a":""#
            return Array((start + String(repeating: "x", count: 65_536 - start.utf8.count - 2) + #""}"#).utf8)
        }
        let streams = try bodies.map { _ in try connection.open(HTTP2Connection.fields("POST", "/callback")) }
        // Each is brought to its last byte before any ends.
        for (start, end) in [(0, 16_384), (16_384, 49_152), (49_152, 65_535), (65_535, 65_536)] {
            for (stream, body) in zip(streams, bodies) { try connection.sendBody(Array(body[start..<end]), on: stream, end: end == 65_536) }
        }
        for stream in streams {
            // §8.7: refused for want of room is lawful too, as long as it is said.
            switch try connection.outcome(of: stream) {
            case .answer(let answer): #expect(answer.status == 200 || (answer.status == 503 && answer["Retry-After"] != nil), "\(answer.status)")
            case .reset(let code): #expect(code == .refusedStream)
            case let outcome: Issue.record("\(outcome)")
            }
        }
        #expect(try connection.post(sentPayload(Shared.freshIdentifier())).status == 200)
    }

    @Test("RFC 9113 §6.9: a body of a mebibyte is taken through windows of any size, where so much is allowed, and comes back whole")
    func mebibyte() throws {
        let server = try ServerProcess(configuration: "callback:\n  body-bytes-max: 1 MiB\n")
        let connection = try HTTP2Connection(port: server.port)
        let start = #"{"request_id":"large","a":""#
        let body = start + String(repeating: "x", count: 1_048_576 - start.utf8.count - 2) + #""}"#
        let answer = try connection.post(body)
        #expect(answer.status == 200, "\(answer.text)")
        // More went than the first windows held: the server opened them.
        #expect(
            connection.received.contains { $0.kind == HTTP2FrameKind.windowUpdate && $0.stream != 0 }
                || (connection.peerSettings[HTTP2Setting.initialWindowSize] ?? 0) >= 1_048_576)
        let page = try connection.exchange("GET", "/v1/requests/large/callbacks").object()
        #expect(try RawJSON(object: try #require(page.array("callbacks")?.first))["payload"] == body)
    }

    @Test("RFC 9113 §5.1, §6.9: DATA of refused and reset streams counts for the connection's window, and is given back")
    func windowOfTheDead() throws {
        let connection = try connectHTTP2()
        for round in 0..<20 {
            // Refused by its announced length, while the client is already sending.
            let refused = try connection.open(HTTP2Connection.fields("POST", "/callback") + [("content-length", "1000000")])
            let reset = try connection.open(HTTP2Connection.fields("POST", "/callback"))
            while connection.sendWindow < 2 * 16_384 { try connection.step() }
            try connection.send(
                .data([UInt8](repeating: 0x61, count: 16_384), on: refused), .data([UInt8](repeating: 0x61, count: 16_384), on: reset), .reset(reset))
            guard case .answer(let answer) = try connection.outcome(of: refused) else {
                Issue.record("round \(round): no answer")
                return
            }
            #expect(answer.status == 413)
        }
        #expect(try connection.post(sentPayload(Shared.freshIdentifier())).status == 200)
    }
}
