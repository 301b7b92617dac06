// What a loop keeps of one connection between two events.
//
//     awaits its PROXY header ──▶ undecided ──first bytes──▶ HTTP/1.1 or HTTP/2 (RFC 9113 §3.3)
//     open ──answer said close──▶ closing ──all sent──▶ lingering ──peer closed, or time is up──▶ closed
//       └────────────── reset, or the peer closed with nothing owed ─────────────────────────────▶ closed
//
// An idle connection holds no buffer: what was read is parsed in the loop's own, and only what is incomplete
// stays here. Promises: over HTTP/1.1 one exchange at most is answered later, over HTTP/2 one for each stream; what the
// peer sends beyond waits in the kernel (back-pressure, invariant 7). Owned by its loop; touched on the loop's queue only.
// Must not know: who waits for its socket, routes.

import HTTPWire
import Platform

final class Connection {
    /// What an HTTP/2 connection has beside an HTTP/1.1 one.
    final class Streams {
        let session: HTTP2Session
        /// Exchanges that are answered later, those of streams that were reset meanwhile included.
        var awaitedCount = 0
        /// Answered meanwhile, and not written yet.
        var isTouched = false
        /// Since when there have been requests that did not come whole, and the newest stream then; nil where there are none.
        var incompleteSince: (at: Int64, newest: HTTP2Session.StreamID)?
        /// Since when there have been answers that the peer's windows keep here, and what had been sent then.
        var unsentSince: (at: Int64, bytes: Int)?

        init(_ session: HTTP2Session) { self.session = session }

        /// Nothing is asked, requests that wait for their turn included, and nothing is owed.
        var isResting: Bool { session.streamCount == 0 && session.unsentBytes == 0 && awaitedCount == 0 }
    }

    let fd: Int32
    let role: ListenerRole
    /// Whom it is from; anew once its PROXY header has come.
    var peer: Peer
    /// In the epoll token, beside the slot: an event for a connection before this one in its slot is not for this one.
    let generation: UInt32
    var session: HTTP1Session
    /// Once its first bytes have said so; `session` is not used then.
    var streams: Streams?
    /// Whether the first bytes have told HTTP/1.1 from HTTP/2. Until then they are in `input`.
    var isDecided = false
    /// Which it is, for the metrics.
    var version = MeteredProtocol.undecided
    /// What is still to come of a callback that is refused for its length, so that it can be kept (HTTP/1.1).
    enum Rest { case notAwaited, awaited, over }
    var rest = Rest.notAwaited
    /// A request of which a part has come.
    var request: Request?
    /// Bytes that came and are not consumed: less than a head, or requests behind the one that waits.
    var input: [UInt8] = []
    /// What the peer has not taken yet, from `outputStart` on.
    var output: [UInt8] = []
    var outputStart = 0
    /// What the peer has taken of `output` since the deadline for that was set.
    var takenBytes = 0
    /// What of requests this connection holds in memory, as the loop has counted it.
    var heldBytes = 0
    /// What of answers its peer has not taken, likewise.
    var unsentBytes = 0
    /// Its exchange is answered later, and nothing behind that is read until then (HTTP/1.1).
    var awaitsAnswer = false
    /// The tickets of its exchanges that wait for callbacks or are streamed, by HTTP/2 stream (0 for HTTP/1.1): they end with it.
    var deferred: [Int32: UInt64] = [:]
    /// The peer sends no more, though not all of what it sent has been read: watched for only while `deferred` has any.
    var isPeerEndNoted = false
    /// Whole requests may be in `input`: they wait for that answer, or for the peer to read what is unsent.
    var hasWaitingInput = false
    /// In the loop's list of those that go on when the others have had their turn.
    var isInTurn = false
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

    init(_ newcomer: Newcomer, generation: UInt32, isTurnedAway: Bool, limits: HTTPLimits) {
        fd = newcomer.fd
        role = newcomer.role
        peer = newcomer.peer
        self.generation = generation
        self.isTurnedAway = isTurnedAway
        session = HTTP1Session(limits: limits)
    }

    var hasOutput: Bool { outputStart < output.count }
    /// Nothing further is read for now: something is owed first, or nothing is read any more.
    var isBusy: Bool { awaitsAnswer || hasOutput || hasWaitingInput || isClosing }

    /// Requests that waited can be served now (HTTP/1.1).
    var mayGoOn: Bool { hasWaitingInput && !awaitsAnswer && !hasOutput && !isClosing }

    /// What of answers is in memory now.
    var owesBytes: Int { output.count - outputStart + (streams?.session.unsentBytes ?? 0) }

    /// What of requests is in memory now: heads, bodies, input that waits.
    var holdsBytes: Int {
        if let streams { return streams.session.heldBytes }
        return input.count + (request.map { $0.head.count + $0.body.count } ?? 0)
    }
}
