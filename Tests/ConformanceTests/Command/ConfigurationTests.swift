// API §2: where a value may come from, which one wins, and how a wrong one is named.

import Foundation
import Testing
import TestSupport

@Suite("Configuration")
struct ConfigurationTests {
    @Test("a flag wins over the environment, the environment over the file, the file over the default")
    func precedence() throws {
        let file = "callback:\n  path: /from-file\n"
        let environment = ["CALLBACK_RECEIVER_CALLBACK_PATH": "/from-environment"]
        func accepting(_ server: ServerProcess) throws -> [String] {
            try ["/callback", "/from-file", "/from-environment", "/from-flag"].filter { path in
                try server.post(sentPayload(path), to: path).status == 200
            }
        }
        #expect(try accepting(ServerProcess()) == ["/callback"])
        #expect(try accepting(ServerProcess(configuration: file)) == ["/from-file"])
        #expect(try accepting(ServerProcess(configuration: file, environment: environment)) == ["/from-environment"])
        #expect(
            try accepting(ServerProcess(configuration: file, arguments: ["--callback-path", "/from-flag"], environment: environment)) == ["/from-flag"])
    }

    @Test("the data directory comes from the file where no flag names one")
    func directoryFromFile() throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write(
            "log:\n  directory: \(directory.path(of: "from-file"))\napi:\n  listen: 127.0.0.1:0\ncallback:\n  listen: 127.0.0.1:0\n", to: "c.yaml")
        let child = try ChildProcess(executable: ServerProcess.executable, arguments: ["serve", "--config", config])
        let address = try eventually("a listening line; \(child.standardError)") { ServerProcess.addresses(in: child.standardOutput).first }
        let connection = try RawConnection(port: address.port)
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        #expect(try LogReader(directory: directory.path(of: "from-file")).records(of: "a").count == 1)
    }

    /// YAML, the key it is about, and its line; nil where no one line is to blame.
    static let wrong: [(yaml: String, key: String, line: Int?)] = [
        ("callback:\n  pathh: /x\n", "pathh", 2),
        ("colour: blue\n", "colour", 1),
        ("callback:\n  path: /x\n  body-bytes-max: many\n", "body-bytes-max", 3),
        ("callback:\n  body-bytes-max: -1\n", "body-bytes-max", 2),
        ("callback:\n  body-bytes-max: 5 parsecs\n", "body-bytes-max", 2),
        ("callback:\n  path: no-slash\n", "path", 2),
        ("callback:\n  path: [a, b]\n", "path", 2),
        ("callback:\n  listen: nonsense\n", "listen", 2),
        ("callback:\n  listen: 127.0.0.1:99999\n", "listen", 2),
        ("callback:\n  authentication: perhaps\n", "authentication", 2),
        ("callback: 5\n", "callback", 1),
        ("server:\n\n  timeouts:\n    header-seconds: soon\n", "header-seconds", 4),
        ("server:\n  timeouts:\n    header-seconds: -1\n", "header-seconds", 3),
        ("server:\n  loops: 0\n", "loops", 2),
        ("logging:\n  level: loud\n", "level", 2),
        ("logging:\n  access: sometimes\n", "access", 2),
        ("log:\n  segment-bytes-max: 0\n", "segment-bytes-max", 2),
    ]

    @Test("a wrong configuration is status 78, and one line names file, line and key", arguments: wrong)
    func wrongConfiguration(yaml: String, key: String, line: Int?) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(yaml, to: "wrong.yaml")
        for arguments in [
            ["serve", "--config", file, "--data-directory", directory.path(of: "log")], ["config", "check", "--config", file],
        ] {
            let run = try runToExit(arguments)
            #expect(run.status == .exited(78), "\(arguments[0]): \(run.error)")
            #expect(run.output == "")
            expectOneLine(run.error)
            #expect(run.error.contains("wrong.yaml") && run.error.contains(key), "\(run.error)")
            if let line { #expect(run.error.contains("\(line)"), "\(run.error)") }
        }
    }

    @Test("a file that is no YAML, or is not there, is status 78 and named", arguments: ["callback: [", "a: b: c", "\t- x", nil])
    func unreadable(yaml: String?) throws {
        let directory = try TemporaryDirectory()
        let file = directory.path(of: "wrong.yaml")
        if let yaml { try directory.write(yaml, to: "wrong.yaml") }
        let run = try runToExit(["serve", "--config", file, "--data-directory", directory.path(of: "log")])
        #expect(run.status == .exited(78), "\(run.error)")
        #expect(run.error.contains("wrong.yaml"))
        expectOneLine(run.error)
    }

    @Test("a wrong value in the environment is status 78 and names the variable")
    func wrongEnvironment() throws {
        let directory = try TemporaryDirectory()
        let run = try runToExit(
            ["serve", "--listen", "127.0.0.1:0", "--data-directory", directory.path],
            environment: ["CALLBACK_RECEIVER_SERVER_TIMEOUTS_HEADER_SECONDS": "soon"])
        #expect(run.status == .exited(78))
        #expect(run.error.contains("CALLBACK_RECEIVER_SERVER_TIMEOUTS_HEADER_SECONDS"))
        expectOneLine(run.error)
    }

    @Test("config check says nothing against a right file, and starts nothing")
    func check() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("log:\n  directory: \(directory.path(of: "log"))\ncallback:\n  body-bytes-max: 32 KiB\n", to: "right.yaml")
        let run = try runToExit(["config", "check", "--config", file])
        #expect(run.status == .exited(0), "\(run.error)")
        #expect(directory.entries == ["right.yaml"])
    }

    static let keys: [String] = [
        "callback.listen", "api.listen", "callback.path", "callback.body-bytes-max", "callback.keys", "callback.signing-secrets", "callback.users",
        "callback.signature-age-seconds-max", "callback.authentication", "api.authentication", "client.url", "client.token-file", "log.directory",
        "log.segment-bytes-max", "log.retention.days", "log.retention.bytes-max", "log.free-bytes-min", "quarantine.bytes-max",
        "expectations.overdue-after-seconds", "server.loops", "server.connections-max", "server.connections-per-address-max",
        "server.timeouts.header-seconds", "server.timeouts.body-seconds", "server.timeouts.idle-seconds", "server.timeouts.drain-seconds",
        "server.trusted-proxies", "logging.level", "logging.format", "logging.access",
    ]

    @Test("config show prints every key with its value and origin, and no secret")
    func show() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "callback:\n  path: /from-file\n  keys: [n0tToBeShown]\n  users: [\"someone:n0tToBeShown\"]\n  signing-secrets: [n0tToBeShown]\n", to: "c.yaml")
        let run = try runToExit(["config", "show", "--config", file], environment: ["CALLBACK_RECEIVER_LOGGING_LEVEL": "debug"])
        #expect(run.status == .exited(0), "\(run.error)")
        let lines = run.output.split(separator: "\n")
        for key in Self.keys {
            #expect(lines.contains { $0.contains(key) }, "\(key)")
        }
        #expect(lines.contains { $0.contains("callback.path") && $0.contains("/from-file") && $0.contains("c.yaml") }, "\(run.output)")
        #expect(lines.contains { $0.contains("logging.level") && $0.contains("debug") && $0.contains("CALLBACK_RECEIVER_LOGGING_LEVEL") }, "\(run.output)")
        #expect(lines.contains { $0.contains("server.timeouts.idle-seconds") && $0.contains("75") && $0.contains("default") }, "\(run.output)")
        #expect(!run.output.contains("n0tToBeShown") && !run.error.contains("n0tToBeShown"))
    }
}
