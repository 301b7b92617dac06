// A loop as others see it: a mailbox, a wake-up and how many connections it has.
//
// Promises: safe from any thread. The mailbox needs no bound of its own: callbacks in flight are
// bounded (Exchanges.waitingMax), and so are questions (QueryQueue.waitingMax) and connections (invariant 7). Whoever hands a connection over reserves its place
// first, so that a loop never ends with one on its way.
// Must not know: what the loop does with a message.

import CallbackLog
import HTTPWire
import Platform
import Synchronization

/// An accepted connection that no loop serves yet.
struct Newcomer: Sendable {
    let fd: Int32
    let role: ListenerRole
    let peer: Peer
}

enum LoopMessage: Sendable {
    case acknowledgements([Acknowledgement])
    /// What a query queue says to the question of this ticket.
    case answer(ticket: UInt64, Response)
    /// What a query queue says to a batch.
    case asked([Asked], AskingLane)
    /// Whether the body that the exchange of this ticket refuses is kept.
    case kept(ticket: UInt64, Bool)
    /// Records have become durable: `advances` has which.
    case advanced
    /// One that another loop hands over.
    case connection(Newcomer)
    /// One for whom there is no place: that loop could make no room, perhaps this one can. `hops` more may be asked.
    case newcomer(Newcomer, hops: Int)
    /// Are you there?
    case alive(@Sendable () -> Void)
    /// Go by this from now on.
    case takeUp(LoopContext)
    /// Who may ask is decided anew: of whoever follows the log, somebody may not any more.
    case accessNarrowed
    /// Stop accepting; answer what comes, then close.
    case drain
    /// Close everything now.
    case stop
}

final class LoopHandle: Sendable {
    let wakeup: Wakeup
    let mailbox: Mailbox<LoopMessage>
    let advances = Advances()
    let meters = LoopMeters()
    /// Says when the loop waits for the disk.
    let disk = DiskWait()
    /// Open, or reserved for one on its way; far below zero once the loop has ended.
    private let places = Atomic<Int>(0)
    private static let ended = Int.min / 2

    init() throws(SystemError) {
        let wakeup = try Wakeup()
        self.wakeup = wakeup
        mailbox = Mailbox(weightMax: .max) { wakeup.signal() }
    }

    func post(_ message: LoopMessage) {
        let taken = mailbox.post(message)
        precondition(taken, "the mailbox of a loop has no bound to reach")
    }

    /// Records of these requests have become durable.
    func advance(_ requestHashes: [UInt64]) {
        if advances.note(requestHashes) { post(.advanced) }
    }

    // MARK: connections

    /// Nil once the loop has ended.
    var connectionCount: Int? {
        let count = places.load(ordering: .relaxed)
        return count < 0 ? nil : count
    }

    /// A place for one more connection. False where the loop has ended: it would never be served.
    func reserve() -> Bool {
        if places.add(1, ordering: .relaxed).newValue > 0 { return true }
        places.subtract(1, ordering: .relaxed)
        return false
    }

    /// A connection was closed.
    func release() { places.subtract(1, ordering: .relaxed) }

    /// True where there is no connection and none on its way; from then on there can be none.
    func endIfEmpty() -> Bool {
        places.compareExchange(expected: 0, desired: Self.ended, ordering: .relaxed).exchanged
    }

    /// Whatever there is: no more from now on.
    func end() { places.store(Self.ended, ordering: .relaxed) }

    /// What was handed over to a loop that had been told to stop. Only once every loop has ended.
    func closeLeftovers() {
        var messages: [LoopMessage] = []
        mailbox.take(into: &messages)
        for message in messages {
            switch message {
            // No loop is left that could ask how many there are: they need not be released.
            case .connection(let newcomer), .newcomer(let newcomer, _): Socket.close(newcomer.fd)
            case .acknowledgements, .answer, .asked, .kept, .advanced, .alive, .takeUp, .accessNarrowed, .drain, .stop: break
            }
        }
    }
}
