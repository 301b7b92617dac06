// API §4: PUT /v1/requests/{request_id} — announced, announced again, and joined with its callback.
//
// Promises: what PUT answers is what GET answers; metadata is compared as text, digit for digit.
// Must not know: how the time that runs out is noticed; that has a file of its own.

import Testing
import TestSupport

@Suite("Announcing a request")
struct AnnouncementTests {
    @Test("what was announced is 201, pending, and what GET answers from then on")
    func created() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let answer = try server.put(identifier, #"{"overdue_after":300,"reference":"order-1042","metadata":{"customer":7,"n":1.50}}"#)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(answer["Content-Type"]?.hasPrefix("application/json") == true && answer["Cache-Control"] == "no-store")
        let request = try answer.object()
        #expect(Set(request.names) == StatusTests.members && request.names.count == StatusTests.members.count)
        #expect(request.string("request_id") == identifier && request.string("status") == "pending")
        #expect(request.integer("callbacks") == 0)
        for member in ["received_at", "failure", "crisp_fingerprint", "whatsapp_message_id", "session_id"] {
            #expect(request[member] == "null", "\(member)")
        }
        #expect(request.string("reference") == "order-1042")
        #expect(request["metadata"] == #"{"customer":7,"n":1.50}"#)
        let announced = try milliseconds(request.string("announced_at"))
        #expect(try milliseconds(request.string("updated_at")) == announced)
        #expect(try milliseconds(request.string("overdue_at")) == announced + 300_000)
        #expect(try server.status(of: identifier).text == answer.text)
    }

    @Test("everything is optional, the body too", arguments: ["", "{}", " {\n} "])
    func optional(body: String) throws {
        let answer = try Shared.server().put(Shared.freshIdentifier(), body)
        #expect(answer.status == 201, "\(answer.text)")
        let request = try answer.object()
        #expect(request["reference"] == "null" && request["metadata"] == "{}")
        // API §2: expectations.overdue-after-seconds is 300.
        #expect(try milliseconds(request.string("overdue_at")) == milliseconds(request.string("announced_at")) + 300_000)
    }

    @Test("PUT without a body at all announces, too")
    func noBody() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        #expect(try server.exchange(requestBytes("PUT", "/v1/requests/\(identifier)")).status == 201)
        #expect(try server.status(of: identifier).object().string("status") == "pending")
    }

    @Test("the time where none is named is configured")
    func configured() throws {
        let server = try ServerProcess(configuration: "expectations:\n  overdue-after-seconds: 4000\n")
        let request = try server.put("a").object()
        #expect(try milliseconds(request.string("overdue_at")) == milliseconds(request.string("announced_at")) + 4_000_000)
    }

    @Test("announced again alike is 200 and appends nothing", arguments: [
        #"{"overdue_after":60,"reference":"r","metadata":{"a":[1,"x"]}}"#, #"{"metadata" : {"a" : [ 1 , "x" ] }, "overdue_after":60,"reference":"\u0072"}"#,
    ])
    func identical(second: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let first = try server.put(identifier, #"{"overdue_after":60,"reference":"r","metadata":{"a":[1,"x"]}}"#)
        let again = try server.put(identifier, second)
        #expect(first.status == 201 && again.status == 200)
        #expect(again.text == first.text)
        #expect(try server.records(of: identifier).count == 1)
    }

    @Test("announced again otherwise is 200, clears what is left out, and its time runs from the first announcement")
    func replaced() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let first = try server.put(identifier, #"{"overdue_after":60,"reference":"r","metadata":{"a":1}}"#).object()
        let answer = try server.put(identifier, #"{"overdue_after":90}"#)
        #expect(answer.status == 200, "\(answer.text)")
        let second = try answer.object()
        #expect(second.string("status") == "pending")
        #expect(second["reference"] == "null" && second["metadata"] == "{}")
        #expect(second.string("announced_at") == first.string("announced_at"))
        #expect(try milliseconds(second.string("overdue_at")) == milliseconds(first.string("announced_at")) + 90_000)
        #expect(try #require(second.integer("sequence")) > (try #require(first.integer("sequence"))))
        #expect(try server.records(of: identifier).count == 2)
    }

    @Test("what goes back to an earlier announcement is a change like any other")
    func thereAndBack() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        for (reference, status) in [("a", 201), ("b", 200), ("a", 200)] {
            let answer = try server.put(identifier, #"{"reference":"\#(reference)"}"#)
            #expect(answer.status == status)
            #expect(try answer.object().string("reference") == reference)
        }
        #expect(try server.records(of: identifier).count == 3)
    }

    @Test("a callback joins what was announced", arguments: ["sent", "failed", "unrecognized"])
    func callbackAfter(status: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let announced = try server.put(identifier, #"{"overdue_after":60,"reference":"r","metadata":{"a":1}}"#).object()
        let payload = ["sent": sentPayload(identifier), "failed": failedPayload(identifier)][status] ?? #"{"request_id":"\#(identifier)"}"#
        let receipt = try server.post(payload).object()
        let request = try server.status(of: identifier).object()
        #expect(request.string("status") == status)
        #expect(request.integer("callbacks") == 1 && request["sequence"] == receipt["sequence"])
        #expect(request.string("received_at") == request.string("updated_at"))
        for member in ["announced_at", "overdue_at", "reference", "metadata"] { #expect(request[member] == announced[member], "\(member)") }
    }

    @Test("a callback may come first: then the announcement joins it")
    func callbackBefore() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.post(sentPayload(identifier, "wamid.first"))
        let before = try server.status(of: identifier).object()
        let answer = try server.put(identifier, #"{"overdue_after":1,"reference":"r"}"#)
        // Not announced before, so that this is the first time.
        #expect(answer.status == 201, "\(answer.text)")
        let request = try answer.object()
        #expect(request.string("status") == "sent" && request.string("whatsapp_message_id") == "wamid.first")
        #expect(request.integer("callbacks") == 1 && request.string("reference") == "r")
        #expect(request.string("received_at") == before.string("received_at"))
        #expect(try #require(request.integer("sequence")) > (try #require(before.integer("sequence"))))
        #expect(request.string("updated_at") == request.string("announced_at"))
        #expect(try server.put(identifier, #"{"overdue_after":1,"reference":"r"}"#).status == 200)
    }

    @Test("any identifier that a callback may have can be announced", arguments: StatusTests.difficult)
    func percentDecoding(identifier: String) throws {
        let server = try Shared.server()
        let answer = try server.put(identifier, #"{"reference":"\#(Shared.freshIdentifier())"}"#)
        #expect(answer.status == 201 || answer.status == 200, "\(answer.text)")
        #expect(try answer.object().string("request_id") == identifier)
        #expect(try server.status(of: identifier).object().string("reference") == answer.object().string("reference"))
    }

    @Test("text comes back as it was meant", arguments: ["é 😀", #"\" \\ \/ \u00e9"#, #"\ud83d\ude00"#, "a b", " "])
    func texts(reference: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let body = #"{"reference":"\#(reference)","metadata":{"\#(reference)":"\#(reference)"}}"#
        #expect(try server.put(identifier, body).status == 201)
        let request = try server.status(of: identifier).object()
        #expect(try request.string("reference") == RawJSON(object: body).string("reference"))
        #expect(request.object("metadata")?.members.first?.name == request.string("reference"))
    }

    @Test("over HTTP/2 it is the same")
    func http2() throws {
        let connection = try connectHTTP2()
        let identifier = Shared.freshIdentifier()
        let body = Array(#"{"reference":"h2"}"#.utf8)
        let first = try connection.exchange("PUT", "/v1/requests/\(identifier)", body: body)
        #expect(first.status == 201)
        #expect(try connection.exchange("PUT", "/v1/requests/\(identifier)", body: body).status == 200)
        #expect(try Shared.server().status(of: identifier).text == first.text)
    }

    @Test("many at once are each announced once")
    func many() throws {
        let server = try Shared.server()
        let connection = try connectHTTP2()
        let identifiers = (0..<45).map { _ in Shared.freshIdentifier() }
        let streams = try (identifiers + identifiers).map { try connection.request("PUT", "/v1/requests/\($0)", body: Array("{}".utf8)) }
        let statuses = try streams.map { try connection.answer(on: $0).status }
        #expect(statuses.filter { $0 == 201 }.count == 45 && statuses.filter { $0 == 200 }.count == 45)
        for identifier in identifiers { #expect(try server.records(of: identifier).count == 1) }
    }
}
