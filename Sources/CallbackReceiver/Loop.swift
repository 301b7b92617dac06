// A loop: one epoll set, run by one block that occupies one serial Dispatch queue.
//
//     wait ─▶ for each ready descriptor: accept │ read ─▶ parse ─▶ route ─▶ answer │ write on
//       ▲                                                            └─▶ log.append … acknowledgement ─▶ answer
//       └──── mailbox, deadlines ◀────────────────────────────────────────────────────────┘
//
// Promises: everything of a connection happens on its loop. One write for each connection in a drain. Tokens
// carry a generation, tickets a serial number, never a descriptor: descriptors are reused.
// Must not know: what routes answer, how the log stores.

import CallbackLog
import HTTPWire
import Logging
import Platform

/// What every loop of a server shares.
struct LoopContext: Sendable {
    let router: Router
    let limits: HTTPLimits
    let configuration: ServerConfiguration
    let listeners: [(listener: Listener, role: ListenerRole)]
    let handles: [LoopHandle]
    let connectionsMax: Int
    let logger: Logger
    /// Called once by each loop, when it has drained or was stopped.
    let loopEnded: @Sendable () -> Void
}

final class Loop {
    /// What one read takes at most. Larger bodies come in several.
    static let readBytesMax = 64 * 1_024
    /// With so much unsent, a connection's further requests wait (pipelining without reading).
    static let unsentBytesMax = 64 * 1_024
    /// Buffers larger than this are given back after use.
    static let keptBytesMax = 256 * 1_024
    /// What a closing peer may still send us before we stop listening to it.
    static let lingerBytesMax = 1_024 * 1_024
    /// Connections accepted in one go, so that those that are open are not kept waiting.
    static let acceptsMax = 64

    private static let wakeupToken = UInt64.max
    private static let listenerToken = UInt64.max - 1_024

    let context: LoopContext
    let index: Int
    let recipient: Int
    let events: EventSet
    var slots: [Connection?] = []
    var freeSlots: [Int] = []
    var deadlines: Deadlines
    var now = Clock.coarseMilliseconds()
    var isDraining = false
    var refusalLog: RateLimitedLog

    // Storage that every request of the loop reuses.
    var readBuffer = [UInt8](repeating: 0, count: Loop.readBytesMax)
    var request = Request()
    var response = Response()
    var output: [UInt8] = []
    var scratch = RouteScratch()

    private var handle: LoopHandle { context.handles[index] }
    private var messages: [LoopMessage] = []
    private var generation: UInt32 = 0
    private var ticket: UInt64 = 0
    private var isStopped = false
    private var dateSecond: Int64 = -1
    private var dateNow = HTTPDate(unixSeconds: 0)

    init(_ context: LoopContext, index: Int, recipient: Int) throws(SystemError) {
        self.context = context
        self.index = index
        self.recipient = recipient
        let configuration = context.configuration
        deadlines = Deadlines(
            idleSeconds: configuration.idleSeconds, headSeconds: configuration.headerSeconds, bodySeconds: configuration.bodySeconds)
        refusalLog = RateLimitedLog(context.logger)
        events = try EventSet()
        try events.add(context.handles[index].wakeup.descriptor, token: Self.wakeupToken, interest: .readable)
        for (number, entry) in context.listeners.enumerated() {
            try events.add(entry.listener.descriptor, token: Self.listenerToken + UInt64(number), interest: [.readable, .exclusive])
        }
    }

    /// Runs until the server stops. Occupies its queue.
    func run() {
        while !isStopped, !(isDraining && handle.connectionCount.load(ordering: .relaxed) == 0) {
            let wait = deadlines.milliseconds(untilNextFrom: now).map { Int32(clamping: $0 + 1) } ?? -1
            events.wait(timeoutMilliseconds: wait) { token, ready in handle(token, ready) }
            now = Clock.coarseMilliseconds()
            while let (slot, kind) = deadlines.takeExpired(now: now) {
                if let connection = slots[slot] { expire(connection, slot, kind) }
            }
        }
        for slot in slots.indices { close(slot) }
        // What was handed over while we left is closed, not leaked.
        takeMessages()
        context.loopEnded()
    }

    private func handle(_ token: UInt64, _ ready: Readiness) {
        if token == Self.wakeupToken {
            now = Clock.coarseMilliseconds()
            handle.wakeup.acknowledge()
            takeMessages()
        } else if token >= Self.listenerToken {
            accept(context.listeners[Int(token - Self.listenerToken)])
        } else {
            let slot = Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
            guard slot < slots.count, let connection = slots[slot], connection.generation == UInt32(token >> 32) else { return }
            serve(connection, slot, ready)
        }
    }

    private func takeMessages() {
        handle.mailbox.take(into: &messages)
        for message in messages {
            switch message {
            case .acknowledgements(let list):
                for acknowledgement in list { answer(acknowledgement) }
            case .connection(let fd, let role):
                if isStopped { Socket.close(fd) } else { open(fd, role) }
            case .drain: drain()
            case .stop: isStopped = true
            }
        }
    }

    // MARK: connections

    private func accept(_ entry: (listener: Listener, role: ListenerRole)) {
        for _ in 0..<Self.acceptsMax {
            let fd: Int32
            do throws(SystemError) {
                fd = try entry.listener.accept()
            } catch {
                // Out of descriptors: the longest idle connection makes room, or the next drain tries again.
                if error.isOutOfDescriptors { closeLongestIdle() }
                return
            }
            // The loop with the fewest connections takes it; a difference of one is not worth the hand-over.
            var target = index
            var fewest = handle.connectionCount.load(ordering: .relaxed) - 1
            var total = 0
            for (number, other) in context.handles.enumerated() {
                let count = other.connectionCount.load(ordering: .relaxed)
                total += count
                if number != index, count < fewest {
                    fewest = count
                    target = number
                }
            }
            if total >= context.connectionsMax, !closeLongestIdle() {
                refuse(fd)
                continue
            }
            context.handles[target].connectionCount.add(1, ordering: .relaxed)
            if target == index { open(fd, entry.role) } else { context.handles[target].post(.connection(fd: fd, role: entry.role)) }
        }
    }

    private func open(_ fd: Int32, _ role: ListenerRole) {
        Socket.setNoDelay(fd)
        generation &+= 1
        // The two highest tokens are not connections'.
        if generation >= UInt32.max - 1 { generation = 1 }
        let connection = Connection(fd: fd, role: role, generation: generation, limits: context.limits)
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(connection) } else { slots[slot] = connection }
        do throws(SystemError) {
            try events.add(fd, token: token(connection, slot), interest: .readable)
        } catch {
            return close(slot)
        }
        deadlines.set(isDraining ? .drain : .idle, for: slot, now: now)
    }

    func token(_ connection: Connection, _ slot: Int) -> UInt64 {
        UInt64(connection.generation) << 32 | UInt64(slot)
    }

    /// Closing the descriptor takes it out of the epoll set, too.
    func close(_ slot: Int) {
        guard let connection = slots[slot] else { return }
        deadlines.clear(slot)
        slots[slot] = nil
        freeSlots.append(slot)
        Socket.close(connection.fd)
        handle.connectionCount.subtract(1, ordering: .relaxed)
    }

    @discardableResult
    private func closeLongestIdle() -> Bool {
        guard let slot = deadlines.oldest(.idle) else { return false }
        close(slot)
        return true
    }

    /// Over `server.connections-max`, and none is idle: 503 without reading, and done.
    private func refuse(_ fd: Int32) {
        Router.unavailable("The server has as many connections as it may (server.connections-max).", Problem.overloadRetrySeconds, nil, &response)
        var bytes: [UInt8] = []
        var session = HTTP1Session(limits: context.limits)
        session.refuse(.headTimeout)
        session.respondRefusal(response, date: date(), into: &bytes)
        _ = Socket.send(fd, bytes, from: 0)
        Socket.close(fd)
        refusalLog.warning("connection refused: as many as server.connections-max are open, and none is idle", [:], now: now)
    }

    private func drain() {
        guard !isDraining else { return }
        // What is in the backlog was accepted by the kernel; it counts as accepted.
        for entry in context.listeners {
            accept(entry)
            events.remove(entry.listener.descriptor)
        }
        isDraining = true
        for slot in slots.indices where deadlines.kind(of: slot) == .idle { deadlines.set(.drain, for: slot, now: now) }
    }

    // MARK: small things

    func nextTicket(for slot: Int) -> UInt64 {
        ticket = (ticket + 1) & 0xFF_FFFF_FFFF
        return UInt64(slot) << 40 | ticket
    }

    func date() -> HTTPDate {
        let second = Clock.wallMilliseconds() / 1_000
        if second != dateSecond {
            dateSecond = second
            dateNow = HTTPDate(unixSeconds: second)
        }
        return dateNow
    }
}
