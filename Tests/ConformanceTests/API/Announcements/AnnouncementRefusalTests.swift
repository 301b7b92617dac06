// API §4: what PUT does not take, each with a problem that says what is wrong, and the nearest that it does.
//
// Promises: what is refused leaves nothing behind.
// Must not know: tokens.

import Foundation
import Testing
import TestSupport

@Suite("Announcements that are refused")
struct AnnouncementRefusalTests {
    /// Expects a problem, and that nothing is known of the identifier then.
    private func expectRefused(_ body: [UInt8], _ status: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let server = try Shared.server()
        let target = "/v1/requests/\(Shared.freshIdentifier())"
        let answer = try server.exchange(requestBytes("PUT", target, body: body))
        try expectProblem(answer, status, instance: target, sourceLocation: sourceLocation)
        #expect(try server.get(target).status == 404, sourceLocation: sourceLocation)
    }

    @Test("what is no JSON object is 400", arguments: [
        "x", "{", "[]", "1", "null", "true", #""x""#, #"{"overdue_after":}"#, #"{"overdue_after":1,}"#, "{} {}", #"{"overdue_after":01}"#, #"{'reference':'x'}"#,
    ])
    func notAnObject(body: String) throws { try expectRefused(Array(body.utf8), 400) }

    @Test("what is not UTF-8 is 400")
    func notUTF8() throws { try expectRefused(Array(#"{"reference":""#.utf8) + [0xFF] + Array(#""}"#.utf8), 400) }

    @Test(
        "overdue_after is a whole number from 1 to 604800",
        arguments: ["0", "-1", "604801", "1.5", #""300""#, "true", "[]", "{}", "99999999999999999999", "-0"])
    func overdueAfter(value: String) throws { try expectRefused(Array(#"{"overdue_after":\#(value)}"#.utf8), 422) }

    @Test("overdue_after at its bounds is taken", arguments: [1, 604_800])
    func overdueAfterBounds(seconds: Int) throws {
        let answer = try Shared.server().put(Shared.freshIdentifier(), #"{"overdue_after":\#(seconds)}"#)
        #expect(answer.status == 201, "\(answer.text)")
        let request = try answer.object()
        #expect(try milliseconds(request.string("overdue_at")) == milliseconds(request.string("announced_at")) + seconds * 1000)
    }

    @Test("reference is a string", arguments: ["1", "true", "[]", "{}"])
    func referenceType(value: String) throws { try expectRefused(Array(#"{"reference":\#(value)}"#.utf8), 422) }

    @Test("a reference of 128 bytes is taken, one more is 422", arguments: ["r", "é", "😀"])
    func referenceBytes(unit: String) throws {
        let reference = String(repeating: unit, count: 128 / unit.utf8.count)
        let answer = try Shared.server().put(Shared.freshIdentifier(), #"{"reference":"\#(reference)"}"#)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(try answer.object().string("reference") == reference)
        try expectRefused(Array(#"{"reference":"\#(reference)x"}"#.utf8), 422)
    }

    @Test("metadata is an object", arguments: ["1", "true", "[]", #""x""#])
    func metadataType(value: String) throws { try expectRefused(Array(#"{"metadata":\#(value)}"#.utf8), 422) }

    @Test("metadata of 4096 bytes is taken, one more is 422")
    func metadataBytes() throws {
        func metadata(_ count: Int) -> String { #"{"a":"\#(String(repeating: "m", count: count - 8))"}"# }
        let answer = try Shared.server().put(Shared.freshIdentifier(), #"{"metadata":\#(metadata(4096))}"#)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(try answer.object()["metadata"] == metadata(4096))
        try expectRefused(Array(#"{"metadata":\#(metadata(4097))}"#.utf8), 422)
    }

    @Test("a member that there is not is 422, and named", arguments: ["overdue", "Reference", "status"])
    func unknownMember(name: String) throws { try expectRefused(Array(#"{"\#(name)":1}"#.utf8), 422) }

    @Test("the problem names the member", arguments: [#"{"overdue_after":0}"#, #"{"reference":1}"#, #"{"metadata":1}"#])
    func named(body: String) throws {
        let name = try #require(try RawJSON(object: body).names.first)
        let detail = try Shared.server().put(Shared.freshIdentifier(), body).object().string("detail")
        #expect(detail?.contains(name) == true, "\(detail ?? "")")
    }

    @Test("an identifier that no callback can have is 422", arguments: ["%20", "a%20b", "%C3%A9", "a%00", "a%7F", String(repeating: "a", count: 257)])
    func identifier(segment: String) throws {
        let target = "/v1/requests/\(segment)"
        try expectProblem(try Shared.server().exchange(requestBytes("PUT", target, body: Array("{}".utf8))), 422, instance: target)
    }

    @Test("an identifier of 256 characters is taken")
    func longIdentifier() throws {
        #expect(try Shared.server().put(String(repeating: "b", count: 256)).status == 201)
    }

    @Test("a body longer than a callback's may be is 413")
    func tooLarge() throws {
        let body = #"{"metadata":{"a":"\#(String(repeating: "m", count: 70_000))"}}"#
        try expectProblem(try Shared.server().put(Shared.freshIdentifier(), body), 413)
    }

    @Test("a parameter is 400", arguments: ["wait=1", "x"])
    func parameter(query: String) throws {
        let target = "/v1/requests/\(Shared.freshIdentifier())"
        try expectProblem(try Shared.server().exchange(requestBytes("PUT", "\(target)?\(query)", body: [])), 400, instance: target)
        #expect(try Shared.server().get(target).status == 404)
    }

    @Test("the other paths take no PUT", arguments: [
        "/v1/requests", "/v1/requests/x/callbacks", "/v1/events", "/v1/statistics", "/v1/export", "/v1/quarantine", "/healthz", "/readyz", "/openapi.json",
    ])
    func elsewhere(target: String) throws {
        for method in ["PUT", "POST", "DELETE", "PATCH"] {
            let answer = try Shared.server().exchange(requestBytes(method, target, body: []))
            try expectProblem(answer, 405, instance: target)
            #expect(answer["Allow"]?.contains("GET") == true && answer["Allow"]?.contains(method) == false)
        }
    }

    @Test("405 on a request names PUT")
    func allowed() throws {
        let answer = try Shared.server().exchange(requestBytes("POST", "/v1/requests/x", body: []))
        try expectProblem(answer, 405)
        let allowed = Set((answer["Allow"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
        #expect(allowed == ["GET", "HEAD", "PUT"])
    }
}
