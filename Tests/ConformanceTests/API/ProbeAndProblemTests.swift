// API §5 and §6: the probes of a healthy server, and problem documents that keep secrets.
//
// Promises: what must not be told (query, payload, path of the machine) is searched for in everything that is.
// Must not know: how readiness is found out; faults have a file of their own.

import Foundation
import Testing
import TestSupport

@Suite("Probes and problems")
struct ProbeAndProblemTests {
    @Test("a healthy server is alive and ready", arguments: ["/healthz", "/readyz"])
    func probes(target: String) throws {
        let server = try Shared.server()
        #expect(try server.get(target).status == 200)
        #expect(try server.get(target + "?verbose").status == 200)
        let answer = try server.exchange(requestBytes("POST", target, body: []))
        try expectProblem(answer, 405, instance: target)
        #expect(answer["Allow"]?.contains("GET") == true)
    }

    @Test("instance is the path without its query, and no query and no payload is repeated anywhere", arguments: ["info", "trace"])
    func queries(level: String) throws {
        let server = try ServerProcess(environment: ["CALLBACK_RECEIVER_LOGGING_LEVEL": level])
        let secret = "s3cr3tQuery"
        let answers = [
            (try server.get("/nowhere?key=\(secret)"), "/nowhere", 404),
            (try server.get("/v1/requests/nobody?\(secret)=1"), "/v1/requests/nobody", 404),
            (try server.get("/v1/requests/nobody/callbacks?limit=\(secret)"), "/v1/requests/nobody/callbacks", 400),
            (try server.post("x", to: "/callback?key=\(secret)"), "/callback", 400),
            (try server.post("{}", to: "/callback/?key=\(secret)"), "/callback/", 422),
            (try server.get("/callback?key=\(secret)"), "/callback", 405),
            (try server.get("/a%20b?\(secret)#frag"), "/a%20b", 404),
        ]
        for (answer, path, status) in answers {
            #expect(!answer.text.contains(secret))
            #expect(!answer.text.contains("frag"))
            // RFC 9112 §3.2: a fragment is no part of a target; refusing it is right too.
            if path == "/a%20b", answer.status == 400 { continue }
            if status == 404, path.contains("nobody"), answer.status == 400 { continue }
            try expectProblem(answer, status, instance: path)
        }
        _ = try server.post(#"{"request_id":"x","message":"pr1vatePayload"}"#, to: "/callback?key=\(secret)")
        _ = try server.post(#"{"request_id":"pr1vatePayload""#)
        try server.terminate()
        for output in [server.child.standardError, server.child.standardOutput] {
            #expect(!output.contains(secret) && !output.contains("pr1vatePayload"), "\(output)")
        }
    }

    @Test("a problem names no path of the machine and no type of the program")
    func nothingInternal() throws {
        let server = try Shared.server()
        for answer in [try server.get("/nowhere"), try server.post("x"), try server.post("{}"), try server.get("/v1/requests/nobody")] {
            #expect(!answer.text.contains(server.directory.path))
            #expect(!answer.text.contains(".swift") && !answer.text.contains("Error("))
        }
    }

    @Test("an unknown path is 404 whatever the method", arguments: ["GET", "POST", "DELETE"])
    func unknownPath(method: String) throws {
        for target in ["/nowhere", "/v1", "/v1/", "/v2/requests", "/v1/requests/x/y", "/v1/requests/x/callbacks/y", "/healthz/x"] {
            try expectProblem(try Shared.server().exchange(requestBytes(method, target, body: [])), 404, instance: target)
        }
    }
}
