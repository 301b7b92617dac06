// Any conversation on an HTTP/2 connection.
//
//     the same requests, refusals and end come out whole, byte by byte and split in three
//     no bound of HTTP2Limits is passed, after any step             what may be sent is sent: nothing waits but for windows
//     every request that is given out can be answered, and is       a failed session holds nothing and says nothing more
//     what is sent is whole frames, within the peer's windows       at the end everything can be timed out and closed
//
// Promises: each input runs under the default limits and under tight ones, which short inputs reach.
// Must not know: which outcome is right; the tests of HTTPWire do.

import HTTPWire

enum HTTP2Properties {
    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let steps = ConversationText.steps(input)
        let bytes = steps.flatMap { step in if case .bytes(let bytes) = step { bytes } else { [] as [UInt8] } }
        let limits = HTTPLimits(bodyBytesMax: 1_024)
        let whole = HTTP2Reading(of: bytes, cutAt: [], limits)
        let split = HTTP2Reading(of: bytes, cutAt: bytes.drawnCuts, limits)
        try hold(split == whole, "split at \(bytes.drawnCuts), it is read differently: \(split), not \(whole)")
        let dripped = HTTP2Reading(of: bytes, cutAt: bytes.isEmpty ? [] : Array(1..<bytes.count), limits)
        try hold(dripped == whole, "byte by byte it is read differently: \(dripped), not \(whole)")

        try HTTP2Conversation.run(steps, limits, HTTP2Limits(), answerBytes: 3_000)
        try HTTP2Conversation.run(steps, tightLimits, tightHTTP2Limits, answerBytes: 40)
    }

    private static let tightLimits: HTTPLimits = {
        var limits = HTTPLimits(bodyBytesMax: 24)
        limits.requestLineBytesMax = 48
        limits.headBytesMax = 300
        limits.fieldsMax = 4
        return limits
    }()

    private static let tightHTTP2Limits: HTTP2Limits = {
        var limits = HTTP2Limits()
        limits.concurrentStreamsMax = 3
        limits.heldBytesMax = 0
        limits.unsentBytesMax = 200
        limits.nuisanceBurst = 12
        limits.nuisancesPerSecond = 1
        return limits
    }()
}

/// All that comes of some bytes where nothing is answered before they are all there.
private struct HTTP2Reading: Equatable {
    private enum Outcome: Equatable {
        case request(Int32, HTTP1Seen)
        case refused(Int32, Refusal)
    }

    /// Whether the peer made a mistake (a stream was reset, or the connection failed) or took its leave. What comes of
    /// the frames after that depends on whether it was noticed before they came; that it happened does not. (A request
    /// right behind a GOAWAY of the client's is served where both are read at once; else the connection is done.)
    private let isOver: Bool
    private var outcomes: [Outcome] = []
    private let isReady: Bool
    private let incompleteCount: Int
    private let newestStream: Int32

    static func == (a: HTTP2Reading, b: HTTP2Reading) -> Bool {
        guard !a.isOver, !b.isOver else { return a.isOver == b.isOver }
        return a.outcomes == b.outcomes && a.isReady == b.isReady && a.incompleteCount == b.incompleteCount
            && a.newestStream == b.newestStream
    }

    init(of input: [UInt8], cutAt cuts: [Int], _ limits: HTTPLimits) {
        var http2Limits = HTTP2Limits()
        // What is forgiven depends on when acknowledgements are sent, and that on how the bytes come.
        http2Limits.nuisanceBurst = 100_000
        let session = HTTP2Session(limits: limits, http2Limits: http2Limits)
        var start = 0
        for end in cuts + [input.count] {
            session.receive(input.span.extracting(start..<end), now: 0)
            start = end
        }
        isReady = session.isReady
        incompleteCount = session.incompleteCount
        newestStream = session.newestStream
        var output: [UInt8] = []
        session.send(into: &output, bytesMax: .max)
        let hasLeft = HTTP2Frames.all(in: Array(input.dropFirst(24))).contains { $0.type == 7 }
        isOver = session.isDone || hasLeft || HTTP2Frames.all(in: output).contains { $0.type == 3 }
        while true {
            var request = Request()
            switch session.next(into: &request) {
            case .needsMore: return
            case .request(let id): outcomes.append(.request(id, HTTP1Seen(request: request)))
            case .refused(let id, let refusal): outcomes.append(.refused(id, refusal))
            }
        }
    }
}
