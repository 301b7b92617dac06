// The manual pages and completions that the package has: made from what the program says of itself, so that they are true.
//
// Promises: every key with its bounds, default and meaning, every command and every option stands in a page as it is rendered.
// Must not know: how deploy/manual makes the pages.

import Foundation
import TestSupport
import Testing

@testable import callback_receiver

@Suite(
    "The manual pages",
    .enabled(if: ["jq", "mandoc"].allSatisfy { InstalledProgram.path(of: $0) != nil }, "no jq or mandoc"))
struct ManualTests {
    private static let names = ["callback-receiver.1", "callback-receiver.yaml.5"]

    private static let made = Result {
        let directory = try TemporaryDirectory()
        let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "deploy/manual").path
        let result = try InstalledProgram.run(program, [ServerProcess.executable, directory.path])
        guard result.status == .exited(0) else { throw TestFailure.unreadable("deploy/manual: \(result.error)") }
        return directory
    }

    private static func mandoc(_ arguments: [String]) throws -> (status: TestSupport.ExitStatus, output: String, error: String) {
        try InstalledProgram.run(InstalledProgram.path(of: "mandoc") ?? "", arguments)
    }

    /// As people see it, but in one line, without bold and underlined letters.
    private static func rendered(_ name: String) throws -> String {
        try mandoc(["-T", "ascii", try made.get().path(of: name)]).output.replacing(/.\u{8}/, with: "")
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Likewise: mandoc breaks lines between words only.
    private static func folded(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }

    @Test("are without fault to mandoc", arguments: names)
    func lint(name: String) throws {
        let result = try Self.mandoc(["-T", "lint", "-W", "warning", try Self.made.get().path(of: name)])
        #expect(result.status == .exited(0) && result.output == "")
    }

    @Test("have every key, with its bounds, default and meaning", arguments: Setting.all.map(\.key))
    func keys(key: String) throws {
        let setting = try #require(Setting.named(key))
        let page = try Self.rendered("callback-receiver.yaml.5")
        let expected = "\(key) \(setting.meaning) Takes: \(setting.bounds). Default: \(setting.standard)."
        #expect(page.contains(Self.folded(expected)))
    }

    @Test("have every command and every option of it")
    func options() throws {
        let page = try Self.rendered("callback-receiver.1")
        let described = try runToExit(["--experimental-dump-help"]).output
        let root = try #require(try JSONSerialization.jsonObject(with: Data(described.utf8)) as? [String: Any])
        let command = try #require(root["command"] as? [String: Any])
        var count = 0
        func look(at command: [String: Any], path: [String]) throws {
            for subcommand in command["subcommands"] as? [[String: Any]] ?? [] {
                let name = try #require(subcommand["commandName"] as? String)
                guard name != "help" else { continue }
                let here = path + [name]
                let section = try #require(page.components(separatedBy: " \(here.joined(separator: " ")) \(subcommand["abstract"] as? String ?? "")").last)
                #expect(section.count < page.count, "\(here) is not there")
                for argument in subcommand["arguments"] as? [[String: Any]] ?? [] {
                    guard let names = argument["names"] as? [[String: String]], let long = names.first(where: { $0["kind"] == "long" })?["name"],
                        !["help", "version"].contains(long)
                    else { continue }
                    #expect(section.contains("--\(long) "), "\(here) --\(long)")
                    count += 1
                }
                try look(at: subcommand, path: here)
            }
        }
        try look(at: command, path: [])
        #expect(count > 20)
    }

    @Test("are of this version")
    func version() throws {
        for name in Self.names { #expect(try Self.rendered(name).contains("callback-receiver \(Command.version) ")) }
    }
}

@Suite("The completions")
struct CompletionTests {
    @Test("of bash complete commands")
    func bash() throws {
        let directory = try TemporaryDirectory()
        let script = try runToExit(["--generate-completion-script", "bash"]).output
        try directory.write(script, to: "completion")
        let asked = """
            source '\(directory.path(of: "completion"))'
            COMP_WORDS=(callback-receiver s) COMP_CWORD=1 COMP_LINE='callback-receiver s' COMP_POINT=19 COMP_TYPE=9
            "$(complete -p callback-receiver | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" callback-receiver s callback-receiver
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try InstalledProgram.run("/bin/bash", ["-c", asked])
        #expect(result.output.split(separator: "\n").sorted() == ["serve", "status"], "\(result.error)")
    }

    @Test("are taken by their shells", arguments: ["zsh", "fish"].filter { InstalledProgram.path(of: $0) != nil })
    func taken(shell: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(try runToExit(["--generate-completion-script", shell]).output, to: "completion")
        let result = try InstalledProgram.run(InstalledProgram.path(of: shell) ?? "", ["-n", file])
        #expect(result.status == .exited(0) && result.error == "")
    }
}
