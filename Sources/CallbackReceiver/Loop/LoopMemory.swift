// What all connections of a loop may hold in memory together, and whose it is when that is too much.
//
// Promises: requests that are not whole, and answers that are not taken, are bounded for the loop, whatever each
// connection may hold (invariant 7). At the bound nobody is made to pay who holds less than an equal share: it is not
// what the memory is full of, and all such together hold no more than the bound once again.
// Must not know: what requests and answers say.

import HTTPWire

extension Loop {
    /// Counts what the connection holds; over a bound, room is made.
    mutating func account(_ connection: Connection, _ slot: Int) {
        let unsent = connection.owesBytes
        if unsent != connection.unsentBytes {
            unsentBytes += unsent - connection.unsentBytes
            connection.unsentBytes = unsent
            if unsentBytes > Self.unsentInAllBytesMax, leaveReader(slot) { return }
        }
        let held = connection.holdsBytes
        guard held != connection.heldBytes else { return }
        heldBytes += held - connection.heldBytes
        connection.heldBytes = held
        if heldBytes > Self.heldBytesMax { refuseSender(connection, slot) }
    }

    private func share(of bytesMax: Int) -> Int { bytesMax / max(1, handle.connectionCount ?? 1) }

    /// The first of those that have waited longest with `kind` for whom `isMeant`.
    func oldest(_ kind: Deadline, _ isMeant: (Connection, Int) -> Bool) -> Int? {
        var candidate = deadlines.oldest(kind)
        for _ in 0..<Self.closeLooksMax {
            guard let slot = candidate else { return nil }
            if let connection = slots[slot], isMeant(connection, slot) { return slot }
            candidate = deadlines.next(after: slot)
        }
        return nil
    }

    /// Closes the connection that has kept an answer waiting for longest, else this one. True where it was this one.
    private mutating func leaveReader(_ slot: Int) -> Bool {
        let share = share(of: Self.unsentInAllBytesMax)
        let victim = oldest(.write) { other, _ in other.unsentBytes >= share } ?? slot
        guard let other = slots[victim], other.unsentBytes >= share else { return false }
        refusalLog.warning("connection closed: too much of answers is not taken", ["bytes": .stringConvertible(unsentBytes)], now: now)
        close(victim)
        return victim == slot
    }

    /// Refuses the request of whoever has been sending a body for longest, or who holds much over HTTP/2, else this one's.
    private mutating func refuseSender(_ connection: Connection, _ slot: Int) {
        let share = share(of: Self.heldBytesMax)
        let holdsMuch = connection.streams != nil && connection.heldBytes > Self.heldShareBytesMax
        let victim = holdsMuch ? slot : oldest(.body) { other, _ in other.heldBytes >= share } ?? slot
        guard let other = slots[victim], other.heldBytes >= share else { return }
        refusalLog.warning("requests refused: too much of unfinished ones is in memory", ["bytes": .stringConvertible(heldBytes)], now: now)
        if let streams = other.streams {
            streams.session.timeOutIncomplete(through: streams.session.newestStream)
        } else {
            refuse(.bodyTimeout, other, victim)
        }
        finish(other, victim)
    }
}
