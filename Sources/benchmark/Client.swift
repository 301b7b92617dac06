// A plain client for loopback: one connection, one request at a time.
//
// Promises: an answer is read whole (by Content-Length) and its status told; what goes wrong throws. For a
// handful of requests and for holding connections open; loads are wrk's. Must not know: what is asked.

import Platform

final class Client {
    /// More than any answer here.
    private static let answerBytesMax = 262_144
    /// Longer than any answer may take; then it counts as none.
    private static let answerSecondsMax = 10

    struct Answer {
        let status: Int
        let body: String
    }

    private let fd: Int32
    private let port: UInt16

    /// Connects to 127.0.0.1.
    init(port: UInt16) throws {
        self.port = port
        fd = try Loopback.connect(port: port)
        Loopback.setReceiveTimeout(fd, seconds: Self.answerSecondsMax)
    }

    deinit { Socket.close(fd) }

    func get(_ path: String) throws -> Answer { try exchange("GET \(path)", body: []) }
    func post(_ path: String, _ body: [UInt8]) throws -> Answer { try exchange("POST \(path)", body: body) }

    /// Asks, and does not read the answer.
    func ask(_ path: String) throws { try send(Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8)) }

    private func exchange(_ methodAndPath: String, body: [UInt8]) throws -> Answer {
        let length = body.isEmpty ? "" : "Content-Length: \(body.count)\r\n"
        try send(Array("\(methodAndPath) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(length)\r\n".utf8) + body)
        var answer = [UInt8](repeating: 0, count: Self.answerBytesMax)
        var count = 0
        while count < answer.count {
            guard case .bytes(let got) = Socket.receive(fd, into: &answer, from: count) else { break }
            count += got
            if let whole = Self.whole(String(decoding: answer[..<count], as: UTF8.self)) { return whole }
        }
        throw BenchmarkFailure("no answer to \(methodAndPath)")
    }

    private func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            guard case .bytes(let count) = Socket.send(fd, bytes, from: sent) else {
                throw BenchmarkFailure("the peer at port \(port) closed the connection")
            }
            sent += count
        }
    }

    /// The answer, once all of it is there. Answers here are ASCII with plain line ends.
    private static func whole(_ text: String) -> Answer? {
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let lines = parts[0].split(separator: "\r\n")
        let name = "content-length:"
        let length = lines.first { $0.lowercased().hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
        guard parts[1].utf8.count >= length else { return nil }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(status: status, body: String(parts[1]))
    }
}
