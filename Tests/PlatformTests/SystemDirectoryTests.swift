// The real file system behind the Directory and File protocols.
//
// Promises: each test has a directory of its own, removed after it. Must not know: logs. What a faulty disk does
// is CallbackLogTests' MemoryDisk.

import Foundation
import Glibc
import Platform
import Testing

@Suite final class SystemDirectoryTests {
    private let root = FileManager.default.temporaryDirectory.path + "/platform-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("a directory is made with its parents; others see neither it nor its files")
    func made() throws {
        let directory = try SystemDirectory(creating: root + "/a/b/c/")
        _ = try directory.create("file")
        for path in ["/a", "/a/b", "/a/b/c", "/a/b/c/file"] { #expect(try mode(root + path) & 0o007 == 0, "\(path)") }
        #expect(try mode(root + "/a/b/c") & 0o700 == 0o700)
        #expect(try mode(root + "/a/b/c/file") & 0o700 == 0o600)
        #expect(try SystemDirectory(creating: root + "/a/b/c").names() == ["file"], "one that exists is opened")
    }

    @Test("what root makes belongs to the directory's owner", .enabled(if: getuid() == 0, "nobody else may give files away"))
    func given() throws {
        let directory = try SystemDirectory(creating: root + "/log")
        func owner(_ path: String) throws -> [Int?] {
            let attributes = try FileManager.default.attributesOfItem(atPath: root + "/log/" + path)
            return [attributes[.ownerAccountID] as? Int, attributes[.groupOwnerAccountID] as? Int]
        }
        _ = try directory.create("before")
        #expect(unsafe chown(root + "/log", 65_534, 65_533) == 0)
        _ = try directory.create("file")
        _ = try directory.directory(creating: "below").create("file")
        _ = try directory.directory(creating: "below").create("other")
        #expect(try owner("before")[0] == 0)
        for path in ["file", "below", "below/file", "below/other"] { #expect(try owner(path) == [65_534, 65_533], "\(path)") }
        #expect(try mode(root + "/log/below") & 0o007 == 0)
    }

    @Test("where a file stands in the way, the failure says so")
    func inTheWay() throws {
        _ = try SystemDirectory(creating: root).create("file")
        #expect(throws: SystemError(operation: "open", path: root + "/file", code: ENOTDIR)) { try SystemDirectory(creating: root + "/file") }
        #expect(throws: SystemError.self) { try SystemDirectory(creating: root + "/file/below") }
        #expect(throws: SystemError.self) { try SystemDirectory(creating: "") }
    }

    @Test("names are created once, listed, renamed over each other and removed")
    func names() throws {
        let directory = try SystemDirectory(creating: root)
        for name in ["b", "a", ".hidden"] { _ = try directory.create(name) }
        #expect(try directory.names().sorted() == [".hidden", "a", "b"])
        #expect(throws: SystemError(operation: "open", path: "a", code: EEXIST)) { try directory.create("a") }
        #expect(throws: SystemError(operation: "open", path: "c", code: ENOENT)) { try directory.open("c") }
        try directory.rename("a", to: "b")
        try directory.remove(".hidden")
        try directory.synchronize()
        #expect(try directory.names() == ["b"])
        #expect(throws: SystemError(operation: "rename", path: "a", code: ENOENT)) { try directory.rename("a", to: "b") }
        #expect(throws: SystemError(operation: "unlink", path: "a", code: ENOENT)) { try directory.remove("a") }
    }

    @Test("many names are all listed")
    func manyNames() throws {
        let directory = try SystemDirectory(creating: root)
        let expected = (0..<1_500).map { "name-\(10_000 + $0)-" + String(repeating: "x", count: $0 % 200) }
        for name in expected { _ = try directory.create(name) }
        #expect(try directory.names().sorted() == expected)
    }

    @Test("a symbolic link is not followed")
    func links() throws {
        let directory = try SystemDirectory(creating: root)
        _ = try directory.create("target")
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: root + "/target")
        #expect(throws: SystemError(operation: "open", path: "link", code: ELOOP)) { try directory.open("link") }
    }

    @Test("bytes are written and read where they were said to be; a read ends with the file")
    func bytes() throws {
        let directory = try SystemDirectory(creating: root)
        let file = try directory.create("file")
        #expect(try file.write(Array("xhello".utf8), from: 1, at: 3) == 5)
        #expect(try file.write([1], from: 1, at: 0) == 0)
        try file.synchronizeData()
        #expect(try file.size() == 8)
        var buffer = [UInt8](repeating: 0x2E, count: 12)
        #expect(try file.read(at: 2, count: 10, into: &buffer, from: 1) == 6)
        #expect(buffer == Array(".\0hello.....".utf8))
        #expect(try file.read(at: 8, count: 4, into: &buffer, from: 0) == 0)
        #expect(try file.read(at: 100, count: 4, into: &buffer, from: 0) == 0)
        try file.truncate(to: 5)
        let again = try directory.open("file")
        #expect(try again.size() == 5)
        #expect(try again.read(at: 0, count: 12, into: &buffer, from: 0) == 5)
        #expect(buffer.prefix(5) == Array("\0\0\0he".utf8).prefix(5))
    }

    @Test("a file knows when its name is gone; a rename is not that")
    func linked() throws {
        let directory = try SystemDirectory(creating: root)
        let file = try directory.create("file")
        try directory.rename("file", to: "other")
        #expect(try file.isLinked())
        try directory.remove("other")
        #expect(try !file.isLinked())
        #expect(try file.write([1], from: 0, at: 0) == 1, "and can still be written, to nobody's use")
    }

    @Test("a directory that was deleted, moved or replaced is gone; put back, it is not")
    func gone() throws {
        let path = root + "/log"
        let directory = try SystemDirectory(creating: path)
        #expect(try !directory.isGone())
        try FileManager.default.moveItem(atPath: path, toPath: root + "/moved")
        #expect(try directory.isGone(), "moved")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(try directory.isGone(), "replaced")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: root + "/moved", toPath: path)
        #expect(try !directory.isGone(), "put back")
        try FileManager.default.removeItem(atPath: path)
        #expect(try directory.isGone(), "deleted")
        #expect(throws: SystemError(operation: "open", path: "file", code: ENOENT)) { try directory.create("file") }
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(try directory.isGone(), "a file in its place")
    }

    @Test("one opener holds the lock; it is free when that one is let go")
    func lock() throws {
        var first: SystemDirectory? = try SystemDirectory(creating: root)
        let second = try SystemDirectory(creating: root)
        #expect(try first?.lockExclusively() == true)
        #expect(try !second.lockExclusively())
        first = nil
        #expect(try second.lockExclusively())
    }

    @Test("there is some free space, and no more than a file system has")
    func free() throws {
        let free = try SystemDirectory(creating: root).freeBytes()
        #expect(free > 0)
        #expect(free < 1 << 62)
    }
}
