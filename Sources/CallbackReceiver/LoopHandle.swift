// A loop as others see it: a mailbox, a wake-up and how many connections it has.
//
// Promises: safe from any thread. The mailbox needs no bound of its own: a connection has one callback in
// flight at most, and connections are bounded (invariant 7).
// Must not know: what the loop does with a message.

import CallbackLog
import Platform
import Synchronization

enum LoopMessage: Sendable {
    case acknowledgements([Acknowledgement])
    /// An accepted connection that another loop hands over.
    case connection(fd: Int32, role: ListenerRole)
    /// Stop accepting; answer what comes, then close.
    case drain
    /// Close everything now.
    case stop
}

final class LoopHandle: Sendable {
    let wakeup: Wakeup
    let mailbox: Mailbox<LoopMessage>
    let connectionCount = Atomic<Int>(0)

    init() throws(SystemError) {
        let wakeup = try Wakeup()
        self.wakeup = wakeup
        mailbox = Mailbox(weightMax: .max) { wakeup.signal() }
    }

    func post(_ message: LoopMessage) {
        let taken = mailbox.post(message)
        precondition(taken, "the mailbox of a loop has no bound to reach")
    }
}
