// A client whose kernel takes next to nothing, so that what it does not read stays with the server.
//
// Promises: reads as little as it is told to, and waits for nothing. Must not know: HTTP.

import Glibc
import TestSupport

final class NarrowConnection {
    /// SO_RCVBUF; the kernel doubles it, and has a least of its own.
    private static let receiveBytes: Int32 = 2_048
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure.system(operation: "socket", errorNumber: errno) }
        var bytes = Self.receiveBytes
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
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

    /// Sends as much as goes at once.
    @discardableResult
    func offer(_ bytes: [UInt8]) -> Int {
        max(0, unsafe bytes.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) })
    }

    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Takes exactly so many bytes, waiting for them.
    /// - Returns: how many came before the end.
    func take(_ count: Int) throws -> Int {
        var taken = 0
        let deadline = Deadline(seconds: 15)
        while taken < count {
            var bytes = [UInt8](repeating: 0, count: min(count - taken, 64 * 1_024))
            let some = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
            if some == 0 || some < 0 && errno != EAGAIN { return taken }
            taken += max(0, some)
            guard some < 0 else { continue }
            guard !deadline.hasPassed else { throw TestFailure.timeout("\(count) bytes; \(taken) came") }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&entry, 1, 20)
        }
        return taken
    }
}
