// API §3: 408, 414 and 431, as RFC 9110 has them, with the limits a user can configure.
//
// Promises: waits are the server's, by configuration. Lines and fields without end stand with their sections.
// Must not know: the limits that are not in the interface page.

import Testing
import TestSupport

@Suite("Limits of a request")
struct LimitTests {
    @Test("RFC 9110 §5.4: fields of everyday size are accepted")
    func everydayFields() throws {
        let fields = (0..<40).map { "X-Field-\($0): " + String(repeating: "v", count: 80) }
        #expect(try Shared.server().exchange(requestBytes("GET", "/healthz", fields: fields)).status == 200)
    }

    @Test("RFC 9110 §15.5.9: a head or a body that does not come is 408 and the end of the connection")
    func slow() throws {
        let server = try ServerProcess(
            configuration: """
                server:
                  timeouts:
                    header-seconds: 1
                    body-seconds: 1
                    idle-seconds: 1
                """)
        let head = try server.connect()
        try head.send("POST /callback HTTP/1.1\r\nHost: x\r\n")
        let body = try server.connect()
        try body.send(requestBytes("POST", "/callback", fields: ["Content-Length: 100"]) + [123])
        let chunks = try server.connect()
        try chunks.send(requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"]) + Array("5\r\nhe".utf8))
        let idle = try server.connect()
        try idle.send(requestBytes("GET", "/healthz"))
        #expect(try idle.readAnswer().status == 200)
        for connection in [head, body, chunks] {
            let answer = try connection.readAnswer()
            #expect(answer.status == 408)
            #expect(answer.announcesClose)
            #expect(try connection.readToEnd() == [])
        }
        // RFC 9112 §9.5: an idle connection may just be closed.
        let rest = String(decoding: try idle.readToEnd(), as: UTF8.self)
        #expect(rest.isEmpty || rest.hasPrefix("HTTP/1.1 408 "))
    }

    @Test("callback.body-bytes-max is what the configuration says")
    func configuredBody() throws {
        let server = try ServerProcess(configuration: "callback:\n  body-bytes-max: 1 KiB\n")
        func body(bytes: Int) -> [UInt8] {
            Array((#"{"request_id":"x","a":""# + String(repeating: "x", count: bytes - 25) + #""}"#).utf8)
        }
        #expect(body(bytes: 1024).count == 1024)
        #expect(try server.exchange(requestBytes("POST", "/callback", body: body(bytes: 1024))).status == 200)
        #expect(try server.exchange(requestBytes("POST", "/callback", body: body(bytes: 1025))).status == 413)
    }

    @Test("at the bound of connections every callback sent is answered: stored, or refused with 503")
    func connectionsMax() throws {
        let server = try ServerProcess(configuration: "server:\n  connections-max: 8\n")
        var connections: [RawConnection] = []
        for index in 0..<32 {
            connections.append(try server.connect())
            try connections[index].send(postBytes(sentPayload("r\(index)")), toleratingClose: true)
        }
        var stored: [String] = []
        var unanswered: [String] = []
        while !connections.isEmpty {
            // Closed with the end of the round, so that one that waits for room gets it.
            let connection = connections.removeFirst()
            let identifier = "r\(31 - connections.count)"
            guard let answer = try? connection.readAnswer() else {
                unanswered.append(identifier)
                continue
            }
            #expect(answer.status == 200 || (answer.status == 503 && answer["Retry-After"] != nil), "\(answer)")
            if answer.status == 200 { stored.append(identifier) }
        }
        #expect(unanswered == [])
        #expect(!stored.isEmpty)
        for identifier in stored { #expect(try server.get("/v1/requests/\(identifier)").status == 200) }
    }

    @Test("a head or a body that drips in does not put its deadline off")
    func dripping() throws {
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    header-seconds: 1\n    body-seconds: 1\n")
        for start in ["POST /callback HTTP/1.1\r\nHost: x\r\nX: ", "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"] {
            let connection = try server.connect()
            try connection.send(start)
            try eventually("an answer to \(start.debugDescription)") {
                try connection.send(" ", toleratingClose: true)
                return connection.isReadable(milliseconds: 20)
            }
            #expect(try connection.readAnswer().status == 408)
        }
    }
}
