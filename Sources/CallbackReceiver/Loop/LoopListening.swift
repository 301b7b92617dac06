// A loop's listeners: who comes in, who goes to another loop, for whom room is made.
//
//     watched ──accept fails, nobody can make room──▶ resting ──acceptPauseMilliseconds──▶ watched
//        └───────────── drain ─────────────▶ gone ◀───────────── drain ────┘
//
// Promises: never more than `connectionsMax` connections; at the bound one that rests, on whichever loop, makes room, else the
// newcomer is told 503. A listener that cannot be served is not asked again and again (it stays readable).
// Must not know: what connections say.

import HTTPWire
import Platform

extension Loop {
    /// Connections accepted in one go, so that those that are open are not kept waiting.
    static let acceptsMax = 64
    /// Whoever has come within this time is about to speak, and is not closed to make room.
    static let restMilliseconds: Int64 = 1_000
    /// A rest for listeners whose accept fails for want of descriptors or memory; a connection that closes ends it.
    static let acceptPauseMilliseconds: Int64 = 1_000

    /// How many resting connections are looked at for one to close.
    static let closeLooksMax = 16
    /// Watches all of them, or, where that fails, none.
    mutating func watchListeners() throws(SystemError) {
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
    mutating func accept(from entry: (listener: Listener, role: ListenerRole)) -> Bool {
        for _ in 0..<Self.acceptsMax {
            let newcomer: Newcomer
            do throws(SystemError) {
                let (fd, address) = try entry.listener.accept()
                newcomer = Newcomer(fd: fd, role: entry.role, peer: context.admission.admit(address))
            } catch {
                if error.isWouldBlock { return false }
                if error.isOfOneConnection || error.isOutOfDescriptors && makeRoom() { continue }
                restListening(because: error)
                return false
            }
            let (target, total) = place()
            if newcomer.peer.standing == .beyondLimit {
                turnAway(newcomer)
            } else if total >= context.connectionsMax {
                admit(newcomer, hops: context.handles.count - 1)
            } else if target != index, context.handles[target].reserve() {
                context.handles[target].post(.connection(newcomer))
            } else if handle.reserve() {
                open(newcomer)
            } else {
                drop(newcomer)
            }
        }
        return true
    }

    /// At the bound: one that rests makes room, here or on one of the next `hops` loops; else 503.
    mutating func admit(_ newcomer: Newcomer, hops: Int) {
        let next = context.handles[(index + 1) % context.handles.count]
        if isStopped {
            drop(newcomer)
        } else if makeRoom(), handle.reserve() {
            open(newcomer)
        } else if hops > 0, next.connectionCount != nil {
            next.post(.newcomer(newcomer, hops: hops - 1))
        } else {
            turnAway(newcomer)
        }
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

    /// Closes the connection that has rested longest. Not one that has just come, since it is about to speak, and
    /// not one that has spoken already: its callback is the only one there will ever be.
    private mutating func makeRoom() -> Bool {
        let rested = oldest(.idle) { connection, slot in
            let rests = connection.wasAnswered || deadlines.began(slot) ?? now < now - Self.restMilliseconds
            // What waits for its turn has been read already: the socket does not show it.
            return rests && !connection.isInTurn && !Socket.isReadable(connection.fd)
        }
        guard let rested, let connection = slots[rested] else { return false }
        sayGoodbye(connection)
        close(rested)
        return true
    }

    /// Over HTTP/2 a peer is told which streams were not looked at (RFC 9113 §6.8); over HTTP/1.1 it sees the FIN.
    private mutating func sayGoodbye(_ connection: Connection) {
        guard let streams = connection.streams, !connection.hasOutput else { return }
        streams.session.endShutdown()
        sendFrames(connection, streams)
        _ = Socket.send(connection.fd, output, from: 0)
        output.removeAll(keepingCapacity: true)
    }

    private mutating func restListening(because error: SystemError) {
        refusalLog.warning("no connection can be accepted at the moment", ["error": "\(error)"], now: now)
        guard listeningResumesAt == nil else { return }
        for entry in listeners { events.remove(entry.listener.descriptor) }
        listeningResumesAt = now + Self.acceptPauseMilliseconds
    }

    mutating func resumeListening() {
        listeningResumesAt = nil
        do throws(SystemError) {
            try watchListeners()
        } catch {
            listeningResumesAt = now + Self.acceptPauseMilliseconds
        }
    }

    /// No new connections; those that are open are answered, then closed.
    mutating func drain() {
        guard !isDraining else { return }
        drainBegan = now
        // What is in the backlog was accepted by the kernel; it counts as accepted.
        for entry in listeners {
            var turns = Int(Listener.backlogMax) / Self.acceptsMax
            while turns > 0, accept(from: entry) { turns -= 1 }
        }
        if listeningResumesAt == nil { for entry in listeners { events.remove(entry.listener.descriptor) } }
        listeningResumesAt = nil
        listeners = []
        for slot in slots.indices {
            if deadlines.kind(of: slot) == .idle { deadlines.set(.drain, for: slot, now: now) }
            if let connection = slots[slot] { drainDeferred(connection) }
            guard let connection = slots[slot], let streams = connection.streams, !connection.isClosing else { continue }
            streams.session.beginShutdown()
            finish(connection, slot)
        }
    }
}
