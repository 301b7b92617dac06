// RFC 9113 §8, RFC 9110 §3.9: the same request has the same answer over both protocols.
//
// Promises: status, fields and content are compared, but for what belongs to the connection, the clock, and what a
// test made different itself.
// Must not know: what the right answer is; other suites hold that for HTTP/1.1.

import Testing
import TestSupport

/// One request, in terms of neither protocol; `$ID` in target and content becomes an identifier.
struct NeutralRequest: Sendable, CustomTestStringConvertible {
    let method: String
    let target: String
    var authority = "127.0.0.1"
    var fields: [(String, String)] = []
    var body: String?
    /// The same request before this one.
    var isRepeated = false

    var testDescription: String { "\(method) \(target) \(authority) \(fields) \(body?.prefix(60) ?? "")" }

    func overFirst(_ server: ServerProcess, _ identifier: String) throws -> Answer {
        let bytes = requestBytes(
            method, target.replacing("$ID", with: identifier), host: authority, fields: fields.map { "\($0.0): \($0.1)" },
            body: body.map { Array($0.replacing("$ID", with: identifier).utf8) })
        return try server.exchange(bytes, toHEAD: method == "HEAD")
    }

    func overSecond(_ connection: HTTP2Connection, _ identifier: String) throws -> Answer {
        try connection.exchange(
            method, target.replacing("$ID", with: identifier), authority: authority, fields: fields,
            body: body.map { Array($0.replacing("$ID", with: identifier).utf8) })
    }
}

@Suite("RFC 9110 §3.9: both protocols alike")
struct ParityTests {
    private static let sent = #"{"request_id":"$ID","whatsapp_message_id":"wamid.1"}"#
    private static let failed = #"{"error":true,"data":{"request_id":"$ID","message":"(#131049) not delivered","code":131049}}"#

    static let callbacks: [NeutralRequest] = [
        NeutralRequest(method: "POST", target: "/callback", body: sent), NeutralRequest(method: "POST", target: "/callback", body: failed),
        NeutralRequest(method: "POST", target: "/callback", body: sent, isRepeated: true),
        NeutralRequest(
            method: "POST", target: "/callback/?key=x", authority: "hooks.example", fields: [("content-type", "text/plain"), ("x-forwarded-for", "192.0.2.1")],
            body: #"{"request_id":"$ID"}"#),
        NeutralRequest(method: "POST", target: "/callback", body: ""), NeutralRequest(method: "POST", target: "/callback", body: "x"),
        NeutralRequest(method: "POST", target: "/callback", body: "[]"),
        NeutralRequest(method: "POST", target: "/callback"), NeutralRequest(method: "POST", target: "/callback", body: #"{"request":"$ID"}"#),
        NeutralRequest(method: "POST", target: "/callback", body: sent + String(repeating: " ", count: 65_537)),
        NeutralRequest(method: "POST", target: "/callback", body: String(repeating: "[", count: 70)),
    ]

    static let others: [NeutralRequest] =
        [
            "/healthz", "/readyz", "/healthz?x", "/", "/nowhere", "/callback", "/callback/x", "/v1/requests/$ID", "/v1/requests/nobody", "/v1/requests/%",
            "/v1/requests/%2", "/v1/requests/",
            "/v1/requests/$ID/callbacks", "/v1/requests/$ID/callbacks?limit=1", "/v1/requests/$ID/callbacks?limit=0", "/v1/requests/$ID/callbacks?cursor=x",
            "/v1/requests/nobody/callbacks", "/v1/requests/a%2Fb", "/v1/requests/a%252Fb", "//", "/v1/requests/$ID?wait=x",
        ].flatMap { target in
            ["GET", "HEAD", "DELETE", "OPTIONS", "PATCH"].map { NeutralRequest(method: $0, target: target) }
                + [
                    NeutralRequest(method: "GET", target: target, authority: "evil.example"),
                    NeutralRequest(method: "GET", target: target, authority: "[::1]:8080"),
                ]
                + [
                    NeutralRequest(method: "GET", target: target, fields: [("x-forwarded-for", "127.0.0.1")]),
                    NeutralRequest(method: "GET", target: target, fields: [("via", "1.1 x")]), NeutralRequest(method: "GET", target: target, body: "content"),
                ]
        } + [
            NeutralRequest(method: "BREW", target: "/callback"), NeutralRequest(method: "TRACE", target: "/healthz"),
            NeutralRequest(method: "OPTIONS", target: "*"), NeutralRequest(method: "GET", target: "/" + String(repeating: "a", count: 7_000)),
            NeutralRequest(method: "POST", target: "/healthz", body: "x"), NeutralRequest(method: "POST", target: "/v1/requests/$ID", body: "x"),
        ]

    /// The fields that both protocols have, in order of names.
    private func fields(_ answer: Answer) -> [String] {
        let ofConnection: Set = ["date", "connection", "keep-alive", "content-length"]
        return answer.fields.filter { !ofConnection.contains($0.name.lowercased()) }.map { "\($0.name.lowercased()): \($0.value)" }.sorted()
    }

    /// The content with what differs from one request to the next taken out.
    private func content(_ answer: Answer, _ identifier: String) -> String {
        answer.text.replacing(identifier, with: "$ID").replacing(/"sequence":\d+/, with: "\"sequence\":0").replacing(
            /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, with: "time")
    }

    @Test("RFC 9110 §3.9: a callback is answered the same over both", arguments: callbacks)
    func callback(request: NeutralRequest) throws {
        let server = try Shared.server()
        let connection = try connectHTTP2()
        let names = (Shared.freshIdentifier("parity"), Shared.freshIdentifier("parity"))
        if request.isRepeated {
            #expect(try request.overFirst(server, names.0).status == 200)
            #expect(try request.overSecond(connection, names.1).status == 200)
        }
        let first = try request.overFirst(server, names.0), second = try request.overSecond(connection, names.1)
        #expect(second.status == first.status)
        #expect(fields(second) == fields(first))
        #expect(content(second, names.1) == content(first, names.0))
        // And it is known afterwards, or unknown, alike.
        let known = (try server.get("/v1/requests/\(names.0)"), try connection.exchange("GET", "/v1/requests/\(names.1)"))
        #expect(known.0.status == known.1.status && content(known.0, names.0) == content(known.1, names.1))
    }

    /// A request with three callbacks, which nothing here adds to.
    private static let known = Result {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier("parity")
        for text in ["w1", "w2", "w3"] { _ = try server.post(sentPayload(identifier, text)) }
        return identifier
    }

    @Test("RFC 9110 §3.9: whatever is asked is answered the same over both, byte for byte", arguments: others)
    func other(request: NeutralRequest) throws {
        let server = try Shared.server()
        let identifier = try Self.known.get()
        let first = try request.overFirst(server, identifier), second = try request.overSecond(connectHTTP2(), identifier)
        #expect(second.status == first.status, "\(first.text) \(second.text)")
        #expect(fields(second) == fields(first))
        #expect(second.text == first.text)
        #expect(second["Date"] != nil)
        // RFC 9110 §8.6: what is said of the length is the same too.
        #expect(second["Content-Length"] == nil || second["Content-Length"] == first["Content-Length"])
    }

    @Test("RFC 9110 §3.9: a duplicate is one whichever protocol brought the first")
    func duplicates() throws {
        let server = try Shared.server()
        let connection = try connectHTTP2()
        for isFirst in [true, false] {
            let payload = sentPayload(Shared.freshIdentifier())
            let answers = isFirst ? [try server.post(payload), try connection.post(payload)] : [try connection.post(payload), try server.post(payload)]
            #expect(answers.map(\.status) == [200, 200])
            #expect(try answers.map { try $0.object()["duplicate"] } == ["false", "true"])
            #expect(try answers[0].object().integer("sequence") == answers[1].object().integer("sequence"))
        }
    }

    @Test("RFC 9110 §3.9: pages follow one another over both alike")
    func paging() throws {
        let server = try Shared.server()
        let connection = try connectHTTP2()
        let identifier = Shared.freshIdentifier()
        for index in 0..<7 { #expect(try connection.post(sentPayload(identifier, "w\(index)")).status == 200) }
        var target = "/v1/requests/\(identifier)/callbacks?limit=3"
        var count = 0
        for _ in 0..<4 {
            let first = try server.get(target), second = try connection.exchange("GET", target)
            #expect(first.text == second.text)
            let page = try second.object()
            count += page.array("callbacks")?.count ?? 0
            guard let cursor = page.string("next") else { break }
            target = "/v1/requests/\(identifier)/callbacks?limit=3&cursor=\(percentEncoded(cursor))"
        }
        #expect(count == 7)
    }

    @Test("API §2: with two addresses HTTP/2 is spoken at both, and each serves its own routes")
    func twoAddresses() throws {
        let server = try ServerProcess(listen: nil, configuration: "callback:\n  listen: 127.0.0.1:0\napi:\n  listen: 127.0.0.2:0\n", addressCount: 2)
        let (callback, api) =
            (server.addresses[0].host == "127.0.0.1" ? (server.addresses[0], server.addresses[1]) : (server.addresses[1], server.addresses[0]))
        let first = try HTTP2Connection(host: callback.host, port: callback.port), second = try HTTP2Connection(host: api.host, port: api.port)
        #expect(try first.post(sentPayload("x")).status == 200)
        #expect(try second.exchange("GET", "/v1/requests/x").status == 200)
        try expectProblem(try first.exchange("GET", "/v1/requests/x"), 404, instance: "/v1/requests/x")
        try expectProblem(try second.post(sentPayload("y")), 404, instance: "/callback")
    }
}
