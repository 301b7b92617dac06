// API §2 and §4, the command `token`: what it prints, what it keeps, and that it works beside a server and without one.
//
// Promises: the real program; files are looked at as a stranger would. Must not know: the format of the file.

import Foundation
import Testing
import TestSupport

@Suite("The command token")
struct TokenCommandTests {
    private func run(_ arguments: String..., directory: String) throws -> (status: TestSupport.ExitStatus, output: String, error: String) {
        try runToExit(["token"] + arguments + ["--data-directory", directory])
    }

    @Test("create prints identifier and key, a line each, and keeps the key nowhere; list shows neither key nor hash")
    func create() throws {
        let place = try TemporaryDirectory()
        // The directory need not be there before the server.
        let directory = place.path(of: "log")
        let created = try run("create", "--name", "support desk", directory: directory)
        #expect(created.error.contains("\(directory) was not there before"))
        #expect(created.status == .exited(0), "\(created.error)")
        let lines = created.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.count == 3 && lines[2] == "" && lines[0].count >= 16 && lines[1].count >= 16)
        #expect(created.error.contains("this once") && !created.error.contains(lines[1]))
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let path = "\(directory)/\(name)"
            #expect(try !String(contentsOfFile: path, encoding: .utf8).contains(lines[1]))
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
        let listed = try run("list", directory: directory)
        #expect(listed.status == .exited(0) && listed.output.contains(lines[0]) && listed.output.contains("support desk") && listed.output.contains("read"))
        #expect(!(listed.output + listed.error).contains(lines[1]))
        #expect(listed.output.split(separator: "\n").count == 1)
        #expect(try !run("create", "--name", "another", directory: directory).error.contains("not there before"))
    }

    @Test("wrong usage is 64, an unknown identifier and a directory that is not there are 1, each one line")
    func wrong() throws {
        let directory = try TemporaryDirectory()
        for arguments in [["create"], ["create", "--name", ""], ["create", "--name", "x", "--scope", "admin"], ["revoke"], ["nonsense"], []] {
            #expect(try runToExit(["token"] + arguments).status == .exited(64), "\(arguments)")
        }
        for run in [
            try run("revoke", "0123456789abcdef", directory: directory.path), try run("list", directory: directory.path(of: "missing")),
            try run("create", "--name", "x", directory: try directory.write("", to: "file")),
        ] {
            #expect(run.status == .exited(1) && run.output == "")
            expectOneLine(run.error)
        }
        #expect(directory.entries == ["file"])
    }

    @Test("a file of tokens that was deleted opens nothing: neither in the server that runs nor in the next")
    func deleted() throws {
        let server = try ServerProcess()
        let token = try run("create", "--name", "x", directory: server.directory.path).output.split(separator: "\n").map(String.init)
        let field = "Authorization: Basic " + Data("\(token[0]):\(token[1])".utf8).base64EncodedString()
        let asked = requestBytes("GET", "/v1/requests/x", fields: [field])
        try eventually("the token counts", holds: { try server.exchange(asked).status == 404 })
        try FileManager.default.removeItem(atPath: server.directory.path(of: "tokens"))
        try eventually("it does not count any more", holds: { try server.exchange(asked).status == 401 })
        #expect(try server.get("/v1/requests/x").status == 401)
        try server.terminate()
        let next = try ServerProcess(directory: server.directory)
        #expect(try next.get("/v1/requests/x").status == 401)
        #expect(try next.exchange(asked).status == 401)
    }

    @Test("what root creates belongs to the directory's owner", .enabled(if: geteuid() == 0, "needs root"))
    func owner() throws {
        let directory = try TemporaryDirectory()
        #expect(unsafe chown(directory.path, 12_345, 54_321) == 0)
        #expect(try run("create", "--name", "x", directory: directory.path).status == .exited(0))
        #expect(directory.entries.count == 2)
        for name in directory.entries {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.path(of: name))
            #expect(attributes[.ownerAccountID] as? Int == 12_345 && attributes[.groupOwnerAccountID] as? Int == 54_321)
        }
    }
}
