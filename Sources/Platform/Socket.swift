// TCP sockets: addresses, listeners, and the five calls a connection needs.
//
// Promises: every descriptor made here is non-blocking and close-on-exec; no call raises SIGPIPE.
// Results are values: bytes, would-block, or the connection's end. Descriptors are plain numbers here;
// who owns one closes it exactly once (Listener does; connections belong to their loop).
// Must not know: HTTP, epoll, who is behind an address.

import CPlatform
import Glibc

/// A host (name or literal) and a port, as an operator writes them.
public struct SocketAddress: Sendable, Hashable {
    /// Without the brackets of an IPv6 literal.
    public let host: String
    /// 0 lets the kernel choose.
    public let port: UInt16
    /// Of these, unchecked: what is wrong shows when it is used.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `127.0.0.1:8080`, `[::1]:8080`.
    public var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A listening TCP socket, closed when the last reference goes.
public final class Listener: Sendable {
    /// How many handshaken connections wait for accept(2); the kernel caps it at net.core.somaxconn.
    public static let backlogMax: Int32 = 4_096

    /// What the kernel keeps of a connection in each direction (it doubles this for its own use). Left to itself it grows
    /// them to several MiB, which a peer that never reads, or that we do not read from, would have it fill.
    static let connectionBufferBytes: Int32 = 128 * 1_024

    /// Closed with the listener.
    public let descriptor: Int32
    /// As bound: the port is the real one where 0 was asked for.
    public let address: SocketAddress

    /// Takes `descriptor` over; it listens.
    init(descriptor: Int32, address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
    }

    deinit { close(descriptor) }

    /// One listener for each address of this machine that `address.host` resolves to (getaddrinfo(3)).
    public static func listen(on address: SocketAddress) throws(SystemError) -> [Listener] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>? = nil
        let status = unsafe getaddrinfo(address.host, String(address.port), &hints, &found)
        guard status == 0 else {
            let code: Int32 = status == EAI_SYSTEM ? errno : ENOENT
            throw SystemError(operation: "getaddrinfo", path: address.text, code: code)
        }
        defer { unsafe freeaddrinfo(found) }
        var listeners: [Listener] = []
        var missing: SystemError?
        var next = unsafe found
        while let info = unsafe next {
            do throws(SystemError) {
                listeners.append(try unsafe bind(info.pointee, asked: address))
            } catch {
                // A name may stand for an address of a family that this machine does not have: the others will do.
                guard error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT else { throw error }
                missing = error
            }
            unsafe next = info.pointee.ai_next
        }
        if listeners.isEmpty, let missing { throw missing }
        return listeners
    }

    private static func bind(_ info: addrinfo, asked: SocketAddress) throws(SystemError) -> Listener {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let fd = unsafe socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
        guard fd >= 0 else { throw .latest("socket", asked.text) }
        do throws(SystemError) {
            // A restart must not wait for TIME_WAIT; [::] must not also take the IPv4 port.
            try option(fd, SOL_SOCKET, SO_REUSEADDR, 1)
            if unsafe info.ai_family == AF_INET6 { try option(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            // Before listen(2), since the handshake scales the window by it.
            try bound(fd)
            guard unsafe Glibc.bind(fd, info.ai_addr, info.ai_addrlen) == 0 else { throw .latest("bind", asked.text) }
            guard Glibc.listen(fd, backlogMax) == 0 else { throw .latest("listen", asked.text) }
            return Listener(descriptor: fd, address: try boundAddress(fd))
        } catch {
            close(fd)
            throw error
        }
    }

    /// Bounds what the kernel keeps of each connection, which inherits it from its listener.
    static func bound(_ fd: Int32) throws(SystemError) {
        try option(fd, SOL_SOCKET, SO_RCVBUF, connectionBufferBytes)
        try option(fd, SOL_SOCKET, SO_SNDBUF, connectionBufferBytes)
    }

    private static func option(_ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        guard unsafe setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .latest("setsockopt")
        }
    }

    /// getsockname(2), in numbers.
    static func boundAddress(_ fd: Int32) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        // The storage is as large as any address; both texts are bounded by their arrays.
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe getsockname(fd, address, &length) == 0 else { return EAI_SYSTEM }
                return unsafe getnameinfo(
                    address, length, &host, socklen_t(host.count), &service, socklen_t(service.count),
                    NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard status == 0 else { throw .latest("getsockname") }
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let port = String(decoding: service.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return SocketAddress(host: name, port: UInt16(port) ?? 0)
    }

    /// The next connection and whose it is, or why there is none (`isWouldBlock` when nobody waits).
    public func accept() throws(SystemError) -> (fd: Int32, peer: IPAddress) {
        var peer = cplatform_address()
        // The address outlives the call, which fills it in.
        let fd = retryingOnInterrupt { unsafe cplatform_accept(descriptor, &peer) }
        if fd < 0 { throw .latest("accept4") }
        return (fd, IPAddress(peer))
    }
}

/// The calls on a connection's descriptor.
public enum Socket {
    /// What recv(2) gave.
    public enum Received: Equatable, Sendable {
        case bytes(Int)
        case wouldBlock
        /// The peer closed its side (FIN).
        case end
        /// Reset, timed out: nothing more can be read or written.
        case failed
    }

    /// What send(2) took.
    public enum Sent: Equatable, Sendable {
        case bytes(Int)
        case wouldBlock
        case failed
    }

    /// Answers leave at once: a response is written whole, so Nagle's algorithm could only delay it.
    public static func setNoDelay(_ fd: Int32) {
        var one: Int32 = 1
        _ = unsafe setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Reads into `buffer[start...]`, which must have room: reading into none looks like the peer's end.
    public static func receive(_ fd: Int32, into buffer: inout [UInt8], from start: Int) -> Received {
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            return retryingOnInterrupt { unsafe recv(fd, room.baseAddress, room.count, 0) }
        }
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed
    }

    /// Writes `buffer[start...]`, as much as the kernel takes.
    public static func send(_ fd: Int32, _ buffer: [UInt8], from start: Int) -> Sent {
        let count = unsafe buffer.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            return retryingOnInterrupt { unsafe Glibc.send(fd, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL)) }
        }
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed
    }

    /// Whether bytes wait to be read. They stay where they are.
    public static func isReadable(_ fd: Int32) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(fd, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    /// No more from us (FIN); what the peer still sends can be read.
    public static func closeSending(_ fd: Int32) { _ = shutdown(fd, Int32(SHUT_WR)) }

    /// close(2). Never called again for the same number: another may have it by then.
    public static func close(_ fd: Int32) { _ = Glibc.close(fd) }
}
