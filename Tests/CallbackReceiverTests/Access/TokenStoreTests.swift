// The tokens of a running server follow their file, whatever becomes of it, and never open what was closed once.

import Foundation
import Glibc
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("The tokens of a running server")
struct TokenStoreTests {
    private let outer: TemporaryDirectory
    private let path: String
    private let lines = KeptLog()

    init() throws {
        outer = try TemporaryDirectory()
        path = outer.path(of: "log")
        try make()
    }

    private func make() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }

    private func create(_ name: String = "a") throws -> TokenCredentials {
        try TokenKeeper(path, isCreating: false).create(name: name, scope: .read, nowMilliseconds: 0)
    }

    private func knows(_ store: TokenStore, _ credentials: TokenCredentials) -> Bool {
        store.table.token(identifier: Array(credentials.identifier.utf8)[...], key: Array(credentials.key.utf8)[...]) != nil
    }

    private func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"), options: .atomic) }

    @Test("are those that are created and revoked beside it")
    func followed() throws {
        let store = TokenStore(path, logger: lines.logger)
        #expect(store.table.standing == .neverCreated)
        let first = try create()
        try eventually("the first token", holds: { knows(store, first) })
        let second = try create("b")
        try eventually("the second token", holds: { knows(store, second) })
        _ = try TokenKeeper(path, isCreating: false).revoke(first.identifier)
        try eventually("its end", holds: { !knows(store, first) })
        #expect(knows(store, second))
        _ = try TokenKeeper(path, isCreating: false).revoke(second.identifier)
        try eventually("the end of all", holds: { !knows(store, second) })
        #expect(store.table.standing == .kept)
        #expect(!lines.lines.joined().contains(first.key))
    }

    @Test("are needed for ever: when their file is removed, with its mark and with the directory, and by the next server where the mark is there")
    func forEver() throws {
        let first = try create()
        let store = TokenStore(path, logger: lines.logger)
        #expect(knows(store, first))
        try FileManager.default.removeItem(atPath: "\(path)/\(TokenFile.name)")
        try eventually("their end", holds: { !knows(store, first) })
        #expect(store.table.standing == .kept)
        #expect(TokenStore(path, logger: lines.logger).table.standing == .kept)
        try FileManager.default.removeItem(atPath: "\(path)/\(TokenFile.markName)")
        try FileManager.default.removeItem(atPath: path)
        try make()
        let second = try create()
        try eventually("a token in the directory that took the place", holds: { knows(store, second) })
        #expect(lines.lines.contains { $0.contains("there was a file of tokens and is none any more") })
    }

    @Test("are needed from the mark on, which comes before the first of them: that is no file that went away, and is not said to be")
    func first() throws {
        let store = TokenStore(path, logger: lines.logger)
        // As far as a creation that is stopped there.
        try write(TokenFile.markText, to: TokenFile.markName)
        try eventually("nobody is let in", holds: { store.table.standing == .kept })
        store.reload()
        #expect(lines.lines.count { $0.contains("the first token is being created") } == 1)
        let credentials = try create()
        try eventually("the token", holds: { knows(store, credentials) })
        #expect(!lines.lines.contains { $0.contains("none any more") })
        try FileManager.default.removeItem(atPath: "\(path)/\(TokenFile.name)")
        try eventually("its end", holds: { !knows(store, credentials) })
        #expect(store.table.standing == .kept && lines.lines.contains { $0.contains("none any more") })
    }

    @Test("that were stopped at their mark let nobody in at the next start either, which says so")
    func stoppedAtMark() throws {
        try write(TokenFile.markText, to: TokenFile.markName)
        #expect(TokenStore(path, logger: lines.logger).table.standing == .kept)
        #expect(lines.lines.contains { $0.contains("none any more") })
    }

    @Test("from a copy without the mark get one, so that the next server knows")
    func marked() throws {
        try write(String(decoding: TokenFile.text(of: [Token(7, key: "k", scope: .read)]), as: UTF8.self), to: TokenFile.name)
        #expect(TokenStore(path, logger: lines.logger).table.standing == .kept)
        try FileManager.default.removeItem(atPath: "\(path)/\(TokenFile.name)")
        #expect(TokenStore(path, logger: lines.logger).table.standing == .kept)
    }

    @Test("let nobody in while they cannot be read, and are back when they can; what is wrong is said once, without what stands there")
    func unreadable() throws {
        let store = TokenStore(path, logger: lines.logger)
        let first = try create()
        try eventually("the token", holds: { knows(store, first) })
        let right = try String(contentsOfFile: "\(path)/\(TokenFile.name)", encoding: .utf8)
        try write(right + "hunter2\n", to: TokenFile.name)
        try eventually("damage", holds: { store.table.standing == .unreadable })
        #expect(!knows(store, first))
        try write(right, to: TokenFile.name)
        try eventually("the token again", holds: { knows(store, first) })
        try FileManager.default.removeItem(atPath: "\(path)/\(TokenFile.name)")
        #expect(unsafe symlink("/dev/null", "\(path)/\(TokenFile.name)") == 0)
        try eventually("a link", holds: { store.table.standing == .unreadable })
        #expect(lines.lines.contains { $0.contains("line 2 is not one") })
        #expect(!lines.lines.joined().contains("hunter2"))
    }

    @Test("are those of the directory that stands there now, however it came", arguments: ["moved", "linked"])
    func replaced(how: String) throws {
        let store = TokenStore(path, logger: lines.logger)
        let other = outer.path(of: "other")
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        let credentials = try TokenKeeper(other, isCreating: false).create(name: "x", scope: .read, nowMilliseconds: 0)
        try FileManager.default.moveItem(atPath: path, toPath: outer.path(of: "old"))
        if how == "moved" {
            try FileManager.default.moveItem(atPath: other, toPath: path)
        } else {
            #expect(unsafe symlink(other, path) == 0)
        }
        try eventually("its token", holds: { knows(store, credentials) })
        let more = try create("more")
        try eventually("another one", holds: { knows(store, more) })
    }

    @Test("are found again when the directory's parent was away, too")
    func parentAway() throws {
        let parent = outer.path(of: "parent")
        let deep = parent + "/log"
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        let store = TokenStore(deep, logger: lines.logger)
        try FileManager.default.removeItem(atPath: parent)
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        let credentials = try TokenKeeper(deep, isCreating: false).create(name: "x", scope: .read, nowMilliseconds: 0)
        try eventually("its token", holds: { knows(store, credentials) })
    }

    @Test("know the parent of a directory however its path is written")
    func parents() {
        for (path, parent, name) in [
            ("a", ".", "a"), ("./a", "./", "a"), ("/a", "/", "a"), ("/a/b//", "/a/", "b"), ("../a", "../", "a"), ("a/b", "a/", "b"),
        ] {
            #expect(TokenStore.parent(of: path)?.path == parent && TokenStore.parent(of: path)?.name == name, "\(path)")
        }
        for path in [".", "..", "/", "a/..", "./"] { #expect(TokenStore.parent(of: path) == nil, "\(path)") }
    }

    @Test("decide in a server who may ask, within a moment")
    func server() throws {
        let server = try RunningServer()
        #expect(try server.get("/v1/requests/a").status == 404)
        let credentials = try TokenKeeper(server.path, isCreating: false).create(name: "x", scope: .read, nowMilliseconds: 0)
        try eventually("the door is shut", holds: { try server.get("/v1/requests/a").status == 401 })
        let asked = requestBytes("GET", "/v1/requests/a", fields: [basic("\(credentials.identifier):\(credentials.key)")])
        // The door is shut before the token is there: first the mark, then the file.
        try eventually("the token is known", holds: { try server.exchange(asked).status == 404 })
        #expect(try server.post("a").status == 200)
        #expect(try server.exchange(asked).status == 200)
    }
}
