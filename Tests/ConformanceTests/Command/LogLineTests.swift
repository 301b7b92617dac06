// Log lines as whoever collects them gets them: the journal with priorities, a shipper of JSON with objects.
//
// Promises: the real program, its standard error on a file of this machine. Must not know: what is logged when.

import Foundation
import TestSupport
import Testing

@Suite("Log lines")
struct LogLineTests {
    /// Serves and stops; what was written to standard error. `journal` is what `$JOURNAL_STREAM` is, as sh has it.
    private func served(journal: String, _ configuration: String = "{}") throws -> [Substring] {
        let directory = try TemporaryDirectory()
        let file = try directory.write(configuration, to: "configuration")
        let child = try ChildProcess(
            executable: "/bin/sh",
            arguments: [
                "-c", "JOURNAL_STREAM=\(journal) exec \"$0\" serve --config \"$1\" --listen 127.0.0.1:0 --data-directory \"$2\"",
                ServerProcess.executable, file, directory.path(of: "data"),
            ])
        try eventually("it listens") { child.standardOutput.contains("listening on") }
        child.send(signal: SIGTERM)
        #expect(try child.waitForExit() == .exited(0))
        let lines = child.standardError.split(separator: "\n")
        #expect(lines.count > 2)
        return lines
    }

    @Test("begin with their priority where the journal reads them, and only there")
    func journal() throws {
        let lines = try served(journal: "$(stat -L -c %d:%i /proc/self/fd/2)")
        #expect(lines.allSatisfy { $0.wholeMatch(of: /<[2-6]>time=.*/) != nil }, "\(lines)")
        for elsewhere in ["1:1", "", "x", "$(stat -L -c %d:%i /dev/null)"] {
            #expect(try served(journal: elsewhere).allSatisfy { $0.hasPrefix("time=") }, "\(elsewhere)")
        }
    }

    @Test("are objects with time, level and event where JSON is wanted")
    func json() throws {
        for line in try served(journal: "", "logging: {format: json}") {
            let object = try RawJSON(object: String(line))
            #expect(object.string("time") != nil && object.string("level") != nil && object.string("event") != nil, "\(line)")
        }
    }

    @Test("in JSON have every number as a number, whatever the event")
    func numbers() throws {
        let server = try ServerProcess(configuration: "logging: {format: json}\ncallback: {body-bytes-max: 2KiB}\n")
        #expect(try server.post("{}").status == 422)
        #expect(try server.post("[]").status == 400)
        #expect(try server.post(String(repeating: " ", count: 4_096)).status == 413)
        #expect(try server.terminate() == .exited(0))
        var names: Set<String> = []
        for line in server.child.standardError.split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            for (name, value) in object {
                if value is Int { names.insert(name) }
                if let text = value as? String { #expect(Double(text) == nil, "\(name) in \(line)") }
            }
        }
        #expect(names.isSuperset(of: ["status", "bytes", "records", "segments", "durable", "drain-seconds-max"]), "\(names)")
    }

    /// A start that fails: its status and its lines.
    private func failed(journal: String, _ arguments: [String]) throws -> (status: TestSupport.ExitStatus, lines: [Substring]) {
        let child = try ChildProcess(
            executable: "/bin/sh", arguments: ["-c", "JOURNAL_STREAM=\(journal) exec \"$0\" \"$@\"", ServerProcess.executable] + arguments)
        let status = try child.waitForExit()
        return (status, child.standardError.split(separator: "\n"))
    }

    @Test("of a start that fails are errors to the journal, so that it shows why a service restarts; elsewhere they are plain")
    func failedStart() throws {
        let directory = try TemporaryDirectory()
        let wrong = try directory.write("nonsense: 1\ncallback: {keyes: [hunter2]}\n", to: "wrong.yaml")
        let taken = try directory.write("a file", to: "taken")
        let other = try ServerProcess()
        let data = ["--data-directory", directory.path(of: "data")]
        let starts: [(arguments: [String], status: Int32, count: Int)] = [
            (["serve", "--config", wrong] + data, 78, 2), (["serve", "--config", directory.path(of: "missing.yaml")], 78, 1),
            (["serve", "--listen", "127.0.0.1:0", "--data-directory", taken + "/log"], 1, 1),
            (["serve", "--listen", "127.0.0.1:\(other.port)"] + data, 1, 1), (["serve", "--nonsense"], 64, 1),
        ]
        for start in starts {
            let (status, lines) = try failed(journal: "$(stat -L -c %d:%i /proc/self/fd/2)", start.arguments)
            // Lines of the log may stand before them.
            let said = lines.filter { !$0.contains("event=") }
            #expect(status == .exited(start.status) && said.count == start.count, "\(lines)")
            #expect(said.allSatisfy { $0.hasPrefix("<3>") && !$0.dropFirst(3).hasPrefix("<") }, "\(lines)")
            let plain = try failed(journal: "1:1", start.arguments).lines.filter { !$0.contains("event=") }
            #expect(plain == said.map { $0.dropFirst(3) })
        }
        for arguments in [["config", "check", "--config", wrong], ["status", "--nonsense"]] {
            let (_, lines) = try failed(journal: "$(stat -L -c %d:%i /proc/self/fd/2)", arguments)
            #expect(!lines.isEmpty && lines.allSatisfy { !$0.hasPrefix("<") }, "\(lines)")
        }
    }
}
