// RFC 9113 §4.3 and RFC 7541: field blocks, right and wrong, and the state that both sides share.
//
// Promises: a block that cannot be decoded ends the connection; one that can is decoded even where its request is
// refused, so that the next one is read right.
// Must not know: which fields a server uses.

import Testing
import TestSupport

@Suite("RFC 9113 §4.3: field compression")
struct CompressionTests {
    static let broken: [(String, [UInt8])] = [
        ("index 0", [0x80]), ("an index beyond both tables", HPACK.indexed(62)), ("a far index", HPACK.indexed(5_000)),
        ("a name's index beyond both tables", HPACK.literal(nameOf: 62, [0x61])),
        ("an index without end", [0xFF]), ("an index that goes on", [0xFF, 0x80]),
        ("an integer of ten bytes", [0xFF, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
        ("an integer beyond 32 bits", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]), ("a name without end", [0x00, 0x05, 0x61]),
        ("a value that is missing", [0x00, 0x01, 0x61]), ("a value without end", [0x00, 0x01, 0x61, 0x7F]),
        ("the end of string in the code", [0x00, 0x01, 0x61, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]), ("padding of zeros", [0x00, 0x01, 0x61, 0x81, 0x18]),
        ("padding of eight ones", [0x00, 0x01, 0x61, 0x82, 0x1F, 0xFF]),
        ("a table larger than allowed", HPACK.tableSize(1 << 20)), ("a table size within a block", HPACK.tableSize(0)),
    ]

    @Test("RFC 9113 §4.3: a field block that cannot be decoded is COMPRESSION_ERROR", arguments: broken)
    func undecodable(name: String, bytes: [UInt8]) throws {
        try expectConnectionError([.compressionError]) {
            // A size update is wrong at the end; everything else anywhere.
            try $0.send(.headers(healthBlock + bytes, on: $0.takeStream()))
        }
    }

    @Test("RFC 9113 §4.3: a block that breaks off in the middle of a field is COMPRESSION_ERROR")
    func truncated() throws {
        let block = HPACK.block(HTTP2Connection.fields("GET", "/healthz"))
        for length in [1, block.count / 2, block.count - 1] {
            try expectConnectionError([.compressionError]) { try $0.send(.headers(Array(block[..<length]), on: $0.takeStream())) }
        }
    }

    @Test("RFC 7541 §5, §6: every representation is read", arguments: [HPACK.Indexing.incremental, .without, .never], [false, true])
    func representations(indexing: HPACK.Indexing, huffman: Bool) throws {
        let connection = try connectHTTP2()
        let fields = HTTP2Connection.fields("GET", "/v1/requests/nobody") + [("x-field", String(repeating: "value ", count: 40) + "~"), ("x-empty", "")]
        for _ in 0..<3 {
            let stream = connection.takeStream()
            try connection.send(.headers(HPACK.block(fields, indexing, huffman: huffman), on: stream))
            #expect(try connection.answer(on: stream).status == 404)
        }
    }

    @Test("RFC 7541 §2.3: fields by their index in the static and the dynamic table")
    func indices() throws {
        let connection = try connectHTTP2()
        // :method GET, :scheme http and :path by index; the authority becomes entry 62, then is pushed to 63.
        let first = connection.takeStream()
        let path = HPACK.literal(nameOf: 4, Array("/healthz".utf8), .incremental)
        try connection.send(.headers(HPACK.indexed(2) + HPACK.indexed(6) + HPACK.literal(nameOf: 1, Array("127.0.0.1".utf8), .incremental) + path, on: first))
        #expect(try connection.answer(on: first).status == 200)
        let second = connection.takeStream()
        try connection.send(.headers(HPACK.indexed(2) + HPACK.indexed(6) + HPACK.indexed(63) + HPACK.indexed(62), on: second))
        #expect(try connection.answer(on: second).status == 200)
        // A size of nothing empties it; the entries are gone.
        let third = connection.takeStream()
        try connection.send(.headers(HPACK.tableSize(0) + HPACK.tableSize(4_096) + healthBlock, on: third))
        #expect(try connection.answer(on: third).status == 200)
        let fourth = connection.takeStream()
        try connection.send(.headers(HPACK.indexed(2) + HPACK.indexed(6) + HPACK.indexed(63) + HPACK.indexed(62), on: fourth))
        try connection.readToEnd()
        #expect(connection.goAways.last?.code == .compressionError)
    }

    @Test("RFC 9113 §4.3, §5.1: the block of a request that is refused is decoded all the same")
    func stateOutlivesRefusal() throws {
        let connection = try connectHTTP2()
        let path = HPACK.literal(nameOf: 4, Array("/healthz".utf8), .incremental)
        // Malformed (no :method), yet it adds an entry to the table.
        let malformed = connection.takeStream()
        try connection.send(.headers(HPACK.indexed(6) + path, on: malformed))
        if case .goAway = try connection.outcome(of: malformed) { return }
        let next = connection.takeStream()
        try connection.send(.headers(HPACK.indexed(2) + HPACK.indexed(6) + HPACK.literal(nameOf: 1, Array("x".utf8)) + HPACK.indexed(62), on: next))
        #expect(try connection.answer(on: next).status == 200)
        // And of one that the client itself reset before the server can have answered.
        let reset = connection.takeStream()
        try connection.send(
            .headers(HPACK.block(HTTP2Connection.fields("POST", "/callback")) + HPACK.literal(nameOf: 1, Array("y".utf8), .incremental), on: reset, end: false),
            .reset(reset))
        let last = connection.takeStream()
        try connection.send(.headers(HPACK.indexed(2) + HPACK.indexed(6) + HPACK.indexed(62) + HPACK.indexed(63), on: last))
        #expect(try connection.answer(on: last).status == 200)
    }

    @Test("RFC 9113 §4.3.1: the server's encoder keeps to the table size that the client has said", arguments: [0, 32, 100, 4_096, 65_536] as [UInt32])
    func encoderTable(size: UInt32) throws {
        // HPACKReader fails on any entry that a table of that size would not hold, and on a missing size update.
        let connection = try connectHTTP2([(HTTP2Setting.headerTableSize, size)])
        for target in ["/healthz", "/nowhere", "/callback", "/healthz", "/nowhere", "/callback"] {
            #expect([200, 404, 405].contains(try connection.exchange("GET", target).status))
        }
        // Reduced and raised again while answers use it.
        for next in [64, 0, 4_096, 128] as [UInt32] {
            try connection.send(.setting(HTTP2Setting.headerTableSize, next))
            for target in ["/healthz", "/nowhere", "/callback"] { #expect([200, 404, 405].contains(try connection.exchange("GET", target).status)) }
        }
    }

    @Test("RFC 9113 §4.3: a block in many frames is one block, wherever it is cut")
    func cuts() throws {
        let connection = try connectHTTP2()
        let block = HPACK.block(HTTP2Connection.fields("GET", "/healthz") + [("x-field", "value")])
        for place in 0...block.count {
            let stream = connection.takeStream()
            try connection.send(.headers(Array(block[..<place]), on: stream, endHeaders: false), .continuation(Array(block[place...]), on: stream))
            #expect(try connection.answer(on: stream).status == 200)
        }
        // Empty pieces are pieces.
        let stream = connection.takeStream()
        try connection.send(.headers([], on: stream, endHeaders: false), .continuation(block, on: stream, endHeaders: false), .continuation([], on: stream))
        #expect(try connection.answer(on: stream).status == 200)
    }

    @Test(
        "RFC 9113 §4.3, §6.10: nothing comes between the frames of a block: PROTOCOL_ERROR",
        arguments: [
            HTTP2Frame.ping(), .settings([]), .windowUpdate(0, 1), .data([1], on: 1), .headers(healthBlock, on: 3), .priority(on: 5, dependsOn: 0), .reset(1),
            .continuation(healthBlock, on: 3), .goAway(), HTTP2Frame(kind: 0xBB, stream: 1),
            .windowUpdate(1, 1), .headers(healthBlock, on: 1),
        ])
    func interrupted(frame: HTTP2Frame) throws {
        try expectConnectionError([.protocolError]) {
            let stream = $0.takeStream()
            try $0.send(
                .headers(Array(healthBlock.prefix(5)), on: stream, endHeaders: false), frame, .continuation(Array(healthBlock.dropFirst(5)), on: stream))
        }
    }
}
