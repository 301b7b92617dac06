// The stand-in for callback-receiver: upstream.py as a child process, and what it saw.
//
// Promises: its port is known when `init` returns; it ends with its object.
// Must not know: which proxy talks to it.

import Foundation
import TestSupport

/// A running upstream.py.
struct Upstream {
    /// One request as it arrived.
    struct Seen {
        let version, method, target, body: String
        let fields: [(name: String, value: String)]

        /// The values of all fields of that name, in lower case.
        func values(of name: String) -> [String] { fields.filter { $0.name.lowercased() == name }.map(\.value) }
    }

    /// h2 is what it speaks HTTP/2 with.
    static let isAvailable = InstalledProgram.python(importing: "h2") != nil

    let child: ChildProcess
    let port: UInt16

    init() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "upstream.py").path
        let child = try ChildProcess(executable: "/usr/bin/python3", arguments: [script])
        self.child = child
        port = try eventually("upstream.py to listen: \(child.standardError)") {
            let words = child.standardOutput.split(separator: "\n").first?.split(separator: " ") ?? []
            return words.count == 2 && words[0] == "port" && child.standardOutput.contains("\n") ? UInt16(words[1]) : nil
        }
    }

    /// What has come so far.
    func requests() throws -> [Seen] {
        try child.standardOutput.split(separator: "\n").dropFirst().map { line in
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let version = object["version"] as? String, let method = object["method"] as? String,
                let target = object["target"] as? String, let body = object["body"] as? String,
                let fields = object["fields"] as? [[String]]
            else { throw TestFailure.unreadable("upstream.py said \(line)") }
            return Seen(version: version, method: method, target: target, body: body, fields: fields.map { ($0[0], $0[1]) })
        }
    }
}
