// A listening socket that somebody else made, and hands over with its backlog.
//
// Promises: it is looked at before it is taken: a TCP socket that listens. It stays what it is for whoever else holds it:
// closing our descriptor of it closes nothing, and who waits in its backlog waits on.
// Must not know: who made it, what is said on it.

import Glibc

/// Why a descriptor that was handed over is none to accept connections from.
public enum HandedListenerFault: Error, Sendable, Equatable {
    case notASocket
    /// Datagrams, packets.
    case notAStream
    /// A connection, or a socket that is only bound.
    case notListening
    /// Of another family than IPv4 and IPv6: AF_UNIX, AF_VSOCK.
    case notInternet
    case system(SystemError)
}

extension Listener {
    /// Takes `descriptor` over, which nobody else in this process may close.
    public static func adopt(_ descriptor: Int32) throws(HandedListenerFault) -> Listener {
        guard let type = option(descriptor, SO_TYPE) else { throw .notASocket }
        guard let domain = option(descriptor, SO_DOMAIN), domain == AF_INET || domain == AF_INET6 else { throw .notInternet }
        guard type == Int32(SOCK_STREAM.rawValue) else { throw .notAStream }
        guard option(descriptor, SO_ACCEPTCONN) == 1 else { throw .notListening }
        do throws(SystemError) {
            let flags = fcntl(descriptor, F_GETFL)
            guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                throw .latest("fcntl")
            }
            try bound(descriptor)
            return Listener(descriptor: descriptor, address: try boundAddress(descriptor))
        } catch {
            throw .system(error)
        }
    }

    /// Nil where it has none: it is no socket, or no open descriptor.
    private static func option(_ descriptor: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
