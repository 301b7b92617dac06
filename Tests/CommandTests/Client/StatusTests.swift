// `status` against servers that answer this and that: exit status, what is printed, when it asks again.

import Foundation
import TestSupport
import Testing

@Suite("status")
struct StatusTests {
    private static func answer(_ status: String, failure: String = "null", received: String = "\"2026-05-20T18:20:25.031Z\"") -> String {
        #"{"request_id":"r-1","status":"\#(status)","crisp_fingerprint":163239623329114,"whatsapp_message_id":null,"session_id":"session_4e4a","failure":\#(failure),"received_at":\#(received),"sequence":42,"callbacks":2,"updated_at":"2026-05-20T18:20:25.031Z","announced_at":null,"overdue_at":"2026-05-20T18:25:25.031Z","reference":"order\u001b[2J","metadata":{}}"#
    }

    private static let failure = #"{"message":"(#131049) not\u001b[1m delivered","reason":null,"code":131049,"class":"retry_later","retryable":true,"retry_after_seconds":86400,"advice":"Wait."}"#

    private func run(_ answers: [ScriptedServer.Answer], _ arguments: [String], environment: [String: String] = [:]) throws -> (
        status: TestSupport.ExitStatus, output: String, error: String, requests: [String]
    ) {
        let server = try ScriptedServer(answers)
        let run = try InstalledProgram.run(
            ServerProcess.executable, ["status"] + arguments, environment: ["CALLBACK_RECEIVER_CLIENT_URL": server.url].merging(environment) { $1 })
        return (run.status, run.output, run.error, server.requests)
    }

    @Test("the exit status is what became of it", arguments: [("sent", 0), ("failed", 2), ("pending", 3), ("overdue", 3), ("unrecognized", 5)] as [(String, Int32)])
    func exits(status: String, exit: Int32) throws {
        let run = try run([.whole("200 OK", Self.answer(status))], ["r-1"])
        #expect(run.status == .exited(exit) && run.error == "")
        #expect(run.output.hasPrefix("r-1: \(status)\n"))
        #expect(run.requests.count == 1 && run.requests[0].hasPrefix("GET /v1/requests/r-1 HTTP/1.1\r\nHost: 127.0.0.1:"))
    }

    @Test("a failure is told with advice, and nothing that came from outside steers the terminal")
    func failed() throws {
        let run = try run([.whole("200 OK", Self.answer("failed", failure: Self.failure))], ["r-1"])
        #expect(
            run.output == """
                r-1: failed
                  why         (#131049) not\\u{1b}[1m delivered
                  what to do  Wait.
                  class       retry_later
                  try again   after 24 hours
                  session     session_4e4a
                  fingerprint 163239623329114
                  reference   order\\u{1b}[2J
                  callback    2026-05-20T18:20:25.031Z, the newest of 2

                """)
    }

    @Test("--json is the answer as it came, in one line")
    func json() throws {
        let run = try run([.whole("200 OK", Self.answer("sent") + "\n")], ["--json", "r-1"])
        #expect(run.status == .exited(0) && run.output == Self.answer("sent") + "\n")
    }

    @Test("an id that nothing is known of is 4, and said on standard error")
    func unknown() throws {
        let run = try run([.whole("404 Not Found", #"{"detail":"x"}"#)], ["a/b?%"])
        #expect(run.status == .exited(4) && run.output == "" && run.error.contains("nothing is known of a/b?%"))
        #expect(run.requests[0].hasPrefix("GET /v1/requests/a%2Fb%3F%25 HTTP/1.1\r\n"))
    }

    @Test(
        "a 404 that is not about the request is 1: of the callback's own address, of another server",
        arguments: [#"{"detail":"This address takes callbacks only, at /callback."}"#, "<html>404</html>"])
    func elsewhere(body: String) throws {
        let run = try run([.whole("404 Not Found", body)], ["r-1"])
        #expect(run.status == .exited(1) && run.output == "" && run.error.contains("answers 404"), "\(run)")
    }

    @Test(
        "what is no answer is 1, with the server's own words where there are some",
        arguments: [
            (.whole("503 x", #"{"detail":"The log is\nbusy."}"#), "answers 503: The log is busy."),
            (.whole("401 x", #"{"detail":"No."}"#), "answers 401: No; name a file with a token"), (.whole("301 x", ""), "answers 301; set client.url"),
            (.whole("200 OK", #"{"status":"lost"}"#), "answers what is no status"), (.whole("200 OK", "hello"), "answers what is no status"),
            (ScriptedServer.Answer(pieces: []), "closes the connection before its answer is whole"),
            (ScriptedServer.Answer(pieces: ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]), "closes the connection before its answer is whole"),
            (ScriptedServer.Answer(pieces: ["220 mail.example ESMTP\r\n"]), "does not speak HTTP/1.1"),
        ] as [(ScriptedServer.Answer, String)])
    func none(answer: ScriptedServer.Answer, text: String) throws {
        let run = try run([answer], ["r-1"])
        #expect(run.status == .exited(1) && run.output == "" && run.error.split(separator: "\n").count == 1)
        #expect(run.error.contains(text), "\(run.error)")
    }

    @Test("a server that is not there is 1, and says where it was looked for")
    func absent() throws {
        let port = try freePort()
        let run = try InstalledProgram.run(
            ServerProcess.executable, ["status", "r-1"], environment: ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(port)"])
        #expect(run.status == .exited(1))
        #expect(run.error.hasPrefix("callback-receiver: http://127.0.0.1:\(port) cannot be reached: Connection refused; is callback-receiver serve running there?"))
    }

    @Test("with --wait it asks until the status is final, also over a server that is away for a moment")
    func waits() throws {
        let run = try run(
            [
                .whole("404 Not Found", ""), .whole("200 OK", Self.answer("pending")), .whole("503 x", ""), .init(pieces: []),
                .whole("200 OK", Self.answer("sent")),
            ], ["r-1", "--wait", "120"])
        #expect(run.status == .exited(0) && run.error == "")
        #expect(run.requests.count == 5 && run.requests.allSatisfy { $0.hasPrefix("GET /v1/requests/r-1?wait=50 ") })
    }

    @Test("when the time is up the last answer counts")
    func timeIsUp() throws {
        let run = try run([.whole("200 OK", Self.answer("pending"))] + Array(repeating: .whole("200 OK", Self.answer("overdue")), count: 5), ["r-1", "--wait", "1"])
        #expect(run.status == .exited(3) && run.output.hasPrefix("r-1: overdue\n") && run.output.contains("overdue since"))
        #expect(run.requests.count >= 2 && run.requests[0].hasPrefix("GET /v1/requests/r-1?wait=1 "))
    }

    @Test("what cannot become better is not asked again")
    func refusedForGood() throws {
        let run = try run([.whole("401 x", "")], ["r-1", "--wait", "30"])
        #expect(run.status == .exited(1) && run.requests.count == 1)
    }

    @Test("the token of the configuration is shown, and the configuration's file is read")
    func token() throws {
        let directory = try TemporaryDirectory()
        let token = try directory.write("identifier-0123456 key-0123456789ab\n", to: "token")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: token)
        let server = try ScriptedServer([.whole("200 OK", Self.answer("sent")), .whole("200 OK", Self.answer("sent"))])
        let file = try directory.write("client:\n  url: \(server.url)\n  token-file: \(token)\n", to: "c.yaml")
        let run = try InstalledProgram.run(ServerProcess.executable, ["status", "r-1", "--config", file])
        #expect(run.status == .exited(0) && run.error == "")
        let credentials = Data("identifier-0123456:key-0123456789ab".utf8).base64EncodedString()
        #expect(server.requests.last?.contains("\r\nAuthorization: Basic \(credentials)\r\n") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: token)
        let again = try InstalledProgram.run(ServerProcess.executable, ["status", "r-1", "--config", file])
        #expect(again.status == .exited(0) && again.error.contains("can be read by every user") && !again.error.contains("0123456"))
    }

    @Test("a token file that is not there, or holds none, is 1 and names the key")
    func noToken() throws {
        let directory = try TemporaryDirectory()
        for path in [directory.path + "/absent", try directory.write("hunter2", to: "bad")] {
            let run = try run([], ["r-1"], environment: ["CALLBACK_RECEIVER_CLIENT_TOKEN_FILE": path])
            #expect(run.status == .exited(1) && run.error.contains("client.token-file: \(path)") && !run.error.contains("hunter2"))
        }
    }

    @Test("over IPv6")
    func version6() throws {
        let server = try ScriptedServer(host: "::1", [.whole("200 OK", Self.answer("sent"))])
        let run = try InstalledProgram.run(ServerProcess.executable, ["status", "r-1"], environment: ["CALLBACK_RECEIVER_CLIENT_URL": server.url])
        #expect(run.status == .exited(0) && server.requests[0].contains("\r\nHost: [::1]:"))
    }

    @Test("wrong usage is 64", arguments: [[], [""], ["a b"], ["é"], [String(repeating: "x", count: 257)], ["r", "--wait", "-1"], ["r", "--wait", "x"], ["r", "--wait", "86401"]])
    func usage(arguments: [String]) throws {
        let run = try InstalledProgram.run(ServerProcess.executable, ["status"] + arguments)
        #expect(run.status == .exited(64) && run.error.split(separator: "\n").count == 1)
    }
}
