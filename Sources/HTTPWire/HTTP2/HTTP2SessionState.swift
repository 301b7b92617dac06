// What the owner of an HTTP/2 session sees of it: the next request, and the figures that deadlines,
// back-pressure and closing depend on.
//
// Promises: every figure is O(1), and true as soon as `receive`, `respond` or `send` has returned.
// Must not know: libnghttp2.

extension HTTP2Session {
    /// What `next` has to say.
    public enum Event: Equatable, Sendable {
        /// Nothing further is complete.
        case needsMore
        /// The request is complete with its body. Answer it with `respond`, whenever.
        case request(StreamID)
        /// It cannot be taken: answer it with `respond`, from `Refusal.status` and `.detail`. What is
        /// known of it is in the request. The rest of its body is not awaited: a while after the answer
        /// the stream is reset with NO_ERROR (RFC 9113 §8.1; see `endLingering`).
        case refused(StreamID, Refusal)
    }

    /// Why a connection or a stream ends (RFC 9113 §7), as far as we say so ourselves.
    public enum ErrorCode: UInt32, Sendable {
        /// Nothing is wrong: a graceful end.
        case noError = 0x0
        /// The peer does not speak HTTP/2 as it is written.
        case protocolError = 0x1
        /// The fault is ours.
        case internalError = 0x2
        /// A window beyond 2^31-1, or more data than the window.
        case flowControlError = 0x3
        /// A frame longer than it may be.
        case frameSizeError = 0x6
        /// Nothing was done with the stream; it may be sent again.
        case refusedStream = 0x7
        /// The stream is not needed any more.
        case cancel = 0x8
        /// The peer makes more work than is borne.
        case enhanceYourCalm = 0xB
    }

    /// The next request that is complete or refused, in the order in which they became so. A stream
    /// that was reset meanwhile never comes.
    ///
    /// While answers of `HTTP2Limits.unsentBytesMax` or more wait, none is given out: the peer does not
    /// take what it asked for. Ask again when some of it has gone.
    /// - Parameter request: changes places with the stream's, so that its capacity goes round.
    public func next(into request: inout Request) -> Event {
        guard !connection.isUnsentFull, let place = connection.streams.take(into: &request) else { return .needsMore }
        let id = connection.streams[place].id
        return connection.streams[place].refusal.map { .refused(id, $0) } ?? .request(id)
    }

    /// A stream that has ended, by the client's or an error's doing, while `next` had given out its request and the answer, or
    /// the rest of one, was still to come; each once. Nothing for it need be made any more.
    public func takeAbandoned() -> StreamID? { connection.streams.abandoned.popLast() }

    /// Content of this stream's answer that waits to be sent; nil where the stream is gone, or was answered whole.
    public func unsentContentBytes(of stream: StreamID) -> Int? {
        guard let place = place(of: stream), connection.streams[place].awaitsContent else { return nil }
        return connection.streams[place].unsentBytes
    }

    /// Streams whose request is not whole: an open header block, and what lingers behind its answer,
    /// included.
    public var incompleteCount: Int { connection.streams.incompleteCount }

    /// Requests given out by `next` and not answered, whose stream is still open.
    public var unansweredCount: Int { connection.streams.unansweredCount }

    /// Bytes of answers that wait for the peer's windows or for `send`, and of control frames.
    public var unsentBytes: Int { connection.unsentBytes }

    /// Bytes of answers' content that the peer's windows have let go, in all.
    public var sentContentBytes: Int { connection.streams.sentContentBytes }
    /// Whether there is a stream whose request still comes, or whose answer, or the rest of it, is still to come and waits for
    /// no window.
    public var isAnyUnderWay: Bool { connection.streams.isAnyUnderWay }

    /// Streams that are open, whatever they wait for: the rest of a request, `next`, an answer, a window.
    public var streamCount: Int { connection.streams.count }

    /// Bytes of heads and bodies of requests that are incomplete or not yet taken.
    public var heldBytes: Int { connection.streams.heldBytes }

    /// Whether the client's preface and first SETTINGS have come (RFC 9113 §3.4).
    public var isReady: Bool { connection.isReady }

    /// Whether a connection error has ended it (RFC 9113 §5.4.1), or `fail` has: GOAWAY is queued,
    /// nothing is read or answered any more.
    public var isFailed: Bool { connection.isFailed }

    /// Whether no stream is left and none will come, after a final GOAWAY of ours or one of the
    /// client's. Once the output is flushed, close.
    public var isDone: Bool { connection.isDone }

    /// The highest stream id the client has opened; 0 before.
    public var newestStream: StreamID { connection.streams.newest }
}
