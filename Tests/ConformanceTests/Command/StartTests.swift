// API §2: what `serve` says and where, how it ends, and what it refuses to start with.
//
// Promises: each run has a directory and a free port of its own.
// Must not know: what a message says beyond the words a user needs to find the place.

import Foundation
import Testing
import TestSupport

@Suite("Starting and stopping")
struct StartTests {
    @Test("standard output holds the listening line and nothing else, to the end")
    func standardOutput() throws {
        let server = try ServerProcess()
        #expect(try server.post(sentPayload("a")).status == 200)
        _ = try server.post("nonsense")
        _ = try server.get("/v1/requests/a")
        #expect(server.child.standardOutput == "listening on http://127.0.0.1:\(server.port)\n")
        #expect(try server.terminate() == .exited(0))
        #expect(server.child.standardOutput == "listening on http://127.0.0.1:\(server.port)\n")
    }

    @Test("without a configuration the log is in ./callback-data, and the server says so")
    func defaults() throws {
        let directory = try TemporaryDirectory()
        let child = try ChildProcess(
            executable: ServerProcess.executable, arguments: ["serve", "--listen", "127.0.0.1:0"], workingDirectory: directory.path)
        let address = try eventually("a listening line; \(child.standardError)") {
            ServerProcess.addresses(in: child.standardOutput).first
        }
        let connection = try RawConnection(port: address.port)
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        #expect(try LogReader(directory: directory.path(of: "callback-data")).records(of: "a").count == 1)
        try eventually("where it keeps them") { child.standardError.contains("callback-data") }
    }

    @Test("SIGTERM and SIGINT end an idle server with status 0", arguments: [SIGTERM, SIGINT])
    func signals(signal: Int32) throws {
        let server = try ServerProcess()
        let idle = try server.connect()
        server.child.send(signal: signal)
        #expect(try server.child.waitForExit() == .exited(0))
        #expect(try idle.readToEnd() == [])
    }

    @Test(
        "wrong usage is status 64 and one line on standard error",
        arguments: [
            ["serve", "--nonsense"], ["serve", "--listen"], ["nonsense"], ["serve", "extra"], ["serve", "--callback-path"], ["status"], ["config", "nonsense"],
            ["token", "create"],
        ])
    func usage(arguments: [String]) throws {
        let run = try runToExit(arguments)
        #expect(run.status == .exited(64))
        #expect(run.output == "")
        expectOneLine(run.error)
    }

    @Test("help is no error", arguments: [["--help"], ["serve", "--help"], ["config", "--help"]])
    func help(arguments: [String]) throws {
        let run = try runToExit(arguments)
        #expect(run.status == .exited(0))
        #expect(run.output.contains("serve") || run.output.contains("config"))
    }

    @Test("a second server on the same log is refused with status 1, and the first one goes on")
    func secondServer() throws {
        let server = try ServerProcess()
        let run = try runToExit(["serve", "--listen", "127.0.0.1:0", "--data-directory", server.directory.path])
        #expect(run.status == .exited(1))
        #expect(run.output == "")
        expectOneLine(run.error)
        #expect(try server.post(sentPayload("a")).status == 200)
    }

    @Test("the lock of a killed server does not outlive it")
    func lockAfterKill() throws {
        let directory = try TemporaryDirectory()
        let first = try ServerProcess(directory: directory)
        try first.child.kill9()
        #expect(try ServerProcess(directory: directory).post(sentPayload("a")).status == 200)
    }

    @Test("an address in use is status 1 with the address in one line")
    func addressInUse() throws {
        let server = try ServerProcess()
        let other = try TemporaryDirectory()
        let run = try runToExit(["serve", "--listen", "127.0.0.1:\(server.port)", "--data-directory", other.path])
        #expect(run.status == .exited(1))
        #expect(run.error.contains("\(server.port)"))
        expectOneLine(run.error)
    }

    @Test("a log directory that cannot be made is status 1")
    func unusableDirectory() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("a file", to: "taken")
        let run = try runToExit(["serve", "--listen", "127.0.0.1:0", "--data-directory", file + "/log"])
        #expect(run.status == .exited(1))
        #expect(run.output == "")
        expectOneLine(run.error)
    }

    @Test("beyond loopback nothing listens without proof of origin or a word to the contrary", arguments: ["0.0.0.0:0", "[::]:0"])
    func beyondLoopback(address: String) throws {
        let directory = try TemporaryDirectory()
        let run = try runToExit(["serve", "--listen", address, "--data-directory", directory.path])
        #expect(run.status == .exited(78))
        #expect(run.output == "")
        expectOneLine(run.error)
    }

    @Test("beyond loopback a configuration may say that it needs no proof and no token")
    func openly() throws {
        let server = try ServerProcess(
            listen: "0.0.0.0:0", configuration: "callback:\n  authentication: none\napi:\n  authentication: none\n")
        let connection = try RawConnection(port: server.port)
        try connection.send(postBytes(sentPayload("a")) + requestBytes("GET", "/v1/requests/a", host: "anything.example"))
        #expect(try connection.readAnswer().status == 200)
        #expect(try connection.readAnswer().status == 200)
    }
}

/// Errors are one line with what to do; log lines below warning may stand before it.
func expectOneLine(_ error: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let lines = error.split(separator: "\n").filter { line in
        !["level=trace", "level=debug", "level=info", "level=notice"].contains { line.contains($0) }
    }
    #expect(error.hasSuffix("\n") && lines.count == 1, "\(error)", sourceLocation: sourceLocation)
}
