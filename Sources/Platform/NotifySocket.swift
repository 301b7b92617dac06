// The way to a service manager: one datagram for each thing it is told (sd_notify(3)).
//
//     NAME=VALUE lines  ──sendto──▶  $NOTIFY_SOCKET: a path, or an abstract name (unix(7))
//
// Promises: a message goes whole or not at all; nobody waits for longer than `sendSecondsMax` where nobody reads.
// Must not know: what is told.

import Glibc

/// Speaks to the service manager (sd_notify(3)).
public final class NotifySocket: Sendable {
    /// A service manager that is busy has its queue full for a moment; one that hangs must not hold us.
    static let sendSecondsMax = 1

    private let descriptor: Int32
    /// As sun_path has it: an abstract name begins with a NUL, a path ends with one.
    private let path: [UInt8]

    /// - Parameter address: a path that begins with a slash, or `@` and a name.
    public init(_ address: String) throws(SystemError) {
        var path = Array(address.utf8)
        let isAbstract = path.first == UInt8(ascii: "@")
        guard isAbstract || path.first == UInt8(ascii: "/"), path.count > 1, !path.contains(0) else {
            // Such as vsock: of a virtual machine.
            throw SystemError(operation: "sd_notify", path: address, code: EAFNOSUPPORT)
        }
        if isAbstract { path[0] = 0 } else { path.append(0) }
        guard path.count <= MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            throw SystemError(operation: "sd_notify", path: address, code: ENAMETOOLONG)
        }
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .latest("socket", address) }
        var patience = timeval(tv_sec: Self.sendSecondsMax, tv_usec: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Tells the service manager `text`: lines of NAME=VALUE.
    public func send(_ text: String) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The path is no longer than the field, which was seen when it was taken.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path) + path.count)
        let bytes = Array(text.utf8)
        // Both live for the call; `length` lies within the address.
        let count = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                unsafe bytes.withUnsafeBytes { buffer in
                    retryingOnInterrupt {
                        unsafe sendto(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL), target, length)
                    }
                }
            }
        }
        if count < 0 { throw .latest("sendto") }
    }
}
