// The access log: a line for each answer where it is wanted, and none where it is not.
//
// Promises: the real program, over HTTP/1.1 and HTTP/2, switched on and off while it runs. Must not know: how a line is written.

import Foundation
import TestSupport
import Testing

@Suite("The access log")
struct AccessLogTests {
    private func configuration(_ access: Bool) -> String {
        "logging: {format: json, access: \"\(access)\"}\ncallback: {keys: [hunter2]}\nserver: {trusted-proxies: [127.0.0.1]}\n"
    }

    /// The lines so far: method, path, status, peer, protocol and request_id of each.
    private func lines(_ server: ServerProcess) throws -> [String] {
        try server.child.standardError.split(separator: "\n").compactMap { line in
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            guard object["event"] as? String == "request answered" else { return nil }
            #expect(object["status"] is Int && !line.contains("hunter") && !line.contains("secret"), "\(line)")
            if let milliseconds = object["milliseconds"] { #expect((milliseconds as? Double) ?? -1 >= 0, "\(line)") }
            return ["method", "path", "status", "peer", "protocol", "request-id"].map { object[$0].map { "\($0)" } ?? "-" }.joined(separator: " ")
        }
    }

    @Test("has each answer once: what came, from whom, what it was told; neither query, fields nor body")
    func each() throws {
        let server = try ServerProcess(configuration: configuration(true))
        let sent = sentPayload("request-1")
        #expect(try server.exchange(postBytes(sent, to: "/callback?key=hunter2", fields: ["X-Forwarded-For: 192.0.2.7"])).status == 200)
        #expect(try server.post(#"{"secret":"body"}"#, to: "/callback/?key=hunter3").status == 401)
        #expect(try server.post(#"{"secret":"body"}"#, to: "/callback?key=hunter2").status == 422)
        #expect(try server.get("/v1/requests/request-1?wait=1").status == 200)
        #expect(try server.get("/v1/requests/a%20b").status == 404)
        #expect(try HTTP2Connection(port: server.port).exchange("GET", "/healthz").status == 200)
        #expect(try server.exchange(Array("GET / HTTP/1.1\r\nHost: x\r\nsecret\r\n\r\n".utf8)).status == 400)
        let expected = [
            "POST /callback 200 192.0.2.7 HTTP/1.1 request-1", "POST /callback/ 401 127.0.0.1 HTTP/1.1 -", "POST /callback 422 127.0.0.1 HTTP/1.1 -",
            "GET /v1/requests/request-1 200 127.0.0.1 HTTP/1.1 -", "GET /v1/requests/a%20b 404 127.0.0.1 HTTP/1.1 -",
            "GET /healthz 200 127.0.0.1 HTTP/2 -",
        ]
        // Whoever is answered is not kept waiting for the line.
        let found = try eventually("seven lines") {
            let found = try lines(server)
            return found.count < 7 ? nil : found
        }
        #expect(Array(found.prefix(6)) == expected)
        // Whatever can be told of a head that is none.
        #expect(found.count == 7 && found[6].contains(" 400 127.0.0.1 HTTP/1.1"))
    }

    @Test("begins and ends with a reload")
    func reloaded() throws {
        let server = try ServerProcess(configuration: configuration(false))
        _ = try server.get("/healthz")
        #expect(try lines(server) == [])
        try server.reconfigure(configuration(true))
        try eventually("it is on") {
            _ = try server.get("/healthz")
            return try !lines(server).isEmpty
        }
        try server.reconfigure(configuration(false))
        // Said when every loop goes by it; lines keep their order.
        try eventually("it is off") { server.child.standardError.components(separatedBy: "is in force").count == 3 }
        let before = try lines(server).count
        _ = try server.get("/healthz")
        #expect(try server.terminate() == .exited(0))
        #expect(try lines(server).count == before)
    }
}
