// One log, one writer: what a second server on the same directory meets, however it is named.
//
// Promises: the first server has callbacks to store all the while; the second one says in one line why it does not start,
// and leaves the log as it is.
// Must not know: how the lock is held.

import Foundation
import Testing
import TestSupport

@Suite("One writer")
struct OneWriterTests {
    /// Ways to say the same directory.
    enum Name: CaseIterable {
        case itself, trailingSlash, throughDots, symbolicLink, linkToLink, relative

        func path(of directory: TemporaryDirectory, in place: TemporaryDirectory) throws -> String {
            let link = place.path(of: "link")
            switch self {
            case .itself: return directory.path
            case .trailingSlash: return directory.path + "/"
            case .throughDots: return directory.path + "/../" + URL(fileURLWithPath: directory.path).lastPathComponent + "/."
            case .symbolicLink, .linkToLink:
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.path)
                if self == .symbolicLink { return link }
                try FileManager.default.createSymbolicLink(atPath: link + "-2", withDestinationPath: link)
                return link + "-2"
            case .relative: return "./" + URL(fileURLWithPath: directory.path).lastPathComponent
            }
        }
    }

    @Test("a second server is refused with status 1 and one line, and the first goes on", arguments: Name.allCases)
    func refused(name: Name) throws {
        let place = try TemporaryDirectory()
        let server = try ServerProcess()
        var load = CallbackLoad()
        try load.run(on: server) { $0.acknowledged.count >= 50 }
        let path = try name.path(of: server.directory, in: place)
        let parent = URL(fileURLWithPath: server.directory.path).deletingLastPathComponent().path
        for round in 1...2 {
            // While callbacks come in, so that a second recovery would cut what is being written.
            let second = try ChildProcess(
                executable: ServerProcess.executable, arguments: ["serve", "--listen", "127.0.0.1:0", "--data-directory", path],
                workingDirectory: parent)
            try load.run(on: server) { _ in second.exitStatus != nil }
            #expect(second.exitStatus == .exited(1))
            #expect(second.standardOutput == "")
            expectOneLine(second.standardError)
            #expect(second.standardError.contains("in use"), "\(second.standardError)")
            try load.run(on: server) { $0.acknowledged.count >= 50 + 50 * round }
        }
        #expect(load.refusalCount == 0)
        #expect(!server.directory.entries.contains { $0.hasSuffix(".torn") || $0.hasSuffix(".failed") })
        try server.terminate()
        #expect(load.violations(in: try server.log()) == [])
        #expect(try server.log().violations() == [])
    }

    @Test("of servers started at the same moment one serves and the others are refused")
    func race() throws {
        let directory = try TemporaryDirectory()
        let children = try (0..<4).map { _ in
            try ChildProcess(
                executable: ServerProcess.executable, arguments: ["serve", "--listen", "127.0.0.1:0", "--data-directory", directory.path])
        }
        try eventually("all but one to have ended") { children.count { $0.exitStatus != nil } == 3 }
        let serving = try #require(children.first { $0.exitStatus == nil })
        for child in children where child !== serving {
            #expect(child.exitStatus == .exited(1))
            #expect(child.standardOutput == "")
        }
        let address = try eventually("the listening line") { ServerProcess.addresses(in: serving.standardOutput).first }
        let connection = try RawConnection(port: address.port)
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        #expect(serving.exitStatus == nil)
    }

    @Test("after SIGKILL under load the next one starts at once, time after time")
    func afterKill() throws {
        let directory = try TemporaryDirectory()
        var load = CallbackLoad()
        for round in 1...5 {
            let server = try ServerProcess(directory: directory)
            try load.run(on: server, ending: .killed) { $0.acknowledged.count >= 60 * round }
        }
        let last = try ServerProcess(directory: directory)
        #expect(try load.wrongAnswers(of: last) == [])
        try last.terminate()
        #expect(load.violations(in: try last.log()) == [])
    }

    @Test("what is left of a killed server's connections keeps nobody out")
    func clientsLinger() throws {
        let first = try ServerProcess()
        let clients = try (0..<20).map { _ in try first.connect() }
        for client in clients {
            try client.send(postBytes(sentPayload("a")))
            #expect(try client.readAnswer().status == 200)
        }
        try first.child.kill9()
        let second = try ServerProcess(directory: first.directory, listen: "127.0.0.1:\(first.port)")
        #expect(try second.post(sentPayload("a")).object()["duplicate"] == "true")
        for client in clients { #expect(try client.readToEnd() == []) }
    }
}
