// `follow` against a scripted server: lines, reconnecting, resuming, each event once, ending in good order.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("follow")
struct FollowTests {
    private static func event(_ sequence: Int, log: String = "a", data: String? = nil) -> String {
        "id: \(log)-\(sequence)\nevent: sent\ndata: \(data ?? "{\"sequence\":\(sequence)}")\n\n"
    }

    private func start(_ server: ScriptedServer, _ arguments: [String] = []) throws -> ChildProcess {
        try ChildProcess(
            executable: ServerProcess.executable, arguments: ["follow"] + arguments, environment: ["CALLBACK_RECEIVER_CLIENT_URL": server.url])
    }

    private func lines(_ child: ChildProcess, _ count: Int) throws -> [String] {
        try eventually("\(count) lines; standard error: \(child.standardError)") {
            let lines = child.standardOutput.split(separator: "\n").map(String.init)
            return lines.count >= count ? lines : nil
        }
    }

    private static func asked(_ request: String) -> (target: String, position: String?) {
        let lines = request.split(separator: "\r\n").map(String.init)
        let field = lines.first { $0.hasPrefix("Last-Event-ID: ") }
        return (lines[0].split(separator: " ").map(String.init)[1], field.map { String($0.dropFirst(15)) })
    }

    @Test("each event is a line at once; a broken connection goes on behind the last, and a repeat is shown once")
    func resumes() throws {
        let server = try ScriptedServer([
            .events([": hello\n\n", Self.event(1), Self.event(2) + "id: a-3\ndata: {\"never"]),
            .whole("503 x", #"{"detail":"Draining."}"#),
            .events([Self.event(2), Self.event(3)], isEnded: true),
            .events([Self.event(4)], isHeld: true),
        ])
        let child = try start(server)
        #expect(try lines(child, 4) == (1...4).map { "{\"sequence\":\($0)}" })
        #expect(server.requests.map { Self.asked($0).target } == Array(repeating: "/v1/events", count: 4))
        #expect(server.requests.map { Self.asked($0).position } == [nil, "a-2", "a-2", "a-3"])
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
        #expect(child.standardError.contains("closes the connection before its answer is whole; trying again until it answers"))
        #expect(child.standardError.contains("answers again"))
        #expect(child.standardError.contains("ends the stream"))
        #expect(!child.standardError.contains("Draining"), "one outage is told once")
    }

    @Test("--after is asked for until there is a position; an id without an event is one")
    func after() throws {
        let server = try ScriptedServer([
            .init(pieces: []), .events(["id: a-7\n\n"]), .events([Self.event(8)], isHeld: true),
        ])
        let child = try start(server, ["--after", "7"])
        #expect(try lines(child, 1) == ["{\"sequence\":8}"])
        let asked = server.requests.map(Self.asked)
        #expect(asked.map(\.target) == ["/v1/events?after=7", "/v1/events?after=7", "/v1/events"])
        #expect(asked.map(\.position) == [nil, nil, "a-7"])
        child.send(signal: SIGINT)
        #expect(try child.waitForExit() == .exited(0))
    }

    @Test("a gap is a line on standard error, and nothing on standard output")
    func gap() throws {
        let server = try ScriptedServer([
            .events(["id: b-4\nevent: gap\ndata: {\"after\":\"a-9\",\"next\":5}\n\n", Self.event(5, log: "b")], isHeld: true)
        ])
        let child = try start(server, ["--after", "a-9"])
        #expect(try lines(child, 1) == ["{\"sequence\":5}"])
        #expect(child.standardError == "callback-receiver: records behind a-9 are not there to be followed; going on with 5\n")
    }

    @Test("it ends when the reader of its output leaves, also while nothing comes")
    func readerLeaves() throws {
        let server = try ScriptedServer([.events([Self.event(1)], isHeld: true)])
        let shell = try ChildProcess(
            executable: "/bin/bash", arguments: ["-c", "'\(ServerProcess.executable)' follow | head -n 1; echo ${PIPESTATUS[0]}"],
            environment: ["CALLBACK_RECEIVER_CLIENT_URL": server.url])
        #expect(try shell.waitForExit() == .exited(0))
        #expect(shell.standardOutput == "{\"sequence\":1}\n0\n")
        #expect(shell.standardError == "")
    }

    @Test("it waits for a server that is not there yet, and stops when told to")
    func absent() throws {
        let port = try freePort()
        let child = try ChildProcess(
            executable: ServerProcess.executable, arguments: ["follow"], environment: ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(port)"])
        _ = try eventually("a word on standard error") { child.standardError.contains("\n") ? true : nil }
        #expect(child.standardError == "callback-receiver: http://127.0.0.1:\(port) cannot be reached: Connection refused; trying again until it answers\n")
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
    }

    @Test("what asking again cannot mend is 1", arguments: [("401 x", "client.token-file"), ("403 x", "answers 403"), ("404 x", "answers 404"), ("400 x", "answers 400: Bad.")])
    func refused(status: String, text: String) throws {
        let server = try ScriptedServer([.whole(status, #"{"detail":"Bad."}"#)])
        let child = try start(server)
        #expect(try child.waitForExit() == .exited(1))
        #expect(child.standardError.contains(text) && child.standardOutput == "")
    }

    @Test("a position that is none is wrong usage", arguments: ["x", "", "-", "a-", "a-x", "-1 "])
    func usage(after: String) throws {
        let run = try InstalledProgram.run(ServerProcess.executable, ["follow", "--after=\(after)"])
        #expect(run.status == .exited(64), "\(run.error)")
    }
}
