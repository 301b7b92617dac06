// What the README shows is what happens: its console blocks are run, its two commands are there.
//
// Promises: commands run as they stand, but for the port; output is compared word for word, but for times.
// Must not know: what the commands mean.

import Foundation
import TestSupport
import Testing

@Suite struct ReadmeTests {
    /// A command and what the README says it prints.
    private struct Step {
        let command: String
        var output: [Substring] = []
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func lines() throws -> [Substring] {
        try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Every `$ command` in a console block, with the lines after it.
    private static func steps() throws -> [Step] {
        var steps: [Step] = []
        var isConsole = false
        for line in try lines() {
            if line.hasPrefix("```") {
                isConsole = line == "```console"
            } else if isConsole, line.hasPrefix("$ ") {
                steps.append(Step(command: String(line.dropFirst(2))))
            } else if isConsole {
                steps[steps.count - 1].output.append(line)
            }
        }
        return steps
    }

    private static func withoutTimes(_ text: String) -> String {
        text.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, with: "TIME")
    }

    @Test("every command of the README prints what it shows")
    func console() throws {
        let steps = try Self.steps()
        #expect(steps.count >= 8)
        let place = try TemporaryDirectory()
        let server = try ServerProcess(directory: TemporaryDirectory())
        try FileManager.default.createSymbolicLink(
            atPath: place.path + "/callback-data", withDestinationPath: server.directory.path)
        // A user has the program where the shell finds it.
        let programs = (ServerProcess.executable as NSString).deletingLastPathComponent
        let path = programs + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
        for step in steps {
            let command = step.command.replacing("127.0.0.1:8080", with: "127.0.0.1:\(server.port)")
            let shell = try ChildProcess(
                executable: "/bin/sh", arguments: ["-c", "cd '\(place.path)' && \(command)"],
                environment: ["PATH": path, "CALLBACK_RECEIVER_CLIENT_URL": "http://127.0.0.1:\(server.port)"])
            #expect(try shell.waitForExit() == .exited(0), "\(step.command): \(shell.standardError)")
            // curl ends its output where the body ends; the README has a line feed there, as a terminal shows it.
            let printed = shell.standardOutput.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "\n")
            #expect(Self.withoutTimes(printed) == Self.withoutTimes(step.output.joined(separator: "\n")), "\(step.command)")
        }
    }

    @Test("the two commands are programs in the repository, and CI calls the second")
    func commands() throws {
        let text = try Self.lines()
        for command in ["deploy/run", "Tests/run"] {
            #expect(text.contains(Substring(command)))
            #expect(FileManager.default.isExecutableFile(atPath: Self.root.appending(path: command).path))
        }
        let ci = try String(contentsOf: Self.root.appending(path: ".ci/run"), encoding: .utf8)
        #expect(ci.contains("exec Tests/run"))
    }

    @Test("every path the README names is in the repository")
    func paths() throws {
        for match in try Self.lines().joined(separator: "\n").matches(of: /\]\(([a-z][^):]*)\)/) {
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: String(match.1)).path), "\(match.1)")
        }
    }
}
