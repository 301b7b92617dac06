// Sockets and the epoll set, on the loopback of this machine.
//
// Promises: nothing waits; every call here returns at once. Ports are the kernel's choice.
// Must not know: HTTP, loops.

import Foundation
import Glibc
import Platform
import Testing

/// A connected pair of non-blocking stream sockets, closed with the test.
final class SocketPair {
    let left: Int32
    let right: Int32

    init() throws {
        var pair: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw SystemError(operation: "socketpair", code: errno) }
        (left, right) = (pair[0], pair[1])
    }

    private var isLeftOpen = true
    func closeLeft() {
        if isLeftOpen { Socket.close(left) }
        isLeftOpen = false
    }

    deinit {
        closeLeft()
        Socket.close(right)
    }
}

@Suite struct ListenerTests {
    /// ::1 only on a machine that has it.
    private static let loopbacks = ["127.0.0.1"] + (FileManager.default.fileExists(atPath: "/proc/net/if_inet6") ? ["::1"] : [])

    @Test("port 0 takes a free port and says which", arguments: loopbacks)
    func free(host: String) throws {
        let listeners = try Listener.listen(on: SocketAddress(host: host, port: 0))
        #expect(listeners.count == 1)
        let address = try #require(listeners.first).address
        #expect(address.host == host)
        #expect(address.port > 0)
        #expect(address.text == (host == "::1" ? "[::1]:\(address.port)" : "127.0.0.1:\(address.port)"))
    }

    @Test("a port in use is told as such, and is free again once its listener is let go")
    func inUse() throws {
        var listeners = try Listener.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
        let address = try #require(listeners.first).address
        let failure = #expect(throws: SystemError.self) { try Listener.listen(on: address) }
        #expect(failure?.isAddressInUse == true)
        #expect(failure?.operation == "bind" || failure?.operation == "listen")
        #expect(failure?.path == address.text)
        listeners = []
        #expect(try Listener.listen(on: address).count == 1)
    }

    @Test("a name that no one has is a failure that names it")
    func unknown() {
        let address = SocketAddress(host: "no-such-host.invalid", port: 1)
        let failure = #expect(throws: SystemError.self) { try Listener.listen(on: address) }
        #expect(failure?.operation == "getaddrinfo")
        #expect(failure?.path == "no-such-host.invalid:1")
    }

    @Test("an IPv6 peer has its address, too", .enabled(if: loopbacks.contains("::1")))
    func acceptIPv6() throws {
        let listener = try #require(try Listener.listen(on: SocketAddress(host: "::1", port: 0)).first)
        let client = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        defer { Socket.close(client) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = listener.address.port.bigEndian
        #expect(unsafe inet_pton(AF_INET6, "::1", &address.sin6_addr) == 1)
        // The address lives for the call; its length is its own.
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(client, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        #expect(status == 0)
        let (connection, from) = try listener.accept()
        Socket.close(connection)
        #expect(from == IPAddress("::1"))
    }

    private enum Operation { case bind, connect }

    private func call(_ operation: Operation, _ fd: Int32, host: UInt32, port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: host.bigEndian)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The address lives for the call; its length is its own.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe operation == .bind ? bind(fd, $0, length) : connect(fd, $0, length)
            }
        }
    }

    @Test("nobody waits: accept says so; a connection is non-blocking, closed on exec, and has its peer's address")
    func accept() throws {
        let listener = try #require(try Listener.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).first)
        #expect(#expect(throws: SystemError.self) { try listener.accept() }?.isWouldBlock == true)

        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Socket.close(client) }
        #expect(call(.bind, client, host: 0x7F00_0003, port: 0) == 0)
        #expect(call(.connect, client, host: 0x7F00_0001, port: listener.address.port) == 0)
        let (connection, from) = try listener.accept()
        #expect(from.text == "127.0.0.3")
        defer { Socket.close(connection) }
        Socket.setNoDelay(connection)
        #expect(fcntl(connection, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(connection, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(listener.descriptor, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(Socket.send(connection, Array("hello".utf8), from: 1) == .bytes(4))
        var buffer = [UInt8](repeating: 0x2E, count: 8)
        #expect(Socket.receive(client, into: &buffer, from: 2) == .bytes(4))
        #expect(String(decoding: buffer, as: UTF8.self) == "..ello..")
    }
}

@Suite struct SocketTests {
    @Test("what the kernel does not take is left to the caller: every byte arrives, in order, over many sends")
    func partial() throws {
        let pair = try SocketPair()
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
        var sent = 0
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        var refusals = 0
        while received.count < bytes.count {
            while sent < bytes.count, case .bytes(let count) = Socket.send(pair.left, bytes, from: sent) { sent += count }
            if sent < bytes.count {
                #expect(Socket.send(pair.left, bytes, from: sent) == .wouldBlock)
                refusals += 1
            }
            guard case .bytes(let count) = Socket.receive(pair.right, into: &buffer, from: 0) else { continue }
            received.append(contentsOf: buffer[..<count])
        }
        #expect(refusals > 0, "it was more than a socket holds")
        #expect(received == bytes)
    }

    @Test("nothing there, an end, and a peer that went away are values, not signals")
    func ends() throws {
        let pair = try SocketPair()
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(Socket.receive(pair.right, into: &buffer, from: 0) == .wouldBlock)
        Socket.closeSending(pair.left)
        #expect(Socket.receive(pair.right, into: &buffer, from: 0) == .end)
        #expect(Socket.send(pair.right, [1, 2, 3], from: 0) == .bytes(3), "half closed: the other way is open")
        #expect(Socket.receive(pair.left, into: &buffer, from: 0) == .bytes(3))
        pair.closeLeft()
        #expect(Socket.send(pair.right, [1], from: 0) == .failed)
    }
}

@Suite struct EventSetTests {
    /// What is ready now.
    private func ready(_ events: EventSet) -> [UInt64: Readiness] {
        var ready: [UInt64: Readiness] = [:]
        events.wait(timeoutMilliseconds: 0) { ready[$0] = $1 }
        return ready
    }

    @Test("readiness is told by token, for what is watched, as long as it lasts")
    func level() throws {
        let pair = try SocketPair()
        let events = try EventSet()
        try events.add(pair.left, token: .max, interest: .readable)
        #expect(ready(events) == [:])
        #expect(Socket.send(pair.right, [1, 2], from: 0) == .bytes(2))
        #expect(ready(events) == [.max: .readable])
        #expect(ready(events) == [.max: .readable], "level-triggered")
        events.modify(pair.left, token: 5, interest: [.readable, .writable])
        #expect(ready(events) == [5: [.readable, .writable]])
        events.modify(pair.left, token: 5, interest: [])
        #expect(ready(events) == [:])
        events.remove(pair.left)
        try events.add(pair.left, token: 6, interest: .writable)
        #expect(ready(events) == [6: .writable])
    }

    @Test("a peer that closed is told though only the other direction is watched")
    func hangup() throws {
        let pair = try SocketPair()
        let events = try EventSet()
        try events.add(pair.right, token: 1, interest: [])
        pair.closeLeft()
        #expect(ready(events)[1]?.contains(.hangup) == true)
    }

    @Test("a descriptor is added once; a second time is a failure")
    func twice() throws {
        let pair = try SocketPair()
        let events = try EventSet()
        try events.add(pair.left, token: 1, interest: .readable)
        #expect(throws: SystemError(operation: "epoll_ctl", code: EEXIST)) { try events.add(pair.left, token: 2, interest: .readable) }
    }

    @Test("signals not yet acknowledged are one; acknowledged, the set is quiet")
    func wakeup() throws {
        let events = try EventSet()
        let wakeup = try Wakeup()
        try events.add(wakeup.descriptor, token: 0, interest: .readable)
        #expect(ready(events) == [:])
        wakeup.acknowledge()
        for _ in 0..<1_000 { wakeup.signal() }
        #expect(ready(events) == [0: .readable])
        wakeup.acknowledge()
        #expect(ready(events) == [:])
        wakeup.signal()
        #expect(ready(events) == [0: .readable])
    }

    @Test("one wait tells at most a drain's worth; the next one tells the rest")
    func drain() throws {
        let events = try EventSet()
        let wakeups = try (0..<(EventSet.eventsMax + 10)).map { _ in try Wakeup() }
        for (token, wakeup) in wakeups.enumerated() {
            try events.add(wakeup.descriptor, token: UInt64(token), interest: .readable)
            wakeup.signal()
        }
        var seen: Set<UInt64> = []
        let first = ready(events)
        #expect(first.count == EventSet.eventsMax)
        for token in first.keys { wakeups[Int(token)].acknowledge() }
        seen.formUnion(first.keys)
        seen.formUnion(ready(events).keys)
        #expect(seen.count == wakeups.count)
    }
}
