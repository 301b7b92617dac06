// A TCP connection that this program opens, with calls that wait, and end in time.
//
// Promises: no call waits longer than it was told to; a wait ends early where the `Interruption` says so; no SIGPIPE. A name
// is tried at each of its addresses. The descriptor is closed with its owner. (Looking a name up is the C library's, and
// takes as long as that takes.)
// Must not know: HTTP, why a wait is to end.

import Glibc

/// What ends a client's waits early: a wake-up from outside, or that nobody reads standard output any more.
public struct Interruption: Sendable {
    private let wakeup: Wakeup?
    private let watchesOutput: Bool

    /// Nothing does.
    public static let none = Interruption(wakeup: nil, watchesOutput: false)

    /// Ended by `wakeup`, and with `watchesOutput` when nobody reads standard output any more.
    public init(wakeup: Wakeup?, watchesOutput: Bool) {
        self.wakeup = wakeup
        self.watchesOutput = watchesOutput
    }

    enum Outcome { case ready, timedOut, interrupted }

    /// Waits until `fd` is ready for `events` (poll(2)); for nothing where it is negative.
    func wait(for fd: Int32, _ events: Int32, milliseconds: Int) -> Outcome {
        let end = Clock.monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
        while true {
            let left = max(0, (end - Clock.monotonicNanoseconds() + 999_999) / 1_000_000)
            // A negative descriptor is passed over. Of standard output only its end is told: POLLERR or POLLHUP.
            var watched: [3 of pollfd] = [
                pollfd(fd: fd, events: Int16(events), revents: 0),
                pollfd(fd: wakeup?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: watchesOutput ? STDOUT_FILENO : -1, events: 0, revents: 0),
            ]
            var span = watched.mutableSpan
            let count = unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), Int32(clamping: left)) }
            if count < 0, errno == EINTR { continue }
            if watched[1].revents != 0 || watched[2].revents != 0 { return .interrupted }
            if watched[0].revents != 0 || count < 0 { return .ready }
            if left == 0 { return .timedOut }
        }
    }

    /// Waits for so long; true where that ended early.
    public func sleep(milliseconds: Int) -> Bool {
        if case .interrupted = wait(for: -1, 0, milliseconds: milliseconds) { true } else { false }
    }
}

/// An open connection. Not Sendable: one thread uses it.
public final class ClientConnection {
    /// What a wait for bytes came to.
    public enum Received {
        case bytes(Int)
        /// The server closed its side.
        case end
        case timedOut
        case interrupted
    }

    private let fd: Int32
    private let interruption: Interruption

    /// Connects to the first of the host's addresses that answers; each may take so long.
    public init(to address: SocketAddress, milliseconds: Int, interruption: Interruption) throws(SystemError) {
        self.interruption = interruption
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>? = nil
        let status = unsafe getaddrinfo(address.host, String(address.port), &hints, &found)
        guard status == 0 else {
            throw SystemError(operation: "getaddrinfo", path: address.text, code: status == EAI_SYSTEM ? errno : status)
        }
        defer { unsafe freeaddrinfo(found) }
        var failure = SystemError(operation: "connect", path: address.text, code: EHOSTUNREACH)
        var next = unsafe found
        while let info = unsafe next {
            do throws(SystemError) {
                fd = try unsafe Self.open(info.pointee, address, milliseconds: milliseconds, interruption)
                Socket.setNoDelay(fd)
                return
            } catch {
                failure = error
                if error.isCancelled { break }
            }
            unsafe next = info.pointee.ai_next
        }
        throw failure
    }

    deinit { Socket.close(fd) }

    private static func open(
        _ info: addrinfo, _ address: SocketAddress, milliseconds: Int, _ interruption: Interruption
    ) throws(SystemError) -> Int32 {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let fd = unsafe socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
        guard fd >= 0 else { throw .latest("socket", address.text) }
        if unsafe connect(fd, info.ai_addr, info.ai_addrlen) == 0 { return fd }
        // Interrupted by a signal, it goes on by itself, as one that is in progress.
        var code = errno
        if code == EINPROGRESS || code == EINTR {
            switch interruption.wait(for: fd, POLLOUT, milliseconds: milliseconds) {
            case .ready:
                var size = socklen_t(MemoryLayout<Int32>.size)
                // Writes one Int32 at most.
                if unsafe getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0 { code = errno }
            case .timedOut: code = ETIMEDOUT
            case .interrupted: code = ECANCELED
            }
        }
        guard code != 0 else { return fd }
        Socket.close(fd)
        throw SystemError(operation: "connect", path: address.text, code: code)
    }

    /// Sends all of `bytes`; each wait for room may take so long.
    public func send(_ bytes: [UInt8], milliseconds: Int) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            switch Socket.send(fd, bytes, from: done) {
            case .bytes(let count): done += count
            case .failed: throw .latest("send")
            case .wouldBlock:
                switch interruption.wait(for: fd, POLLOUT, milliseconds: milliseconds) {
                case .ready: break
                case .timedOut: throw SystemError(operation: "send", code: ETIMEDOUT)
                case .interrupted: throw SystemError(operation: "send", code: ECANCELED)
                }
            }
        }
    }

    /// Reads what is there, at most as much as `buffer` has room for; waits so long for the first byte.
    public func receive(into buffer: inout [UInt8], milliseconds: Int) throws(SystemError) -> Received {
        while true {
            switch Socket.receive(fd, into: &buffer, from: 0) {
            case .bytes(let count): return .bytes(count)
            case .end: return .end
            case .failed: throw .latest("recv")
            case .wouldBlock:
                switch interruption.wait(for: fd, POLLIN, milliseconds: milliseconds) {
                case .ready: break
                case .timedOut: return .timedOut
                case .interrupted: return .interrupted
                }
            }
        }
    }
}
