// A client program of other people, run to its end against a server, and what it printed.
//
// Promises: scripts are those beside this file; a client that ends with a failure shows its standard error.
// Must not know: what the clients send.

import Foundation
import TestSupport

enum ClientRun {
    /// The programs, or nil where they are not installed.
    static let curl = InstalledProgram.path(of: "curl")
    static let node = InstalledProgram.path(of: "node")
    static let python = InstalledProgram.python()
    static let pythonWithH2 = InstalledProgram.python(importing: "h2")
    static let h2load = InstalledProgram.path(of: "h2load")
    static let nghttp = InstalledProgram.path(of: "nghttp")

    /// Starts a script beside this file.
    static func start(_ program: String?, script: String, _ arguments: [String]) throws -> ChildProcess {
        guard let program else { throw TestFailure.unreadable("no program for \(script)") }
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: script).path
        return try ChildProcess(executable: program, arguments: [file] + arguments)
    }

    /// Waits for its end.
    /// - Returns: the lines it printed, without their ends.
    /// - Throws: when it ends with another status than 0.
    static func lines(_ child: ChildProcess) throws -> [String] {
        let status = try child.waitForExit(withinSeconds: 60)
        guard status == .exited(0) else {
            throw TestFailure.unreadable("the client ended with \(status): \(child.standardOutput.suffix(500)) \(child.standardError.suffix(2000))")
        }
        // A CR with its LF is one Character.
        return child.standardOutput.replacing("\r\n", with: "\n").split(separator: "\n").map(String.init)
    }

    /// Runs a program.
    static func lines(_ program: String?, _ arguments: [String]) throws -> [String] {
        guard let program else { throw TestFailure.unreadable("no program for \(arguments)") }
        return try lines(ChildProcess(executable: program, arguments: arguments))
    }

    /// Runs a script whose last line is one JSON object.
    static func result(_ program: String?, script: String, _ arguments: [String]) throws -> RawJSON {
        try RawJSON(object: lines(start(program, script: script, arguments)).last ?? "")
    }
}

/// A server that holds callbacks of one identifier, 30,000 bytes each, so that their list is far larger than any window.
func serverWithLargeList(of identifier: String, callbacks: Int) throws -> ServerProcess {
    let server = try ServerProcess()
    let connection = try server.connect()
    let padding = String(repeating: "p", count: 30_000)
    for index in 0..<callbacks {
        try connection.send(postBytes(#"{"request_id":"\#(identifier)","n":\#(index),"padding":"\#(padding)"}"#))
        guard try connection.readAnswer().status == 200 else { throw TestFailure.unreadable("a callback was not stored") }
    }
    return server
}
