// Drives a session as a connection does, with the bytes split in every way that can happen.
//
// Promises: one outcome for a case, whole, byte by byte, and split in two at every place; where these
// differ, the test fails. Answers each request, so that pipelined ones follow.
// Must not know: what the right outcome is.

import Testing

@testable import HTTPWire

/// A request as it came out, as text.
struct Seen: Equatable {
    var method: Method
    var path: String
    var query: String?
    var authority: String?
    var isLoopback: Bool
    var isHTTP10: Bool
    var fields: [String]
    var body: [UInt8]

    init(_ request: Request) {
        method = request.method
        path = request.text(request.path)
        query = request.query.map { request.text($0) }
        authority = request.authority.map { request.text($0) }
        isLoopback = request.targetHost?.isLoopbackName ?? false
        isHTTP10 = request.isHTTP10
        fields = request.fields.map { request.text($0.name) + "=" + request.text($0.value) }
        body = request.body
    }
}

/// All that came of some bytes on one connection.
struct Outcome: Equatable {
    var requests: [Seen] = []
    var refusal: Refusal?
    /// The refused request, where its head was complete.
    var refused: Seen?
    var awaiting: HTTP1Session.Awaiting = .idle
    var mustClose = false
    /// What was written: the answers, `204` each. Interim answers are left out, since whether they are
    /// due depends on what has arrived.
    var output: [UInt8] = []
    /// How much was consumed, where nothing was refused.
    var consumedBytes = 0
}

/// A connection without a socket.
struct Connection {
    var session: HTTP1Session
    var request = Request()
    var pending: [UInt8] = []
    var outcome = Outcome()
    var continues = 0

    init(_ limits: HTTPLimits) {
        session = HTTP1Session(limits: limits)
    }

    /// Bytes arrive behind those that are pending.
    mutating func feed(_ bytes: some Sequence<UInt8>) {
        pending.append(contentsOf: bytes)
        let input = pending
        var response = Response()
        response.status = 204
        var position = 0
        reading: while true {
            let before = position
            let event = session.receive(input.span, at: &position, into: &request)
            #expect(before <= position && position <= input.count)
            switch event {
            case .needsMore: break reading
            case .sendContinue: continues += 1
            case .refused(let refusal):
                if outcome.refusal == nil {
                    outcome.refusal = refusal
                    if request.isHeadComplete { outcome.refused = Seen(request) }
                    #expect(session.awaiting == .answer)
                    response.status = refusal.status
                    session.respondRefusal(response, date: HTTPDate(unixSeconds: 0), into: &outcome.output)
                }
                #expect(outcome.refusal == refusal)
                break reading
            case .request:
                outcome.requests.append(Seen(request))
                session.respond(response, date: HTTPDate(unixSeconds: 0), close: false, into: &outcome.output)
            }
        }
        pending.removeSubrange(..<position)
        outcome.consumedBytes += position
        outcome.awaiting = session.awaiting
        outcome.mustClose = session.mustClose
    }
}

/// What comes of `bytes` arriving in these pieces.
func outcome(_ bytes: [UInt8], cutAt cuts: [Int], _ limits: HTTPLimits) -> Outcome {
    var connection = Connection(limits)
    var start = 0
    for cut in cuts + [bytes.count] {
        connection.feed(bytes[start..<cut])
        start = cut
    }
    var outcome = connection.outcome
    if outcome.refusal != nil { outcome.consumedBytes = 0 }
    return outcome
}

/// What comes of `bytes`, however they arrive.
func outcome(
    _ bytes: [UInt8], limits: HTTPLimits = HTTPLimits(), sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome {
    let whole = outcome(bytes, cutAt: [], limits)
    let dripped = outcome(bytes, cutAt: bytes.isEmpty ? [] : Array(1..<bytes.count), limits)
    #expect(dripped == whole, "byte by byte", sourceLocation: sourceLocation)
    // Long inputs are split at places a prime apart: every place of 16 KiB would take minutes.
    for cut in stride(from: 1, to: bytes.count, by: bytes.count > 2_048 ? 127 : 1) {
        let split = outcome(bytes, cutAt: [cut], limits)
        if split != whole { #expect(split == whole, "split at \(cut)", sourceLocation: sourceLocation) }
    }
    return whole
}

/// The same for text, whose line ends are written out.
func outcome(
    _ text: String, limits: HTTPLimits = HTTPLimits(), sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome {
    outcome(Array(text.utf8), limits: limits, sourceLocation: sourceLocation)
}
