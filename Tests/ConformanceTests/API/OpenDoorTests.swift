// API §4, who may ask: without tokens the API answers only requests that are plainly from this machine.
//
// Promises: every refusal has an accepted neighbour; probes and callbacks stay outside the rule.
// Must not know: tokens; no test here creates one.

import Testing
import TestSupport

@Suite("The API without tokens")
struct OpenDoorTests {
    @Test(
        "a loopback Host is let in",
        arguments: [
            "127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:8080", "LocalHost", "LOCALHOST:1", "[::1]", "[::1]:8080", "127.0.0.2", "127.255.255.254:9",
        ])
    func loopback(host: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.post(sentPayload(identifier))
        let answer = try server.exchange(requestBytes("GET", "/v1/requests/\(identifier)", host: host))
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test(
        "any other Host is 401 with a challenge",
        arguments: [
            "example.org", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "192.0.2.1", "10.0.0.1",
            "0.0.0.0", "[::]", "[2001:db8::1]", "128.0.0.1", "127.1.evil", "localhost.evil:80",
        ])
    func foreign(host: String) throws {
        for target in ["/v1/requests/x", "/v1/requests/x/callbacks"] {
            try expectRefused(try Shared.server().exchange(requestBytes("GET", target, host: host)), target)
        }
    }

    @Test(
        "a request that came through a proxy is 401, whatever its Host",
        arguments: [
            "Forwarded: for=127.0.0.1", "Via: 1.1 proxy", "X-Forwarded-For: 127.0.0.1", "x-forwarded-host: localhost", "X-Forwarded-Proto: https",
            "X-FORWARDED-ANYTHING: x", "Forwarded:", "X-Forwarded-For:",
        ])
    func proxied(field: String) throws {
        let target = "/v1/requests/x"
        try expectRefused(try Shared.server().exchange(requestBytes("GET", target, fields: [field])), target)
    }

    @Test("the target's authority counts before the Host field (RFC 9112 §3.2.2)")
    func absoluteForm() throws {
        let server = try Shared.server()
        let answer = try server.exchange(requestBytes("GET", "http://evil.example/v1/requests/x", host: "127.0.0.1"))
        try expectRefused(answer, "/v1/requests/x")
        let local = try server.exchange(requestBytes("GET", "http://127.0.0.1:\(server.port)/v1/requests/nobody", host: "127.0.0.1:\(server.port)"))
        try expectProblem(local, 404, instance: "/v1/requests/nobody")
    }

    @Test("a request without a Host (HTTP/1.0) is 401")
    func noHost() throws {
        let answer = try Shared.server().exchange(requestBytes("GET", "/v1/requests/x", host: nil, version: "HTTP/1.0"))
        try expectRefused(answer, "/v1/requests/x")
    }

    @Test("healthz and readyz need no open door", arguments: ["/healthz", "/readyz"])
    func probes(target: String) throws {
        let answer = try Shared.server().exchange(
            requestBytes("GET", target, host: "lb.example", fields: ["Via: 1.1 lb", "X-Forwarded-For: 192.0.2.1"]))
        #expect(answer.status == 200)
    }

    private func expectRefused(_ answer: Answer, _ target: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectProblem(answer, 401, instance: target, sourceLocation: sourceLocation)
        #expect(answer["WWW-Authenticate"]?.hasPrefix("Basic") == true, "\(answer.fields)", sourceLocation: sourceLocation)
        #expect(answer["Cache-Control"] == "no-store", sourceLocation: sourceLocation)
    }
}
