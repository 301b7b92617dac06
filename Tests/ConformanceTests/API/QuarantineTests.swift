// API §3 and §4: what was refused is kept, and GET /v1/quarantine shows it.
//
// Promises: a body comes back byte for byte; what is looked for is found by its own body, whatever else is there.
// Must not know: how it is kept.

import Foundation
import Testing
import TestSupport

@Suite("Quarantine")
struct QuarantineTests {
    @Test("a body that is refused is kept with what was said of it")
    func refused() throws {
        let server = try ServerProcess()
        let before = Int(Date().timeIntervalSince1970 * 1000)
        let bodies: [([UInt8], Int)] = [
            (Array("no JSON".utf8), 400), (Array("[]".utf8), 400), (Array(#"{"no":"id é"}"#.utf8), 422), ([0x7B, 0xFF, 0x00, 0x7D], 400),
        ]
        for (bytes, status) in bodies {
            let answer = try server.exchange(requestBytes("POST", "/callback", body: bytes))
            #expect(answer.status == status)
            let entry = try #require(try server.quarantined().first { try $0.quarantinedBody() == bytes }, "\(bytes)")
            #expect(entry.names == ["id", "at", "peer", "status", "detail", "body", "body_encoding", "count"])
            #expect(entry.string("id")?.isEmpty == false && entry.string("peer") == "127.0.0.1")
            #expect(entry.integer("status") == status && entry.integer("count") == 1)
            #expect(entry.string("detail") == (try answer.object().string("detail")))
            #expect(try milliseconds(entry.string("at")) >= before - 50)
            #expect(entry.string("body_encoding") == (bytes.contains(0xFF) ? "base64" : "utf-8"))
        }
        #expect(try server.quarantined().count == bodies.count)
        #expect(try Set(server.quarantined().compactMap { $0.string("id") }).count == bodies.count)
    }

    @Test("what is stored is not in it, nor what is refused for its method or path")
    func stored() throws {
        let server = try ServerProcess()
        _ = try server.post(sentPayload("a"))
        _ = try server.exchange(requestBytes("PUT", "/callback", body: Array("x".utf8)))
        _ = try server.post("x", to: "/elsewhere")
        _ = try server.put("a", "x")
        let answer = try server.get("/v1/quarantine")
        #expect(answer.text == #"{"entries":[],"next":null}"#)
        #expect(answer["Cache-Control"] == "no-store" && answer["Link"] == nil)
    }

    @Test("identical bodies are kept once and counted")
    func identical() throws {
        let server = try ServerProcess()
        for _ in 0..<3 { _ = try server.post("the same") }
        _ = try server.post("another")
        let found = try server.quarantined()
        #expect(found.count == 2)
        #expect(found.first { $0.string("body") == "the same" }?.integer("count") == 3)
    }

    @Test("of a body that is too long as much as was received is kept, at most 64 KiB")
    func tooLarge() throws {
        let server = try ServerProcess()
        let bytes = Array((#"{"request_id":"long","a":""# + String(repeating: "x", count: 90_000) + #""}"#).utf8)
        #expect(try server.exchange(requestBytes("POST", "/callback", body: bytes)).status == 413)
        let entry = try #require(try server.quarantined().first)
        #expect(entry.integer("status") == 413)
        let kept = try entry.quarantinedBody()
        #expect(kept.count <= 65_536 && bytes.starts(with: kept))
    }

    @Test("it is there after the server was stopped or killed, before anybody was answered", arguments: [SIGTERM, SIGKILL])
    func restart(signal: Int32) throws {
        let directory = try TemporaryDirectory()
        let first = try ServerProcess(directory: directory)
        for index in 0..<20 { _ = try first.post("refused \(index)") }
        _ = try first.post("refused 3")
        let before = try first.quarantined().map { "\($0.members)" }
        first.child.send(signal: signal)
        try first.child.waitForExit()
        let second = try ServerProcess(directory: directory)
        let after = try second.quarantined()
        #expect(Set(after.compactMap { $0.string("body") }) == Set((0..<20).map { "refused \($0)" }))
        #expect(after.map { "\($0.members)" } == before)
        // And what is the same is still known to be.
        _ = try second.post("refused 3")
        #expect(try second.quarantined().first { $0.string("body") == "refused 3" }?.integer("count") == 3)
    }

    @Test("pages hold every entry once, and Link leads on", arguments: [1, 4, 11, 12])
    func pages(limit: Int) throws {
        let server = try ServerProcess()
        for index in 0..<11 { _ = try server.post("p\(index)") }
        let found = try server.quarantined(limit: limit)
        #expect(found.count == 11 && Set(found.compactMap { $0.string("body") }).count == 11)
        #expect(try server.get("/v1/quarantine?limit=5")["Link"]?.contains("rel=\"next\"") == true)
    }

    @Test("what cannot be read is 400", arguments: ["limit=0", "limit=1001", "limit=x", "cursor=nonsense", "cursor=", "unknown=1", "status=422", "limit=1&limit=1"])
    func unreadable(query: String) throws {
        try expectProblem(try Shared.server().get("/v1/quarantine?\(query)"), 400, instance: "/v1/quarantine")
    }

    @Test("it is bounded: the oldest go, and what is new is there")
    func bounded() throws {
        let server = try ServerProcess(configuration: "quarantine:\n  bytes-max: 1MiB\n")
        let padding = String(repeating: "q", count: 40_000)
        for index in 0..<60 { #expect(try server.post("\(index) \(padding)").status == 400) }
        let found = try server.quarantined()
        #expect(!found.isEmpty && found.count < 30)
        #expect(found.contains { $0.string("body")?.hasPrefix("59 ") == true })
        #expect(!found.contains { $0.string("body")?.hasPrefix("0 ") == true })
    }

    @Test("a body that proves nothing is kept, too, where proof is asked for")
    func unproved() throws {
        let server = try ServerProcess(configuration: "callback:\n  keys: [a-key-of-some-length]\n")
        let payload = sentPayload("unproved")
        try expectProblem(try server.post(payload, to: "/callback?key=wrong"), 401)
        let entry = try #require(try server.quarantined().first)
        #expect(entry.integer("status") == 401)
        #expect(entry.string("body") == payload)
        #expect(try server.status(of: "unproved").status == 404)
    }

    @Test("bodies are for tokens that may write")
    func scopes() throws {
        let server = try ServerProcess()
        _ = try server.post("a secret")
        let read = try Token.create(in: server.directory, name: "reader"), write = try Token.create(in: server.directory, name: "writer", scope: "write")
        let shown = try eventually("the token counts") { () -> Answer? in
            let answer = try server.get("/v1/quarantine", write)
            return answer.status == 200 ? answer : nil
        }
        #expect(shown.text.contains("a secret"))
        let hidden = try server.get("/v1/quarantine", read)
        #expect(hidden.status == 200 && !hidden.text.contains("a secret"))
        let entry = try RawJSON(object: try #require(try hidden.object().array("entries")?.first))
        #expect(entry["body"] == "null" && entry.integer("status") == 400 && entry.integer("count") == 1)
    }
}
