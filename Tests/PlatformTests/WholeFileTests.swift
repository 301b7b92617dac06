// A small file read at once, and what is no regular file.
//
// Promises: each test has a directory of its own, removed after it. Must not know: what reads files.

import Dispatch
import Foundation
import Glibc
import Testing

@testable import Platform

@Suite("Whole files") final class WholeFileTests {
    private let root = FileManager.default.temporaryDirectory.path + "/whole-" + UUID().uuidString
    private var pipe: String { root + "/pipe" }

    init() throws {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        #expect(unsafe mkfifo(root + "/pipe", 0o600) == 0)
    }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    @Test("are read to a bound")
    func bound() throws {
        try Data("hello".utf8).write(to: URL(fileURLWithPath: root + "/file"))
        #expect(try WholeFile.read(root + "/file", bytesMax: 100) == Array("hello".utf8))
        #expect(try WholeFile.read(root + "/file", bytesMax: 3) == Array("hel".utf8))
    }

    @Test("a pipe that nobody writes to is empty, and holds nobody")
    func nobody() throws { #expect(try WholeFile.read(pipe, bytesMax: 100) == []) }

    @Test("a pipe is read as its writer comes to it")
    func slow() throws {
        let writer = unsafe open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        let text = Array("hello".utf8)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) { _ = unsafe Glibc.write(writer, text, text.count) }
        #expect(try WholeFile.read(pipe, bytesMax: 5) == text)
    }

    @Test("a pipe whose writer says nothing ends the wait")
    func silent() throws {
        let writer = unsafe open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        #expect(throws: SystemError(operation: "read", path: pipe, code: ETIMEDOUT)) { try WholeFile.read(pipe, bytesMax: 5) }
    }
}
