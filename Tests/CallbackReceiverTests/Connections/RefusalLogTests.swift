// What a log line says of a request that was refused: enough to tell one refusal from another, and nothing secret.
//
// Promises: over HTTP/1.1, by a server in this process. Must not know: what each refusal answers beyond its status.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("A refused request's line")
struct RefusalLogTests {
    /// The lines of refusals so far, without who was refused.
    private func refusals(_ running: RunningServer) -> [String] {
        running.lines.lines.filter { $0.hasPrefix("warning request refused") }
            .map { $0.replacing("warning request refused ", with: "").replacing("peer=127.0.0.1 ", with: "") }
    }

    @Test("names method, path and status, why where that is known, and never the query")
    func parts() throws {
        let running = try RunningServer { $0.callbackBodyBytesMax = 1_024 }
        let bodies: [(body: String, status: Int)] = [("{}", 422), ("nonsense", 400), (String(repeating: " ", count: 2_000), 413)]
        for (body, status) in bodies { #expect(try running.exchange(postBytes(body, to: "/callback?key=hunter2")).status == status) }
        #expect(try running.exchange(postBytes("{}", to: "/v1/quarantine/requeue?key=hunter2", fields: ["Via: 1.1 proxy", "Authorization: Basic aHVudGVyMg=="])).status == 401)
        #expect(
            refusals(running) == [
                "method=POST path=/callback status=422", "method=POST path=/callback status=400",
                "method=POST path=/callback reason=bodyTooLarge status=413", "method=POST path=/v1/quarantine/requeue status=401",
            ], "\(running.lines.lines)")
        #expect(!running.hasLogged("hunter2") && !running.hasLogged("aHVudGVyMg"))
    }

    @Test("has neither where there was no head to take them from")
    func noHead() throws {
        let running = try RunningServer()
        #expect(try running.exchange(Array("POST /callback HTTP/1.1\r\nHost: x\r\nsecret\r\n\r\n".utf8)).status == 400)
        #expect(refusals(running) == ["reason=malformedField status=400"])
    }

    @Test("is bounded, however long the path")
    func bound() throws {
        let running = try RunningServer()
        let path = "/" + String(repeating: "a", count: 6_000)
        #expect(try running.exchange(postBytes("{}", to: path)).status == 404)
        let line = try #require(refusals(running).first)
        #expect(line.contains("path=/aaaa") && line.utf8.count < LoggedTarget.pathBytesMax + 100)
    }

    @Test("says why a callback is answered 503: the log takes none, or the disk has not answered")
    func unavailable() throws {
        let running = try RunningServer()
        running.disk.fail(with: 28)
        #expect(try running.post("a").status == 503)
        running.disk.fail(with: nil)
        try eventually("it is taken again") { try running.get("/readyz").status == 200 }
        running.disk.hold()
        let connection = try running.postHeld("c")
        try running.advance(seconds: 6)
        #expect(try connection.readAnswer().status == 503)
        let lines = refusals(running)
        #expect(lines.first == "method=POST path=/callback reason=the log takes nothing status=503", "\(lines)")
        #expect(lines.last == "method=POST path=/callback reason=the disk has not answered status=503", "\(lines)")
        let stall = "critical callbacks are refused with 503 until the disk answers milliseconds="
        #expect(running.lines.lines.count { $0.hasPrefix(stall) } == 1 && running.server.serviceStatus.hasPrefix("the disk has not answered for 6 s, "))
        running.disk.release()
        try eventually("that it answers", holds: { running.hasLogged("notice the disk answers again milliseconds=") })
        #expect(!running.server.serviceStatus.contains("disk"))
    }
}
