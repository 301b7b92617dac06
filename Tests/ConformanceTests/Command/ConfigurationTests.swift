// API §2: where a value may come from, which one wins, and how a wrong one is named.
//
// Promises: every wrong value is tried with `serve` and with `config check`, which must agree.
// Must not know: /etc; no test reads or writes there.

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
        "callback.listen", "api.listen", "callback.path", "callback.body-bytes-max", "callback.authentication",
        "callback.keys", "callback.keys-file", "callback.signing-secrets", "callback.signing-secrets-file", "callback.users", "callback.users-file",
        "callback.signature-age-seconds-max", "quarantine.bytes-max", "api.authentication", "log.directory",
        "log.segment-bytes-max", "log.retention.days", "log.retention.bytes-max", "log.free-bytes-min", "expectations.overdue-after-seconds", "server.loops", "server.connections-max",
        "server.connections-per-address-max", "server.trusted-proxies", "server.proxy-protocol", "server.timeouts.header-seconds",
        "server.timeouts.body-seconds", "server.timeouts.idle-seconds", "server.timeouts.drain-seconds", "logging.level",
    ]

    @Test("config show prints every key with its value and origin")
    func show() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("callback:\n  path: /from-file\n", to: "c.yaml")
        let run = try runToExit(["config", "show", "--config", file], environment: ["CALLBACK_RECEIVER_LOGGING_LEVEL": "debug"])
        #expect(run.status == .exited(0), "\(run.error)")
        let shown = Self.flattened(run.output)
        for key in Self.keys { #expect(shown[key] != nil, "\(key)") }
        #expect(shown["callback.path"]?.contains("/from-file") == true && shown["callback.path"]?.contains("c.yaml") == true)
        #expect(shown["logging.level"]?.contains("debug") == true)
        #expect(shown["logging.level"]?.contains("CALLBACK_RECEIVER_LOGGING_LEVEL") == true)
        #expect(shown["server.timeouts.idle-seconds"]?.contains("75") == true)
        #expect(shown["server.timeouts.idle-seconds"]?.contains("default") == true)
    }

    /// The rest of each line by its key, nested by indentation as YAML has it.
    private static func flattened(_ output: String) -> [String: String] {
        var path: [(indentation: Int, name: String)] = []
        var found: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let indentation = line.prefix { $0 == " " }.count
            guard let colon = line.firstIndex(of: ":") else { continue }
            path.removeAll { $0.indentation >= indentation }
            path.append((indentation, line[..<colon].trimmingCharacters(in: .whitespaces)))
            found[path.map(\.name).joined(separator: ".")] = String(line[line.index(after: colon)...])
        }
        return found
    }
}
