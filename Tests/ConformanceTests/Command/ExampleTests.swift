// The README's programs, run as they stand but for the port: each announces, waits, and follows the events.
//
// Promises: the callback comes from the test, once the program has announced; a program that goes on for ever is ended.
// Must not know: how the programs do it.

import Foundation
import Testing
import TestSupport

@Suite("The README's programs")
struct ExampleTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The block in this language below the heading.
    private static func program(_ language: String) throws -> String {
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## From a program\n").last?.components(separatedBy: "\n## ").first)
        return try #require(section.components(separatedBy: "\n```\(language)\n").last?.components(separatedBy: "\n```").first)
    }

    /// Runs it until it has printed all of these, in this order.
    private func run(_ interpreter: String?, _ language: String, expecting expected: [String]) throws {
        let server = try ServerProcess()
        let place = try TemporaryDirectory()
        let text = try Self.program(language).replacing("127.0.0.1:8080", with: "127.0.0.1:\(server.port)")
        #expect(text.contains(":\(server.port)/v1"))
        // Node takes a module by its ending.
        let file = try place.write(text, to: language == "js" ? "example.mjs" : "example")
        let child = try ChildProcess(executable: try #require(interpreter), arguments: [file])
        try eventually("it announces; it said \(child.standardError)") { try server.status(of: "6ea55176").status == 200 }
        #expect(try server.post(sentPayload("6ea55176")).status == 200)
        try eventually("\(expected); it said \(child.standardOutput) \(child.standardError)") {
            var rest = child.standardOutput[...]
            return expected.allSatisfy { piece in
                guard let found = rest.range(of: piece) else { return false }
                rest = rest[found.upperBound...]
                return true
            }
        }
        // Whatever comes now, it tells, too.
        #expect(try server.post(failedPayload("another")).status == 200)
        try eventually("the next event") { child.standardOutput.contains("another") && child.standardOutput.contains("failed") }
        #expect(child.exitStatus == nil)
    }

    @Test("curl", .enabled(if: InstalledProgram.path(of: "curl") != nil, "no curl"))
    func curl() throws {
        try run("/bin/sh", "sh", expecting: [#""status":"pending""#, #""status":"sent""#, "event: pending", "event: sent"])
    }

    @Test("Python", .enabled(if: InstalledProgram.python() != nil, "no /usr/bin/python3"))
    func python() throws {
        try run(InstalledProgram.python(), "python", expecting: ["order-1042 sent None\n", "1 6ea55176 pending\n", "2 6ea55176 sent\n"])
    }

    @Test("Node", .enabled(if: InstalledProgram.path(of: "node") != nil, "no node"))
    func node() throws {
        try run(InstalledProgram.path(of: "node"), "js", expecting: ["order-1042 sent null\n", "1 6ea55176 pending\n", "2 6ea55176 sent\n"])
    }
}
