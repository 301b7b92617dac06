// API §3: what HTTP itself refuses is kept as well, over either version; without its proof of origin it takes no room from
// the rest.
//
// Promises: every body goes over a socket as a client would send it, or breaks it off. Must not know: how it is kept.

import Testing
import TestSupport

@Suite("Quarantine and HTTP")
struct QuarantineHTTPTests {
    @Test("over HTTP/2 a refused body is kept before its answer, shown byte for byte and page by page, and counted when it comes again over either version")
    func http2() throws {
        let server = try ServerProcess()
        let connection = try HTTP2Connection(port: server.port)
        let bodies: [([UInt8], Int)] = [(Array(#"{"no":"id é"}"#.utf8), 422), (Array("no JSON".utf8), 400), ([0x7B, 0xFF, 0x00, 0x7D], 400)]
        for (bytes, status) in bodies {
            let answer = try connection.exchange("POST", "/callback", body: bytes)
            #expect(answer.status == status)
            let entry = try #require(try server.quarantined { try connection.exchange("GET", $0) }.first)
            let (kept, detail) = (try entry.quarantinedBody(), try answer.object().string("detail"))
            #expect(kept == bytes && entry.integer("status") == status && entry.integer("count") == 1)
            #expect(entry.string("peer") == "127.0.0.1" && entry.string("detail") == detail)
        }
        #expect(try connection.exchange("POST", "/callback", body: bodies[0].0).status == 422)
        #expect(try server.post(#"{"no":"id é"}"#).status == 422)
        let shown = try server.quarantined(limit: 1) { try connection.exchange("GET", $0) }
        let shownBodies = try shown.map { try $0.quarantinedBody() }
        #expect(shownBodies == bodies.reversed().map(\.0))
        #expect(shown.map { $0.integer("count") } == [1, 1, 3])
        let overHTTP1 = try server.quarantined(limit: 1)
        #expect(overHTTP1.map { "\($0.members)" } == shown.map { "\($0.members)" })
    }

    @Test("of a body that is declared too long over HTTP/2 what was received is kept, and nothing where nothing was")
    func declared() throws {
        let server = try ServerProcess(configuration: "callback:\n  body-bytes-max: 4KiB\n")
        let connection = try HTTP2Connection(port: server.port)
        let fields = HTTP2Connection.fields("POST", "/callback") + [("content-length", "9000")]
        let silent = try connection.open(fields)
        #expect(try connection.answer(on: silent).status == 413)
        #expect(try server.quarantined().isEmpty)
        // Head and content in one piece, so that both are there when it is refused.
        let bytes = (0..<1_000).map { UInt8($0 & 0x3F) + 0x20 }
        let stream = connection.takeStream()
        try connection.send(.headers(HPACK.block(fields), on: stream, end: false), .data(bytes, on: stream))
        #expect(try connection.answer(on: stream).status == 413)
        let kept = try server.quarantined().map { try $0.quarantinedBody() }
        #expect(kept == [bytes])
    }

    @Test(
        "of a request whose head is refused the body that came with it is kept, too, where it was for the callback path",
        arguments: [
            ("/callback?key=\u{E9}", "Host: a"), ("/callback/?a=b#c", "Host: a"), ("/callback?a b", "Host: a"), ("/callback", "Host: a\r\nHost: b"),
            ("/callback", "X: y"), ("/callback", "Host: a\r\nBad name: x"), ("/callback", "Host: a\r\nTransfer-Encoding: chunked"),
        ])
    func head(target: String, fields: String) throws {
        for isAsked in [false, true] {
            let server = try ServerProcess(configuration: isAsked ? "callback:\n  keys: [a-key-of-some-length]\n" : "callback:\n  path: /callback\n")
            for (path, isKept) in [(target, true), (target.replacing("/callback", with: "/callbacks"), false), (target.replacing("/callback", with: "/other"), false)] {
                let body = "{\"kept\":\(isKept)}"
                let answer = try server.exchange(Array("POST \(path) HTTP/1.1\r\n\(fields)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
                #expect(answer.status == 400)
                let kept = try server.quarantined()
                #expect(kept.map { $0.string("body") } == ["{\"kept\":true}"], "\(path)")
                #expect(kept.first?.string("detail") == (isKept ? try answer.object().string("detail") : kept.first?.string("detail")))
            }
        }
    }

    @Test("a request that is pipelined behind one whose head is refused is no part of its body", arguments: ["Content-Length: 0\r\n", "Content-Length: 2\r\n", ""])
    func pipelined(length: String) throws {
        let server = try ServerProcess()
        let body = length.contains("2") ? "{}" : ""
        let next = "GET /v1/requests HTTP/1.1\r\nHost: a\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"
        #expect(try server.exchange(Array("POST /callback HTTP/1.1\r\nX: y\r\n\(length)\r\n\(body)\(next)".utf8)).status == 400)
        #expect(try server.quarantined().map { $0.string("body") } == (body.isEmpty ? [] : ["{}"]))
    }

    @Test("what HTTP refuses without a proof of origin pushes nothing out that has it; what has it does", arguments: [false, true])
    func unproved(isHTTP2: Bool) throws {
        let key = "a-key-of-some-length"
        let server = try ServerProcess(
            configuration: "callback:\n  body-bytes-max: 1KiB\n  keys: [\(key)]\nquarantine:\n  bytes-max: 1MiB\n")
        let connection = try HTTP2Connection(port: server.port)
        func post(_ body: [UInt8], to target: String) throws -> Answer {
            guard isHTTP2 else { return try server.exchange(requestBytes("POST", target, body: body)) }
            // Of one that does not say how long it is something has come when it is refused.
            return try connection.answer(on: connection.request("POST", target, body: body, statesLength: false))
        }
        func isThere() throws -> Bool { try server.quarantined().contains { $0.string("body") == "no JSON" } }
        #expect(try post(Array("no JSON".utf8), to: "/callback?key=\(key)").status == 400)
        // One address has a quarter: 64 bodies of a block each.
        func long(_ number: Int) -> [UInt8] { Array("\(number)".utf8) + [UInt8](repeating: 0x71, count: 2_000) }
        for number in 0..<70 {
            #expect(try post(long(number), to: number % 2 == 0 ? "/callback" : "/callback?key=wrong").status == 413)
            guard !isHTTP2 else { continue }
            // A chunk that is none.
            let chunks = "POST /callback HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\(number + 100)\r\nx\r\n"
            #expect(try server.exchange(Array(chunks.utf8)).status == 400)
        }
        let shown = try server.quarantined()
        #expect(shown.contains { $0.integer("status") == 413 } && (isHTTP2 || shown.contains { $0.string("body") == "100" }))
        #expect(try isThere())
        for number in 70..<140 { #expect(try post(long(number), to: "/callback?key=\(key)").status == 413) }
        #expect(try !isThere())
    }
}
