// API §4: GET /v1/requests/{request_id}, member for member, and how a path names a request.
//
// Promises: no member more, none less; numbers are compared as text.
// Must not know: announcements, which no test here makes.

import Foundation
import Testing
import TestSupport

@Suite("Status of a request")
struct StatusTests {
    static let members: Set<String> = [
        "request_id", "status", "crisp_fingerprint", "whatsapp_message_id", "session_id", "failure", "received_at",
        "sequence", "callbacks", "updated_at", "announced_at", "overdue_at", "reference", "metadata",
    ]

    /// A time of the API, seconds since 1970.
    private func seconds(_ timestamp: String) throws -> Double {
        try Date(timestamp, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true)).timeIntervalSince1970
    }

    @Test("a sent request is answered member for member")
    func sent() throws {
        let before = Date().timeIntervalSince1970
        let status = try delivered(
            #"{"error":false,"reason":"sent","data":{"request_id":"$ID","crisp_fingerprint":163239623329114,"whatsapp_message_id":"wamid.HBg","session_id":"session_1"}}"#)
        let after = Date().timeIntervalSince1970
        #expect(Set(status.names) == Self.members)
        #expect(status.names.count == Self.members.count)
        #expect(status.string("status") == "sent")
        #expect(status["crisp_fingerprint"] == "163239623329114")
        #expect(status.string("whatsapp_message_id") == "wamid.HBg")
        #expect(status.string("session_id") == "session_1")
        #expect(status["failure"] == "null")
        #expect(status.integer("callbacks") == 1)
        for member in ["announced_at", "overdue_at", "reference"] { #expect(status[member] == "null", "\(member)") }
        #expect(status["metadata"].map(RawJSON.compact) == "{}")
        let received = try #require(status.string("received_at"))
        #expect(isTimestamp(received))
        // Milliseconds are cut off, and a server may read a coarse clock.
        #expect(try before - 0.05 <= seconds(received) && seconds(received) <= after + 0.05)
        #expect(status.string("updated_at") == received)
        #expect(try #require(status.integer("sequence")) >= 0)
    }

    @Test("a failed request carries the failure with all its members")
    func failed() throws {
        let status = try delivered(
            #"{"error":true,"reason":"whatsapp_failed","data":{"request_id":"$ID","message":"Something nobody has seen before (#987654)"}}"#)
        #expect(Set(status.names) == Self.members)
        let failure = try #require(status.object("failure"))
        #expect(Set(failure.names) == ["message", "reason", "code", "class", "retryable", "retry_after_seconds", "advice"])
        #expect(failure.string("message") == "Something nobody has seen before (#987654)")
        #expect(failure.string("reason") == "whatsapp_failed")
        #expect(failure["code"] == "987654")
        #expect(failure.string("class") == "unknown")
        #expect(failure["retryable"] == "false" && failure["retry_after_seconds"] == "null")
        #expect(status["whatsapp_message_id"] == "null")
    }

    @Test("an unrecognized callback is answered like the others")
    func unrecognized() throws {
        let status = try delivered(#"{"request_id":"$ID","future":{"field":[1,2]}}"#)
        #expect(Set(status.names) == Self.members)
        #expect(status.string("status") == "unrecognized")
        #expect(status.integer("callbacks") == 1)
    }

    @Test("the newest callback says the status, and callbacks counts them")
    func newest() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        var sequences: [Int] = []
        for index in 1...5 {
            let body = #"{"request_id":"\#(identifier)","error":\#(index % 2 == 0),"whatsapp_message_id":"w\#(index)"}"#
            sequences.append(try #require(try server.post(body).object().integer("sequence")))
            let status = try server.status(of: identifier).object()
            #expect(status.string("status") == (index % 2 == 0 ? "failed" : "sent"))
            #expect(status.integer("callbacks") == index)
            #expect(status.integer("sequence") == sequences.last)
            #expect(status.string("whatsapp_message_id") == "w\(index)")
        }
        #expect(sequences == sequences.sorted())
    }

    @Test("a request nothing is known of is 404", arguments: ["unknown", "6ea55176-0000", "unknown/callbacks", "%unknown"])
    func unknown(identifier: String) throws {
        let target = "/v1/requests/" + percentEncoded(identifier)
        try expectProblem(try Shared.server().get(target), 404, instance: target)
    }

    @Test("an answer of the API is JSON that nobody may keep")
    func fields() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.post(sentPayload(identifier))
        for target in ["/v1/requests/\(identifier)", "/v1/requests/\(identifier)/callbacks"] {
            let answer = try server.get(target)
            #expect(answer.status == 200)
            #expect(answer["Content-Type"]?.hasPrefix("application/json") == true)
            #expect(answer["Cache-Control"] == "no-store")
        }
        #expect(try server.get("/v1/requests/unknown")["Cache-Control"] == "no-store")
    }

    static let difficult: [String] = [
        "a/b", "a%b", "a%2Fb", "50%", "a?b", "a#b", "a+b", "a&b=c", "..", ".", "%", "/", "//", "/callbacks", "callbacks", ":", "[::1]",
        "\"", "\\", "~", "!", "{}", "a/callbacks",
        String(decoding: UInt8(0x21)...UInt8(0x7E), as: UTF8.self),
    ]

    @Test("a path is split before it is decoded, so that any identifier can be asked for", arguments: difficult)
    func percentDecoding(identifier: String) throws {
        let server = try Shared.server()
        let escaped = identifier.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let answer = try server.post(#"{"request_id":"\#(escaped)","message":"\#(Shared.freshIdentifier())"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        let status = try server.status(of: identifier)
        #expect(status.status == 200, "\(status.text)")
        #expect(try status.object().string("request_id") == identifier)
        let callbacks = try server.get("/v1/requests/\(percentEncoded(identifier))/callbacks")
        #expect(callbacks.status == 200, "\(callbacks.text)")
        // Others announce the same identifiers on this server.
        #expect(try callbacks.object().array("callbacks")?.count { $0.contains(#""kind":"callback""#) } == 1)
    }

    @Test("an encoded slash does not separate segments, and a plain one does")
    func slashes() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.post(sentPayload(identifier + "/callbacks"))
        #expect(try server.get("/v1/requests/\(identifier)/callbacks").status == 404)
        #expect(try server.get("/v1/requests/\(identifier)%2Fcallbacks").status == 200)
        #expect(try server.get("/v1/requests/\(identifier)%2fcallbacks").status == 200)
        #expect(try server.get("/v1%2Frequests/\(identifier)%2Fcallbacks").status == 404)
        #expect(try server.get("/v1/requests/\(identifier)%252Fcallbacks").status == 404)
    }

    @Test("a path with a broken escape is refused, and serves nobody", arguments: ["%", "%2", "%zz", "a%g0"])
    func brokenEscapes(segment: String) throws {
        let answer = try Shared.server().get("/v1/requests/\(segment)")
        #expect(answer.status == 400 || answer.status == 404)
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
    }

    @Test("HEAD answers as GET does, without the body")
    func head() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.post(sentPayload(identifier))
        for (target, status) in [("/v1/requests/\(identifier)", 200), ("/v1/requests/nobody", 404), ("/healthz", 200), ("/nowhere", 404)] {
            let connection = try server.connect()
            try connection.send(requestBytes("GET", target) + requestBytes("HEAD", target) + requestBytes("GET", target))
            let first = try connection.readAnswer()
            let head = try connection.readAnswer(toHEAD: true)
            #expect(first.status == status && head.status == status)
            #expect(head["Content-Length"] == "\(first.body.count)")
            #expect(head["Content-Type"] == first["Content-Type"])
            #expect(try connection.readAnswer().body == first.body)
        }
    }

    @Test("other methods on a request are 405 with Allow", arguments: ["POST", "DELETE", "PATCH"])
    func methods(method: String) throws {
        for target in ["/v1/requests/x", "/v1/requests/x/callbacks"] {
            let answer = try Shared.server().exchange(requestBytes(method, target, body: []))
            try expectProblem(answer, 405, instance: target)
            let allowed = (answer["Allow"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(allowed.contains("GET") && !allowed.contains(method))
        }
    }
}
