// RFC 9113 §5.4, §9.1 and RFC 9110 §15.5.9, over time: what does not come is not waited for without end.
//
// Promises: the waits are the server's, by configuration; what is asserted is that something ends, and what goes on.
// Must not know: which clock the server reads, and when.

import Testing
import TestSupport

@Suite("HTTP/2: what does not come")
struct PatienceTests {
    private func impatientServer() throws -> ServerProcess {
        try ServerProcess(configuration: "server:\n  timeouts:\n    header-seconds: 1\n    body-seconds: 1\n    idle-seconds: 60\n")
    }

    @Test("RFC 9110 §15.5.9: content that does not come is 408 or the end of its stream; others go on")
    func body() throws {
        let server = try impatientServer()
        let connection = try HTTP2Connection(port: server.port)
        let stream = try connection.open(HTTP2Connection.fields("POST", "/callback"))
        try connection.send(.data(Array(sentPayload("a").utf8.dropLast()), on: stream))
        let body = Array(sentPayload("b").utf8)
        #expect(try connection.exchange("POST", "/callback", body: body).status == 200)
        switch try connection.outcome(of: stream) {
        case .answer(let answer): #expect(answer.status == 408)
        case .reset, .goAway: break
        case .closed: Issue.record("closed without GOAWAY")
        }
        #expect(try server.status(of: "a").status == 404)
        if !connection.hasEnded { #expect(try connection.post(sentPayload("c")).status == 200) }
    }

    @Test("RFC 9113 §4.3: a field block that never ends ends the connection")
    func openBlock() throws {
        let server = try impatientServer()
        let connection = try HTTP2Connection(port: server.port)
        try connection.send(.headers(Array(healthBlock.prefix(5)), on: connection.takeStream(), endHeaders: false))
        try connection.readToEnd()
        #expect(!connection.goAways.isEmpty)
    }

    @Test("RFC 9113 §3.4: a preface that never ends, or is followed by nothing, ends the connection", arguments: [1, 16, 23, 24])
    func openPreface(length: Int) throws {
        let server = try impatientServer()
        let connection = try server.connect()
        try connection.send(Array(HTTP2Frame.preface.prefix(length)))
        #expect(!String(decoding: try connection.readToEnd(), as: UTF8.self).contains(" 200 "))
    }

    @Test("RFC 9113 §9.1: streams that take their time count against none that come later")
    func quiet() throws {
        let server = try impatientServer()
        let connection = try HTTP2Connection(port: server.port)
        for round in 0..<3 {
            #expect(try connection.post(sentPayload("r\(round)")).status == 200)
            #expect(!connection.raw.isReadable(milliseconds: 700))
        }
        #expect(connection.goAways.isEmpty)
    }
}
