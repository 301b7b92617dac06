// RFC 9113 §5.1 and §5.4: the states of a stream, identifiers, how many there may be, and errors of one alone.
//
// Promises: every frame that a state does not allow.
// Must not know: the contents of messages.

import Testing
import TestSupport

@Suite("RFC 9113 §5: streams")
struct StreamTests {
    @Test(
        "RFC 9113 §5.1: on an idle stream anything but HEADERS or PRIORITY is PROTOCOL_ERROR",
        arguments: [
            HTTP2Frame.data([1], on: 5), .data([], on: 5, end: true), .reset(5), .windowUpdate(5, 1), .continuation(healthBlock, on: 5), .data([1], on: 2),
            .reset(2), .windowUpdate(2, 1),
        ])
    func idle(frame: HTTP2Frame) throws {
        try expectConnectionError([.protocolError]) { connection in
            try connection.send(.headers(healthBlock, on: connection.takeStream()), frame)
        }
    }

    @Test("RFC 9113 §5.1: DATA or HEADERS after END_STREAM is STREAM_CLOSED, whether the answer is out or not", arguments: [false, true])
    func halfClosed(isAnswered: Bool) throws {
        for frame in [HTTP2Frame.data([1], on: 1), .data([], on: 1, end: true), .headers(HPACK.block([("x", "y")]), on: 1), .headers(healthBlock, on: 1)] {
            let connection = try connectHTTP2()
            // While the window is shut the stream cannot close.
            if !isAnswered {
                try connection.send(.setting(HTTP2Setting.initialWindowSize, 0))
                try connection.read { $0.settingsAcknowledged == 2 }
            }
            let stream = try connection.request("GET", "/healthz")
            if isAnswered { #expect(try connection.answer(on: stream).status == 200) } else { try connection.read { $0.streams[stream]?.fields != nil } }
            try connection.send(frame)
            if isAnswered {
                // A closed stream: to ignore the frame is allowed, to answer it is not.
                try connection.send(.ping([1, 1, 1, 1, 1, 1, 1, 1]))
                while try connection.pongs.isEmpty && connection.step() {}
                #expect(connection.goAways.allSatisfy { [.streamClosed, .protocolError].contains($0.code) }, "\(connection.goAways)")
                continue
            }
            let outcome = try connection.outcome(of: stream)
            switch outcome {
            case .reset(let code), .goAway(let code): #expect(code == .streamClosed, "\(frame.kind)")
            default: Issue.record("\(frame.kind) ended with \(outcome)")
            }
        }
    }

    @Test("RFC 9113 §5.1.1: a client's stream has an odd number", arguments: [2, 4, 0x7FFF_FFFE] as [UInt32])
    func evenNumbers(stream: UInt32) throws {
        try expectConnectionError([.protocolError]) { try $0.send(.headers(healthBlock, on: stream)) }
    }

    @Test("RFC 9113 §5.1.1: numbers may be left out, and those left out are closed: a lower one is an error, and opens nothing")
    func risingNumbers() throws {
        let connection = try connectHTTP2()
        let smuggled = Shared.freshIdentifier("smuggled")
        try connection.send(.headers(healthBlock, on: 7))
        #expect(try connection.answer(on: 7).status == 200)
        try connection.send(.headers(healthBlock, on: 101))
        #expect(try connection.answer(on: 101).status == 200)
        try connection.send(.headers(postBlock(), on: 99, end: false), .data(Array(sentPayload(smuggled).utf8), on: 99, end: true))
        try connection.readToEnd()
        #expect(connection.goAways.last?.code == .protocolError, "\(connection.goAways)")
        #expect(connection.streams[99]?.fields == nil)
        #expect(try Shared.server().status(of: smuggled).status == 404)
    }

    @Test("RFC 9113 §5.1.1: the highest number there is may be used")
    func highestNumber() throws {
        let connection = try connectHTTP2()
        try connection.send(.headers(healthBlock, on: 0x7FFF_FFFF))
        #expect(try connection.answer(on: 0x7FFF_FFFF).status == 200)
    }

    @Test("RFC 9113 §5.1.2: a stream beyond SETTINGS_MAX_CONCURRENT_STREAMS is refused and not executed, those within are answered")
    func tooMany() throws {
        let connection = try connectHTTP2()
        let limit = Int(try #require(connection.peerSettings[HTTP2Setting.concurrentStreamsMax]))
        let streams = (0..<limit).map { _ in connection.takeStream() }
        try connection.send(streams.map { .headers(postBlock(), on: $0, end: false) })
        let beyond = connection.takeStream()
        let refused = Shared.freshIdentifier("refused")
        try connection.send(.headers(postBlock(), on: beyond, end: false), .data(Array(sentPayload(refused).utf8), on: beyond, end: true))
        let outcome = try connection.outcome(of: beyond)
        guard case .reset(let code) = outcome else {
            // §5.4.1: it may be made an error of the connection.
            guard case .goAway(.protocolError) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(try Shared.server().status(of: refused).status == 404)
            return
        }
        #expect(code == .refusedStream || code == .protocolError)
        for stream in streams {
            let identifier = Shared.freshIdentifier()
            try connection.send(.data(Array(sentPayload(identifier).utf8), on: stream, end: true))
            #expect(try connection.answer(on: stream).object().string("request_id") == identifier)
        }
        // §8.7: what is refused was not executed, and there is room again.
        #expect(try connection.exchange("GET", "/v1/requests/\(refused)").status == 404)
    }

    @Test("RFC 9113 §5.1.2: streams that were reset or answered make room for others")
    func roomAgain() throws {
        let connection = try connectHTTP2()
        let limit = Int(connection.peerSettings[HTTP2Setting.concurrentStreamsMax] ?? 100)
        for round in 0..<3 {
            let streams = try (0..<limit).map { _ in try connection.request("POST", "/callback", body: Array(sentPayload(Shared.freshIdentifier()).utf8)) }
            for stream in streams { #expect(try connection.answer(on: stream).status == 200, "round \(round)") }
        }
    }

    @Test("RFC 9113 §5.4.1: before a connection ends in error, what was accepted of it and answered stays answered")
    func lastStream() throws {
        let connection = try connectHTTP2()
        let identifier = Shared.freshIdentifier()
        let stream = try connection.request("POST", "/callback", body: Array(sentPayload(identifier).utf8))
        #expect(try connection.answer(on: stream).status == 200)
        try connection.send(.data([1], on: 0))
        try connection.readToEnd()
        let goAway = try #require(connection.goAways.last)
        #expect(goAway.code == .protocolError && goAway.last >= stream)
        #expect(try Shared.server().status(of: identifier).status == 200)
    }

    @Test("RFC 9113 §5.4.2: one malformed request leaves a hundred others alone")
    func others() throws {
        let connection = try connectHTTP2()
        let streams = (0..<90).map { _ in connection.takeStream() }
        try connection.send(streams.map { .headers(postBlock(), on: $0, end: false) })
        let malformed = connection.takeStream()
        try connection.send(.headers(HPACK.block([(":method", "GET"), (":path", "/healthz"), ("Upper", "x")]), on: malformed))
        _ = try connection.outcome(of: malformed)
        for stream in streams {
            try connection.send(.data(Array(sentPayload(Shared.freshIdentifier()).utf8), on: stream, end: true))
            #expect(try connection.answer(on: stream).status == 200)
        }
    }

    @Test("RFC 9113 §5: answers come as they are ready, each on its own stream")
    func interleaved() throws {
        let connection = try connectHTTP2()
        let slow = connection.takeStream()
        try connection.send(.headers(postBlock(), on: slow, end: false))
        let identifiers = (0..<60).map { _ in Shared.freshIdentifier() }
        let streams = try identifiers.map { try connection.request("POST", "/callback", body: Array(sentPayload($0).utf8)) }
        for (stream, identifier) in zip(streams, identifiers).reversed() {
            #expect(try connection.answer(on: stream).object().string("request_id") == identifier)
        }
        try connection.send(.data(Array(sentPayload(Shared.freshIdentifier()).utf8), on: slow, end: true))
        #expect(try connection.answer(on: slow).status == 200)
    }
}
