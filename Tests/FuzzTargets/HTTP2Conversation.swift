// One HTTP/2 connection step by step, with a server that answers, holds its answers back, times out and shuts down
// as the conversation has it.
//
// Promises: every bound is held after every step; answers quote the request, the likeliest way to break a frame.
// Must not know: how conversations are written down.

import HTTPWire

struct HTTP2Conversation {
    /// Bounds of `HTTP2Limits` that are not public: what waits beside answers, and about how large a head of ours is.
    private static let outboxBytesMax = 64 << 10, headBytesMax = 1_024

    private let session: HTTP2Session
    private let limits: HTTPLimits
    private let http2Limits: HTTP2Limits
    private let answerBytes: Int
    private var request = Request()
    private var now: Int64 = 1_000
    private var leavesRequests = false, holdsAnswers = false
    /// Given out and not answered, oldest first; with the refusal, where it is one.
    private var pending: [(id: Int32, refusal: Refusal?, quoted: String)] = []
    /// Answered since frames were last looked at.
    private var answered: Set<Int32> = []
    private var given: Set<Int32> = []
    /// Refusals that were answered, perhaps before the request was whole.
    private var earlyAnswers = 0
    private var frames = HTTP2Frames()

    static func run(
        _ steps: [ConversationStep], _ limits: HTTPLimits, _ http2Limits: HTTP2Limits, answerBytes: Int
    ) throws(BrokenProperty) {
        var conversation = HTTP2Conversation(limits, http2Limits, answerBytes)
        for step in steps { try conversation.take(step) }
        try conversation.finish()
    }

    private init(_ limits: HTTPLimits, _ http2Limits: HTTP2Limits, _ answerBytes: Int) {
        session = HTTP2Session(limits: limits, http2Limits: http2Limits)
        self.limits = limits
        self.http2Limits = http2Limits
        self.answerBytes = answerBytes
    }

    private mutating func take(_ step: ConversationStep) throws(BrokenProperty) {
        switch step {
        case .bytes(let bytes):
            let newest = session.newestStream
            session.receive(bytes.span, now: now)
            try hold(session.newestStream >= newest, "stream ids fall")
        case .wait(let milliseconds):
            now = now.addingReportingOverflow(max(0, milliseconds)).partialValue
            session.endLingering(now: now)
        case .timeOut: session.timeOutIncomplete(through: session.newestStream)
        case .beginShutdown: session.beginShutdown()
        case .endShutdown: session.endShutdown()
        case .leaveRequests: leavesRequests = true
        case .takeRequests: leavesRequests = false
        case .holdAnswers: holdsAnswers = true
        case .answer: holdsAnswers = false
        case .refuseOne:
            if !pending.isEmpty { session.refuseUnprocessed(pending.removeFirst().id) }
        }
        try checkBounds()
        if !leavesRequests { try takeRequests() }
        if !holdsAnswers { try answerAll() }
        try send()
    }

    /// Everything that waits is refused or answered, and the connection ends.
    private mutating func finish() throws(BrokenProperty) {
        leavesRequests = false
        holdsAnswers = false
        // The first refuses what is not whole; what then lingers behind its answer ends with the second.
        try take(.timeOut)
        try take(.timeOut)
        // Once more for what lingers behind its answer.
        try take(.timeOut)
        try hold(session.incompleteCount == 0, "\(session.incompleteCount) streams outlive their time")
        try hold(session.unansweredCount == 0, "\(session.unansweredCount) requests cannot be answered")
        // While answers wait for windows, whole requests wait for them.
        let isFull = session.unsentBytes >= http2Limits.unsentBytesMax
        try hold(session.heldBytes == 0 || isFull, "\(session.heldBytes) bytes are held for nobody")
        try take(.endShutdown)
        try hold(session.isDone || session.unsentBytes > 0, "the end does not come, and nothing is left to send")
        session.fail(.enhanceYourCalm)
        try send()
        try hold(session.isFailed && session.isDone, "a failed session is not done")
        session.receive([0, 0, 0, 4, 0, 0, 0, 0, 0].span, now: now)
        var output: [UInt8] = []
        session.send(into: &output, bytesMax: .max)
        try hold(output.isEmpty, "a failed session goes on")
    }

    private mutating func takeRequests() throws(BrokenProperty) {
        while true {
            let event = session.next(into: &request)
            let id: Int32
            var refusal: Refusal?
            switch event {
            case .needsMore: return
            case .request(let stream): id = stream
            case .refused(let stream, let found): (id, refusal) = (stream, found)
            }
            try hold(id > 0 && id % 2 == 1 && id <= session.newestStream, "a request on stream \(id)")
            try hold(given.insert(id).inserted, "stream \(id) is given out twice")
            try hold(request.head.count <= limits.headBytesMax, "a head of \(request.head.count) bytes")
            try hold(request.fields.count <= limits.fieldsMax, "\(request.fields.count) fields")
            let bodyBytesMax = refusal == .bodyTooLarge ? max(limits.bodyBytesMax, HTTP2Limits.tooLargeBodyBytesMax) : limits.bodyBytesMax
            try hold(request.body.count <= bodyBytesMax, "a body of \(request.body.count) bytes")
            if refusal == nil {
                try hold(request.isHeadComplete, "a request without a head")
                try HTTP2Conversation.checkParts(request)
            }
            pending.append((id, refusal, request.text(0..<min(request.head.count, 200))))
        }
    }

    private mutating func answerAll() throws(BrokenProperty) {
        for (id, refusal, quoted) in pending {
            var response = Response()
            response.status = refusal?.status ?? [200, 204, 404][Int(id / 2) % 3]
            response.contentType = "application/json"
            response.fields = [Response.Field(name: "X-Quoted", value: quoted)]
            response.body = [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: answerBytes)
            let before = session.unansweredCount
            session.respond(response, to: id, date: HTTPDate(unixSeconds: 0))
            // A stream that was reset meanwhile takes no answer.
            if session.unansweredCount == before - 1 { answered.insert(id) }
            if refusal != nil { earlyAnswers += 1 }
            try hold(session.unansweredCount >= before - 1, "one answer for several requests")
        }
        pending = []
    }

    private mutating func send() throws(BrokenProperty) {
        let wasFailed = session.isFailed
        var output: [UInt8] = []
        session.send(into: &output, bytesMax: 100)
        session.send(into: &output, bytesMax: .max)
        let heads = try frames.take(output, sentTo: answered)
        if !session.isFailed, !wasFailed {
            try hold(heads == answered, "answers to \(answered.sorted()), heads sent to \(heads.sorted())")
            try hold(session.unsentBytes == 0 || session.isWaitingForWindow, "\(session.unsentBytes) bytes wait for nothing")
        }
        answered = []
        try checkBounds()
    }

    private func checkBounds() throws(BrokenProperty) {
        let streams = session.incompleteCount + session.unansweredCount
        try hold(session.incompleteCount >= 0 && session.unansweredCount >= 0, "counts below zero")
        try hold(streams <= http2Limits.concurrentStreamsMax, "\(streams) streams at a time")
        let heldMax = max(http2Limits.heldBytesMax, 2 * (limits.headBytesMax + limits.bodyBytesMax))
        try hold(session.heldBytes >= 0, "\(session.heldBytes) bytes are held")
        // Those that linger behind an early answer are incomplete and hold nothing.
        try hold(session.heldBytes < heldMax || session.incompleteCount <= earlyAnswers, "\(session.heldBytes) bytes are held")
        let answers = http2Limits.concurrentStreamsMax * (answerBytes + HTTP2Conversation.headBytesMax)
        let unsentMax = http2Limits.unsentBytesMax + HTTP2Conversation.outboxBytesMax + answers
        try hold(0...unsentMax ~= session.unsentBytes, "\(session.unsentBytes) bytes are unsent")
        guard session.isFailed else { return }
        try hold(streams == 0 && session.heldBytes == 0 && session.isDone, "a failed session holds on to something")
    }

    /// What HTTP/1.1's parts have to keep, where a head is no text of lines.
    private static func checkParts(_ request: Request) throws(BrokenProperty) {
        let head = request.head
        let ranges = [request.path, request.methodToken] + request.fields.flatMap { [$0.name, $0.value] }
            + [request.query, request.authority].compactMap { $0 }
        for range in ranges { try hold(range.lowerBound >= 0 && range.upperBound <= head.count, "a part at \(range)") }
        try hold(!request.path.isEmpty && !request.methodToken.isEmpty, "a request without a path or a method")
        try hold(head[request.path.lowerBound] == 0x2F || head[request.path] == [0x2A], "a path that is none")
        for field in request.fields {
            let isLower = head[field.name].allSatisfy { $0 > 0x20 && $0 < 0x7F && !(0x41...0x5A).contains($0) && $0 != 0x3A }
            try hold(isLower && !field.name.isEmpty, "a field's name of other bytes")
            let isClean = head[field.value].allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
            try hold(isClean, "a field's value that could end its line")
        }
    }
}

/// What the server sends, taken apart by its client.
struct HTTP2Frames {
    struct Header {
        let length: Int
        let type: UInt8
        let flags: UInt8
        let stream: Int32
    }

    private var isOpened = false

    /// The headers of the frames in `output`; the last one's length is that of a frame that may be cut.
    static func all(in output: [UInt8]) -> [Header] {
        var headers: [Header] = []
        var rest = output[...]
        while rest.count >= 9 {
            let bytes = rest.prefix(9).map { Int($0) }
            let stream = Int32(bytes[5] & 0x7F) << 24 | Int32(bytes[6] << 16 | bytes[7] << 8 | bytes[8])
            let length = bytes[0] << 16 | bytes[1] << 8 | bytes[2]
            headers.append(Header(length: length, type: UInt8(bytes[3]), flags: UInt8(bytes[4]), stream: stream))
            rest = rest.dropFirst(9 + length)
        }
        return headers
    }

    /// Looks at whole frames. Returns the streams whose answer's head was among them.
    mutating func take(_ output: [UInt8], sentTo answered: Set<Int32>) throws(BrokenProperty) -> Set<Int32> {
        var heads: Set<Int32> = []
        let headers = HTTP2Frames.all(in: output)
        let count = headers.reduce(0) { $0 + 9 + $1.length }
        try hold(count == output.count, "frames of \(count) bytes in \(output.count)")
        for header in headers {
            let (length, stream) = (header.length, header.stream)
            // Larger ones only where the peer's SETTINGS allow them, and then no larger than an answer.
            try hold(length <= 16_384, "a frame of \(length) bytes")
            try hold(isOpened || header.type == 4 || header.type == 7, "the first frame is of type \(header.type)")
            isOpened = true
            switch header.type {
            case 1: if header.flags & 1 == 1 || answered.contains(stream) { heads.insert(stream) }
            case 0: try hold(stream > 0, "DATA on no stream")
            case 3: try hold(stream > 0 && length == 4, "a RST_STREAM of \(length) bytes on stream \(stream)")
            case 4: try hold(stream == 0 && length % 6 == 0, "SETTINGS of \(length) bytes")
            case 6, 7: try hold(stream == 0 && length >= 8, "a PING or GOAWAY of \(length) bytes")
            case 8: try hold(length == 4, "a WINDOW_UPDATE of \(length) bytes")
            case 9: break
            default: throw BrokenProperty(description: "a frame of type \(header.type)")
            }
        }
        return heads
    }
}
