// A server that answers what the test says, connection by connection, and remembers what it was asked.
//
// Promises: one thread, one connection at a time, in order; what the script does not have is not accepted. Ends with its object.
// Must not know: what is right.

import Foundation
import Glibc
import Platform
import Synchronization
import TestSupport

final class ScriptedServer: Sendable {
    /// What one connection gets, once its request's head has come.
    struct Answer: Sendable {
        var pieces: [String]
        /// Keeps the connection open until the client closes it.
        var isHeld = false

        static func whole(_ status: String, _ body: String, fields: String = "") -> Answer {
            Answer(pieces: ["HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"])
        }

        /// A stream of events, chunked, each piece by itself.
        static func events(_ pieces: [String], isHeld: Bool = false, isEnded: Bool = false) -> Answer {
            let chunks = pieces.map { String($0.utf8.count, radix: 16) + "\r\n\($0)\r\n" } + (isEnded ? ["0\r\n\r\n"] : [])
            return Answer(
                pieces: ["HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"] + chunks, isHeld: isHeld)
        }
    }

    private let listener: Listener
    private let heads = Mutex<[String]>([])
    private let isStopped = Atomic(false)

    /// The heads of the requests so far.
    var requests: [String] { heads.withLock { $0 } }
    var url: String { "http://\(listener.address.text)" }

    init(host: String = "127.0.0.1", _ answers: [Answer]) throws {
        listener = try Listener.listen(on: SocketAddress(host: host, port: 0))[0]
        Thread.detachNewThread { [weak self, listener] in
            for answer in answers {
                guard let fd = Self.accept(listener, while: { self?.isStopped.load(ordering: .relaxed) == false }) else { return }
                defer { close(fd) }
                guard let head = Self.readHead(fd) else { continue }
                self?.heads.withLock { $0.append(head) }
                for piece in answer.pieces {
                    let bytes = Array(piece.utf8)
                    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                }
                // Until the client closes, or the test is over.
                while answer.isHeld, self?.isStopped.load(ordering: .relaxed) == false {
                    if Self.isReadable(fd, milliseconds: 20), Self.readByte(fd) == nil { break }
                }
            }
        }
    }

    deinit { isStopped.store(true, ordering: .relaxed) }

    private static func accept(_ listener: Listener, while isWanted: () -> Bool) -> Int32? {
        while isWanted() {
            guard isReadable(listener.descriptor, milliseconds: 20), let (fd, _) = try? listener.accept() else { continue }
            return fd
        }
        return nil
    }

    private static func isReadable(_ fd: Int32, milliseconds: Int32) -> Bool {
        var waited = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waited, 1, milliseconds) > 0
    }

    private static func readByte(_ fd: Int32) -> UInt8? {
        var byte: UInt8 = 0
        return unsafe recv(fd, &byte, 1, 0) == 1 ? byte : nil
    }

    private static func readHead(_ fd: Int32) -> String? {
        var head: [UInt8] = []
        let deadline = Deadline(seconds: 10)
        while !head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) {
            guard !deadline.hasPassed else { return nil }
            guard isReadable(fd, milliseconds: 20) else { continue }
            guard let byte = readByte(fd) else { return nil }
            head.append(byte)
        }
        return String(decoding: head, as: UTF8.self)
    }
}
