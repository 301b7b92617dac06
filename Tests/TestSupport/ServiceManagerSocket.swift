// A socket in the place of systemd's, to which a server tells what becomes of it; and sockets that one hands over.
//
// Promises: every message is kept, in order; waiting for one ends at a deadline and names what did come.
// Must not know: what the server should say.

import Foundation
import Glibc
import Synchronization

/// What `$NOTIFY_SOCKET` names (sd_notify(3)).
public final class ServiceManagerSocket: Sendable {
    /// For the variable.
    public let address: String
    private let descriptor: Int32
    private let directory: TemporaryDirectory?
    private let received = Mutex<[[String]]>([])

    /// - Parameter isAbstract: an abstract name, as systemd has it for users, and not a path.
    public init(isAbstract: Bool = false) throws {
        directory = isAbstract ? nil : try TemporaryDirectory()
        address = directory.map { $0.path(of: "notify") } ?? "@callback-receiver-test-\(UUID().uuidString.lowercased())"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure.system(operation: "socket", errorNumber: errno) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var path = Array(address.utf8)
        if isAbstract { path[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: name.sun_path) + path.count)
        let result = unsafe withUnsafePointer(to: &name) { pointer in
            // The pointer lives for the call.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        guard result == 0 else { throw TestFailure.system(operation: "bind \(address)", errorNumber: errno) }
    }

    deinit { close(descriptor) }

    /// The variables of a service.
    public func environment(watchdogMicroseconds: Int? = nil) -> [String: String] {
        var variables = ["NOTIFY_SOCKET": address]
        if let watchdogMicroseconds { variables["WATCHDOG_USEC"] = "\(watchdogMicroseconds)" }
        return variables
    }

    /// All that has come so far: the lines of each message.
    public var messages: [[String]] {
        received.withLock { received in
            var buffer = [UInt8](repeating: 0, count: 8_192)
            while true {
                // The kernel writes at most the buffer's count.
                let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return received }
                received.append(String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init))
            }
        }
    }

    /// Waits until a message after the first `skipped` has this line.
    /// - Returns: how many messages there were up to it; the message.
    @discardableResult
    public func wait(for line: String, after skipped: Int = 0, withinSeconds seconds: Double = 20) throws -> (count: Int, lines: [String]) {
        try wait("\(line)", after: skipped, withinSeconds: seconds) { $0.contains(line) }
    }

    /// Waits until a message after the first `skipped` is one that is meant.
    @discardableResult
    public func wait(
        _ what: String, after skipped: Int = 0, withinSeconds seconds: Double = 20, _ isMeant: ([String]) -> Bool
    ) throws -> (count: Int, lines: [String]) {
        do {
            return try eventually(what, withinSeconds: seconds) {
                let all = messages
                guard let index = all.indices.dropFirst(skipped).first(where: { isMeant(all[$0]) }) else { return nil }
                return (index + 1, all[index])
            }
        } catch {
            throw TestFailure.timeout("\(what); there came \(messages.dropFirst(skipped))")
        }
    }
}

extension [String] {
    /// What stands behind NAME= in a message.
    public func value(of name: String) -> String? { first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) } }
}

/// A socket that is kept open here and handed to servers, one after the other, as systemd does it.
public final class HeldSocket: Sendable {
    public let descriptor: Int32
    /// 0 where it has none.
    public let port: UInt16

    /// What it is.
    public enum Kind: Sendable { case listening, bound, datagram, local }

    public init(_ kind: Kind = .listening, host: String = "127.0.0.1") throws {
        (descriptor, port) = try kind == .local ? Self.local() : Self.internet(kind, host)
    }

    /// Bound to a name of the kernel's choice (unix(7), autobind).
    private static func local() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var family = sa_family_t(AF_UNIX)
        let result = unsafe withUnsafePointer(to: &family) { pointer in
            // The pointer lives for the call, which reads as much as it is told.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sa_family_t>.size))
            }
        }
        guard result == 0, listen(descriptor, 16) == 0 else { throw TestFailure.system(operation: "bind", errorNumber: errno) }
        return (descriptor, 0)
    }

    private static func internet(_ kind: Kind, _ host: String) throws -> (Int32, UInt16) {
        let type = kind == .datagram ? SOCK_DGRAM : SOCK_STREAM
        let descriptor = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            // The pointer lives for these calls; sockaddr_in is what AF_INET reads and writes.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw TestFailure.system(operation: "bind", errorNumber: errno) }
        guard kind != .listening || listen(descriptor, 4_096) == 0 else { throw TestFailure.system(operation: "listen", errorNumber: errno) }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
