// One stream of an HTTP/2 connection (RFC 9113 §5.1) as far as requests and answers go.
//
//     free ──HEADERS──▶ head ──block ends──▶ body ──END_STREAM──▶ ready ──next──▶ taken ──respond──▶ answered
//                        │                     │                   ▲
//                        └──── END_STREAM, or refused ─────────────┘         (any) ──reset, or all sent──▶ free
//
//     answered ──all sent, but the request goes on──▶ lingering ──a while later: reset──▶ free
//
// Promises: a plain value in a table of places; its arrays keep a small capacity for the next stream.
// Must not know: frames, windows, the other streams.

/// What is known of one stream.
struct HTTP2Stream: Sendable {
    enum Phase { case free, head, body, ready, taken, answered, lingering }

    /// The pseudo-header fields that came (RFC 9113 §8.3.1), as positions in the request's head.
    struct PseudoFields: Sendable {
        var method: Range<Int>?, scheme: Range<Int>?, path: Range<Int>?, authority: Range<Int>?
    }

    var id: HTTP2Session.StreamID = 0
    var phase = Phase.free
    /// Why it cannot be taken. While the phase is `head`, the rest of the block is passed over.
    var refusal: Refusal?
    /// The client has ended its side: nothing is left that a reset would spare it.
    var isRemoteClosed = false
    /// The answer goes without its body.
    var isHead = false
    /// A 100 was queued and has not gone yet.
    var isContinueQueued = false

    var request = Request()
    var pseudoFields = PseudoFields()
    /// The size of the head so far, as RFC 9113 §6.5.2 counts it.
    var headBytes = 0
    /// What this stream holds of `HTTP2Streams.heldBytes`.
    var heldBytes = 0
    /// Body bytes whose place in the connection's window was not given back yet.
    var windowBytes = 0

    /// Of a whole answer its content; where that comes piece by piece, what has come and is not sent.
    var answer: [UInt8] = []
    var answerBytesSent = 0
    /// More content follows what is in `answer`.
    var awaitsContent = false
    /// The library has asked for content that had not come, and asks again only when it is told to.
    var isDeferred = false
    /// Content that has gone, in all.
    var contentBytesSent = 0
    /// Since when something has been unsent, in milliseconds, and what had gone by then; nil while nothing is.
    var unsent: (since: Int64, contentBytesSent: Int)?
    /// The answer's head, about, while it has not gone.
    var answerHeadBytes = 0

    /// Since when it lingers, in milliseconds.
    var lingersSince: Int64 = 0

    /// The neighbours in the queue of those that are ready.
    var previousReady = -1, nextReady = -1

    /// What is left to send.
    var unsentBytes: Int { answer.count - answerBytesSent + answerHeadBytes }

    /// It is refused since its body is too large, and that was not given out yet.
    var isReadyTooLarge: Bool { phase == .ready && refusal == .bodyTooLarge }

    /// Somebody is still about to answer, or to go on with an answer.
    var isOwedAnswer: Bool { phase == .taken || phase == .answered && awaitsContent }

    /// Everything forgotten but a small capacity.
    mutating func reset() {
        var kept = HTTP2Stream()
        if answer.capacity <= HTTP2Limits.spareBodyBytesMax {
            swap(&kept.answer, &answer)
            kept.answer.removeAll(keepingCapacity: true)
        }
        self = kept
    }
}
