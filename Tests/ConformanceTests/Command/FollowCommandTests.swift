// API §2, §4: `status --wait` and `follow`, against a real server: each event once, across restarts of the server.
//
// Promises: each run has a server of its own. Must not know: how events are streamed.

import Foundation
import Testing
import TestSupport

@Suite("The commands that wait")
struct FollowCommandTests {
    private func start(_ arguments: [String], port: UInt16) throws -> ChildProcess {
        try ChildProcess(
            executable: ServerProcess.executable, arguments: arguments, environment: ["CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(port)"])
    }

    /// The request_ids of the lines so far, once there are so many.
    private func followed(_ child: ChildProcess, _ count: Int) throws -> [String] {
        try eventually("\(count) lines; \(child.standardError)") {
            let lines = child.standardOutput.split(separator: "\n")
            return lines.count >= count ? try lines.map { try RawJSON(object: String($0)).string("request_id") ?? "" } : nil
        }
    }

    /// Follow begins with the next record: what is posted before it listens is not seen. So post until it is.
    private func postUntilHeard(_ child: ChildProcess, _ server: ServerProcess) throws -> String {
        var count = 0
        return try eventually("a first line; \(child.standardError)") {
            count += 1
            _ = try server.post(sentPayload("hello-\(count)"))
            return child.standardOutput.split(separator: "\n").last.map(String.init)
        }
    }

    @Test("status --wait ends with the callback that it waited for, though nothing was known before")
    func waits() throws {
        let server = try ServerProcess()
        let child = try start(["status", "a", "--wait", "60"], port: server.port)
        try eventually("it waits", holds: { try server.metrics()["callback_receiver_waits"] == 1 })
        #expect(try server.post(#"{"request_id":"a","message":"Message undeliverable"}"#).status == 200)
        #expect(try child.waitForExit() == .exited(2))
        #expect(child.standardOutput.hasPrefix("a: failed\n") && child.standardError == "")
    }

    @Test("status --wait gives up when its time is up")
    func timeIsUp() throws {
        let server = try ServerProcess()
        let child = try start(["status", "a", "--wait", "1"], port: server.port)
        #expect(try child.waitForExit() == .exited(4))
    }

    @Test("follow shows every record from the first, then each new one, as the API answers it")
    func follows() throws {
        let server = try ServerProcess()
        for name in ["a", "b"] { #expect(try server.post(sentPayload(name)).status == 200) }
        let child = try start(["follow", "--after", "0"], port: server.port)
        #expect(try followed(child, 2) == ["a", "b"])
        #expect(try server.post(#"{"request_id":"a","message":"Template is paused"}"#).status == 200)
        #expect(try followed(child, 3) == ["a", "b", "a"])
        let answer = try server.status(of: "a").text
        #expect(child.standardOutput.split(separator: "\n").last.map(String.init) == answer)
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
        #expect(child.standardError == "")
    }

    @Test("without --after it begins with what comes next")
    func fromNow() throws {
        let server = try ServerProcess()
        #expect(try server.post(sentPayload("before")).status == 200)
        let child = try start(["follow"], port: server.port)
        _ = try postUntilHeard(child, server)
        #expect(!child.standardOutput.contains("\"before\""))
    }

    @Test("a server that stops and starts again is followed on: nothing twice, nothing left out")
    func restarts() throws {
        let port = try freePort()
        let directory = try TemporaryDirectory()
        var expected: [String] = []
        func post(_ name: String, _ server: ServerProcess) throws {
            expected.append(name)
            #expect(try server.post(sentPayload(name)).status == 200)
        }
        var server: ServerProcess? = try ServerProcess(directory: directory, listen: "127.0.0.1:\(port)")
        let child = try start(["follow", "--after", "0"], port: port)
        for round in 1...3 {
            let running = try #require(server)
            for number in 1...20 { try post("r-\(round)-\(number)", running) }
            if round == 2 { try running.child.kill9() } else { try running.terminate() }
            server = nil
            server = try ServerProcess(directory: directory, listen: "127.0.0.1:\(port)")
            // Before the follower is back, too.
            try post("between-\(round)", try #require(server))
        }
        #expect(try followed(child, expected.count) == expected)
        child.send(signal: SIGINT)
        #expect(try child.waitForExit() == .exited(0))
        #expect(try followed(child, 1) == expected)
    }

    @Test("a position that is ahead of the log is a gap, told on standard error; then comes what is new")
    func gap() throws {
        let server = try ServerProcess()
        let child = try start(["follow", "--after", "1000"], port: server.port)
        // What is posted before it listens is before the gap's next.
        _ = try postUntilHeard(child, server)
        #expect(child.standardError.contains("records behind 1000 are not there to be followed; going on with "))
        #expect(child.standardError.split(separator: "\n").count == 1)
    }
}
