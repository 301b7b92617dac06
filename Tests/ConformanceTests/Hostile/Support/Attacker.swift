// A TCP client without manners: sends what the kernel takes, reads only when told to, resets.
//
// Promises: `offer` never blocks; a server that has closed is a value. Must not know: what the bytes mean.

import Glibc
import TestSupport

final class Attacker {
    private let descriptor: Int32

    /// - Parameter receiveBytes: what the kernel takes of answers that are not read (SO_RCVBUF, which it doubles); nil leaves it.
    init(port: UInt16, receiveBytes: Int32? = nil) throws {
        // CLOEXEC: a server started meanwhile by another test must not hold this connection open.
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure.system(operation: "socket", errorNumber: errno) }
        if var receiveBytes {
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(MemoryLayout<Int32>.size))
        }
        // Nagle's algorithm would keep small pieces back until the server has acknowledged the one before.
        var one: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            // The pointer lives for this call; sockaddr_in is what AF_INET reads.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            // Everything is initialized, so that `deinit` runs, and closes: once.
            throw TestFailure.system(operation: "connect", errorNumber: errno)
        }
    }

    deinit { close(descriptor) }

    /// Sends what the kernel takes at once.
    /// - Returns: how much that is, 0 where the server does not read on; nil once it has closed.
    func offer(_ bytes: ArraySlice<UInt8>) -> Int? {
        let count = unsafe bytes.withUnsafeBytes {
            // The slice outlives the call.
            unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count >= 0 { return count }
        return errno == EAGAIN ? 0 : nil
    }

    /// Sends all of it, waiting for the server to read on.
    /// - Parameter toleratingClose: whether a server that has closed is no failure.
    func push(_ bytes: [UInt8], toleratingClose: Bool = false) throws {
        var rest = bytes[...]
        let deadline = Deadline(seconds: 15)
        while !rest.isEmpty {
            guard let count = offer(rest) else {
                guard toleratingClose else { throw TestFailure.unreadable("the server has closed, \(rest.count) bytes of \(bytes.count) before the end") }
                return
            }
            rest = rest.dropFirst(count)
            if count == 0 {
                guard !deadline.hasPassed else { throw TestFailure.timeout("the server does not read on") }
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&entry, 1, 50)
            }
        }
    }

    /// What has come and fits into `bytesMax`, without waiting; nil where nothing has, empty at the end.
    func take(bytesMax: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        if count < 0 { return errno == EAGAIN ? nil : [] }
        return Array(bytes[..<count])
    }

    /// Reads on until the server has closed or reset.
    func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        try eventually("the server closes") {
            while let piece = take(bytesMax: 64 * 1_024) {
                if piece.isEmpty { return true }
                all += piece
            }
            return false
        }
        return all
    }

    /// Ends this side: no more bytes will come.
    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The close of this object will be a reset.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

/// The status of each HTTP/1.1 answer in a stream of them.
func statuses(in bytes: [UInt8]) -> [Int] {
    String(decoding: bytes, as: UTF8.self).matches(of: #/HTTP/1\.1 (\d\d\d) /#).compactMap { Int($0.1) }
}
