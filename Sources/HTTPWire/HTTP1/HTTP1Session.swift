// One HTTP/1.1 connection as a state machine (RFC 9112): bytes in, requests out, answers in, bytes out.
//
//            ┌──────────────── respond (the connection stays) ───────────────┐
//            ▼                                                               │
//     ──▶ idle ──first byte──▶ head ──whole──▶ body ──whole──▶ answer ───────┤
//                               │               │                │           │ respond (it closes)
//                               └──── wrong ────┴──▶ refused ────┼─respond──▶ closed
//                                                                └─beginContent──▶ content ─endContent──▶ idle │ closed
//
// Promises: what comes out does not depend on how the bytes were split; input is never consumed
// beyond what is used; nothing is allocated once the request's arrays have grown; work is linear
// in the bytes that arrive. Pipelined requests come one at a time, each answered before the next.
// Must not know: sockets, clocks, routes. Deadlines are the caller's, by `awaiting`.

/// The server's end of one HTTP/1.1 connection.
///
/// The caller owns the input that is not consumed and the output. From a request's first byte to
/// its answer it passes the same `Request`; while `awaiting` is `idle`, any will do.
public struct HTTP1Session: Sendable {
    /// What `receive` has to say.
    public enum Event: Sendable, Equatable {
        /// The input has no more complete elements; `awaiting` says of what the rest is missing.
        case needsMore
        /// The client waits before it sends the body (RFC 9110 §10.1.1), and none of it is here: write
        /// `continueBytes` and go on, or `respond`, which then closes. Said once for a request.
        case sendContinue
        /// The request is complete with its body. Call `respond` before the next `receive`.
        case request
        /// Nothing further can be read: answer with `respondRefusal` and close. Every later `receive`
        /// says the same.
        case refused(Refusal)
    }

    /// What the next progress depends on, for deadlines.
    public enum Awaiting: Sendable, Equatable {
        /// A request's first byte (or none ever, where `mustClose` is true).
        case idle
        /// The rest of a head, the rest of a body.
        case head, body
        /// The caller's answer.
        case answer
    }

    enum State {
        case idle, head, bytes(remaining: Int), chunked, answer, content, refused, closed
    }

    /// The interim answer that lets the client go on (RFC 9110 §15.2.1).
    static let continueBytes: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    /// Appends `continueBytes` to the output.
    public static func appendContinue(to output: inout [UInt8]) { output.append(continueBytes) }

    private let limits: HTTPLimits
    var state = State.idle
    private var emptyLines = 0
    private var headReader = HeadReader()
    private var chunkedReader = ChunkedReader()
    private var owesContinue = false

    // About the request to be answered.
    private(set) var isHead = false
    private(set) var isHTTP10 = false
    private(set) var isPersistent = false
    private var refusal: Refusal?

    /// Whether the connection is to be closed once the answer is written: the client asked for it, it
    /// speaks HTTP/1.0 without keep-alive, `close` was given, the body was not awaited, or the request
    /// was refused. After that `receive` reads nothing any more.
    public internal(set) var mustClose = false

    /// How many bytes were examined for the present head, for the test that this is linear.
    var examinedBytes: Int { headReader.examinedBytes }

    /// A session for a new connection.
    /// - Precondition: the head has room for the longest request line and is at most
    ///   `HTTPLimits.headBytesCeiling`; no limit is negative.
    public init(limits: HTTPLimits) {
        precondition(limits.requestLineBytesMax > HTTPLimits.methodBytesMax)
        precondition(limits.headBytesMax >= limits.requestLineBytesMax + 4)
        precondition(limits.headBytesMax <= HTTPLimits.headBytesCeiling)
        precondition(limits.fieldsMax >= 0 && limits.bodyBytesMax >= 0)
        self.limits = limits
    }

    /// What is awaited now.
    public var awaiting: Awaiting {
        switch state {
        case .idle, .closed: .idle
        case .head: .head
        case .bytes, .chunked: .body
        case .answer, .content, .refused: .answer
        }
    }

    /// Reads on.
    ///
    /// A head is consumed once it is whole, so at most `headBytesMax` bytes stay with the caller; of a
    /// body everything is consumed at once. After `needsMore` the bytes from `position` on are presented
    /// again, with more behind them, wherever in a span they then are. What has been examined is
    /// remembered and not examined again. After `refused(.bodyTooLarge)` what is left of the input is
    /// the body, or the rest of it, as it came.
    /// - Parameters:
    ///   - input: bytes from the connection.
    ///   - position: where they start; moved past what was consumed, never beyond the end.
    ///   - request: see the type.
    /// - Precondition: the request before has been answered.
    public mutating func receive(
        _ input: Span<UInt8>, at position: inout Int, into request: inout Request
    ) -> Event {
        precondition(0 <= position && position <= input.count)
        switch state {
        case .idle:
            guard position < input.count else { return .needsMore }
            startRequest(&request)
            return skipEmptyLines(input, at: &position) ?? readHead(input, at: &position, into: &request)
        case .head:
            return readHead(input, at: &position, into: &request)
        case .bytes, .chunked:
            return readBody(input, at: &position, into: &request)
        case .answer, .content:
            preconditionFailure("the request before has not been answered")
        case .refused, .closed:
            return refusal.map { .refused($0) } ?? .needsMore
        }
    }

    /// Refuses what only the caller can see to be wrong: a deadline that passed, input that ended
    /// early. Answer with `respondRefusal`. Nothing happens where there is a refusal already, or the
    /// last answer has been given (`mustClose`).
    public mutating func refuse(_ refusal: Refusal) {
        guard self.refusal == nil, !mustClose else { return }
        self.refusal = refusal
        state = .refused
    }

    /// Encodes the answer to the present request. Before the body has arrived, it is answered without
    /// awaiting the rest, and the connection closes.
    ///
    /// HEAD gets the fields of GET without the body (RFC 9110 §9.3.2). HTTP/1.0 gets a status line of
    /// HTTP/1.1 (RFC 9110 §6.2) and is told whether the connection stays. After this `awaiting` is
    /// `idle`, or `mustClose` is true.
    /// - Parameters:
    ///   - date: the time of the answer.
    ///   - close: whether to close the connection even if the client would keep it.
    ///   - output: what the answer is appended to.
    /// - Precondition: `awaiting` is `answer` or `body`.
    public mutating func respond(
        _ response: borrowing Response, date: HTTPDate, close: Bool, into output: inout [UInt8]
    ) {
        switch state {
        case .answer: mustClose = close || !isPersistent
        case .bytes, .chunked, .refused: mustClose = true
        case .idle, .head, .content, .closed: preconditionFailure("there is no request to answer")
        }
        response.encode(
            date: date, connection: mustClose ? .close : isHTTP10 ? .keepAlive : .unsaid, omitsBody: isHead,
            into: &output)
        endAnswer()
    }

    /// The answer is whole.
    mutating func endAnswer() {
        state = mustClose ? .closed : .idle
        emptyLines = 0
    }

    /// Encodes the answer to a refused request; the connection closes. The caller makes the response
    /// from `Refusal.status` and `Refusal.detail`.
    /// - Precondition: the request was refused, and not answered yet.
    public mutating func respondRefusal(
        _ response: borrowing Response, date: HTTPDate, into output: inout [UInt8]
    ) {
        guard case .refused = state else { preconditionFailure("nothing was refused") }
        respond(response, date: date, close: true, into: &output)
    }

    private mutating func startRequest(_ request: inout Request) {
        request.reset()
        headReader = HeadReader()
        owesContinue = false
        isHead = false
        isHTTP10 = false
        isPersistent = false
    }

    private mutating func refused(_ refusal: Refusal) -> Event {
        refuse(refusal)
        return .refused(refusal)
    }

    /// Empty lines before a request line are ignored (RFC 9112 §2.2), a few of them. nil where
    /// something else has come.
    private mutating func skipEmptyLines(_ input: Span<UInt8>, at position: inout Int) -> Event? {
        while position < input.count {
            guard input[position] == Byte.carriageReturn else { return nil }
            guard position + 1 < input.count else { return .needsMore }
            guard input[position + 1] == Byte.lineFeed else { return refused(.bareLineBreak) }
            guard emptyLines < HTTPLimits.emptyLinesMax else { return refused(.tooManyEmptyLines) }
            emptyLines += 1
            position += 2
        }
        return .needsMore
    }

    private mutating func readHead(
        _ input: Span<UInt8>, at position: inout Int, into request: inout Request
    ) -> Event {
        let head = input.extracting(position..<input.count)
        let end: Int
        switch headReader.read(head, limits: limits, into: &request) {
        case .needsMore:
            state = .head
            return .needsMore
        case .refused(let refusal):
            isHead = request.method == .head
            return refused(refusal)
        case .complete(let found): end = found
        }
        let (body, refusal) = headReader.framing.conclude(head, limits: limits, into: &request)
        request.head.append(head.extracting(0..<end))
        request.isHeadComplete = true
        position += end
        isHead = request.method == .head
        isHTTP10 = request.isHTTP10
        isPersistent = headReader.framing.isPersistent(isHTTP10: isHTTP10)
        owesContinue = request.expectsContinue
        if let refusal { return refused(refusal) }
        switch body {
        case .none:
            state = .answer
            return .request
        case .bytes(let count):
            state = .bytes(remaining: count)
        case .chunked:
            chunkedReader = ChunkedReader()
            state = .chunked
        }
        return readBody(input, at: &position, into: &request)
    }

    private mutating func readBody(
        _ input: Span<UInt8>, at position: inout Int, into request: inout Request
    ) -> Event {
        if position == input.count {
            // RFC 9110 §10.1.1: a client that has begun to send its body is not told to go on.
            let isWaiting = owesContinue
            owesContinue = false
            return isWaiting ? .sendContinue : .needsMore
        }
        owesContinue = false
        if case .bytes(let remaining) = state {
            let count = min(remaining, input.count - position)
            request.body.append(input.extracting(position..<position + count))
            position += count
            state = count == remaining ? .answer : .bytes(remaining: remaining - count)
            return count == remaining ? .request : .needsMore
        }
        switch chunkedReader.read(input, at: &position, bodyBytesMax: limits.bodyBytesMax, into: &request.body) {
        case .needsMore: return .needsMore
        case .refused(let refusal): return refused(refusal)
        case .complete:
            state = .answer
            return .request
        }
    }
}
