// RFC 9113 §6.4 to §6.8: what RST_STREAM, SETTINGS, PUSH_PROMISE, PING and GOAWAY of a client do.
//
// Promises: right and wrong contents of each; sizes and streams stand in FrameTests.
// Must not know: flow control, which has a file of its own.

import Testing
import TestSupport

@Suite("RFC 9113 §6: control frames")
struct ControlTests {
    @Test("RFC 9113 §6.4, §5.4.2: a reset stream is silent: no answer, and no reset in return")
    func reset() throws {
        let connection = try connectHTTP2()
        let identifier = Shared.freshIdentifier()
        for code in [HTTP2ErrorCode.cancel, .noError, .refusedStream, HTTP2ErrorCode(rawValue: 0xDEAD_BEEF)] {
            let stream = connection.takeStream()
            let body = Array(sentPayload(identifier).utf8)
            try connection.send(.headers(postBlock(), on: stream, end: false), .data(Array(body.dropLast()), on: stream), .reset(stream, code))
            try connection.roundTrip()
            // §7: an unknown code changes nothing.
            #expect(!connection.received.contains { $0.stream == stream }, "\(code)")
        }
        // What was reset before it was whole is not executed.
        #expect(try connection.exchange("GET", "/v1/requests/\(identifier)").status == 404)
        #expect(connection.goAways.isEmpty)
    }

    @Test("RFC 9113 §6.4: a second RST_STREAM and WINDOW_UPDATE on a stream that was reset or answered are ignored")
    func afterTheEnd() throws {
        let connection = try connectHTTP2()
        let answered = connection.takeStream()
        try connection.send(.headers(healthBlock, on: answered))
        #expect(try connection.answer(on: answered).status == 200)
        try connection.send(.windowUpdate(answered, 100), .reset(answered), .windowUpdate(answered, 100), .priority(on: answered, dependsOn: 0))
        try connection.roundTrip()
        #expect(try connection.exchange("GET", "/healthz").status == 200)
        #expect(connection.goAways.isEmpty)
    }

    @Test("RFC 9113 §6.5.3: every SETTINGS frame is acknowledged, in order, empty ones too")
    func settingsAcknowledged() throws {
        let connection = try connectHTTP2()
        try connection.send((0..<10).map { .settings($0 % 2 == 0 ? [] : [(HTTP2Setting.concurrentStreamsMax, UInt32($0))]) })
        try connection.read { $0.settingsAcknowledged == 11 }
        // An acknowledgement is not acknowledged.
        try connection.roundTrip()
        #expect(connection.settingsAcknowledged == 11)
    }

    @Test(
        "RFC 9113 §6.5.2: unknown settings are ignored, and lawful bounds are taken",
        arguments: [
            [(0, 1), (0xFFFF, 0xFFFF_FFFF), (0x0A, 7), (0x10, 0)], [(HTTP2Setting.enablePush, 0)], [(HTTP2Setting.enablePush, 1)],
            [(HTTP2Setting.initialWindowSize, 0x7FFF_FFFF)], [(HTTP2Setting.frameSizeMax, 16_384)],
            [(HTTP2Setting.frameSizeMax, 16_777_215)], [(HTTP2Setting.concurrentStreamsMax, 0)], [(HTTP2Setting.headerListSizeMax, 0xFFFF_FFFF)],
            [(HTTP2Setting.headerTableSize, 0xFFFF_FFFF)], [(8, 0)], [(9, 1)],
        ] as [[(UInt16, UInt32)]])
    func lawfulSettings(values: [(UInt16, UInt32)]) throws {
        let connection = try connectHTTP2(values)
        #expect(try connection.exchange("GET", "/healthz").status == 200)
        try connection.send(.settings(values))
        try connection.read { $0.settingsAcknowledged == 2 }
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }

    @Test(
        "RFC 9113 §6.5.2: SETTINGS_ENABLE_PUSH and SETTINGS_MAX_FRAME_SIZE out of bounds are PROTOCOL_ERROR",
        arguments: [
            (HTTP2Setting.enablePush, 2), (HTTP2Setting.enablePush, 0xFFFF_FFFF), (HTTP2Setting.frameSizeMax, 16_383), (HTTP2Setting.frameSizeMax, 0),
            (HTTP2Setting.frameSizeMax, 16_777_216), (HTTP2Setting.frameSizeMax, 0xFFFF_FFFF),
        ] as [(UInt16, UInt32)])
    func unlawfulSettings(identifier: UInt16, value: UInt32) throws {
        try expectConnectionError([.protocolError]) { try $0.send(.setting(identifier, value)) }
    }

    @Test("RFC 9113 §6.5.2: SETTINGS_INITIAL_WINDOW_SIZE beyond 2^31-1 is FLOW_CONTROL_ERROR", arguments: [0x8000_0000, 0xFFFF_FFFF] as [UInt32])
    func unlawfulWindow(value: UInt32) throws {
        try expectConnectionError([.flowControlError]) { try $0.send(.setting(HTTP2Setting.initialWindowSize, value)) }
    }

    @Test("RFC 9113 §6.5.3: the values of one frame are taken in order: the last one counts")
    func settingsInOrder() throws {
        let connection = try connectHTTP2([(HTTP2Setting.initialWindowSize, 0), (HTTP2Setting.initialWindowSize, 65_535)])
        #expect(try connection.exchange("GET", "/healthz").status == 200)
        let values: [(UInt16, UInt32)] = [(HTTP2Setting.initialWindowSize, 65_535), (HTTP2Setting.initialWindowSize, 0)]
        try connection.send(.settings(values))
        let stream = try connection.request("GET", "/healthz")
        try connection.roundTrip()
        try connection.read { $0.streams[stream]?.fields != nil }
        #expect(connection.streams[stream]?.body == [] && connection.streams[stream]?.isEnded == false)
        try connection.send(.windowUpdate(stream, 65_535))
        #expect(try connection.answer(on: stream).status == 200)
    }

    @Test("RFC 9113 §6.6, §8.4: PUSH_PROMISE of a client is PROTOCOL_ERROR", arguments: [1, 2, 3] as [UInt32])
    func pushPromise(stream: UInt32) throws {
        try expectConnectionError([.protocolError]) { connection in
            try connection.send(
                .headers(postBlock(), on: connection.takeStream(), end: false),
                HTTP2Frame(kind: HTTP2FrameKind.pushPromise, flags: HTTP2Flags.endHeaders, stream: stream, payload: bigEndian(2) + healthBlock))
        }
    }

    @Test("RFC 9113 §6.7: PING is answered with its own bytes, its answer with nothing")
    func ping() throws {
        let connection = try connectHTTP2()
        let payloads: [[UInt8]] = [[0, 0, 0, 0, 0, 0, 0, 0], [255, 254, 253, 252, 251, 250, 249, 248], Array("12345678".utf8)]
        try connection.send(payloads.map { .ping($0) })
        try connection.read { $0.pongs.count == 3 }
        #expect(connection.pongs == payloads)
        try connection.send(.ping([7, 7, 7, 7, 7, 7, 7, 7], acknowledges: true))
        try connection.roundTrip()
        #expect(connection.pongs.count == 4)
    }

    @Test("RFC 9113 §6.7: PING is answered while a request is incomplete")
    func pingWithin() throws {
        let connection = try connectHTTP2()
        let stream = connection.takeStream()
        try connection.send(.headers(postBlock(), on: stream, end: false))
        try connection.roundTrip()
        try connection.send(.data(Array(sentPayload(Shared.freshIdentifier()).utf8), on: stream, end: true))
        #expect(try connection.answer(on: stream).status == 200)
    }

    @Test(
        "RFC 9113 §6.8: after a client's GOAWAY the streams it has opened are still answered",
        arguments: [
            HTTP2ErrorCode.noError, .enhanceYourCalm, HTTP2ErrorCode(rawValue: 0xABCD),
        ])
    func clientGoesAway(code: HTTP2ErrorCode) throws {
        let connection = try connectHTTP2()
        let stream = connection.takeStream()
        let identifier = Shared.freshIdentifier()
        try connection.send(
            .headers(postBlock(), on: stream, end: false), .goAway(code, debug: Array("going".utf8)),
            .data(Array(sentPayload(identifier).utf8), on: stream, end: true))
        #expect(try connection.answer(on: stream).object().string("request_id") == identifier)
    }

    @Test("RFC 9113 §6.8, §9.1: a client that says GOAWAY and ends its stream gets its answers, then the end")
    func halfClosed() throws {
        let connection = try connectHTTP2()
        let streams = try (0..<10).map { _ in try connection.request("POST", "/callback", body: Array(sentPayload(Shared.freshIdentifier()).utf8)) }
        try connection.send(.goAway())
        connection.raw.halfClose()
        for stream in streams { #expect(try connection.answer(on: stream).status == 200) }
        try connection.readToEnd()
    }

    @Test("RFC 9113 §6.10: CONTINUATION that continues nothing is PROTOCOL_ERROR")
    func strayContinuation() throws {
        try expectConnectionError([.protocolError]) { try $0.send(.continuation(healthBlock, on: $0.takeStream())) }
        try expectConnectionError([.protocolError]) { connection in
            let stream = connection.takeStream()
            try connection.send(.headers(postBlock(), on: stream, end: false), .continuation(HPACK.block([("x", "y")]), on: stream))
        }
        try expectConnectionError([.protocolError]) { connection in
            let stream = connection.takeStream()
            try connection.send(.headers(postBlock(), on: stream, end: false), .data([1], on: stream), .continuation([], on: stream))
        }
    }

    @Test("RFC 9113 §9.1: a connection that was idle too long ends with GOAWAY NO_ERROR")
    func idle() throws {
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    idle-seconds: 1\n")
        let connection = try HTTP2Connection(port: server.port)
        let stream = try connection.request("GET", "/healthz")
        #expect(try connection.answer(on: stream).status == 200)
        try connection.readToEnd()
        #expect(connection.goAways.last.map { $0.code == .noError && $0.last >= stream } == true, "\(connection.goAways)")
    }
}
