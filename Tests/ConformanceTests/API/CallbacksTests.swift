// API §4: GET /v1/requests/{request_id}/callbacks — every record, payload byte for byte, in pages.
//
// Promises: cursors are opaque here: only what `next` gave is ever sent back.
// Must not know: how records are indexed.

import Testing
import TestSupport

@Suite("Callbacks of a request")
struct CallbacksTests {
    static let payloads: [String] = [
        #"{"request_id":"$ID"}"#,
        #"{"request_id":"$ID","n":[1.0,1e5,-0,100000000000000000000000000000000000000001,0.10],"dup":1,"dup":2}"#,
        #"{"z":1,"request_id":"$ID","a":"\/ \u00e9 \ud800 é 😀 \" \\"}"#,
        #"{"request_id":"$ID","a":" white  space\t ","b":{"c":[],"d":{}}}"#,
        "{ \"request_id\" : \"$ID\" ,\r\n\t\"a\" : [ 1 , \" , \" ] }\n",
    ]

    @Test("a payload comes back byte for byte but for white space between tokens", arguments: payloads)
    func payload(template: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let body = template.replacing("$ID", with: identifier)
        let accepted = try server.post(body).object()
        let answer = try server.get("/v1/requests/\(identifier)/callbacks")
        #expect(answer.status == 200)
        let page = try answer.object()
        #expect(page.names == ["callbacks", "next"])
        #expect(page["next"] == "null")
        let callbacks = try #require(page.array("callbacks"))
        #expect(callbacks.count == 1)
        let callback = try RawJSON(object: try #require(callbacks.first))
        #expect(callback["payload"].map(RawJSON.compact) == RawJSON.compact(body))
        #expect(callback.integer("sequence") == accepted.integer("sequence"))
        #expect(callback.string("status") == accepted.string("status"))
        #expect(callback.string("kind") == "callback")
        #expect(isTimestamp(callback.string("received_at") ?? ""))
    }

    /// Posts that many callbacks of one fresh request.
    private func request(callbacks count: Int) throws -> (identifier: String, sequences: [Int]) {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try server.connect()
        var sequences: [Int] = []
        for index in 0..<count {
            try connection.send(postBytes(sentPayload(identifier, "w\(index)")))
            sequences.append(try #require(try connection.readAnswer().object().integer("sequence")))
        }
        return (identifier, sequences)
    }

    private func sequences(_ page: RawJSON) throws -> [Int] {
        try #require(page.array("callbacks")).map { try #require(try RawJSON(object: $0).integer("sequence")) }
    }

    @Test("pages hold every record once, oldest first", arguments: [1, 2, 3, 7, 8])
    func paging(limit: Int) throws {
        let server = try Shared.server()
        let (identifier, expected) = try request(callbacks: 7)
        var found: [Int] = []
        var target = "/v1/requests/\(identifier)/callbacks?limit=\(limit)"
        for _ in 0..<10 {
            let page = try server.get(target).object()
            let these = try sequences(page)
            #expect(these.count <= limit)
            found += these
            guard let cursor = page.string("next") else {
                #expect(page["next"] == "null")
                break
            }
            #expect(these.count == limit)
            target = "/v1/requests/\(identifier)/callbacks?limit=\(limit)&cursor=\(percentEncoded(cursor))"
        }
        #expect(found == expected)
    }

    @Test("without a limit a page holds 100, and with 1000 all that one id may have in a page")
    func defaultLimit() throws {
        let server = try Shared.server()
        let (identifier, expected) = try request(callbacks: 101)
        let page = try server.get("/v1/requests/\(identifier)/callbacks").object()
        #expect(try sequences(page) == Array(expected.prefix(100)))
        let cursor = try #require(page.string("next"))
        let rest = try server.get("/v1/requests/\(identifier)/callbacks?cursor=\(percentEncoded(cursor))").object()
        #expect(try sequences(rest) == Array(expected.suffix(1)))
        #expect(rest["next"] == "null")
        let all = try server.get("/v1/requests/\(identifier)/callbacks?limit=1000").object()
        #expect(try sequences(all) == expected)
    }

    @Test(
        "a limit outside 1 to 1000, a broken cursor and an unknown parameter are 400",
        arguments: [
            "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.5", "limit=99999999999999999999", "limit=+5", "cursor=nonsense",
            "cursor=", "unknown=1", "limit=5&unknown", "Limit=5",
        ])
    func badParameters(query: String) throws {
        let server = try Shared.server()
        let (identifier, _) = try request(callbacks: 1)
        let path = "/v1/requests/\(identifier)/callbacks"
        try expectProblem(try server.get("\(path)?\(query)"), 400, instance: path)
    }

    @Test("the callbacks of an unknown request are 404")
    func unknown() throws {
        try expectProblem(try Shared.server().get("/v1/requests/nobody/callbacks"), 404, instance: "/v1/requests/nobody/callbacks")
    }

    @Test("an answer larger than any socket buffer arrives whole, and others are served meanwhile")
    func largeAnswer() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let padding = String(repeating: "p", count: 60_000)
        let payloads = (0..<100).map { #"{"request_id":"\#(identifier)","n":\#($0),"padding":"\#(padding)"}"# }
        let connection = try server.connect()
        for payload in payloads {
            try connection.send(postBytes(payload))
            #expect(try connection.readAnswer().status == 200)
        }
        try connection.send(requestBytes("GET", "/v1/requests/\(identifier)/callbacks") + requestBytes("GET", "/healthz"))
        #expect(connection.isReadable(milliseconds: 10_000))
        #expect(try server.get("/healthz").status == 200)
        var found: [String?] = []
        var page = try connection.readAnswer().object()
        #expect(try connection.readAnswer().status == 200)
        // A page may be shorter than its limit where records are large; the cursor leads on.
        for _ in payloads {
            found += try #require(page.array("callbacks")).map { try RawJSON(object: $0)["payload"] }
            guard let cursor = page.string("next") else { break }
            page = try server.get("/v1/requests/\(identifier)/callbacks?cursor=\(percentEncoded(cursor))").object()
        }
        #expect(found == payloads)
    }
}
