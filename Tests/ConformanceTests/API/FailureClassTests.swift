// API §4 and the published error codes: what kind of failure it was, and whether it is worth trying again.
//
// Promises: the same code is the same class wherever it stands in the callback.
// Must not know: the table; only what Meta's page and the issue say of these codes.

import Testing
import TestSupport

@Suite("Failure classes")
struct FailureClassTests {
    static let codes: [(Int, String)] =
        [(131_049, "retry_later"), (131_000, "retry_later"), (131_016, "retry_later")]
        + [131_026, 130_472].map { ($0, "recipient") }
        + [131_056, 130_429, 80_007].map { ($0, "rate_limit") }
        + [131_042, 134_011].map { ($0, "billing") }
        + [131_031, 368, 190].map { ($0, "account") }
        + [132_000, 132_001, 132_005, 132_007, 132_012, 132_015, 132_016].map { ($0, "template") }

    private func failure(_ template: String) throws -> RawJSON { try #require(try delivered(template).object("failure")) }

    @Test("a code has its class, wherever it stands", arguments: codes)
    func code(code: Int, name: String) throws {
        for template in [
            #"{"request_id":"$ID","error":true,"code":\#(code)}"#, #"{"request_id":"$ID","message":"(#\#(code)) Something was said about it"}"#,
            #"{"error":{"code":"\#(code)","message":"m"},"data":{"request_id":"$ID"}}"#,
            #"{"error":true,"data":{"request_id":"$ID","errors":[{"code":\#(code)}]}}"#,
        ] {
            let failure = try failure(template)
            #expect(failure.integer("code") == code && failure.string("class") == name, "\(template)")
            #expect(["true", "false"].contains(failure["retryable"]))
            #expect(failure.string("advice")?.isEmpty == false)
            if ["retry_later", "rate_limit"].contains(name) { #expect(failure["retryable"] == "true") }
            #expect(failure["retry_after_seconds"] == "null" || (failure.integer("retry_after_seconds") ?? -1) >= 0)
        }
    }

    @Test("what Meta chose not to deliver is worth another try after a day or more, by code and by wording", arguments: [
        #"{"request_id":"$ID","error":true,"code":131049}"#,
        #"{"request_id":"$ID","message":"The message was not delivered because WhatsApp limited the number of marketing messages sent to this user"}"#,
        #"{"request_id":"$ID","message":"(#131049) This message was not delivered to maintain healthy ecosystem engagement."}"#,
    ])
    func limited(template: String) throws {
        let failure = try failure(template)
        #expect(failure.string("class") == "retry_later" && failure["retryable"] == "true")
        #expect(try #require(failure.integer("retry_after_seconds")) >= 86_400)
    }

    @Test("what nobody knows is unknown, and says so", arguments: [
        #"{"request_id":"$ID","error":true,"code":987654321}"#, #"{"request_id":"$ID","error":true}"#, #"{"request_id":"$ID","message":"xyzzy"}"#,
    ])
    func unknown(template: String) throws {
        let failure = try failure(template)
        #expect(failure.string("class") == "unknown")
        #expect(failure.string("advice")?.isEmpty == false)
    }

    @Test("a request that was sent has no failure, whatever code came with it")
    func sent() throws {
        #expect(try delivered(#"{"request_id":"$ID","whatsapp_message_id":"w","code":131049}"#)["failure"] == "null")
    }
}
