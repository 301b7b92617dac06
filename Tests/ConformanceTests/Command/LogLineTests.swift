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
}
