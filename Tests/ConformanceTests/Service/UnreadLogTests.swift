// A server whose log nobody reads: standard error is a pipe that is full.
//
// Promises: the real program, with an access log, so that each answer is a line; what the pipe holds, and what waits beside it, is
// exceeded. Must not know: how lines wait.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A server whose log nobody reads")
struct UnreadLogTests {
    /// A server that writes its log to a pipe, of which the reading end is here.
    private final class Server {
        let child: ChildProcess
        let port: UInt16
        private let directory: TemporaryDirectory
        private let pipe: Int32

        init() throws {
            directory = try TemporaryDirectory()
            let path = directory.path(of: "pipe")
            guard unsafe mkfifo(path, 0o600) == 0 else { throw TestFailure.system(operation: "mkfifo", errorNumber: errno) }
            // Opened for both, so that neither end waits for the other one.
            pipe = unsafe open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            guard pipe >= 0 else { throw TestFailure.system(operation: "open", errorNumber: errno) }
            let file = try directory.write("logging: {access: \"true\"}", to: "configuration")
            let child = try ChildProcess(
                executable: "/bin/sh",
                arguments: [
                    "-c", "exec \"$0\" serve --config \"$1\" --listen 127.0.0.1:0 --data-directory \"$2\" 2>\"$3\"", ServerProcess.executable, file,
                    directory.path(of: "data"), path,
                ])
            self.child = child
            port = try eventually("it listens") { ServerProcess.addresses(in: child.standardOutput).first?.port }
        }

        deinit { close(pipe) }

        /// What stands in the pipe.
        func read() -> String {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                // The kernel writes at most the buffer's count.
                let count = unsafe Glibc.read(pipe, &buffer, buffer.count)
                guard count > 0 else { return String(decoding: text, as: UTF8.self) }
                text += buffer[..<count]
            }
        }

        /// Asks for so much on one connection that lines of a kilobyte are written.
        func ask(_ count: Int) throws {
            let connection = try RawConnection(port: port)
            let path = "/v1/requests/" + String(repeating: "x", count: 200) + "/" + String(repeating: "y", count: 800)
            for _ in 0..<count {
                try connection.send(requestBytes("GET", path))
                #expect(try connection.readAnswer().status == 404)
            }
        }
    }

    @Test("answers callbacks, and stops when it is told to")
    func unread() throws {
        let server = try Server()
        try server.ask(100)
        let connection = try RawConnection(port: server.port)
        for number in 0..<50 {
            try connection.send(postBytes(sentPayload("a-\(number)")))
            #expect(try connection.readAnswer().status == 200)
        }
        server.child.send(signal: SIGTERM)
        #expect(try server.child.waitForExit() == .exited(0))
    }

    @Test("drops lines then, and when they are read again tells how many, where they are missing")
    func dropped() throws {
        let server = try Server()
        let asked = 1_500
        try server.ask(asked)
        var text = ""
        func read(until holds: (String) -> Bool) throws {
            try eventually("it is read: \(text.suffix(300))") {
                let more = server.read()
                text += more
                return holds(more)
            }
        }
        try read { $0.contains("lines are missing here") }
        try server.ask(1)
        try read { $0.contains("request answered") }
        server.child.send(signal: SIGTERM)
        try read { _ in server.child.exitStatus != nil }
        text += server.read()
        #expect(server.child.exitStatus == .exited(0))
        let lines = text.split(separator: "\n")
        let answered = lines.indices.filter { lines[$0].contains("event=\"request answered\"") }
        let told = try #require(lines.firstIndex { $0.contains("event=\"lines are missing here") })
        let missing = try #require(lines[told].firstMatch(of: /lines=(\d+)$/).flatMap { Int($0.1) })
        #expect(answered.count + missing == asked + 1 && answered.count > 100, "\(answered.count) \(missing)")
        #expect(answered.count { $0 > told } == 1 && lines.allSatisfy { $0.hasPrefix("time=") })
        #expect(lines.last?.contains("event=\"stopped\"") == true)
    }
}
