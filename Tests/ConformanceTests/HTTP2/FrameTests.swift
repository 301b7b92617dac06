// RFC 9113 §4.1, §4.2, §5.5 and §6: frames in themselves: their sizes, flags, and the stream they may stand on.
//
// Promises: every kind of frame with every size and stream that is wrong for it.
// Must not know: messages.

import Testing
import TestSupport

@Suite("RFC 9113 §4, §6: frames")
struct FrameTests {
    @Test("RFC 9113 §4.1, §5.5: a frame of an unknown kind is ignored, wherever it stands", arguments: [0x0A, 0x0B, 0x10, 0x7F, 0xF0, 0xFF] as [UInt8])
    func unknownKinds(kind: UInt8) throws {
        let connection = try connectHTTP2()
        let stream = connection.takeStream()
        let body = sentPayload(Shared.freshIdentifier())
        func unknown(_ stream: UInt32, _ count: Int) -> HTTP2Frame {
            HTTP2Frame(kind: kind, flags: 0xFF, stream: stream, payload: [UInt8](repeating: 7, count: count))
        }
        try connection.send(
            unknown(0, 0), unknown(0, 100), unknown(999, 9), .headers(postBlock(), on: stream, end: false), unknown(stream, 5), unknown(0, 16_384),
            .data(Array(body.utf8), on: stream, end: true), unknown(stream, 1))
        #expect(try connection.answer(on: stream).status == 200)
        try connection.roundTrip()
        #expect(connection.goAways.isEmpty)
    }

    @Test("RFC 9113 §4.1: flags that a kind does not define, and the reserved bit, are ignored")
    func undefinedFlags() throws {
        let connection = try connectHTTP2()
        let stream = connection.takeStream()
        let body = Array(sentPayload(Shared.freshIdentifier()).utf8)
        var headers = HTTP2Frame.headers(postBlock(), on: stream, end: false), data = HTTP2Frame.data(body, on: stream, end: true)
        var ping = HTTP2Frame.ping([9, 9, 9, 9, 9, 9, 9, 9]), settings = HTTP2Frame.settings([]), update = HTTP2Frame.windowUpdate(0, 1)
        headers.flags |= 0xD2
        data.flags |= 0xF6
        ping.flags |= 0xFE
        settings.flags |= 0xFE
        update.flags = 0xFF
        try connection.send(headers, ping, data, update)
        #expect(try connection.answer(on: stream).status == 200)
        try connection.read { $0.pongs.contains(ping.payload) }
        try connection.send(settings)
        try connection.read { $0.settingsAcknowledged == 2 }
        // The reserved bit, in a frame of a stream and of the connection.
        let second = connection.takeStream()
        var reserved = HTTP2Frame.headers(healthBlock, on: second)
        connection.expectAnswers(to: [reserved])
        reserved.stream |= 1 << 31
        ping.stream = 1 << 31
        ping.payload = [8, 8, 8, 8, 8, 8, 8, 8]
        try connection.raw.send(reserved.bytes + ping.bytes)
        #expect(try connection.answer(on: second).status == 200)
        try connection.read { $0.pongs.contains(ping.payload) }
    }

    @Test("RFC 9113 §4.2: frames of 16,384 bytes are taken")
    func largestFrames() throws {
        let connection = try connectHTTP2()
        let stream = connection.takeStream()
        let payload = sentPayload(Shared.freshIdentifier())
        let body = Array((payload + String(repeating: " ", count: 16_384 - payload.utf8.count)).utf8)
        try connection.send(.headers(postBlock(), on: stream, end: false), .data(body, on: stream, end: true))
        #expect(try connection.answer(on: stream).status == 200)
        // §10.5: SETTINGS in such numbers are a reason to end a connection; some are taken.
        try connection.send(.settings((0..<30).map { (UInt16($0 + 0x1000), UInt32($0)) }))
        try connection.read { $0.settingsAcknowledged == 2 }
        let block = HPACK.block(HTTP2Connection.fields("GET", "/healthz"))
        let next = connection.takeStream()
        try connection.send(.headers(block + HPACK.literal([0x78], [UInt8](repeating: 0x61, count: 16_384 - block.count - 6)), on: next))
        let status = try connection.answer(on: next).status
        #expect(status == 200 || status == 431)
    }

    @Test(
        "RFC 9113 §4.2: a frame larger than SETTINGS_MAX_FRAME_SIZE is FRAME_SIZE_ERROR",
        arguments: [
            HTTP2FrameKind.data, HTTP2FrameKind.headers, HTTP2FrameKind.settings, HTTP2FrameKind.ping, HTTP2FrameKind.goAway, HTTP2FrameKind.windowUpdate,
            HTTP2FrameKind.reset, HTTP2FrameKind.priority, HTTP2FrameKind.continuation, 0xBB,
        ])
    func tooLarge(kind: UInt8) throws {
        let isOfStream = ![HTTP2FrameKind.settings, HTTP2FrameKind.ping, HTTP2FrameKind.goAway].contains(kind)
        func provoke(_ connection: HTTP2Connection) throws -> UInt32 {
            let stream = connection.takeStream()
            let limit = Int(connection.peerSettings[HTTP2Setting.frameSizeMax] ?? 16_384)
            let frame = HTTP2Frame(kind: kind, stream: isOfStream ? stream : 0, payload: [UInt8](repeating: 0, count: limit + 6))
            if kind == HTTP2FrameKind.continuation {
                try connection.send(.headers(Array(healthBlock.prefix(5)), on: stream, endHeaders: false), frame)
            } else if kind == HTTP2FrameKind.headers {
                try connection.send(frame)
            } else {
                try connection.send(.headers(postBlock(), on: stream, end: false), frame)
            }
            return stream
        }
        // What could alter the connection's state is an error of the connection; DATA may be one of its stream.
        if [HTTP2FrameKind.headers, HTTP2FrameKind.continuation, HTTP2FrameKind.settings, HTTP2FrameKind.ping, HTTP2FrameKind.goAway].contains(kind) {
            try expectConnectionError([.frameSizeError]) { _ = try provoke($0) }
        } else {
            try expectStreamError([.frameSizeError], provoke)
        }
    }

    @Test(
        "RFC 9113 §6.3–§6.9: a frame of a fixed size has that size: FRAME_SIZE_ERROR",
        arguments: [
            HTTP2Frame(kind: HTTP2FrameKind.reset, stream: 1, payload: [0, 0, 0]), HTTP2Frame(kind: HTTP2FrameKind.reset, stream: 1, payload: [0, 0, 0, 0, 0]),
            HTTP2Frame(kind: HTTP2FrameKind.reset, stream: 1),
            HTTP2Frame(kind: HTTP2FrameKind.settings, payload: [0]), HTTP2Frame(kind: HTTP2FrameKind.settings, payload: [0, 1, 0, 0, 0]),
            HTTP2Frame(kind: HTTP2FrameKind.settings, payload: [0, 3, 0, 0, 0, 9, 0]),
            HTTP2Frame(kind: HTTP2FrameKind.settings, flags: HTTP2Flags.acknowledgement, payload: [0, 3, 0, 0, 0, 9]),
            HTTP2Frame(kind: HTTP2FrameKind.settings, flags: HTTP2Flags.acknowledgement, payload: [0]),
            HTTP2Frame.ping([]), .ping([1, 2, 3, 4, 5, 6, 7]), .ping([1, 2, 3, 4, 5, 6, 7, 8, 9]), .ping([1], acknowledges: true),
            HTTP2Frame(kind: HTTP2FrameKind.goAway, payload: [0, 0, 0, 0, 0, 0, 0]), HTTP2Frame(kind: HTTP2FrameKind.goAway),
            HTTP2Frame(kind: HTTP2FrameKind.windowUpdate, payload: [0, 0, 1]), HTTP2Frame(kind: HTTP2FrameKind.windowUpdate, payload: [0, 0, 0, 0, 1]),
            HTTP2Frame(kind: HTTP2FrameKind.windowUpdate, stream: 1, payload: [1]),
        ])
    func fixedSizes(frame: HTTP2Frame) throws {
        try expectConnectionError([.frameSizeError]) { connection in
            try connection.send(.headers(postBlock(), on: connection.takeStream(), end: false), frame)
        }
    }

    @Test("RFC 9113 §6.3: PRIORITY of other than five bytes is FRAME_SIZE_ERROR of its stream", arguments: [0, 4, 6])
    func prioritySize(count: Int) throws {
        try expectStreamError([.frameSizeError]) { connection in
            let stream = connection.takeStream()
            try connection.send(
                .headers(postBlock(), on: stream, end: false),
                HTTP2Frame(kind: HTTP2FrameKind.priority, stream: stream, payload: [UInt8](repeating: 0, count: count)))
            return stream
        }
    }

    @Test(
        "RFC 9113 §6.1–§6.10: a frame that belongs to a stream is not on stream 0: PROTOCOL_ERROR",
        arguments: [
            HTTP2Frame.data([1], on: 0), .data([], on: 0, end: true), .headers(healthBlock, on: 0), .priority(on: 0, dependsOn: 1), .reset(0),
            .continuation(healthBlock, on: 0),
        ])
    func streamZero(frame: HTTP2Frame) throws {
        try expectConnectionError([.protocolError]) { try $0.send(frame) }
    }

    @Test(
        "RFC 9113 §6.5, §6.7, §6.8: a frame that belongs to the connection is on no stream: PROTOCOL_ERROR",
        arguments: [
            HTTP2FrameKind.settings, HTTP2FrameKind.ping, HTTP2FrameKind.goAway,
        ], [1, 3] as [UInt32])
    func streamOther(kind: UInt8, stream: UInt32) throws {
        try expectConnectionError([.protocolError]) { connection in
            let payload = kind == HTTP2FrameKind.settings ? [] : [UInt8](repeating: 0, count: 8)
            try connection.send(.headers(postBlock(), on: connection.takeStream(), end: false), HTTP2Frame(kind: kind, stream: stream, payload: payload))
        }
    }

    @Test("RFC 9113 §6.1, §6.2: padding is cut off, and counts as DATA for the windows", arguments: [0, 1, 255])
    func padding(count: Int) throws {
        let connection = try connectHTTP2()
        for _ in 0..<(count == 255 ? 300 : 5) {
            let stream = connection.takeStream()
            let body = Array(sentPayload(Shared.freshIdentifier()).utf8)
            // Sent as the connection's window allows: padding that was not given back would shut it.
            while connection.sendWindow < body.count + count + 1 { try connection.step() }
            try connection.send(.headers(postBlock(), on: stream, end: false, padding: count), .data(body, on: stream, end: true, padding: count))
            #expect(try connection.answer(on: stream).status == 200)
        }
    }

    @Test(
        "RFC 9113 §6.1, §6.2: padding as long as the frame or longer is PROTOCOL_ERROR",
        arguments: [
            HTTP2Frame(kind: HTTP2FrameKind.data, flags: HTTP2Flags.padded, stream: 1, payload: [1]),
            HTTP2Frame(kind: HTTP2FrameKind.data, flags: HTTP2Flags.padded, stream: 1, payload: [5, 0, 0, 0, 0]),
            HTTP2Frame(kind: HTTP2FrameKind.data, flags: HTTP2Flags.padded, stream: 1, payload: [255, 0]),
            HTTP2Frame(kind: HTTP2FrameKind.headers, flags: HTTP2Flags.padded | 5, stream: 3, payload: [0xFF] + healthBlock),
            HTTP2Frame(kind: HTTP2FrameKind.headers, flags: HTTP2Flags.padded | HTTP2Flags.priority | 5, stream: 3, payload: [2, 0, 0, 0, 0, 0, 0]),
        ])
    func tooMuchPadding(frame: HTTP2Frame) throws {
        try expectConnectionError([.protocolError, .frameSizeError]) { connection in
            try connection.send(.headers(postBlock(), on: connection.takeStream(), end: false), frame)
        }
    }

    @Test("RFC 9113 §6.1, §6.2: a padded frame without its length is an error of the connection", arguments: [HTTP2FrameKind.data, HTTP2FrameKind.headers])
    func noPaddingLength(kind: UInt8) throws {
        try expectConnectionError([.protocolError, .frameSizeError]) { connection in
            try connection.send(
                .headers(postBlock(), on: connection.takeStream(), end: false),
                HTTP2Frame(kind: kind, flags: HTTP2Flags.padded | HTTP2Flags.endHeaders, stream: kind == 0 ? 1 : 3))
        }
    }

    @Test("RFC 9113 §5.3.2, §6.3: priorities are read over: with HEADERS, on streams of any state, and cyclic ones too")
    func priorities() throws {
        let connection = try connectHTTP2()
        let stream = connection.takeStream()
        try connection.send(
            .priority(on: 101, dependsOn: 0), .priority(on: 2, dependsOn: 101), .headers(healthBlock, on: stream, priority: [0x80, 0, 0, 101, 255]),
            .priority(on: stream, dependsOn: 7), .priority(on: 7, dependsOn: stream))
        #expect(try connection.answer(on: stream).status == 200)
        try connection.send(.priority(on: stream, dependsOn: 0))
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }
}
