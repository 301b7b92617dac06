// A session with a client at its other end: feeds bytes, answers what comes, reads what is sent.
//
// Promises: one outcome for a case, whole, byte by byte, and split at seeded places; where these differ,
// the test fails. Header blocks of answers are read with libnghttp2's own decoder.
// Must not know: what the right outcome is.

import Testing

import struct TestSupport.SeededGenerator

@testable import HTTPWire

/// What came of one stream, as the client sees it.
struct Answer: Equatable {
    var status: String?
    var interim: [String] = []
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var isEnded = false
    var reset: UInt32?
}

/// All that came of some bytes on one connection.
struct HTTP2Outcome: Equatable {
    var requests: [Seen] = []
    var refusals: [Refusal] = []
    var answers: [Int32: Answer] = [:]
    var goAway: UInt32?
    var isFailed = false
    /// Where this is false the frames' order is all that matters.
    var isReady = false
}

final class Peer {
    let session: HTTP2Session
    var request = Request()
    var outcome = HTTP2Outcome()
    /// Frames the server sent, but for those of answers.
    var control: [Frame] = []
    /// What is answered to each request. Streams are kept unanswered where this is nil.
    var response: Response? = Response.empty(204)
    var unanswered: [Int32] = []
    /// Whether what the session has to say is read.
    var reads = true
    var now: Int64 = 0
    private let decoder = HeaderDecoder()
    private var headerBlock: [UInt8] = []

    init(_ limits: HTTPLimits = HTTPLimits(), _ http2Limits: HTTP2Limits = HTTP2Limits()) {
        session = HTTP2Session(limits: limits, http2Limits: http2Limits)
    }

    /// Bytes arrive; what is complete is answered; what may be sent is read.
    func feed(_ bytes: [UInt8]) {
        session.receive(bytes.span, now: now)
        take()
        if reads { read() }
    }

    /// Takes what is complete.
    func take() {
        while true {
            switch session.next(into: &request) {
            case .needsMore: return
            case .request(let stream):
                outcome.requests.append(Seen(request))
                if let response { respond(response, to: stream) } else { unanswered.append(stream) }
            case .refused(let stream, let refusal):
                outcome.refusals.append(refusal)
                respond(Response.empty(refusal.status), to: stream)
            }
        }
    }

    func respond(_ response: Response, to stream: Int32) {
        session.respond(response, to: stream, date: HTTPDate(unixSeconds: 0))
    }

    /// Reads what the session has to say, a frame or all of them.
    @discardableResult
    func read(bytesMax: Int = .max) -> Int {
        var output: [UInt8] = []
        session.send(into: &output, bytesMax: bytesMax)
        for frame in Frame.all(in: output) { see(frame) }
        outcome.isFailed = session.isFailed
        outcome.isReady = session.isReady
        return output.count
    }

    private func see(_ frame: Frame) {
        switch frame.kind {
        case .headers, .continuation:
            headerBlock += frame.payload
            guard frame.flags & Flag.endHeaders != 0 else { return }
            let fields = decoder.fields(of: headerBlock)
            headerBlock = []
            let status = fields.first { $0.name == ":status" }?.value
            var answer = outcome.answers[frame.stream] ?? Answer()
            if let status, status.hasPrefix("1") {
                answer.interim.append(status)
            } else {
                answer.status = status
                for field in fields where field.name != ":status" { answer.fields[field.name] = field.value }
            }
            answer.isEnded = frame.isEnd
            outcome.answers[frame.stream] = answer
        case .data:
            outcome.answers[frame.stream, default: Answer()].body += frame.payload
            if frame.isEnd { outcome.answers[frame.stream]?.isEnded = true }
        case .reset: outcome.answers[frame.stream, default: Answer()].reset = frame.number()
        case .goAway:
            outcome.goAway = frame.number(at: 4)
            control.append(frame)
        default: control.append(frame)
        }
    }
}

extension Response {
    static func empty(_ status: UInt16) -> Response {
        var response = Response()
        response.status = status
        return response
    }

    static func text(_ body: [UInt8]) -> Response {
        var response = Response()
        response.contentType = "text/plain"
        response.body = body
        return response
    }
}

/// What comes of `bytes` behind an opening, arriving in these pieces.
func http2Outcome(_ bytes: [UInt8], cutAt cuts: [Int], _ limits: HTTPLimits, _ http2Limits: HTTP2Limits) -> HTTP2Outcome {
    let peer = Peer(limits, http2Limits)
    var start = 0
    for cut in cuts + [bytes.count] {
        peer.feed(Array(bytes[start..<cut]))
        start = cut
    }
    return peer.outcome
}

/// What comes of `frames` behind an opening, however they arrive.
func http2Outcome(
    _ frames: [UInt8], limits: HTTPLimits = HTTPLimits(), http2Limits: HTTP2Limits = HTTP2Limits(),
    sourceLocation: SourceLocation = #_sourceLocation
) -> HTTP2Outcome {
    let bytes = opening() + settingsAcknowledgement + frames
    let whole = http2Outcome(bytes, cutAt: [], limits, http2Limits)
    let dripped = http2Outcome(bytes, cutAt: Array(1..<bytes.count), limits, http2Limits)
    #expect(dripped == whole, "byte by byte", sourceLocation: sourceLocation)
    var numbers = SeededGenerator(seed: UInt64(bytes.count))
    for _ in 0..<20 {
        let cuts = (0..<Int.random(in: 1...6, using: &numbers)).map { _ in Int.random(in: 0...bytes.count, using: &numbers) }
        let split = http2Outcome(bytes, cutAt: cuts.sorted(), limits, http2Limits)
        if split != whole { #expect(split == whole, "split at \(cuts.sorted())", sourceLocation: sourceLocation) }
    }
    return whole
}
