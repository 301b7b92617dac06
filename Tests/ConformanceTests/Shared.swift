// What the conformance tests share: one server for cases that only add their own requests, and the
// expectations that many answers have in common.
//
// Promises: every case uses identifiers of its own, so that cases may run side by side on one server.
// Must not know: anything that is not in the interface page (API.md) or an RFC.

import Foundation
import Synchronization
import Testing
import TestSupport

/// The server of all cases that neither fill, stop nor configure it.
enum Shared {
    private static let started = Result { try ServerProcess() }
    private static let count = Atomic<Int>(0)

    /// Starts it on first use.
    static func server() throws -> ServerProcess { try started.get() }

    /// An identifier no other case uses.
    static func freshIdentifier(_ name: String = "request") -> String {
        "\(name)-\(count.add(1, ordering: .relaxed).newValue)"
    }
}

/// A valid callback of an identifier, with a payload of its own for each text.
func sentPayload(_ identifier: String, _ text: String = "wamid.1") -> String {
    #"{"request_id":"\#(identifier)","whatsapp_message_id":"\#(text)"}"#
}

/// Posts the template with `$ID` replaced by a fresh identifier, expects 200, and returns the request's status object.
func delivered(_ template: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> RawJSON {
    let server = try Shared.server()
    let identifier = Shared.freshIdentifier()
    let posted = try server.post(template.replacing("$ID", with: identifier))
    #expect(posted.status == 200, "\(posted.text)", sourceLocation: sourceLocation)
    let answer = try server.status(of: identifier)
    #expect(answer.status == 200, "\(answer.text)", sourceLocation: sourceLocation)
    return try answer.object()
}

/// Expects an RFC 9457 document of this status that tells nobody the query.
func expectProblem(
    _ answer: Answer, _ status: Int, instance: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
    #expect(
        answer["Content-Type"]?.hasPrefix("application/problem+json") == true, "\(answer.fields)",
        sourceLocation: sourceLocation)
    let problem = try answer.object()
    for member in ["type", "title", "detail"] {
        #expect(problem.string(member)?.isEmpty == false, "\(member) in \(answer.text)", sourceLocation: sourceLocation)
    }
    #expect(problem.integer("status") == status, sourceLocation: sourceLocation)
    if let instance {
        #expect(problem.string("instance") == instance, "\(answer.text)", sourceLocation: sourceLocation)
    }
}
