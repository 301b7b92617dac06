// A blocking TCP client that sends exactly the bytes it is given and reads answers by the rules.
//
// Promises: every wait has a deadline; one answer is read to its last byte and not one further, so
// pipelined answers come out one by one; an early close by the peer is a value where a test expects it.
// Must not know: what is in a body.

import Foundation
import Glibc

/// One TCP connection to a loopback port.
public final class RawConnection {
    private let descriptor: Int32
    private let timeoutSeconds: Double
    private var buffered: [UInt8] = []

    /// The most an answer's head may take: 64 KiB.
    private static let headBytesMax = 64 * 1024

    /// Connects.
    /// - Parameters:
    ///   - host: a dotted IPv4 address.
    ///   - timeoutSeconds: bounds each later call.
    /// - Throws: `TestFailure.system` when the connection is refused.
    public init(host: String = "127.0.0.1", port: UInt16, timeoutSeconds: Double = 15) throws {
        self.timeoutSeconds = timeoutSeconds
        // CLOEXEC: a server started meanwhile by another test must not hold this connection open.
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure.system(operation: "socket", errorNumber: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            // The pointer lives for this call; sockaddr_in is what AF_INET reads.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            // Everything is initialized, so that `deinit` runs, and closes: once.
            throw TestFailure.system(operation: "connect to \(host):\(port)", errorNumber: errno)
        }
        // What a test sends in pieces goes in pieces, and none waits 40 ms for the acknowledgement of the last.
        var option: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &option, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Sends all bytes.
    /// - Parameter toleratingClose: whether a peer that closes meanwhile is no failure (it may answer before it has read everything).
    public func send(_ bytes: [UInt8], toleratingClose: Bool = false) throws {
        var sent = 0
        let deadline = Deadline(seconds: timeoutSeconds)
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // The rest of the array, which outlives the call.
                unsafe Glibc.send(
                    descriptor, buffer.baseAddress! + sent, buffer.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                // A peer that answered and stopped reading leaves this side full: the answer is what counts.
                if toleratingClose, isReadable(milliseconds: 0) { return }
                guard !deadline.hasPassed else { throw TestFailure.timeout("send") }
                _ = isReady(Int16(POLLOUT), milliseconds: 50)
            } else if toleratingClose {
                return
            } else {
                throw TestFailure.system(operation: "send", errorNumber: errno)
            }
        }
    }

    /// Sends the text's UTF-8.
    public func send(_ text: String, toleratingClose: Bool = false) throws {
        try send(Array(text.utf8), toleratingClose: toleratingClose)
    }

    /// Ends this side's stream: the peer reads the end, and may still answer.
    public func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether bytes or the end arrive within that time. Takes nothing.
    public func isReadable(milliseconds: Int32) -> Bool {
        !buffered.isEmpty || isReady(Int16(POLLIN), milliseconds: milliseconds)
    }

    private func isReady(_ events: Int16, milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// Reads exactly one answer; a 100 (Continue) counts as one.
    /// - Parameter toHEAD: the answer to HEAD has no body whatever its length says (RFC 9112 §6.3).
    /// - Throws: `TestFailure.timeout`, or `.unreadable` when the stream ends or is no HTTP.
    public func readAnswer(toHEAD: Bool = false) throws -> Answer {
        let head = try readHead()
        let bodiless = toHEAD || head.status / 100 == 1 || head.status == 204 || head.status == 304
        let body = bodiless ? [] : try readBody(head.fields, Deadline(seconds: timeoutSeconds))
        return Answer(version: head.version, status: head.status, fields: head.fields, body: body)
    }

    /// Reads an answer's head and nothing of its body, which may have no end.
    public func readHead() throws -> Answer {
        let headEnd: Int = try fill(Deadline(seconds: timeoutSeconds), until: { Self.endOfHead($0) })
        guard let head = String(bytes: buffered[..<headEnd], encoding: .utf8) else {
            throw TestFailure.unreadable("head is not UTF-8")
        }
        buffered.removeFirst(headEnd)
        var lines = head.components(separatedBy: "\r\n")
        let parts = lines.removeFirst().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix("HTTP/"), let status = Int(parts[1]) else {
            throw TestFailure.unreadable("status line of \(head)")
        }
        let fields = try lines.filter { !$0.isEmpty }.map { line in
            guard let colon = line.firstIndex(of: ":") else { throw TestFailure.unreadable("field \(line)") }
            return (
                name: String(line[..<colon]),
                value: line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        return Answer(version: String(parts[0]), status: status, fields: fields, body: [])
    }

    private func readBody(_ fields: [(name: String, value: String)], _ deadline: Deadline) throws -> [UInt8] {
        func value(_ name: String) -> String? { fields.first { $0.name.lowercased() == name }?.value }
        if value("transfer-encoding")?.lowercased() == "chunked" { return try readChunks(deadline) }
        guard let length = value("content-length") else { return try readToEnd() }
        guard let count = Int(length), count >= 0 else { throw TestFailure.unreadable("Content-Length \(length)") }
        return try take(count, deadline)
    }

    private func readChunks(_ deadline: Deadline) throws -> [UInt8] {
        var body: [UInt8] = []
        while let chunk = try readChunk(deadline) { body += chunk }
        return body
    }

    /// Reads one chunk of a chunked body (RFC 9112 §7.1); nil for the last one.
    public func readChunk() throws -> [UInt8]? { try readChunk(Deadline(seconds: timeoutSeconds)) }

    private func readChunk(_ deadline: Deadline) throws -> [UInt8]? {
        let lineEnd: Int = try fill(deadline) { bytes in bytes.firstIndex(of: 10).map { $0 + 1 } }
        let line = String(decoding: try take(lineEnd, deadline), as: UTF8.self)
        let digits = line.prefix { $0.isHexDigit }
        guard let size = Int(digits, radix: 16) else { throw TestFailure.unreadable("chunk size \(line)") }
        let chunk = try take(size, deadline)
        _ = try take(2, deadline)
        return size == 0 ? nil : chunk
    }

    /// Reads what has come, waiting for at least a byte; nil at the end of the stream.
    public func readSome() throws -> [UInt8]? {
        if buffered.isEmpty, try !receive(Deadline(seconds: timeoutSeconds)) { return nil }
        defer { buffered = [] }
        return buffered
    }

    /// Reads until the peer ends the stream; a reset is an end too.
    /// - Returns: what came before the end.
    @discardableResult
    public func readToEnd() throws -> [UInt8] {
        let deadline = Deadline(seconds: timeoutSeconds)
        while try receive(deadline) {}
        defer { buffered = [] }
        return buffered
    }

    /// Reads exactly that many bytes; nil when the peer ends the stream before.
    public func readBytes(_ count: Int) throws -> [UInt8]? {
        let deadline = Deadline(seconds: timeoutSeconds)
        while buffered.count < count {
            guard try receive(deadline) else { return nil }
        }
        return try take(count, deadline)
    }

    private func take(_ count: Int, _ deadline: Deadline) throws -> [UInt8] {
        let end: Int = try fill(deadline) { $0.count >= count ? count : nil }
        defer { buffered.removeFirst(end) }
        return Array(buffered[..<end])
    }

    private func fill(_ deadline: Deadline, until complete: ([UInt8]) -> Int?) throws -> Int {
        while true {
            if let end = complete(buffered) { return end }
            guard try receive(deadline) else {
                throw TestFailure.unreadable("the stream ended after \(String(decoding: buffered, as: UTF8.self).debugDescription)")
            }
        }
    }

    /// Receives some bytes; false at the end of the stream.
    private func receive(_ deadline: Deadline) throws -> Bool {
        guard isReady(Int16(POLLIN), milliseconds: deadline.millisecondsLeft) else {
            throw TestFailure.timeout("answer; so far \(String(decoding: buffered.prefix(500), as: UTF8.self).debugDescription)")
        }
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else {
            if errno == ECONNRESET { return false }
            throw TestFailure.system(operation: "recv", errorNumber: errno)
        }
        buffered += chunk[..<count]
        return count > 0
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 3..<min(bytes.count, headBytesMax)
        where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 && bytes[index - 3] == 13 {
            return index + 1
        }
        return nil
    }
}

extension RawConnection {
    /// Has the peer read a reset: the descriptor is closed with its object, and then nothing is said goodbye to.
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
