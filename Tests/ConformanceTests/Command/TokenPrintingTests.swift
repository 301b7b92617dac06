// API §2: callback-receiver token create | list | revoke.
//
// Promises: only what is printed and what stands in the directory is looked at.
// Must not know: what a server makes of tokens.

import Foundation
import Testing
import TestSupport

@Suite("What the token command prints and keeps")
struct TokenPrintingTests {
    @Test("create prints identifier, then key, once, and keeps no key")
    func create() throws {
        let directory = try TemporaryDirectory()
        var seen: Set<String> = []
        for (name, scope) in [("one", nil), ("two", "read"), ("three", "write"), ("four", "metrics")] {
            let token = try Token.create(in: directory, name: name, scope: scope)
            #expect(token.identifier.count >= 16 && token.key.count >= 16)
            #expect(!token.identifier.contains(":"))
            #expect(seen.insert(token.identifier).inserted && seen.insert(token.key).inserted)
            let list = try Token.command(["list"], in: directory)
            #expect(list.status == .exited(0))
            let line = try #require(list.output.split(separator: "\n").first { $0.contains(token.identifier) })
            #expect(line.contains(name) && line.contains(scope ?? "read"))
            #expect(!list.output.contains(token.key))
            for entry in directory.entries {
                let path = directory.path(of: entry)
                let content = FileManager.default.contents(atPath: path) ?? Data()
                #expect(content.range(of: Data(token.key.utf8)) == nil, "\(entry)")
                if content.range(of: Data(token.identifier.utf8)) != nil {
                    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                    #expect(mode == 0o600, "\(entry)")
                }
            }
        }
    }

    @Test("revoke takes it away, and only it")
    func revoke() throws {
        let directory = try TemporaryDirectory()
        let first = try Token.create(in: directory, name: "first"), second = try Token.create(in: directory, name: "second")
        #expect(try Token.command(["revoke", first.identifier], in: directory).status == .exited(0))
        let list = try Token.command(["list"], in: directory).output
        #expect(!list.contains(first.identifier) && list.contains(second.identifier))
        let again = try Token.command(["revoke", first.identifier], in: directory)
        #expect(again.status == .exited(1))
        expectOneLine(again.error)
    }

    @Test("a list of none is empty and no error")
    func none() throws {
        let run = try Token.command(["list"], in: TemporaryDirectory())
        #expect(run.status == .exited(0) && !run.output.contains(":"))
    }

    @Test("wrong usage is 64 and one line", arguments: [
        ["create"], ["create", "--name"], ["create", "--name", "x", "--scope", "admin"], ["create", "x"], ["revoke"], ["list", "x"], ["nonsense"],
        ["create", "--name", ""],
    ])
    func usage(arguments: [String]) throws {
        let run = try Token.command(arguments, in: TemporaryDirectory())
        #expect(run.status == .exited(64) && run.output == "")
        #expect(run.error.hasSuffix("\n"))
    }

    @Test("many at once lose none of them")
    func atOnce() throws {
        let directory = try TemporaryDirectory()
        let children = try (0..<8).map {
            try ChildProcess(executable: ServerProcess.executable, arguments: ["token", "create", "--name", "n\($0)", "--data-directory", directory.path])
        }
        for child in children { #expect(try child.waitForExit() == .exited(0), "\(child.standardError)") }
        let list = try Token.command(["list"], in: directory).output
        for index in 0..<8 { #expect(list.contains("n\(index)")) }
    }
}
