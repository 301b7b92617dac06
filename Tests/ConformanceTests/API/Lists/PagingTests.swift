// API §4: pages of the list stand still while more arrives.
//
// Promises: only what `next` or Link gave is ever sent back; what arrives between two pages is the test's own.
// Must not know: what is in a cursor.

import Testing
import TestSupport

@Suite("Pages of the list")
struct PagingTests {
    /// A server with so many requests, r0 the oldest.
    private func server(requests count: Int) throws -> ServerProcess {
        let server = try ServerProcess()
        try server.postAll((0..<count).map { $0.isMultiple(of: 3) ? failedPayload("r\($0)", code: 131_049) : sentPayload("r\($0)", "w\($0)") })
        return server
    }

    /// All identifiers over all pages; `between` is called after each page.
    private func pages(
        _ server: ServerProcess, _ query: String, limit: Int, between: (Int) throws -> Void = { _ in }
    ) throws -> [String] {
        var found: [String] = []
        var target = "/v1/requests?\(query)limit=\(limit)"
        for page in 0..<1000 {
            let object = try server.object(target)
            let elements = try #require(object.array("requests"))
            #expect(elements.count <= limit)
            found += try elements.compactMap { try RawJSON(object: $0).string("request_id") }
            guard let cursor = object.string("next") else {
                #expect(object["next"] == "null")
                return found
            }
            try between(page)
            target = "/v1/requests?\(query)limit=\(limit)&cursor=\(percentEncoded(cursor))"
        }
        throw TestFailure.unreadable("the pages do not end")
    }

    @Test("pages hold every request once, newest first", arguments: [1, 7, 24, 25, 26])
    func all(limit: Int) throws {
        let server = try server(requests: 25)
        #expect(try pages(server, "", limit: limit) == (0..<25).reversed().map { "r\($0)" })
        #expect(try pages(server, "status=failed&", limit: limit) == (0..<25).reversed().filter { $0.isMultiple(of: 3) }.map { "r\($0)" })
        #expect(try pages(server, "class=retry_later&since=2020-01-01T00:00:00Z&", limit: limit).count == 9)
    }

    @Test("a key that thousands of requests have leads to all of them, in a list and in an export", arguments: [4_000, 4_500, 9_000])
    func manyOfOneKey(count: Int) throws {
        let server = try ServerProcess()
        let identifiers = (0..<count).map { "r\($0)" }
        try server.postAll(
            identifiers.enumerated().map { number, identifier in
                let session = number % 10 == 0 ? "another" : "campaign"
                return #"{"request_id":"\#(identifier)","whatsapp_message_id":"w\#(number)","session_id":"\#(session)"}"#
            })
        let wanted = identifiers.enumerated().filter { $0.offset % 10 != 0 }.map(\.element)
        #expect(try pages(server, "session_id=campaign&", limit: 1_000) == wanted.reversed())
        #expect(try pages(server, "session_id=campaign&whatsapp_message_id=w7&", limit: 1_000) == ["r7"])
        let exported = try server.get("/v1/export?session_id=campaign").text.split(separator: "\n")
        #expect(try exported.map { try RawJSON(object: String($0)).string("request_id") } == wanted)
    }

    @Test("without a limit a page has 100, and 1000 is the most")
    func limits() throws {
        let server = try server(requests: 1005)
        let first = try server.object("/v1/requests")
        #expect(first.array("requests")?.count == 100 && first.string("next") != nil)
        var count = 0
        var target = "/v1/requests?limit=1000"
        // A page may be shorter than its limit; the cursor leads on.
        for _ in 0..<100 {
            let page = try server.object(target)
            count += page.array("requests")?.count ?? 0
            guard let cursor = page.string("next") else { break }
            target = "/v1/requests?limit=1000&cursor=\(percentEncoded(cursor))"
        }
        #expect(count == 1005)
    }

    @Test("what arrives while one pages neither shifts nor repeats the pages after", arguments: [1, 4, 10])
    func arrivals(limit: Int) throws {
        let server = try server(requests: 30)
        var arrived = 0
        let found = try pages(server, "", limit: limit) { page in
            // New requests, and new records of requests that were listed, or are yet to be.
            arrived += 1
            _ = try server.post(sentPayload("new\(arrived)"))
            _ = try server.post(failedPayload("r\((page * 7) % 30)", message: "again \(arrived)"))
            _ = try server.put("r\((page * 11) % 30)", #"{"reference":"n\#(arrived)"}"#)
        }
        #expect(found == (0..<30).reversed().map { "r\($0)" })
        #expect(arrived >= 2)
    }

    @Test("with a filter, too: what no longer matches stands where it stood when the first page was made", arguments: [1, 4])
    func filteredArrivals(limit: Int) throws {
        let server = try server(requests: 30)
        let expected = (0..<30).reversed().filter { $0.isMultiple(of: 3) }.map { "r\($0)" }
        let found = try pages(server, "status=failed&", limit: limit) { page in
            // The oldest, to be listed last, is sent now; others fail that were sent before.
            if page == 0 { _ = try server.post(sentPayload("r0", "corrected")) }
            _ = try server.post(failedPayload("r\((page * 3 + 1) % 30)", message: "since \(page)"))
        }
        #expect(found == expected)
        let now = try server.identifiers("?status=failed&limit=1000")
        #expect(!now.contains("r0") && now.contains("r1"))
    }

    @Test("a request of a later page is shown as it was when the first page was made")
    func asOf() throws {
        let server = try server(requests: 3)
        let before = try server.status(of: "r0").text
        let first = try server.object("/v1/requests?limit=1")
        _ = try server.post(failedPayload("r0", message: "since"))
        _ = try server.put("r1", #"{"reference":"since"}"#)
        let cursor = percentEncoded(try #require(first.string("next")))
        let rest = try #require(try server.object("/v1/requests?limit=10&cursor=\(cursor)").array("requests"))
        #expect(rest.count == 2 && rest.last == before)
        #expect(try rest.first.map { try RawJSON(object: $0)["reference"] } == "null")
    }

    @Test("Link leads to the next page (RFC 8288), filters and all, and is absent at the end")
    func link() throws {
        let server = try server(requests: 20)
        var target = "/v1/requests?status=sent&limit=6"
        var found: [String] = []
        for _ in 0..<10 {
            let answer = try server.get(target)
            found += try #require(try answer.object().array("requests")).compactMap { try RawJSON(object: $0).string("request_id") }
            guard let link = answer["Link"] else {
                #expect(try answer.object()["next"] == "null")
                break
            }
            #expect(try answer.object().string("next") != nil)
            let match = try #require(link.firstMatch(of: /<([^>]*)>; *rel="?next"?/), "\(link)")
            target = String(match.1)
            #expect(target.hasPrefix("/v1/requests?"))
        }
        #expect(found == (0..<20).reversed().filter { !$0.isMultiple(of: 3) }.map { "r\($0)" })
    }

    @Test("a cursor belongs to its filters", arguments: ["status=sent", "", "status=failed&class=template", "session_id=x", "status=failed&since=2020-01-01T00:00:00Z"])
    func otherFilters(query: String) throws {
        let server = try server(requests: 9)
        let cursor = percentEncoded(try #require(try server.object("/v1/requests?status=failed&limit=1").string("next")))
        let separator = query.isEmpty ? "" : "&"
        try expectProblem(try server.get("/v1/requests?\(query)\(separator)limit=1&cursor=\(cursor)"), 400, instance: "/v1/requests")
        // The limit is none of them.
        #expect(try server.get("/v1/requests?status=failed&limit=5&cursor=\(cursor)").status == 200)
    }

    @Test("a cursor of a list is none of a history, and the other way round")
    func otherLists() throws {
        let server = try server(requests: 4)
        _ = try server.post(sentPayload("r0", "another"))
        let list = percentEncoded(try #require(try server.object("/v1/requests?limit=1").string("next")))
        let history = percentEncoded(try #require(try server.object("/v1/requests/r0/callbacks?limit=1").string("next")))
        try expectProblem(try server.get("/v1/requests/r0/callbacks?cursor=\(list)"), 400)
        try expectProblem(try server.get("/v1/requests?cursor=\(history)"), 400)
    }
}
