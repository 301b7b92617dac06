// What a loop keeps of one connection between two events.
//
//     open ──answer said close──▶ closing ──all sent──▶ lingering ──peer closed, or time is up──▶ closed
//       └────────────── reset, or the peer closed with nothing owed ─────────────────────────────▶ closed
//
// An idle connection holds no buffer: what was read is parsed in the loop's own, and only what is incomplete
// stays here. Promises: at most one exchange waits for the log; what the peer sends meanwhile waits in the
// kernel (back-pressure, invariant 7). Owned by its loop; touched on the loop's queue only.
// Must not know: epoll, routes.

import HTTPWire
import Platform

final class Connection {
    /// A callback that was handed to the log and not answered yet.
    struct Pending {
        /// Names this exchange in the acknowledgement; never the connection (DESIGN.md §6).
        let ticket: UInt64
        let prepared: PreparedCallback
    }

    let fd: Int32
    let role: ListenerRole
    /// In the epoll token, beside the slot: an event for a connection before this one in its slot is not for this one.
    let generation: UInt32
    var session: HTTP1Session
    /// A request of which a part has come.
    var request: Request?
    /// Bytes that came and are not consumed: less than a head, or requests behind the one that waits.
    var input: [UInt8] = []
    /// What the peer has not taken yet, from `outputStart` on.
    var output: [UInt8] = []
    var outputStart = 0
    var pending: Pending?
    /// Whole requests may be in `input`: they wait for the log, or for the peer to read what is unsent.
    var hasWaitingInput = false
    /// What epoll watches for.
    var interest: Readiness = .readable
    /// Readable while nothing could be done with it: not watched until something can.
    var isReadingPaused = false
    /// The peer sends no more (FIN).
    var peerClosed = false
    /// An answer said that this connection ends: nothing further is parsed.
    var isClosing = false
    /// We sent FIN, and read on only to let the peer read our answer (RFC 9112 §9.6).
    var isLingering = false
    var lingerBytes = 0

    /// Beyond the bound on connections: it is told so, and nothing else.
    let isTurnedAway: Bool
    /// A request was answered: the peer knows us, and may be resting.
    var wasAnswered = false

    init(fd: Int32, role: ListenerRole, generation: UInt32, isTurnedAway: Bool, limits: HTTPLimits) {
        self.fd = fd
        self.role = role
        self.generation = generation
        self.isTurnedAway = isTurnedAway
        session = HTTP1Session(limits: limits)
    }

    var hasOutput: Bool { outputStart < output.count }
    /// Nothing further is read for now: something is owed first, or nothing is read any more.
    var isBusy: Bool { pending != nil || hasOutput || hasWaitingInput || isClosing }
}
