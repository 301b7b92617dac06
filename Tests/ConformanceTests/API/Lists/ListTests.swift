// API §4: GET /v1/requests — order, each request once, and every filter.
//
// Promises: an element is, word for word, what GET answers for its request.
// Must not know: pages; they have a file of their own.

import Testing
import TestSupport

@Suite("List of requests")
struct ListTests {
    private static let started = Result { try Panorama() }
    private var server: ServerProcess { get throws { try Self.started.get().server } }

    @Test("all requests, by newest record, newest first, each once, as GET answers them")
    func all() throws {
        let answer = try server.get("/v1/requests")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"]?.hasPrefix("application/json") == true && answer["Cache-Control"] == "no-store")
        let page = try answer.object()
        #expect(page.names == ["requests", "next"] && page["next"] == "null")
        #expect(answer["Link"] == nil)
        let elements = try #require(page.array("requests"))
        #expect(try elements.map { try RawJSON(object: $0).string("request_id") } == Panorama.newestFirst)
        for (identifier, element) in zip(Panorama.newestFirst, elements) {
            #expect(try server.status(of: identifier).text == element)
            #expect(try RawJSON(object: element).string("status") == Panorama.status[identifier])
        }
    }

    @Test("by status", arguments: ["sent", "failed", "unrecognized", "pending", "overdue"])
    func status(name: String) throws {
        #expect(try server.identifiers("?status=\(name)") == Panorama.newestFirst.filter { Panorama.status[$0] == name })
    }

    @Test("by failure class", arguments: ["retry_later", "rate_limit", "recipient", "template", "request", "account", "billing", "unknown"])
    func failureClass(name: String) throws {
        #expect(try server.identifiers("?class=\(name)") == Panorama.newestFirst.filter { Panorama.failureClass[$0] == name })
        #expect(try server.identifiers("?class=\(name)&status=failed") == server.identifiers("?class=\(name)"))
        #expect(try server.identifiers("?class=\(name)&status=sent") == [])
    }

    @Test("by a key of the newest callback or announcement", arguments: [
        ("reference=order-1042", ["pending"]), ("reference=order-7", ["overdue"]), ("reference=order-new", ["moved"]), ("reference=order-old", []),
        ("reference=order", []), ("session_id=session_a", ["limited", "sent"]), ("session_id=session_b", ["strange"]), ("session_id=session_new", ["moved"]),
        ("session_id=session_old", []), ("session_id=nobody", []), ("whatsapp_message_id=wamid.sent", ["sent"]), ("whatsapp_message_id=wamid.new", ["moved"]),
        ("whatsapp_message_id=wamid.corrected", ["corrected"]), ("whatsapp_message_id=wamid.old", []), ("whatsapp_message_id=sent", []),
        ("crisp_fingerprint=163239623329114", ["sent"]), ("crisp_fingerprint=16323962332911", []), ("crisp_fingerprint=1", []),
        ("session_id=session%5Fa", ["limited", "sent"]), ("reference=order%2D1042&status=pending", ["pending"]), ("reference=order-1042&status=sent", []),
        ("session_id=session_a&status=failed", ["limited"]), ("session_id=session_a&class=retry_later", ["limited"]),
        ("session_id=session_a&whatsapp_message_id=wamid.sent", ["sent"]), ("session_id=session_a&whatsapp_message_id=wamid.new", []),
    ])
    func key(query: String, expected: [String]) throws { #expect(try server.identifiers("?" + query) == expected) }

    @Test("since is inclusive and until exclusive, about updated_at")
    func times() throws {
        let all = try server.requests().map { (identifier: $0.string("request_id") ?? "", time: $0.string("updated_at") ?? "") }
        for (_, bound) in all {
            #expect(try server.identifiers("?since=\(bound)") == all.filter { $0.time >= bound }.map(\.identifier))
            #expect(try server.identifiers("?until=\(bound)") == all.filter { $0.time < bound }.map(\.identifier))
        }
        let first = try #require(all.last?.time), last = try #require(all.first?.time)
        #expect(try server.identifiers("?since=\(first)&until=\(last)") == all.filter { $0.time < last }.map(\.identifier))
        #expect(try server.identifiers("?since=\(last)&status=overdue") == ["overdue"])
    }

    @Test("a time may have an offset, and any fraction", arguments: [
        "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z", "2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00%2B01:00", "2020-01-01T00:00:00-23:59",
    ])
    func timeForms(value: String) throws {
        #expect(try server.identifiers("?since=\(value)") == Panorama.newestFirst)
        #expect(try server.identifiers("?until=\(value)") == [])
    }

    @Test("an offset counts")
    func offset() throws {
        let last = try #require(try server.requests().first?.string("updated_at"))
        // The same moment, written as a clock in Kathmandu shows it.
        let local = timestamp(try milliseconds(last) + (5 * 60 + 45) * 60_000).dropLast()
        #expect(try server.identifiers("?since=\(local)%2B05:45") == ["overdue"])
        #expect(try server.identifiers("?until=\(local)%2B05:45") == Array(Panorama.newestFirst.dropFirst()))
    }

    @Test("a limit alone takes the newest", arguments: [1, 3, 9, 1000])
    func limit(count: Int) throws { #expect(try server.identifiers("?limit=\(count)") == Array(Panorama.newestFirst.prefix(count))) }

    @Test("what cannot be read is 400, and the problem names it", arguments: [
        ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("limit=", "limit"), ("limit=-1", "limit"), ("limit=1.5", "limit"),
        ("status=nope", "status"), ("status=", "status"), ("status=SENT", "status"), ("status=sent,failed", "status"), ("class=nope", "class"), ("class=", "class"),
        ("since=yesterday", "since"), ("since=", "since"), ("since=2026-05-20", "since"), ("since=2026-13-01T00:00:00Z", "since"),
        ("since=2026-02-30T00:00:00Z", "since"), ("since=2026-05-20T18:20:25", "since"), ("until=2026-05-20T25:00:00Z", "until"), ("until=x", "until"),
        ("crisp_fingerprint=x", "crisp_fingerprint"), ("crisp_fingerprint=1.5", "crisp_fingerprint"), ("crisp_fingerprint=", "crisp_fingerprint"),
        ("cursor=nonsense", "cursor"), ("cursor=", "cursor"), ("status=sent&status=failed", "status"), ("limit=5&limit=5", "limit"), ("session_id=%", "%"),
        ("unknown=1", ""), ("Status=sent", ""), ("request_id=x", ""), ("wait=1", ""), ("format=csv", ""),
    ])
    func unreadable(query: String, name: String) throws {
        let answer = try server.get("/v1/requests?" + query)
        try expectProblem(answer, 400, instance: "/v1/requests")
        let detail = try answer.object().string("detail") ?? ""
        #expect(name.isEmpty || detail.contains(name), "\(detail)")
    }

    @Test("an unknown status or class is told the ones there are")
    func named() throws {
        let status = try server.get("/v1/requests?status=nope").text
        for name in ["sent", "failed", "unrecognized", "pending", "overdue"] { #expect(status.contains(name)) }
        let failureClass = try server.get("/v1/requests?class=nope").text
        for name in ["retry_later", "rate_limit", "recipient", "template", "request", "account", "billing", "unknown"] { #expect(failureClass.contains(name)) }
    }

    @Test("HEAD has the fields and no body, and HTTP/2 the same page")
    func otherForms() throws {
        let server = try server
        let answer = try server.get("/v1/requests?status=failed")
        let head = try server.exchange(requestBytes("HEAD", "/v1/requests?status=failed"), toHEAD: true)
        #expect(head.status == 200 && head.body.isEmpty && head["Content-Type"] == answer["Content-Type"])
        #expect(try HTTP2Connection(port: server.port).exchange("GET", "/v1/requests?status=failed").text == answer.text)
    }

    @Test("nothing there is an empty list")
    func empty() throws { #expect(try ServerProcess().get("/v1/requests").text == #"{"requests":[],"next":null}"#) }
}
