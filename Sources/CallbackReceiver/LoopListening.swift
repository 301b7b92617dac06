// A loop's listeners: who comes in, who goes to another loop, who is turned away.
//
//     watched ──accept fails, nobody can make room──▶ resting ──acceptPauseMilliseconds──▶ watched
//        └───────────── drain ─────────────▶ gone ◀───────────── drain ────┘
//
// Promises: never more than `connectionsMax` connections; at the bound the longest idle one makes room, else the
// newcomer is told 503. A listener that cannot be served is not asked again and again (it stays readable).
// Must not know: what connections say.

import HTTPWire
import Platform

extension Loop {
    /// Connections accepted in one go, so that those that are open are not kept waiting.
    static let acceptsMax = 64
    /// Whoever has come or was answered within this time has perhaps a request on its way, and is not closed to make
    /// room: the newcomer is refused, and may come again after as long (`Retry-After`).
    static let restMilliseconds: Int64 = 1_000
    /// A rest for listeners whose accept fails for want of descriptors or memory; a connection that closes ends it.
    static let acceptPauseMilliseconds: Int64 = 1_000

    /// Watches all of them, or, where that fails, none.
    func watchListeners() throws(SystemError) {
        for (number, entry) in listeners.enumerated() {
            do throws(SystemError) {
                try events.add(entry.listener.descriptor, token: Self.listenerToken + UInt64(number), interest: [.readable, .exclusive])
            } catch {
                for watched in listeners.prefix(number) { events.remove(watched.listener.descriptor) }
                throw error
            }
        }
    }

    /// Takes at most `acceptsMax` of those who wait. True where more may wait.
    @discardableResult
    func accept(from entry: (listener: Listener, role: ListenerRole)) -> Bool {
        for _ in 0..<Self.acceptsMax {
            let fd: Int32
            do throws(SystemError) {
                fd = try entry.listener.accept()
            } catch {
                if error.isWouldBlock { return false }
                if error.isOutOfDescriptors, makeRoom() { continue }
                restListening(because: error)
                return false
            }
            let (target, total) = place()
            if total >= context.connectionsMax, !makeRoom() {
                refuse(fd)
            } else if target != index, context.handles[target].reserve() {
                context.handles[target].post(.connection(fd: fd, role: entry.role))
            } else if handle.reserve() {
                open(fd, entry.role)
            } else {
                Socket.close(fd)
            }
        }
        return true
    }

    /// The loop with the fewest connections, and how many there are in all. A difference of one is not worth
    /// the hand-over; while draining, the others may have ended.
    private func place() -> (target: Int, total: Int) {
        var target = index
        var fewest = isDraining ? 0 : (handle.connectionCount ?? 0) - 1
        var total = 0
        for (number, other) in context.handles.enumerated() {
            guard let count = other.connectionCount else { continue }
            total += count
            if number != index, count < fewest {
                fewest = count
                target = number
            }
        }
        return (target, total)
    }

    /// Closes the connection that has rested longest, unless what it rested for may be on its way. False where there
    /// is none.
    private func makeRoom() -> Bool {
        for _ in 0..<Self.acceptsMax {
            guard let slot = resting, let connection = slots[slot] else { return false }
            // Closing would lose what has come and was not read yet.
            serve(connection, slot, .readable)
            guard resting == slot, slots[slot] === connection else {
                if slots[slot] == nil { return true }
                continue
            }
            close(slot)
            return true
        }
        return false
    }

    private var resting: Int? { deadlines.oldest(.idle, setBefore: now - Self.restMilliseconds) }

    /// Over `server.connections-max`, and none rests: 503, and done.
    private func refuse(_ fd: Int32) {
        Router.unavailable("The server has as many connections as it may (server.connections-max).", Problem.overloadRetrySeconds, nil, &response)
        var bytes: [UInt8] = []
        var session = HTTP1Session(limits: context.limits)
        session.refuse(.headTimeout)
        session.respondRefusal(response, date: date(), into: &bytes)
        _ = Socket.send(fd, bytes, from: 0)
        // What has come is read, lest closing resets the connection before the peer has our answer.
        _ = Socket.receive(fd, into: &readBuffer, from: 0)
        Socket.close(fd)
        refusalLog.warning("connection refused: as many as server.connections-max are open, and none rests", [:], now: now)
    }

    private func restListening(because error: SystemError) {
        refusalLog.warning("no connection can be accepted at the moment", ["error": "\(error)"], now: now)
        guard listeningResumesAt == nil else { return }
        for entry in listeners { events.remove(entry.listener.descriptor) }
        listeningResumesAt = now + Self.acceptPauseMilliseconds
    }

    func resumeListening() {
        listeningResumesAt = nil
        do throws(SystemError) {
            try watchListeners()
        } catch {
            listeningResumesAt = now + Self.acceptPauseMilliseconds
        }
    }

    /// No new connections; those that are open are answered, then closed.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        // What is in the backlog was accepted by the kernel; it counts as accepted.
        for entry in listeners {
            var turns = Int(Listener.backlogMax) / Self.acceptsMax
            while turns > 0, accept(from: entry) { turns -= 1 }
        }
        if listeningResumesAt == nil { for entry in listeners { events.remove(entry.listener.descriptor) } }
        listeningResumesAt = nil
        listeners = []
        for slot in slots.indices where deadlines.kind(of: slot) == .idle { deadlines.set(.drain, for: slot, now: now) }
    }
}
