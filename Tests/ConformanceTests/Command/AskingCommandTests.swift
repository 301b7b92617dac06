// API §2: callback-receiver status and follow, which ask a running server as anybody else would.
//
// Promises: exit statuses are those of the contract; a script's view: lines, and nothing but lines, on standard output.
// Must not know: how the commands wait or reconnect.

import Foundation
import Testing
import TestSupport

@Suite("The commands that ask a server")
struct AskingCommandTests {
    private func environment(_ server: ServerProcess) -> [String: String] { ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(server.port)"] }

    private func start(_ arguments: [String], _ server: ServerProcess) throws -> ChildProcess {
        try ChildProcess(executable: ServerProcess.executable, arguments: arguments, environment: environment(server))
    }

    @Test("status exits with what became of the request")
    func exits() throws {
        let server = try Shared.server()
        let name = Shared.freshIdentifier()
        _ = try server.post(sentPayload(name + "-sent"))
        _ = try server.post(failedPayload(name + "-failed", code: 131_049))
        _ = try server.post(#"{"request_id":"\#(name)-unrecognized"}"#)
        _ = try server.put(name + "-pending")
        _ = try server.put(name + "-overdue", #"{"overdue_after":1}"#)
        try server.eventually(name + "-overdue", is: "overdue")
        for (status, code) in [("sent", 0), ("failed", 2), ("pending", 3), ("overdue", 3), ("unknown", 4), ("unrecognized", 5)] {
            let run = try runToExit(["status", "\(name)-\(status)"], environment: environment(server))
            #expect(run.status == .exited(Int32(code)), "\(status): \(run)")
            #expect(status == "unknown" || run.output.contains(status), "\(run)")
        }
    }

    @Test("status says 1 where no server answers")
    func noAnswer() throws {
        let run = try runToExit(["status", "x"], environment: ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(try freePort())"])
        #expect(run.status == .exited(1) && run.output == "")
        expectOneLine(run.error)
    }

    @Test("status --wait comes back with the callback, or when the time is up")
    func wait() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let child = try start(["status", identifier, "--wait", "60"], server)
        #expect(try server.post(failedPayload(identifier)).status == 200)
        #expect(try child.waitForExit() == .exited(2))
        let clock = ContinuousClock()
        let begin = clock.now
        #expect(try runToExit(["status", Shared.freshIdentifier(), "--wait", "1"], environment: environment(server)).status == .exited(4))
        #expect(clock.now - begin >= .seconds(1))
    }

    @Test("status takes any identifier", arguments: StatusTests.difficult.filter { !$0.hasPrefix("-") })
    func difficult(identifier: String) throws {
        let server = try Shared.server()
        _ = try server.put(identifier)
        let run = try runToExit(["status", identifier], environment: environment(server))
        guard case .exited(let code) = run.status else { throw TestFailure.unreadable("\(run)") }
        #expect([0, 2, 3, 5].contains(code), "\(run)")
    }

    @Test("wrong usage is 64", arguments: [["status"], ["status", "x", "--wait", "soon"], ["status", "x", "y"], ["follow", "x"], ["follow", "--after"]])
    func usage(arguments: [String]) throws { #expect(try runToExit(arguments).status == .exited(64)) }

    /// The objects on the whole lines so far.
    private func lines(_ child: ChildProcess) throws -> [RawJSON] {
        let text = child.standardOutput
        guard let end = text.lastIndex(of: "\n") else { return [] }
        return try text[..<end].split(separator: "\n").map { try RawJSON(object: String($0)) }
    }

    @Test("follow prints one JSON line for each new event")
    func follow() throws {
        let server = try ServerProcess()
        _ = try server.post(sentPayload("before"))
        let all = try start(["follow", "--after", "0"], server)
        try eventually("the first line; \(all.standardError)") { try lines(all).count == 1 }
        let new = try start(["follow"], server)
        // Whether it is there yet cannot be seen from outside: it says so once something comes.
        var posted = 0
        try eventually("a line of the second") {
            _ = try server.post(sentPayload("knock\(posted)"))
            posted += 1
            return try !lines(new).isEmpty
        }
        _ = try server.put("announced")
        try eventually("all lines") { try lines(all).count == posted + 2 }
        let objects = try lines(all)
        #expect(objects.map { $0.integer("sequence") } == Array(1...posted + 2).map { $0 })
        #expect(objects.last?.string("status") == "pending" && objects.last?.string("request_id") == "announced")
        #expect(try lines(new).allSatisfy { $0.string("request_id") != "before" })
    }

    @Test("follow goes on by itself over a restart of the server, each event once")
    func reconnect() throws {
        let directory = try TemporaryDirectory()
        let port = try freePort()
        let first = try ServerProcess(directory: directory, listen: "127.0.0.1:\(port)")
        let child = try start(["follow", "--after", "0"], first)
        try first.postAll((1...5).map { sentPayload("a\($0)") })
        try eventually("five lines; \(child.standardError)") { try lines(child).count == 5 }
        try first.child.kill9()
        let second = try ServerProcess(directory: directory, listen: "127.0.0.1:\(port)")
        try second.postAll((1...5).map { sentPayload("b\($0)") })
        try eventually("ten lines; \(child.standardError)", withinSeconds: 40) { try lines(child).count >= 10 }
        try second.terminate()
        let third = try ServerProcess(directory: directory, listen: "127.0.0.1:\(port)")
        try third.postAll((1...5).map { sentPayload("c\($0)") })
        try eventually("fifteen lines; \(child.standardError)", withinSeconds: 40) { try lines(child).count >= 15 }
        #expect(try lines(child).map { $0.integer("sequence") } == Array(1...15))
    }

    @Test("with a token file they are let in, without one they say why they are not")
    func token() throws {
        let directory = try TemporaryDirectory()
        let token = try Token.create(in: directory)
        let server = try ServerProcess(directory: directory)
        _ = try server.post(sentPayload("a"))
        let place = try TemporaryDirectory()
        let file = try place.write("\(token.identifier):\(token.key)\n", to: "token")
        let allowed = environment(server).merging(["CALLBACK_RECEIVER_CLIENT_TOKEN_FILE": file]) { $1 }
        #expect(try runToExit(["status", "a"], environment: allowed).status == .exited(0))
        let refused = try runToExit(["status", "a"], environment: environment(server))
        #expect(refused.status == .exited(1))
        expectOneLine(refused.error)
        #expect(try runToExit(["follow"], environment: environment(server)).status == .exited(1))
    }
}
