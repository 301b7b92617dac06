// A client with an address of its own in 127.0.0.0/8, so that one machine can be many peers.
//
// Promises: every wait has a deadline. Must not know: HTTP, beyond where a status stands.

import Glibc
import TestSupport

final class PeerConnection {
    private let descriptor: Int32

    /// Connects to 127.0.0.1 from `host`, a dotted IPv4 address of this machine.
    init(from host: String, to port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 15, tv_usec: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard descriptor >= 0, call(host, 0, isBind: true) == 0, call("127.0.0.1", port, isBind: false) == 0 else {
            throw TestFailure.system(operation: "connect from \(host)", errorNumber: errno)
        }
    }

    deinit { close(descriptor) }

    private func call(_ host: String, _ port: UInt16, isBind: Bool) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The pointer lives for this call; sockaddr_in is what AF_INET reads.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe isBind ? bind(descriptor, $0, length) : connect(descriptor, $0, length)
            }
        }
    }

    /// Sends all of it. A peer that has closed meanwhile is for `readToEnd` to see.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            // The rest of the array, which outlives the call.
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Each byte by itself.
    func drip(_ bytes: [UInt8]) { for byte in bytes { send([byte]) } }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next bytes; empty at the peer's end, a reset included.
    /// - Throws: `TestFailure.timeout`.
    func read() throws -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 16 * 1_024)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EAGAIN { throw TestFailure.timeout("the server's bytes") }
        return Array(chunk.prefix(max(0, count)))
    }

    func readToEnd() throws -> String {
        var bytes: [UInt8] = []
        while true {
            let more = try read()
            if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += more
        }
    }

    /// One request on a connection that stays; its status. The answer is taken to come in one piece.
    func exchange(_ bytes: [UInt8]) throws -> Int? {
        send(bytes)
        return Self.status(String(decoding: try read(), as: UTF8.self))
    }

    /// Of an answer; nil where there is none.
    static func status(_ answer: String) -> Int? {
        answer.hasPrefix("HTTP/1.1 ") ? Int(answer.dropFirst(9).prefix(3)) : nil
    }
}

extension RunningServer {
    func connect(from host: String) throws -> PeerConnection { try PeerConnection(from: host, to: port) }

    /// Whether a log line says all of this.
    func hasLogged(_ parts: String...) -> Bool {
        lines.lines.contains { line in parts.allSatisfy { line.contains($0) } }
    }
}
