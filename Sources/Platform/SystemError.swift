// The world is wrong: a system call failed.
//
// Promises: names the operation, the path where there is one, and errno; nothing else is needed to
// know what to do. The text is for people; programs branch on `code`.
// Must not know: why the call was made.

import Glibc

/// A failed system call.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The call, as in its manual page: `fdatasync`, `open`.
    public let operation: String
    /// The file or address it was about; empty where there is none.
    public let path: String
    /// errno, as the call left it; negative where it is getaddrinfo's own (RFC 3493 §6.1, EAI_NONAME, …).
    public let code: Int32

    /// As the properties say.
    public init(operation: String, path: String = "", code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// Of the call that failed just now on this thread.
    static func latest(_ operation: String, _ path: String = "") -> SystemError {
        SystemError(operation: operation, path: path, code: errno)
    }

    /// `fdatasync ./callback-data/….jsonl: Input/output error`.
    public var description: String {
        path.isEmpty ? "\(operation): \(reason)" : "\(operation) \(path): \(reason)"
    }

    /// The system's words for `code`: `No such file or directory`.
    public var reason: String { unsafe code < 0 ? String(cString: gai_strerror(code)) : String(cString: strerror(code)) }

    /// True for EAGAIN: nothing is wrong, there is only nothing now.
    public var isWouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }
    /// True for EADDRINUSE.
    public var isAddressInUse: Bool { code == EADDRINUSE }
    /// True for EAFNOSUPPORT: also what a service is told that may have no sockets of its own (RestrictAddressFamilies=).
    public var isAddressFamilyRefused: Bool { code == EAFNOSUPPORT }
    /// True for EACCES and EPERM.
    public var isPermission: Bool { code == EACCES || code == EPERM }
    /// True for EMFILE and ENFILE: no descriptor is left.
    public var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }
    /// True for what accept(2) says of the one connection it would have taken: the next may be well. It lists them, and asks
    /// to go on; EPERM is a firewall's.
    public var isOfOneConnection: Bool {
        [ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM].contains(code)
    }
    /// True for ENOSPC and EDQUOT: the file system, or what this user may have of it, is full.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
    /// True for EROFS.
    public var isReadOnly: Bool { code == EROFS }
    /// True for EISDIR.
    public var isDirectory: Bool { code == EISDIR }
    /// True for ECANCELED.
    public var isCancelled: Bool { code == ECANCELED }
    /// True for ENOENT.
    public var isMissing: Bool { code == ENOENT }
    /// True for ENOTDIR: something else stands where a directory was expected.
    public var isNotDirectory: Bool { code == ENOTDIR }
}

/// Calls again while a signal interrupted it (EINTR). Never for `close` and never for `fdatasync`,
/// whose failure is final (invariant 3).
@inline(__always)
func retryingOnInterrupt<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

extension SystemError {
    /// EIO: for a failure that has no errno of its own, such as a file that ends before its size.
    public static var inputOutput: Int32 { EIO }
    /// ENOSPC.
    public static var noSpace: Int32 { ENOSPC }
    /// ECANCELED: for work that its owner gave up.
    public static var cancelled: Int32 { ECANCELED }
    /// ENOENT.
    public static var missing: Int32 { ENOENT }
}
