// A connection to a server on this machine: the one place that connects.
//
// Promises: blocking until asked otherwise; without Nagle's delay; closed by who asked for it. Who stands for other
// people's machines comes from an address of their own (127.0.0.2), so that bounds per address tell them apart.
// Must not know: what is said on it.

import Glibc
import Platform

enum Loopback {
    /// The last byte of 127.0.0.x.
    enum Source: UInt32 {
        case wellBehaved = 1
        case hostile = 2
    }

    /// IP_BIND_ADDRESS_NO_PORT (linux/in.h): the port is chosen on connecting, so that one can be used towards many.
    private static let bindAddressNoPort: Int32 = 24

    /// Connects to 127.0.0.1:`port`; a descriptor.
    static func connect(port: UInt16, from source: Source = .wellBehaved) throws -> Int32 {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw BenchmarkFailure("socket: errno \(errno)") }
        if source != .wellBehaved {
            var one: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(fd, Int32(IPPROTO_IP), bindAddressNoPort, &one, size)
            unsafe call(0x7F00_0000 | source.rawValue, 0) { _ = unsafe bind(fd, $0, $1) }
        }
        var status: Int32 = -1
        unsafe call(0x7F00_0001, port) { status = unsafe Glibc.connect(fd, $0, $1) }
        guard status == 0 else {
            let code = errno
            Socket.close(fd)
            throw BenchmarkFailure("nobody answers at 127.0.0.1:\(port) (errno \(code))")
        }
        Socket.setNoDelay(fd)
        return fd
    }

    /// From now on calls on it return what there is.
    static func setNonBlocking(_ fd: Int32) { _ = fcntl(fd, F_SETFL, O_NONBLOCK) }

    /// A blocking read ends after so long.
    static func setReceiveTimeout(_ fd: Int32, seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Closing it sends RST, and leaves nothing behind in TIME_WAIT: thousands a second need that.
    static func resetOnClose(_ fd: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    private static func call(_ host: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        // The address outlives the call, and its size is its own.
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
