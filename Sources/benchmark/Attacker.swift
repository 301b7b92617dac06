// An attack under way: a thread of its own that sends what Attack.swift says until it is told to stop.
//
// Promises: never more connections than the attack has; one that the server ends is opened again, so that being turned
// away is no end of it; all of them are reset when it stops. Its address is 127.0.0.2. What it counts has been handed to
// the kernel; of a connection that ended, the server may have read less.
// Must not know: what the attack means, and whether it does harm.

import Dispatch
import Glibc
import Platform
import Synchronization

final class Attacker: Sendable {
    struct Count {
        /// In the attack's unit.
        var units = 0
        /// Connections opened, the first ones included.
        var connections = 0
    }

    private final class Connection {
        var fd: Int32
        var output: [UInt8]
        var sent = 0
        var nextStream: UInt32 = 1
        var isOpened = false

        init(fd: Int32, opening: [UInt8]) {
            self.fd = fd
            output = opening
            isOpened = opening.isEmpty
        }
    }

    /// Turns in which nothing could be done are followed by such a pause.
    private static let idlePauseMilliseconds: Int32 = 1
    private static let readBytesMax = 65_536
    /// An id beyond which a connection is opened anew (RFC 9113 §5.1.1).
    private static let streamMax: UInt32 = 1 << 30

    private let attack: Attack
    private let port: UInt16
    private let state = Mutex((count: Count(), isStopping: false, isReady: false))
    private let done = DispatchSemaphore(value: 0)

    /// Begins.
    init(_ attack: Attack, port: UInt16) {
        self.attack = attack
        self.port = port
        DispatchQueue(label: "attacker").async { self.run() }
    }

    /// So far.
    var count: Count { state.withLock { $0.count } }

    /// Whether every connection was opened once.
    var isReady: Bool { state.withLock { $0.isReady } }

    /// Ends it, and waits until all its connections are gone.
    func stop() {
        state.withLock { $0.isStopping = true }
        done.wait()
    }

    private func run() {
        var connections: [Connection] = []
        var buffer = [UInt8](repeating: 0, count: Self.readBytesMax)
        while !state.withLock({ $0.isStopping }) {
            var count = Count()
            // Not all at once: there is a stop to be heard, and a backlog.
            for _ in 0..<64 where connections.count < attack.connections {
                if let connection = open(&count) { connections.append(connection) }
            }
            var isIdle = connections.count == attack.connections
            for connection in connections {
                if take(connection, &buffer, &count) { isIdle = false }
            }
            state.withLock {
                $0.count.units += count.units
                $0.count.connections += count.connections
                $0.isReady = connections.count == attack.connections
            }
            let isComplete = connections.count == attack.connections
            let pause = isComplete && attack.pauseMilliseconds > 0 ? attack.pauseMilliseconds : isIdle ? Self.idlePauseMilliseconds : 0
            if pause > 0, attack.connections > 0 { _ = poll(nil, 0, pause) }
        }
        for connection in connections { Socket.close(connection.fd) }
        done.signal()
    }

    private func open(_ count: inout Count) -> Connection? {
        guard let fd = connect(&count) else { return nil }
        return Connection(fd: fd, opening: attack.opening)
    }

    private func connect(_ count: inout Count) -> Int32? {
        guard let fd = try? Loopback.connect(port: port, from: .hostile) else { return nil }
        Loopback.setNonBlocking(fd)
        Loopback.resetOnClose(fd)
        count.connections += 1
        count.units += attack.openingUnits
        return fd
    }

    /// One turn of one connection. True where something happened.
    private func take(_ connection: Connection, _ buffer: inout [UInt8], _ count: inout Count) -> Bool {
        var isBusy = false
        if connection.sent == connection.output.count, !attack.block.bytes.isEmpty {
            connection.output.removeAll(keepingCapacity: true)
            connection.sent = 0
            attack.block.append(firstStream: connection.nextStream, to: &connection.output)
            connection.nextStream += 2 * attack.block.streamCount
        }
        if connection.sent < connection.output.count {
            switch Socket.send(connection.fd, connection.output, from: connection.sent) {
            case .bytes(let bytes):
                isBusy = true
                connection.sent += bytes
                if connection.sent == connection.output.count {
                    if connection.isOpened { count.units += attack.block.units }
                    connection.isOpened = true
                }
            case .wouldBlock: break
            case .failed: return reopen(connection, &count)
            }
        }
        if connection.nextStream > Self.streamMax { return reopen(connection, &count) }
        guard attack.isReading else { return isBusy }
        switch Socket.receive(connection.fd, into: &buffer, from: 0) {
        case .bytes: return attack.endsWhenAnswered ? reopen(connection, &count) : true
        case .wouldBlock: return isBusy
        case .end, .failed: return reopen(connection, &count)
        }
    }

    private func reopen(_ connection: Connection, _ count: inout Count) -> Bool {
        guard let fd = connect(&count) else { return false }
        Socket.close(connection.fd)
        connection.fd = fd
        connection.output = attack.opening
        connection.sent = 0
        connection.nextStream = 1
        connection.isOpened = attack.opening.isEmpty
        return true
    }
}
