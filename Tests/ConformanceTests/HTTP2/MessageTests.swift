// RFC 9113 §8: what a request is made of, and what makes one malformed.
//
// Promises: every malformed request is a callback that would be stored, were it executed; each table has neighbours
// that are taken.
// Must not know: frames, but for where fields and content stand.

import Testing
import TestSupport

@Suite("RFC 9113 §8: requests")
struct MessageTests {
    private let post = HTTP2Connection.fields("POST", "/callback")

    @Test("RFC 9113 §8.2.1: a field name has neither upper case, nor white space, control bytes, bytes beyond ASCII or a colon")
    func nameBytes() throws {
        let upperCase = Array(0x41...0x5A as ClosedRange<UInt8>)
        for byte in bytesOutsideTokens.filter({ $0 <= 0x20 || $0 >= 0x7F }) + upperCase + [UInt8(ascii: ":")] {
            try expectMalformed(block: postBlock() + HPACK.literal(Array("na".utf8) + [byte] + Array("me".utf8), Array("v".utf8)))
        }
        for name in ["X", "Content-type", "name ", " name", "naMe", "name:", ""] {
            try expectMalformed(block: postBlock() + HPACK.literal(Array(name.utf8), Array("v".utf8)))
        }
    }

    @Test("RFC 9113 §8.2.1: a field value has no NUL, LF or CR anywhere")
    func valueBytes() throws {
        for byte in [0, 10, 13] as [UInt8] {
            for value in [[byte], [byte, 0x61], [0x61, byte, 0x62], [0x61, byte]] {
                try expectMalformed(block: postBlock() + HPACK.literal(Array("x-field".utf8), value))
            }
            // In pseudo-header fields too: this is how one message is made two behind a proxy.
            for name in [":path", ":authority", ":method", ":scheme"] {
                let fields = post.map { ($0.0, Array($0.1.utf8)) }
                let block = fields.flatMap { HPACK.literal(Array($0.0.utf8), $0.0 == name ? $0.1 + [byte] + Array("x".utf8) : $0.1) }
                try expectMalformed(block: block)
            }
        }
    }

    @Test("RFC 9113 §8.2.1: a field value neither begins nor ends with white space", arguments: [" v", "v ", "\tv", "v\t", " ", "\t", " v "])
    func surroundingSpace(value: String) throws {
        try expectMalformed(post + [("x-field", value)])
    }

    @Test("RFC 9113 §8.2.1, RFC 9110 §5.5: token names, empty values, and opaque bytes are taken")
    func lawfulFields() throws {
        try expectTaken(block: postBlock([("!#$%&'*+-.^_`|~09az", "v"), ("x-empty", ""), ("x-inner", "a \t b")]))
        try expectTaken(block: postBlock() + HPACK.literal(Array("x-opaque".utf8), Array(0x80...0xFF as ClosedRange<UInt8>)))
        // §8.2.3: a cookie may come in crumbs.
        try expectTaken(block: postBlock([("cookie", "a=b"), ("cookie", "c=d"), ("cookie", "e=f")]))
    }

    @Test(
        "RFC 9113 §8.2.2: fields of the connection are malformed",
        arguments: [
            ("connection", "close"), ("connection", "keep-alive"), ("connection", ""), ("proxy-connection", "keep-alive"), ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"), ("transfer-encoding", "identity"),
            ("upgrade", "h2c"), ("upgrade", "websocket"), ("te", "gzip"), ("te", "trailers, gzip"), ("te", "chunked"), ("te", "trailers;q=1"),
        ])
    func connectionFields(name: String, value: String) throws {
        try expectMalformed(post + [(name, value)])
    }

    @Test("RFC 9113 §8.2.2: te may say trailers")
    func trailersWelcome() throws {
        try expectTaken(block: postBlock([("te", "trailers")]))
    }

    @Test(
        "RFC 9113 §8.3: pseudo-header fields that are unknown, an answer's, given twice or late are malformed",
        arguments: [
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback"), (":status", "200")],
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback"), (":unknown", "x")],
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback"), (":protocol", "websocket")],
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback"), (":", "x")],
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback"), (":Path", "/x")],
            [(":method", "POST"), (":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback")],
            [(":method", "POST"), (":scheme", "http"), (":scheme", "http"), (":authority", "x"), (":path", "/callback")],
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":authority", "x"), (":path", "/callback")],
            [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback"), (":path", "/callback")],
            [("x-field", "v"), (":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", "/callback")],
            [(":method", "POST"), (":scheme", "http"), ("x-field", "v"), (":authority", "x"), (":path", "/callback")],
            [(":method", "POST"), (":scheme", "http"), (":path", "/callback"), ("host", "x"), (":authority", "x")],
        ])
    func pseudoFields(fields: [(String, String)]) throws {
        try expectMalformed(fields)
    }

    @Test("RFC 9113 §8.3.1: a request has one :method, :scheme and :path", arguments: [":method", ":scheme", ":path"])
    func missing(name: String) throws {
        try expectMalformed(post.filter { $0.0 != name })
        try expectMalformed(post.map { $0.0 == name ? (name, "") : $0 })
    }

    @Test(
        "RFC 9113 §8.3.1: :path is an absolute path, or an asterisk for OPTIONS; anything else is refused",
        arguments: [
            "callback", "*", "?x", "http://x/callback", "x:80", "/callback#x", "/call back", "/callback\t", "/call\u{7F}back", "/call\u{1}back", "/callbäck",
            " /callback", "\\callback",
        ])
    func paths(path: String) throws {
        try expectMalformed(HTTP2Connection.fields("POST", path))
    }

    @Test(
        "RFC 9110 §9.1: :method has token bytes only, and in its own case",
        arguments: ["PO ST", "POST ", "PO(ST", "PO\u{1}ST", "PÖST", "POST/callback", "POST /callback HTTP/1.1"])
    func methods(method: String) throws {
        try expectMalformed(HTTP2Connection.fields(method, "/callback"))
    }

    @Test("RFC 9110 §9.1: a method that is not recognized is 501", arguments: ["post", "BREW", "!#$%&'*+-.^_`|~"])
    func unrecognizedMethods(method: String) throws {
        let connection = try connectHTTP2()
        let answer = try connection.exchange(method, "/callback", body: Array(sentPayload(Shared.freshIdentifier()).utf8))
        #expect(answer.status == 501 || (answer.status == 405 && answer["Allow"] != nil), "\(answer.status)")
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }

    @Test(
        "RFC 9113 §8.3.1: an :authority that is no host and port, or has user information, is refused",
        arguments: [
            "user@x", "user:password@x", "a/b", "a?b", "a#b", "x y", "x:y", "x:80:80", "[::1", "::1", "<x>", "%zz", "http://x",
        ])
    func malformedAuthority(authority: String) throws {
        try expectMalformed(HTTP2Connection.fields("POST", "/callback", authority: authority))
        try expectMalformed(HTTP2Connection.fields("POST", "/callback", authority: nil) + [("host", authority)])
    }

    @Test("RFC 9113 §8.3.1: Host may stand for :authority, and beside one that is the same")
    func host() throws {
        try expectTaken(block: HPACK.block(HTTP2Connection.fields("POST", "/callback", authority: nil) + [("host", "x.example:80")]))
        try expectTaken(block: HPACK.block(HTTP2Connection.fields("POST", "/callback", authority: "x.example") + [("host", "x.example")]))
        try expectTaken(block: HPACK.block(HTTP2Connection.fields("POST", "/callback", authority: "[::1]:8080", scheme: "https")))
        try expectMalformed(HTTP2Connection.fields("POST", "/callback", authority: nil) + [("host", "x"), ("host", "x")])
        try expectMalformed(HTTP2Connection.fields("POST", "/callback", authority: nil) + [("host", "x"), ("host", "y")])
    }

    @Test("RFC 9113 §8.3.1: a Host that differs from :authority makes a request malformed, or is ignored; it never opens a door")
    func differingHost() throws {
        for (authority, host, allowed) in [
            ("evil.example", "127.0.0.1", [400, 401]), ("127.0.0.1", "evil.example", [400, 404]), (nil, nil, [400, 401]), (nil, "evil.example", [400, 401]),
        ] as [(String?, String?, [Int])] {
            let connection = try connectHTTP2()
            let fields = HTTP2Connection.fields("GET", "/v1/requests/nobody", authority: authority) + (host.map { [("host", $0)] } ?? [])
            switch try connection.outcome(of: connection.open(fields, end: true)) {
            case .answer(let answer): #expect(allowed.contains(answer.status), "\(String(describing: authority)) \(String(describing: host)): \(answer.status)")
            case .reset(let code), .goAway(let code): #expect(code == .protocolError)
            case .closed: Issue.record("closed")
            }
        }
    }

    @Test("RFC 9113 §8.1.1: a content-length that is not the length of the content is malformed")
    func contentLength() throws {
        // expectMalformed's content has between 30 and 80 bytes.
        for value in ["0", "1", "5", "81", "1000", "65536", "99999999999999999999", "", "x", "-1", "+50", "0x32", "5 0", "50.0"] {
            try expectMalformed(post + [("content-length", value)])
        }
        let connection = try connectHTTP2()
        let identifier = Shared.freshIdentifier()
        let body = Array(sentPayload(identifier).utf8)
        for lengths in [["\(body.count)", "\(body.count + 1)"], ["\(body.count)", "0"], ["0", "\(body.count)"], ["\(body.count), \(body.count + 1)"]] {
            let stream = try connection.open(post + lengths.map { ("content-length", $0) })
            try connection.send(.data(body, on: stream, end: true))
            try expectRefusal(connection, stream)
        }
        // Content announced and none sent.
        try expectRefusal(connection, try connection.open(post + [("content-length", "\(body.count)")], end: true))
        #expect(try connection.exchange("GET", "/v1/requests/\(identifier)").status == 404)
        // In pieces, and with none announced, it is taken.
        let stream = try connection.open(post + [("content-length", "\(body.count)")])
        try connection.send(body.map { .data([$0], on: stream) } + [.data([], on: stream, end: true)])
        #expect(try connection.answer(on: stream).status == 200)
        try expectTaken(block: postBlock())
    }

    private func expectRefusal(_ connection: HTTP2Connection, _ stream: UInt32, sourceLocation: SourceLocation = #_sourceLocation) throws {
        switch try connection.outcome(of: stream) {
        case .reset(let code): #expect(code == .protocolError, sourceLocation: sourceLocation)
        case .answer(let answer): #expect((400...499).contains(answer.status), "\(answer)", sourceLocation: sourceLocation)
        case let outcome: Issue.record("\(outcome)", sourceLocation: sourceLocation)
        }
    }

    @Test("RFC 9113 §8.1: trailers end a request and change nothing of it")
    func trailers() throws {
        try expectTaken(block: postBlock(), trailers: HPACK.block([("x-trailer", "v")]))
        try expectTaken(block: postBlock([("trailer", "x-trailer")]), trailers: HPACK.block([("x-trailer", "v"), ("x-other", "")]))
        // RFC 9110 §6.5.1: no door opens or shuts by them.
        let connection = try connectHTTP2()
        for (authority, trailer, allowed) in [
            ("evil.example", ("host", "127.0.0.1"), [400, 401]), ("127.0.0.1", ("x-forwarded-for", "192.0.2.1"), [400, 404]),
        ] {
            let stream = try connection.open(HTTP2Connection.fields("GET", "/v1/requests/nobody", authority: authority))
            try connection.send(.headers(HPACK.block([trailer]), on: stream))
            if case .answer(let answer) = try connection.outcome(of: stream) { #expect(allowed.contains(answer.status), "\(answer.status)") }
        }
    }

    @Test(
        "RFC 9113 §8.1: trailers with pseudo-header fields or broken names are malformed",
        arguments: [
            [(":path", "/x")], [(":method", "POST")], [(":status", "200")], [("x-trailer", "v"), (":authority", "x")], [("X-Trailer", "v")],
            [("connection", "close")], [("x\u{0}", "v")], [("x", "a\u{0}")], [("transfer-encoding", "chunked")],
        ])
    func brokenTrailers(fields: [(String, String)]) throws {
        try expectMalformed(block: postBlock(), trailers: HPACK.block(fields))
    }

    @Test("RFC 9113 §8.1: a second field block that does not end the stream is malformed")
    func trailersWithoutEnd() throws {
        let connection = try connectHTTP2()
        let identifier = Shared.freshIdentifier("smuggled")
        let stream = try connection.open(post)
        try connection.send(.headers(HPACK.block([("x", "y")]), on: stream, end: false), .data(Array(sentPayload(identifier).utf8), on: stream, end: true))
        try expectRefusal(connection, stream)
        #expect(try Shared.server().status(of: identifier).status == 404)
    }

    @Test("RFC 9113 §8.5: CONNECT has no :scheme and no :path, and no tunnel is made here")
    func connect() throws {
        for fields in [
            [(":method", "CONNECT"), (":authority", "example.org:443")],
            [(":method", "CONNECT"), (":authority", "example.org:443"), (":scheme", "http"), (":path", "/callback")],
            [(":method", "CONNECT"), (":scheme", "http"), (":path", "/callback")], [(":method", "CONNECT")], [(":method", "CONNECT"), (":authority", "")],
            [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/callback"), (":authority", "x")],
        ] {
            let connection = try connectHTTP2()
            switch try connection.outcome(of: connection.open(fields)) {
            case .answer(let answer): #expect(answer.status >= 400, "\(fields): \(answer.status)")
            case .reset(let code): #expect([.protocolError, .connectError, .refusedStream].contains(code), "\(fields): \(code)")
            case let outcome: Issue.record("\(fields): \(outcome)")
            }
            #expect(try connection.exchange("GET", "/healthz").status == 200)
        }
    }

    @Test("RFC 9110 §10.1.1: an expectation is met over HTTP/2 too: 100, or the final answer, before the content")
    func expectContinue() throws {
        let connection = try connectHTTP2()
        let body = Array(sentPayload(Shared.freshIdentifier()).utf8)
        let stream = try connection.open(post + [("expect", "100-continue"), ("content-length", "\(body.count)")])
        try connection.read { $0.streams[stream]?.interim == [100] }
        try connection.send(.data(body, on: stream, end: true))
        #expect(try connection.answer(on: stream).status == 200)
        let tooLarge = try connection.open(post + [("expect", "100-continue"), ("content-length", "65537")])
        #expect(try connection.answer(on: tooLarge).status == 413)
    }

    @Test("RFC 9113 §8.1: an answer that comes before the whole request ends the stream with NO_ERROR, and the connection goes on")
    func earlyAnswer() throws {
        let connection = try connectHTTP2()
        let stream = try connection.open(post + [("content-length", "1000000")])
        #expect(try connection.answer(on: stream).status == 413)
        try connection.roundTrip()
        #expect(connection.streams[stream]?.reset ?? .noError == .noError)
        #expect(try connection.post(sentPayload(Shared.freshIdentifier())).status == 200)
        // Without a length it is found out on the way.
        let endless = try connection.open(post)
        try connection.sendBody([UInt8](repeating: 0x20, count: 80_000), on: endless, end: false)
        #expect(try connection.answer(on: endless).status == 413)
        #expect(try connection.post(sentPayload(Shared.freshIdentifier())).status == 200)
    }

    @Test("RFC 9110 §5.4, RFC 9113 §10.5.1: more fields than a server reads are a 4xx or an error, and the next request is read right")
    func tooManyFields() throws {
        for fields in [
            (0..<90).map { ("x-\($0)", String(repeating: "a", count: 1_000)) }, (0..<3_000).map { ("x-\($0)", "a") },
            [("x-long", String(repeating: "a", count: 100_000))],
        ] {
            let connection = try connectHTTP2()
            let identifier = Shared.freshIdentifier("smuggled")
            let block = postBlock(fields)
            let stream = connection.takeStream()
            let starts = Array(stride(from: 0, to: block.count, by: 16_000))
            try connection.send(
                starts.map { start in
                    let piece = Array(block[start..<min(start + 16_000, block.count)])
                    return start == 0
                        ? .headers(piece, on: stream, end: false, endHeaders: false) : .continuation(piece, on: stream, endHeaders: start == starts.last)
                } + [.data(Array(sentPayload(identifier).utf8), on: stream, end: true)])
            switch try connection.outcome(of: stream) {
            case .answer(let answer): #expect(answer.status == 431, "\(answer.status)")
            case .reset(let code), .goAway(let code):
                #expect([.protocolError, .enhanceYourCalm, .refusedStream, .cancel, .compressionError].contains(code), "\(code)")
            case .closed: Issue.record("closed without a word")
            }
            if !connection.hasEnded, connection.goAways.isEmpty { #expect(try connection.exchange("GET", "/healthz").status == 200) }
            #expect(try Shared.server().status(of: identifier).status == 404)
        }
    }
}
