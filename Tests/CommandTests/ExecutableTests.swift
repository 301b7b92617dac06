// The command as a user runs it: exit status, and what stands on which stream.

import Foundation
import Testing

@Suite("The executable")
struct ExecutableTests {
    private struct Outcome: Equatable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Finds the executable beside the test bundle.
    private static func executable() throws -> URL {
        let argument = try #require(
            CommandLine.arguments.first { $0.hasSuffix(".xctest") || $0.contains("callback-receiverPackageTests") })
        var directory = URL(fileURLWithPath: argument).deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = directory.appendingPathComponent("callback-receiver")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            directory.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let process = Process()
        process.executableURL = try Self.executable()
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // What these write fits a pipe's buffer, so that reading one after the other cannot block.
        let outputBytes = try output.fileHandleForReading.readToEnd() ?? Data()
        let errorBytes = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: outputBytes, as: UTF8.self),
            errors: String(decoding: errorBytes, as: UTF8.self))
    }

    /// Runs `body` with a configuration file of that text, and removes it.
    private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("command-\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try body(file.path)
    }

    @Test("help and version go to standard output and are a success", arguments: ["--help", "--version", "help", "serve --help", "status --help", "follow --help", "config show --help", "log verify --help", "log cat --help", "log export --help", "log repair --help", "log redecode --help", "token create --help", "token list --help", "token revoke --help"])
    func help(arguments: String) throws {
        let outcome = try run(arguments.split(separator: " ").map(String.init))
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(!outcome.output.isEmpty)
    }

    @Test(
        "wrong usage is 64 and one line",
        arguments: [
            ("", "no command is given; write callback-receiver serve, or config check, or log verify"),
            ("help nosuch", "there is no command nosuch"), ("help log nosuch", "there is no command nosuch"),
            ("config", "config needs to know what to do; write config check, or config show"),
            ("log", "log needs to know what to do; write log verify, cat, export, repair, redecode or requeue"),
            ("token", "token needs to know what to do; write token create, list or revoke"),
            ("token create", "Missing expected argument '--name <NAME>'"),
            ("token create --name a\\b", "--name: is 1 to 64 bytes without quotation marks, backslashes and control characters"),
            ("token revoke", "Missing expected argument '<IDENTIFIER>'"),
            ("nonsense", "Unexpected argument 'nonsense'"),
            ("serve --nonsense", "Unknown option '--nonsense'"),
            ("serve --listen", "Missing value for '--listen <HOST:PORT>'"),
            ("serve --listen abc", "--listen: \"abc\" is no address; write HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080"),
            ("serve --callback-path x", "--callback-path: \"x\" does not begin with a slash; write for example /callback"),
            ("serve --data-directory ~/x", "--data-directory: ~ is not expanded here; write the path in full, for example /var/lib/callback-receiver"),
            ("serve extra", "Unexpected argument 'extra'"),
            ("status -dash", "there is no option -dash; write what begins with a dash behind --, as in status -- -ID"),
            ("status -version", "there is no option -version; write what begins with a dash behind --, as in status -- -ID"),
        ])
    func usage(arguments: String, expected: String) throws {
        // The help that is named is that of the command which was meant, as far as it is one.
        let words = arguments.split(separator: " ").prefix { ["config", "log", "token", "create", "revoke", "serve", "status"].contains($0) }
        let command = (["callback-receiver"] + words).joined(separator: " ")
        let outcome = try run(arguments.split(separator: " ").map(String.init))
        #expect(
            outcome
                == Outcome(
                    status: 64, output: "", errors: "callback-receiver: \(expected); see \(command) --help\n"))
    }

    @Test("a wrong configuration is 78, each problem one line, for check, show and serve", arguments: ["config check", "config show", "serve"])
    func wrongConfiguration(command: String) throws {
        try withFile("callback:\n  path: x\n  keyz: [hunter2]\n  users: [hunter2]\n") { path in
            let outcome = try run(command.split(separator: " ").map(String.init) + ["--config", path])
            #expect(
                outcome
                    == Outcome(
                        status: 78, output: "",
                        errors: """
                            \(path):2: callback.path: "x" does not begin with a slash; write for example /callback
                            \(path):3: callback.keyz: unknown key; did you mean callback.keys?
                            \(path):4: callback.users: has an entry that is not user:password; write both, with a colon between them

                            """))
        }
    }

    @Test("an empty name of a configuration file is wrong usage", arguments: ["serve", "config check", "status a", "log verify"])
    func emptyName(command: String) throws {
        let outcome = try run(command.split(separator: " ").map(String.init) + ["--config", ""])
        #expect(outcome.status == 64 && outcome.errors.contains("--config: has no value; write for example /etc/"), "\(outcome)")
    }

    @Test("a file that cannot be read is 78")
    func unreadable() throws {
        #expect(
            try run(["config", "check", "--config", "/nonexistent/c.yaml"])
                == Outcome(
                    status: 78, output: "",
                    errors: "/nonexistent/c.yaml: cannot be read (No such file or directory); check the path and its permissions\n"))
        #expect(
            try run(["config", "check", "--config", "/"])
                == Outcome(
                    status: 78, output: "",
                    errors: "/: cannot be read (Is a directory); check the path and its permissions\n"))
    }

    @Test("a file without end is read to its bound only")
    func endless() throws {
        let outcome = try run(["config", "check", "--config", "/dev/zero"])
        #expect(
            outcome
                == Outcome(
                    status: 78, output: "",
                    errors: "/dev/zero: is larger than 1MiB, which no configuration is; name another file\n"))
    }

    @Test("listening beyond loopback without saying so is 78 and one line")
    func beyondLoopback() throws {
        let outcome = try run(["serve", "--listen", "0.0.0.0:0"])
        #expect(outcome.status == 78)
        #expect(outcome.output == "")
        #expect(outcome.errors.hasPrefix("--listen: 0.0.0.0:0 is beyond loopback"))
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test("an unknown variable of ours is 78")
    func unknownVariable() throws {
        #expect(
            try run(["config", "check"], environment: ["CALLBACK_RECEIVER_LOG_DIRECTRY": "/x"])
                == Outcome(
                    status: 78, output: "",
                    errors: "CALLBACK_RECEIVER_LOG_DIRECTRY: unknown variable; did you mean CALLBACK_RECEIVER_LOG_DIRECTORY?\n"))
    }

    @Test("a right configuration is said to be right")
    func check() throws {
        try withFile("server:\n  loops: 2\n") { path in
            let outcome = try run(["config", "check", "--config", path])
            #expect(outcome == Outcome(status: 0, output: "\(path): ok\n", errors: ""))
        }
    }

    @Test("config show knows flags, environment, file and default")
    func show() throws {
        try withFile("log:\n  directory: /file\nserver:\n  loops: 2\n") { path in
            let outcome = try run(
                ["config", "show", "--config", path, "--listen", "localhost:0"],
                environment: ["CALLBACK_RECEIVER_LOG_DIRECTORY": "/environment"])
            #expect(outcome.status == 0)
            #expect(outcome.errors == "")
            let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
            #expect(lines.filter { $0 == "listen: localhost:0 # flag --listen" }.count == 2)
            #expect(lines.contains("directory: /environment # environment CALLBACK_RECEIVER_LOG_DIRECTORY"))
            #expect(lines.contains("loops: 2 # \(path):4"))
            #expect(lines.contains("path: /callback # default"))
        }
    }

    @Test("serve without a configuration says that it runs with defaults, where it listens, and ends with 0")
    func serve() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let process = Process()
        process.executableURL = try Self.executable()
        process.arguments = ["serve", "--listen", "127.0.0.1:0", "--data-directory", directory.path]
        process.environment = [:]
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // The first line on standard output is written when it listens; nothing else is written there.
        let first = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        process.terminate()
        let rest = try output.fileHandleForReading.readToEnd() ?? Data()
        let log = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(first.wholeMatch(of: /listening on http:\/\/127\.0\.0\.1:[0-9]+\n/) != nil, "\(first)")
        #expect(rest.isEmpty)
        #expect(process.terminationStatus == 0)
        let notice = log.split(separator: "\n").first.map(String.init) ?? ""
        #expect(notice.contains("level=notice event=\"no configuration file; running with defaults\""), "\(log)")
        #expect(notice.contains("log.directory=\(directory.path)"), "\(log)")
    }
}
