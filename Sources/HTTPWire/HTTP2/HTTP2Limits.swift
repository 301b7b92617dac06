// Every bound of an HTTP/2 connection, in one place, beside those of `HTTPLimits` for one request.
//
// Promises: nothing a peer sends, in whatever order, makes a connection hold or count more than what
// is named here.
// Must not know: where the figures come from, sockets, clocks.

/// What one HTTP/2 connection may cost. A request's own bounds are `HTTPLimits`.
public struct HTTP2Limits: Sendable, Equatable {
    /// Streams open at a time, SETTINGS_MAX_CONCURRENT_STREAMS. RFC 9113 §6.5.2 recommends no less
    /// than 100, and a proxy that shares one connection among its clients uses as many. Beyond:
    /// REFUSED_STREAM, or a connection error once the client has acknowledged our SETTINGS.
    public var concurrentStreamsMax = 100

    /// Heads and bodies of requests that are not whole, or not taken yet, in bytes. At the bound the
    /// newest incomplete stream is reset with REFUSED_STREAM, so that the older ones get on.
    /// 100 streams of 20 KiB: many times the usual callback. Never less than two whole requests.
    public var heldBytesMax = 2 << 20

    /// Answers that wait for the peer's windows or for `send`, in bytes. At the bound `next` gives no
    /// request out, and those that are whole wait among what is held: a client that closes its window
    /// over 100 streams makes no more than this be answered, and the answers that were begun.
    /// Two of the largest answers, so that one which is taken slowly keeps no small one beside it waiting.
    public var unsentBytesMax = 2 << 20

    /// How long a client may go on sending what was refused, in milliseconds, before its stream is reset.
    /// Some that are reset right behind the answer never look at it (curl 7.88, HAProxy 2.6). The
    /// stream's window is not opened again, so that they send no more than it allows.
    public var lingerMilliseconds: Int64 = 1_000

    /// How many nuisances (see `NuisanceBudget`) are forgiven at once. Clients that cancel what they
    /// no longer need come in bursts of a few hundred; libnghttp2's own bound is 1,000 as well.
    public var nuisanceBurst = 1_000

    /// How many nuisances a second are forgiven in the long run. A second of 100 cancelled requests is
    /// a busy proxy whose clients give up; a flood is ten thousands.
    public var nuisancesPerSecond = 100

    /// Limits with the default bounds.
    public init() {}

    /// CONTINUATION frames behind one HEADERS. Beyond: ENHANCE_YOUR_CALM. The largest head that is
    /// read at all (`excess` times the bound) has four in frames of 16 KiB.
    static let continuationsMax = 8

    /// The longest payload of a frame: the protocol's initial SETTINGS_MAX_FRAME_SIZE, which stays.
    static let frameBytesMax = 16_384

    /// Runs of stream ids that were passed over which are remembered, so that their use later is seen
    /// to be an error (RFC 9113 §5.1.1). Clients pass none over.
    static let gapsMax = 8

    /// How many times over its bound a head may be before the connection ends with ENHANCE_YOUR_CALM.
    /// Up to there it is refused with 431; a header-compression bomb is far beyond.
    static let excess = 4

    /// What a field costs beside its name and value in the size of a head (RFC 9113 §6.5.2).
    static let fieldOverheadBytes = 32

    /// A DATA frame below this that does not end its stream is a nuisance: it is mostly frame.
    static let crumbBytesMax = 16

    /// A DATA frame of ours of this size gives the peer credit for the WINDOW_UPDATE that answers it.
    static let creditedDataBytesMin = 1_024

    /// The nuisances that an answer which was sent whole is worth, and a large DATA frame: the
    /// WINDOW_UPDATEs for stream and connection, or a PING that measures the way.
    static let creditForAnswer = 2, creditForData = 2

    /// Answers beyond one frame take turns with others, so that none waits for the whole of them.
    static let shortAnswerBytesMax = 16_384

    /// Frames that were made and wait for `send`, beyond `unsentBytesMax`: acknowledgements, resets,
    /// window updates of a peer that does not read. Beyond: ENHANCE_YOUR_CALM.
    static let outboxBytesMax = 64 << 10

    /// The capacity up to which the room of those frames is kept when it is empty.
    static let keptOutboxBytesMax = 1_024

    /// PING and SETTINGS acknowledgements queued in libnghttp2; its own default. Beyond: the same.
    static let acknowledgementsMax = 1_000

    /// Entries of one SETTINGS frame; libnghttp2's own default. Seven are defined so far.
    static let settingsEntriesMax = 32

    /// Request storage that a connection keeps for its next streams, and the capacities up to which
    /// it is worth keeping: at most 8 x 2.5 KiB.
    static let sparesMax = 8, spareHeadBytesMax = 1_024, spareFieldsMax = 32, spareBodyBytesMax = 1_024

    /// Places for streams that a connection without any keeps.
    static let restingPlacesMax = 8

    /// Of a body that is too large, what is held to be given out with the refusal, unless it was within its bound.
    public static let tooLargeBodyBytesMax = 64 << 10

    /// The window of a stream: one byte more than the largest body, so that no body ever waits for a
    /// WINDOW_UPDATE, and one that is too large is seen to be. Not below the protocol's initial value.
    static func streamWindowBytes(_ limits: HTTPLimits) -> Int {
        min(max(65_535, limits.bodyBytesMax + 1), Int(Int32.max))
    }

    /// `heldBytesMax`, raised to two whole requests: one alone must never be in its own way.
    func heldBytesMax(_ limits: HTTPLimits) -> Int {
        max(heldBytesMax, 2 * (limits.headBytesMax + limits.bodyBytesMax))
    }

    /// The window of the connection: twice what is held. libnghttp2 gives bytes back once they are half
    /// the window, so what may be on its way never falls to nothing before the bound is met.
    func connectionWindowBytes(_ limits: HTTPLimits) -> Int {
        min(2 * heldBytesMax(limits), Int(Int32.max))
    }
}
