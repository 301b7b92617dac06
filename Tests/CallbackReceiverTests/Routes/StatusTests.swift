// GET /v1/requests/{request_id} and …/callbacks (API.md §4), and what a POST is answered (§3).
//
// Promises: bodies are compared whole; identifiers with every awkward byte are found.

import HTTPWire
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Status and history")
struct StatusTests {
    @Test("a callback's answer, its duplicate's, and its status, member for member")
    func wholeBodies() throws {
        let step = try RouterStep()
        let sent = #"{"request_id":"r-1","whatsapp_message_id":"wamid.1","crisp_fingerprint":163239623329114,"session_id":"s"}"#
        #expect(try step.post(sent).body == #"{"request_id":"r-1","status":"sent","sequence":1,"duplicate":false}"#)
        #expect(try step.post(sent.replacing(",", with: " , ")).body == #"{"request_id":"r-1","status":"sent","sequence":1,"duplicate":true}"#)
        #expect(
            try step.post(#"{"request_id":"r-2","message":"no (#131049)"}"#).body
                == #"{"request_id":"r-2","status":"failed","sequence":2,"duplicate":false}"#)
        #expect(try step.post(#"{"request_id":"r-3"}"#).body == #"{"request_id":"r-3","status":"unrecognized","sequence":3,"duplicate":false}"#)

        let status = try step.get("/v1/requests/r-1").object()
        let names = [
            "request_id", "status", "crisp_fingerprint", "whatsapp_message_id", "session_id", "failure", "received_at", "sequence",
            "callbacks", "updated_at", "announced_at", "overdue_at", "reference", "metadata",
        ]
        #expect(status.names == names)
        #expect(status["crisp_fingerprint"] == "163239623329114" && status["failure"] == "null" && status.integer("callbacks") == 1)
        #expect(status["received_at"] == status["updated_at"])
        let failure = try #require(try step.get("/v1/requests/r-2").object().object("failure"))
        #expect(failure["code"] == "131049" && failure.string("message") == "no (#131049)" && failure.string("class") == "retry_later")
        #expect(failure["retryable"] == "true" && failure["retry_after_seconds"] == "86400")
        #expect(try #require(failure.string("advice")).hasSuffix("wait at least a day before sending it again."))
    }

    @Test("the newest callback decides the status")
    func newest() throws {
        let step = try RouterStep()
        _ = try step.post(callback("a"))
        _ = try step.post(#"{"request_id":"a","message":"later"}"#)
        let status = try step.get("/v1/requests/a").object()
        #expect(status.string("status") == "failed")
        #expect(status.integer("sequence") == 2 && status.integer("callbacks") == 2)
    }

    @Test("an identifier of any visible byte is found by its percent-encoding, and as it is where the path allows")
    func encodedIdentifiers() throws {
        let step = try RouterStep()
        let identifiers = (0x21...0x7E).map { "a" + String(UnicodeScalar(UInt8($0))) + "b" } + [".", "..", "%2F", "callbacks", "a/callbacks", "?", "/"]
        for identifier in identifiers {
            let escaped = identifier.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            #expect(try step.post(#"{"request_id":"\#(escaped)"}"#).status == 200)
            let answer = try step.get("/v1/requests/" + percentEncoded(identifier))
            #expect(try answer.object().string("request_id") == identifier)
            let history = try step.get("/v1/requests/\(percentEncoded(identifier))/callbacks")
            #expect(try history.object().array("callbacks")?.count == 1)
        }
        #expect(try step.get("/v1/requests/a+b").object().string("request_id") == "a+b")
        #expect(try step.get("/v1/requests/a%252Fb").status == 404, "nothing is decoded twice")
    }

    @Test("a query where there are no parameters is a 400 that does not repeat it", arguments: ["key=secret", "secret", "a=%zz", "limit=1"])
    func unknownParameter(query: String) throws {
        let answer = try RouterStep().get("/v1/requests/a?\(query)")
        #expect(answer.status == 400)
        try expectProblem(answer, instance: "/v1/requests/a")
    }

    @Test("pages follow each other without a gap or a repeat, whatever arrives meanwhile", arguments: [1, 3, 7, 100])
    func paging(limit: Int) throws {
        let step = try RouterStep()
        var payloads = (0..<10).map { callback("a", "wamid.\($0)") }
        for payload in payloads { _ = try step.post(payload) }
        _ = try step.post(callback("another"))
        var target: String? = "/v1/requests/a/callbacks?limit=\(limit)"
        var seen: [String] = []
        while let next = target {
            let answer = try step.get(next)
            let page = try answer.object()
            let elements = try #require(page.array("callbacks"))
            #expect(elements.count <= limit)
            seen += try elements.map { try #require(try RawJSON(object: $0)["payload"]) }
            if let cursor = page.string("next") {
                target = "/v1/requests/a/callbacks?limit=\(limit)&cursor=\(cursor)"
                #expect(answer.fields["Link"] == "<\(target ?? "")>; rel=\"next\"")
            } else {
                target = nil
                #expect(page["next"] == "null" && answer.fields["Link"] == nil)
            }
            if payloads.count == 10 {
                payloads.append(callback("a", "late"))
                _ = try step.post(payloads[10])
            }
        }
        #expect(seen == (limit < 100 ? payloads : Array(payloads.prefix(10))))
    }

    @Test("a link to the next page is a valid reference, whatever stood in the path")
    func link() throws {
        let step = try RouterStep()
        for number in 0..<2 { _ = try step.post(callback("a>b", "wamid.\(number)")) }
        #expect(try step.get("/v1/requests/a>b/callbacks?limit=1").fields["Link"] == "</v1/requests/a%3Eb/callbacks?limit=1&cursor=1>; rel=\"next\"")
    }

    @Test("a page ends behind a mebibyte of records, and one record may pass it alone")
    func pageBytes() throws {
        let step = try RouterStep { $0.callbackBodyBytesMax = 4 << 20 }
        var prepared = [String(repeating: "x", count: 60_000)]
        for _ in 0..<20 { prepared.append(String(repeating: "y", count: 60_000 - prepared.count)) }
        for text in prepared { #expect(try step.post(callback("a", text)).status == 200) }
        var total = 0
        var target: String? = "/v1/requests/a/callbacks"
        var pages = 0
        while let next = target {
            let answer = try step.get(next)
            #expect(answer.body.utf8.count < Router.pageBytesMax + 100_000)
            let page = try answer.object()
            total += page.array("callbacks")?.count ?? 0
            target = page.string("next").map { "/v1/requests/a/callbacks?cursor=\($0)" }
            pages += 1
        }
        #expect(total == 21 && pages == 2)
    }

    @Test("what is no limit and no cursor is a 400", arguments: [
        "limit=0", "limit=1001", "limit=", "limit=-1", "limit=1.0", "limit=+1", "limit=9999999999999999999", "cursor=", "cursor=x",
        "limit=1&limit=1", "cursor=1&cursor=2", "page=2", "limit=%zz", "Limit=1",
    ])
    func wrongParameters(query: String) throws {
        let step = try RouterStep()
        _ = try step.post(callback("a"))
        let answer = try step.get("/v1/requests/a/callbacks?\(query)")
        #expect(answer.status == 400)
        try expectProblem(answer, instance: "/v1/requests/a/callbacks")
    }

    @Test("bounds of limit, an encoded parameter, a cursor behind the end", arguments: [
        ("limit=1", 1), ("limit=1000", 2), ("%6Cimit=%31", 1), ("cursor=999", 0), ("cursor=1", 1), ("&&limit=2&", 2),
    ])
    func rightParameters(query: String, count: Int) throws {
        let step = try RouterStep()
        for number in 0..<2 { _ = try step.post(callback("a", "\(number)")) }
        let answer = try step.get("/v1/requests/a/callbacks?\(query)")
        #expect(try answer.object().array("callbacks")?.count == count)
    }

    @Test("what is refused is refused with its status and its path, without its query", arguments: [
        ("{", 400), ("[]", 400), ("", 400), (#"{"request_id":5}"#, 422), ("{}", 422),
    ])
    func refused(body: String, status: Int) throws {
        let answer = try RouterStep().post(body, to: "/callback?key=secret")
        #expect(answer.status == status)
        try expectProblem(answer, instance: "/callback")
    }

    @Test("the thousand and first callback of a request is refused, and says so")
    func tooMany() throws {
        let step = try RouterStep()
        let prepared = try #require(try step.route(postBytes(callback("a"))).1)
        var response = Response()
        Router.answer(prepared, .tooManyRecords, into: &response)
        let answer = RouterStep.answer(response)
        #expect(answer.status == 422)
        try expectProblem(answer, instance: "/callback")
    }

    @Test("announced, announced again, joined by a callback: PUT answers what GET answers")
    func announced() throws {
        let step = try RouterStep { $0.overdueAfterSeconds = 60 }
        let first = try step.put("a b".replacing(" ", with: "~"), #"{ "reference" : "order-1042" , "metadata" : { "n" : 1.50 } }"#)
        #expect(first.status == 201 && first.fields["Cache-Control"] == "no-store")
        #expect(try step.get("/v1/requests/a~b").body == first.body)
        let pending = try first.object()
        #expect(pending.string("status") == "pending" && pending["callbacks"] == "0" && pending["received_at"] == "null")
        #expect(pending["reference"] == #""order-1042""# && pending["metadata"] == #"{"n":1.50}"# && pending["sequence"] == "1")
        let again = try step.put("a~b", #"{"metadata":{"n":1.50},"overdue_after":60,"reference":"order\u002d1042"}"#)
        #expect(again.status == 200 && again.body == first.body, "an identical one appends nothing")
        let other = try step.put("a~b")
        #expect(other.status == 200)
        #expect(try other.object()["reference"] == "null" && other.object()["metadata"] == "{}" && other.object()["sequence"] == "2")
        #expect(try other.object().string("announced_at") == pending.string("announced_at"))
        _ = try step.post(callback("a~b"))
        let sent = try step.get("/v1/requests/a~b").object()
        #expect(sent.string("status") == "sent" && sent["callbacks"] == "1" && sent.string("announced_at") == pending.string("announced_at"))
        let history = try step.get("/v1/requests/a~b/callbacks").object().array("callbacks") ?? []
        #expect(try history.map { try RawJSON(object: $0).string("kind") } == ["announcement", "announcement", "callback"])
        #expect(history.first?.hasSuffix(#""kind":"announcement","request_id":"a~b","overdue_after":60,"reference":"order-1042","metadata":{"n":1.50}}"#) == true)
        #expect(try step.put("late").object().string("status") == "pending")
        #expect(try step.get("/v1/requests?status=pending").object().array("requests")?.count == 1)
    }

    @Test("a path that names no request, a parameter, a body that is none: nothing is announced")
    func notAnnounced() throws {
        let step = try RouterStep()
        for identifier in [" ", "a b", "é", String(repeating: "a", count: 257), "\u{7F}"] { #expect(try step.put(identifier).status == 422, "\(identifier)") }
        #expect(try step.answer(requestBytes("PUT", "/v1/requests/a?wait=1")).status == 400)
        #expect(try step.put("a", "x").status == 400)
        #expect(try step.put("a", #"{"overdue_after":0}"#).status == 422)
        #expect(try step.get("/v1/requests/a").status == 404)
        #expect(step.log.durable == 0)
    }
}
