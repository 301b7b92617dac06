// API §4: ?wait= and Prefer: wait — the answer is held until the status is final, or the time is up.
//
// Promises: how long something took is only ever held to a lower bound; what is not held is seen by an answer that
// comes long before the time named.
// Must not know: how a request is parked.

import Testing
import TestSupport

@Suite("Waiting for a status")
struct WaitTests {
    /// A connection on which a GET was sent that is being held.
    private func held(_ server: ServerProcess, _ target: String, fields: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) throws -> RawConnection {
        let connection = try server.connect()
        try connection.send(requestBytes("GET", target, fields: fields))
        #expect(!connection.isReadable(milliseconds: 150), "answered at once", sourceLocation: sourceLocation)
        return connection
    }

    @Test("a status that is final is answered at once", arguments: ["sent", "failed", "unrecognized"])
    func final(status: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let payload = ["sent": sentPayload(identifier), "failed": failedPayload(identifier)][status] ?? #"{"request_id":"\#(identifier)"}"#
        _ = try server.post(payload)
        let answer = try server.get("/v1/requests/\(identifier)?wait=50")
        #expect(answer.status == 200)
        #expect(answer.text == (try server.status(of: identifier).text))
    }

    @Test("an unknown id is waited for, and its callback answers", arguments: ["sent", "failed", "unrecognized"])
    func unknown(status: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try held(server, "/v1/requests/\(identifier)?wait=40")
        let payload = ["sent": sentPayload(identifier), "failed": failedPayload(identifier)][status] ?? #"{"request_id":"\#(identifier)"}"#
        _ = try server.post(payload)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(try answer.object().string("status") == status)
        #expect(answer.text == (try server.status(of: identifier).text))
    }

    @Test("neither an announcement nor its time running out ends a wait; the callback does")
    func overdue() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try held(server, "/v1/requests/\(identifier)?wait=40")
        _ = try server.put(identifier, #"{"overdue_after":1}"#)
        #expect(!connection.isReadable(milliseconds: 100))
        try server.eventually(identifier, is: "overdue")
        let second = try held(server, "/v1/requests/\(identifier)?wait=40")
        #expect(!connection.isReadable(milliseconds: 100))
        _ = try server.post(sentPayload(identifier))
        for connection in [connection, second] { #expect(try connection.readAnswer().object().string("status") == "sent") }
    }

    @Test("when the time is up the answer is what it would have been: 404, pending or overdue")
    func timeIsUp() throws {
        let server = try Shared.server()
        let clock = ContinuousClock()
        let start = clock.now
        let target = "/v1/requests/\(Shared.freshIdentifier())"
        try expectProblem(try server.get(target + "?wait=0.6"), 404, instance: target)
        // A server's clock may count in steps of some milliseconds.
        #expect(clock.now - start >= .milliseconds(580))
        let identifier = Shared.freshIdentifier()
        _ = try server.put(identifier)
        let answer = try server.get("/v1/requests/\(identifier)?wait=1")
        #expect(clock.now - start >= .milliseconds(1560))
        #expect(answer.status == 200)
        #expect(try answer.object().string("status") == "pending")
    }

    @Test("no time is no wait", arguments: ["0", "0.0", "00"])
    func zero(value: String) throws {
        #expect(try Shared.server().get("/v1/requests/\(Shared.freshIdentifier())?wait=\(value)").status == 404)
    }

    @Test("more than 50 seconds is taken as 50", arguments: ["51", "100000", "50.5", "99999999999999999999"])
    func clamped(value: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try held(server, "/v1/requests/\(identifier)?wait=\(value)")
        _ = try server.post(sentPayload(identifier))
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("a wait that is no number is 400 and says so", arguments: ["", "x", "-1", "+5", "1s", "1e1", "0x1", "1.2.3", "NaN", "Infinity", "1,5", "%20"])
    func noNumber(value: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.post(sentPayload(identifier))
        let answer = try server.get("/v1/requests/\(identifier)?wait=\(value)")
        try expectProblem(answer, 400, instance: "/v1/requests/\(identifier)")
        #expect(try answer.object().string("detail")?.contains("wait") == true)
    }

    @Test("a wait given twice, and a parameter that there is not, are 400", arguments: ["wait=1&wait=1", "wait=1&x=1", "Wait=1"])
    func parameters(query: String) throws {
        try expectProblem(try Shared.server().get("/v1/requests/\(Shared.freshIdentifier())?\(query)"), 400)
    }

    @Test("Prefer: wait does it, too, and the answer says so (RFC 7240 §3)", arguments: ["wait=40", "respond-async, wait=40", "WAIT=40", "wait=40; x=y", "wait=\"40\""])
    func prefer(value: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try held(server, "/v1/requests/\(identifier)", fields: ["Prefer: \(value)"])
        _ = try server.post(sentPayload(identifier))
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(answer["Preference-Applied"]?.contains("wait=40") == true, "\(answer.fields)")
    }

    @Test("a Prefer that cannot be read is ignored", arguments: ["wait=x", "wait", "wait=", "wait=-1", "nonsense;;==", "", "return=minimal"])
    func preferUnreadable(value: String) throws {
        let answer = try Shared.server().exchange(requestBytes("GET", "/v1/requests/\(Shared.freshIdentifier())", fields: ["Prefer: \(value)"]))
        #expect(answer.status == 404)
        #expect(answer["Preference-Applied"] == nil)
    }

    @Test("the parameter wins over Prefer")
    func both() throws {
        let target = "/v1/requests/\(Shared.freshIdentifier())"
        #expect(try Shared.server().exchange(requestBytes("GET", target + "?wait=0", fields: ["Prefer: wait=40"])).status == 404)
    }

    @Test("on one connection answers keep their order (RFC 9112 §9.3.2)")
    func pipelined() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try server.connect()
        try connection.send(requestBytes("GET", "/v1/requests/\(identifier)?wait=40") + requestBytes("GET", "/healthz"))
        #expect(!connection.isReadable(milliseconds: 150))
        _ = try server.post(sentPayload(identifier))
        #expect(try connection.readAnswer().object().string("request_id") == identifier)
        #expect(try connection.readAnswer().object().string("status") == "alive")
    }

    @Test("HEAD waits as GET does")
    func head() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connection = try server.connect()
        try connection.send(requestBytes("HEAD", "/v1/requests/\(identifier)?wait=40"))
        #expect(!connection.isReadable(milliseconds: 150))
        _ = try server.post(sentPayload(identifier))
        #expect(try connection.readAnswer(toHEAD: true).status == 200)
    }

    @Test("over HTTP/2 each stream waits for itself")
    func http2() throws {
        let server = try Shared.server()
        let connection = try connectHTTP2()
        let identifiers = (0..<40).map { _ in Shared.freshIdentifier() }
        let streams = try identifiers.map { try connection.request("GET", "/v1/requests/\($0)?wait=40") }
        #expect(try connection.exchange("GET", "/healthz").status == 200)
        #expect(streams.allSatisfy { connection.streams[$0]?.isEnded == false })
        for (identifier, stream) in zip(identifiers, streams).reversed() {
            _ = try server.post(sentPayload(identifier))
            #expect(try connection.answer(on: stream).object().string("request_id") == identifier)
        }
    }

    @Test("who gave up waiting costs nobody anything")
    func abandoned() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        for index in 0..<50 {
            let connection = try server.connect()
            try connection.send(requestBytes("GET", "/v1/requests/\(identifier)?wait=40"))
            if index.isMultiple(of: 2) { connection.reset() }
        }
        let connection = try held(server, "/v1/requests/\(identifier)?wait=40")
        _ = try server.post(sentPayload(identifier))
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("many wait for one request, and all are answered by its callback")
    func many() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let connections = try (0..<200).map { _ in
            let connection = try server.connect()
            try connection.send(requestBytes("GET", "/v1/requests/\(identifier)?wait=40"))
            return connection
        }
        _ = try server.post(sentPayload(identifier))
        for connection in connections { #expect(try connection.readAnswer().object().string("status") == "sent") }
    }

    @Test("a server that is told to stop does not wait for those who wait")
    func stop() throws {
        let server = try ServerProcess()
        let connection = try held(server, "/v1/requests/nobody?wait=50")
        #expect(try server.terminate() == .exited(0))
        withExtendedLifetime(connection) {}
    }
}
