// The streams of one HTTP/2 connection: a table of places, the queue of those that are ready, and the
// sums that back-pressure goes by.
//
// Promises: everything but a time-out and making room is O(1); no stream is in the queue that is gone;
// every byte that is held, owed to the window or unsent is counted once, and its count goes with it.
// Must not know: libnghttp2, frames, sockets.

/// The table. A place is an index that belongs to one stream until that is closed.
struct HTTP2Streams: Sendable {
    private let limits: HTTPLimits
    private let excessBytes: Int, excessFields: Int
    private var places: [HTTP2Stream] = []
    private var freePlaces: [Int] = []
    private var spares: [Request] = []
    private var firstReady = -1, lastReady = -1
    private var blockBytes = 0, blockFields = 0

    /// Streams in any phase but `free`.
    private(set) var count = 0
    /// Streams whose request is not whole, and those given out and not answered.
    private(set) var incompleteCount = 0, unansweredCount = 0
    private var lingeringCount = 0
    /// Heads and bodies that are incomplete or not taken.
    private(set) var heldBytes = 0
    /// Answers, as far as they have not been sent.
    private(set) var unsentBytes = 0
    /// Content of answers that has gone, in all; what was reset has not.
    private(set) var sentContentBytes = 0
    /// When `untaken` looked last.
    private var lookedAt = Int64.min
    /// Streams that ended while an answer, or more of one, was still to come.
    var abandoned: [HTTP2Session.StreamID] = []
    /// What the connection's window is to be given back.
    var owedWindowBytes = 0
    /// The highest stream id that was opened.
    private(set) var newest: HTTP2Session.StreamID = 0
    /// The highest one whose request was given out.
    private(set) var newestTaken: HTTP2Session.StreamID = 0

    init(limits: HTTPLimits) {
        self.limits = limits
        excessBytes = HTTP2Limits.excess * max(limits.headBytesMax, HTTPLimits.trailerBytesMax)
        excessFields = HTTP2Limits.excess * max(limits.fieldsMax, 1)
    }

    subscript(place: Int) -> HTTP2Stream {
        _read { yield places[place] }
        _modify { yield &places[place] }
    }

    mutating func open(_ id: HTTP2Session.StreamID) -> Int {
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
        } else {
            place = places.count
            places.append(HTTP2Stream())
        }
        places[place].id = id
        places[place].phase = .head
        if let spare = spares.popLast() {
            places[place].request = spare
        } else {
            // Room for a usual head at once, rather than in six steps.
            places[place].request.head.reserveCapacity(256)
            places[place].request.fields.reserveCapacity(12)
        }
        newest = max(newest, id)
        count += 1
        incompleteCount += 1
        return place
    }

    /// A header block begins, of whatever stream.
    mutating func beginBlock() {
        blockBytes = 0
        blockFields = 0
    }

    /// Takes a field of the block. `place` is nil where nothing is wanted of it.
    /// - Returns: whether the block is still within what is borne: see `HTTP2Limits.excess`.
    mutating func addField(name: Span<UInt8>, value: Span<UInt8>, at place: Int?) -> Bool {
        blockBytes += name.count + value.count + HTTP2Limits.fieldOverheadBytes
        blockFields += 1
        guard blockBytes <= excessBytes, blockFields <= excessFields else { return false }
        guard let place else { return true }
        switch places[place].phase {
        case .head:
            let before = places[place].request.head.count
            places[place].addField(name: name, value: value, limits: limits)
            hold(places[place].request.head.count - before, at: place)
        case .body where blockBytes > HTTPLimits.trailerBytesMax:
            // Said at the end of the block, so that a malformed one is still malformed.
            places[place].refusal = .trailersTooLarge
        default:
            // Trailers mean nothing to any route (RFC 9110 §6.5.1 lets a recipient drop them).
            break
        }
        return true
    }

    /// The request's block is complete.
    /// - Returns: whether the client waits for 100 (RFC 9110 §10.1.1).
    mutating func concludeHead(at place: Int, isEnded: Bool) -> Bool {
        places[place].isRemoteClosed = isEnded
        guard places[place].phase == .head else { return false }
        if let refusal = places[place].concludeHead(isEnded: isEnded, limits: limits) {
            refuse(place, refusal)
        } else if isEnded {
            makeReady(place)
        } else {
            places[place].phase = .body
            return places[place].request.expectsContinue
        }
        return false
    }

    /// A piece of a body, of a stream that is gone where `place` is nil.
    mutating func addBody(_ bytes: Span<UInt8>, at place: Int?) {
        guard let place, places[place].phase == .body || places[place].isReadyTooLarge else {
            owedWindowBytes += bytes.count
            return
        }
        if places[place].phase == .body, bytes.count > limits.bodyBytesMax - places[place].request.body.count { refuse(place, .bodyTooLarge) }
        // Of what is too large, that which is here before it is answered.
        let room = places[place].phase == .body ? bytes.count : HTTP2Limits.tooLargeBodyBytesMax - places[place].request.body.count
        let count = min(max(0, room), bytes.count)
        places[place].request.body.append(bytes.extracting(0..<count))
        places[place].windowBytes += count
        hold(count, at: place)
        owedWindowBytes += bytes.count - count
    }

    /// The client has ended its side.
    mutating func end(_ place: Int) {
        places[place].isRemoteClosed = true
        if places[place].phase == .body { makeReady(place) }
    }

    /// It cannot be taken. Nothing where it is already whole or refused.
    mutating func refuse(_ place: Int, _ refusal: Refusal) {
        guard places[place].phase == .head || places[place].phase == .body else { return }
        places[place].refusal = refusal
        makeReady(place)
    }

    /// Refuses those that are not whole, up to and including stream `newest`.
    mutating func timeOutIncomplete(through newest: HTTP2Session.StreamID) {
        for place in places.indices where places[place].id <= newest {
            switch places[place].phase {
            case .head: refuse(place, .headTimeout)
            case .body: refuse(place, .bodyTimeout)
            default: break
            }
        }
    }

    /// The newest stream that is not whole; nil without one.
    func newestIncomplete() -> Int? {
        var found: Int?
        for place in places.indices where places[place].phase == .head || places[place].phase == .body {
            if places[place].id > found.map({ places[$0].id }) ?? 0 { found = place }
        }
        return found
    }

    /// The one that has been ready longest: its request changes places with `request`.
    mutating func take(into request: inout Request) -> Int? {
        let place = firstReady
        guard place >= 0 else { return nil }
        unlink(place)
        swap(&places[place].request, &request)
        keepRequest(of: place)
        release(place)
        places[place].phase = .taken
        newestTaken = max(newestTaken, places[place].id)
        unansweredCount += 1
        return place
    }

    /// The answer is given: `headBytes` about, and what has been put into the stream's `answer`.
    mutating func noteAnswer(at place: Int, headBytes: Int, now: Int64) {
        places[place].phase = .answered
        places[place].answerHeadBytes = headBytes
        places[place].unsent = (now, 0)
        unansweredCount -= 1
        unsentBytes += places[place].unsentBytes
    }

    /// The answer's head has gone.
    mutating func noteHeadSent(at place: Int) {
        unsentBytes -= places[place].answerHeadBytes
        places[place].answerHeadBytes = 0
        if places[place].unsentBytes == 0 { places[place].unsent = nil }
    }

    /// A piece of an answer's content, behind what is unsent.
    mutating func append(content: Span<UInt8>, at place: Int, now: Int64) {
        places[place].answer.append(content)
        if places[place].unsent == nil { places[place].unsent = (now, places[place].contentBytesSent) }
        unsentBytes += content.count
    }

    /// So much of the answer's body has gone.
    mutating func noteSent(_ count: Int, at place: Int) {
        unsentBytes -= count
        sentContentBytes += count
        places[place].contentBytesSent += count
        places[place].answerBytesSent += count
        if places[place].unsentBytes == 0 { places[place].unsent = nil }
        guard places[place].awaitsContent, places[place].answerBytesSent == places[place].answer.count else { return }
        // A stream may wait for long for its next piece: it keeps little meanwhile.
        let isSmall = places[place].answer.capacity <= HTTP2Limits.spareBodyBytesMax
        places[place].answer.removeAll(keepingCapacity: isSmall)
        places[place].answerBytesSent = 0
    }

    /// The answer has gone whole, and the request still comes.
    mutating func linger(_ place: Int, since now: Int64) {
        places[place].phase = .lingering
        places[place].lingersSince = now
        incompleteCount += 1
        lingeringCount += 1
    }

    /// A stream that lingers since `time` or before, and is not above `newest`; nil without one.
    func lingering(since time: Int64, through newest: HTTP2Session.StreamID) -> Int? {
        guard lingeringCount > 0 else { return nil }
        return places.indices.first {
            places[$0].phase == .lingering && places[$0].lingersSince <= time && places[$0].id <= newest
        }
    }

    /// Streams of whose answer less than `bytesMin` has gone in so many milliseconds, though more was there all the time. What
    /// is held up by others, and not by a window, is not counted.
    mutating func untaken(now: Int64, isHeldUp: Bool, milliseconds: Int64, bytesMin: Int) -> [Int] {
        defer { lookedAt = now }
        guard unsentBytes > 0 else { return [] }
        var found: [Int] = []
        for place in places.indices where places[place].unsentBytes > 0 {
            guard let unsent = places[place].unsent else { continue }
            if isHeldUp {
                places[place].unsent?.since += max(0, now - max(lookedAt, unsent.since))
            } else if now - unsent.since >= milliseconds {
                if places[place].contentBytesSent - unsent.contentBytesSent < bytesMin { found.append(place) } else { renewUnsent(place, now: now) }
            }
        }
        return found
    }

    /// Its time begins anew.
    mutating func renewUnsent(_ place: Int, now: Int64) { places[place].unsent = (now, places[place].contentBytesSent) }

    /// A request still comes, or an answer that no window holds back.
    var isAnyUnderWay: Bool { places.contains { $0.phase == .head || $0.phase == .body || $0.isOwedAnswer && $0.unsentBytes == 0 } }

    /// The stream is gone: its place is free.
    mutating func close(_ place: Int) {
        switch places[place].phase {
        case .free: return
        case .head, .body, .lingering: incompleteCount -= 1
        case .ready: unlink(place)
        case .taken: unansweredCount -= 1
        case .answered: break
        }
        if places[place].phase == .lingering { lingeringCount -= 1 }
        if places[place].isOwedAnswer { abandoned.append(places[place].id) }
        unsentBytes -= places[place].unsentBytes
        release(place)
        keepRequest(of: place)
        places[place].reset()
        freePlaces.append(place)
        count -= 1
        if count == 0, places.count > HTTP2Limits.restingPlacesMax {
            places = []
            freePlaces = []
        }
    }

    /// All streams are gone, and nothing is kept.
    mutating func closeAll() {
        let newest = newest
        self = HTTP2Streams(limits: limits)
        self.newest = newest
    }

    private mutating func hold(_ count: Int, at place: Int) {
        places[place].heldBytes += count
        heldBytes += count
    }

    /// Nothing is held for it any more, and the window has room again.
    private mutating func release(_ place: Int) {
        heldBytes -= places[place].heldBytes
        places[place].heldBytes = 0
        owedWindowBytes += places[place].windowBytes
        places[place].windowBytes = 0
    }

    /// Keeps the storage of its request for the next stream, where it is small.
    private mutating func keepRequest(of place: Int) {
        var spare = Request()
        swap(&spare, &places[place].request)
        guard spares.count < HTTP2Limits.sparesMax, spare.head.capacity > 0,
            spare.head.capacity <= HTTP2Limits.spareHeadBytesMax,
            spare.fields.capacity <= HTTP2Limits.spareFieldsMax,
            spare.body.capacity <= HTTP2Limits.spareBodyBytesMax
        else { return }
        spare.reset()
        spares.append(spare)
    }

    private mutating func makeReady(_ place: Int) {
        incompleteCount -= 1
        places[place].phase = .ready
        places[place].previousReady = lastReady
        places[place].nextReady = -1
        if lastReady >= 0 { places[lastReady].nextReady = place } else { firstReady = place }
        lastReady = place
    }

    private mutating func unlink(_ place: Int) {
        let previous = places[place].previousReady
        let next = places[place].nextReady
        if previous >= 0 { places[previous].nextReady = next } else { firstReady = next }
        if next >= 0 { places[next].previousReady = previous } else { lastReady = previous }
        places[place].previousReady = -1
        places[place].nextReady = -1
    }
}
