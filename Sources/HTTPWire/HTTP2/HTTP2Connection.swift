// What one HTTP/2 connection is, apart from its frames: streams, nuisances, the way to its end.
//
//     open ──beginShutdown──▶ leaving ──PING answered, or endShutdown──▶ final ──last stream gone──▶ done
//       └──────────────── connection error, or `fail` ──────────────────────────────────────────▶ failed
//
// Promises: says what a frame that came or went means, and what follows from it; every bound of
// `HTTP2Limits` is checked here or in the table of streams.
// Must not know: libnghttp2. The session asks, and does what is said.

/// The state behind an `HTTP2Session`.
struct HTTP2Connection: Sendable {
    let limits: HTTPLimits
    let http2Limits: HTTP2Limits
    var streams: HTTP2Streams
    /// Whole frames that wait for `send`.
    var outbox: [UInt8] = []
    /// Why the connection has to end, as a callback found; `fail` says it when the library has returned.
    var failure: HTTP2Session.ErrorCode?
    /// The library has written a GOAWAY because of an error.
    private(set) var hasGoneAway = false
    private(set) var isReady = false, isFailed = false
    private(set) var isShuttingDown = false, isFinal = false, isPingAnswered = false
    private var isLeft = false
    /// SETTINGS have come in the present input.
    private var hasNewSettings = false
    private var walk = HTTP2FrameWalk()
    private var nuisances: NuisanceBudget
    /// The time as `receive` or `endLingering` last said it.
    private(set) var now: Int64 = 0

    init(limits: HTTPLimits, http2Limits: HTTP2Limits) {
        self.limits = limits
        self.http2Limits = http2Limits
        streams = HTTP2Streams(limits: limits)
        nuisances = NuisanceBudget(burst: http2Limits.nuisanceBurst, perSecond: http2Limits.nuisancesPerSecond)
    }

    /// Bytes that wait to be sent.
    var unsentBytes: Int { streams.unsentBytes + outbox.count }

    /// Whether the peer does not take what it asked for.
    var isUnsentFull: Bool { streams.unsentBytes >= http2Limits.unsentBytesMax }

    /// Whether the connection is to be closed once the output is flushed.
    var isDone: Bool { isFailed || ((isFinal || isLeft) && streams.count == 0) }

    /// Whether an incomplete stream has to go, so that the others get on.
    var holdsTooMuch: Bool { streams.heldBytes >= http2Limits.heldBytesMax(limits) }

    /// Whether the peer has done more than is borne, or does not read what it makes us say.
    var isNuisance: Bool {
        nuisances.isOverdrawn || outbox.count > http2Limits.unsentBytesMax + HTTP2Limits.outboxBytesMax
    }

    /// Charges for the frames in `input`.
    /// - Returns: nil, or where to stop reading, and why.
    mutating func charge(
        for input: Span<UInt8>, now: Int64
    ) -> (end: Int, code: HTTP2Session.ErrorCode)? {
        self.now = now
        hasNewSettings = false
        nuisances.refill(now: now)
        return walk.walk(input, charging: &nuisances)
    }

    /// Charges for what the peer did wrong.
    mutating func chargeOne() { nuisances.charge() }

    /// Opens a stream, nil where it has to be refused with REFUSED_STREAM.
    mutating func open(_ id: HTTP2Session.StreamID) -> Int? {
        // RFC 9113 §6.8: what comes after the final GOAWAY was not asked for, and is no nuisance.
        guard !isFinal else { return nil }
        guard streams.count < http2Limits.concurrentStreamsMax else {
            nuisances.charge()
            return nil
        }
        return streams.open(id)
    }

    /// A frame has come whole, and is valid.
    /// - Parameters:
    ///   - place: its stream; nil where there is none, or it is gone.
    ///   - isRequest: of HEADERS: the first block of a stream.
    /// - Returns: whether the client waits for 100 on this stream (RFC 9110 §10.1.1).
    mutating func noteReceived(_ kind: UInt8, flags: UInt8, at place: Int?, isRequest: Bool) -> Bool {
        switch kind {
        case HTTP2Frame.headers where isRequest:
            guard let place else { return false }
            return streams.concludeHead(at: place, isEnded: flags & HTTP2Frame.endStream != 0)
        case HTTP2Frame.headers, HTTP2Frame.data:
            if flags & HTTP2Frame.endStream != 0, let place { streams.end(place) }
        case HTTP2Frame.settings:
            isReady = true
            hasNewSettings = flags & HTTP2Frame.acknowledgement == 0
        case HTTP2Frame.goAway: isLeft = true
        case HTTP2Frame.ping:
            // Only one PING of ours is ever on its way.
            if flags & HTTP2Frame.acknowledgement != 0, isShuttingDown { isPingAnswered = true }
        default: break
        }
        return false
    }

    /// A frame of ours has gone.
    /// - Parameters:
    ///   - place: its stream, as above.
    ///   - code: of RST_STREAM and GOAWAY.
    mutating func noteSent(_ kind: UInt8, flags: UInt8, length: Int, code: UInt32, at place: Int?) {
        switch kind {
        case HTTP2Frame.headers:
            guard let place else { return }
            if streams[place].isContinueQueued {
                streams[place].isContinueQueued = false
                return
            }
            streams.noteHeadSent(at: place)
        case HTTP2Frame.data:
            // A piece that was small by itself, not because the window was, may be acknowledged like any other.
            let isWholePiece = length > 0 && place.map { streams[$0].awaitsContent && streams[$0].answer.isEmpty } ?? false
            if length >= HTTP2Limits.creditedDataBytesMin || isWholePiece { nuisances.earn(HTTP2Limits.creditForData) }
        case HTTP2Frame.reset:
            // These two are ours alone; CANCEL is for what the peer does not take, the library's for its mistakes (CVE-2025-8671).
            let isOurs = code == HTTP2Session.ErrorCode.noError.rawValue
                || code == HTTP2Session.ErrorCode.refusedStream.rawValue
            if !isOurs { nuisances.charge() }
            // RFC 9113 §6.9.2: an initial window that takes a stream's window beyond the largest is an error of the
            // connection. The library's older versions reset the stream, as is right where an increment did so (§6.9.1).
            if code == HTTP2Session.ErrorCode.flowControlError.rawValue, hasNewSettings { failure = .flowControlError }
            return
        case HTTP2Frame.goAway:
            if code != HTTP2Session.ErrorCode.noError.rawValue { hasGoneAway = true }
            return
        default: return
        }
        guard flags & HTTP2Frame.endStream != 0, let place else { return }
        nuisances.earn(HTTP2Limits.creditForAnswer)
        // RFC 9113 §8.1: nobody waits for the rest of the request.
        if !streams[place].isRemoteClosed { streams.linger(place, since: now) }
    }

    /// A stream that has lingered long enough, to be reset with NO_ERROR; nil without one.
    mutating func lingering(now: Int64) -> Int? {
        self.now = now
        return streams.lingering(since: now.subtractingReportingOverflow(http2Limits.lingerMilliseconds).partialValue, through: .max)
    }

    mutating func noteShutdown(isFinal: Bool) {
        isShuttingDown = true
        if isFinal { self.isFinal = true }
    }

    /// Ends it with a GOAWAY of our own making: after some errors the library may only be thrown away.
    mutating func fail(_ code: HTTP2Session.ErrorCode) {
        guard !isFailed else { return }
        // RFC 9113 §6.8: of those above it nothing was done, so that they may be sent again.
        outbox.appendGoAway(lastStream: streams.newestTaken, code: code.rawValue)
        concludeFailure()
    }

    /// Ends it, where GOAWAY has been written.
    mutating func concludeFailure() {
        isFailed = true
        streams.closeAll()
    }
}
