// Any bytes on an HTTP/1.1 connection.
//
//     the same comes out whole, byte by byte and split in three       input is never consumed beyond its end
//     no bound of HTTPLimits is passed                                every request and refusal can be answered
//     no answer can be split, whatever it quotes of the request       "100 Continue" is said once for a request
//
// Promises: each input runs under the default limits and under tight ones, which short inputs reach.
// Must not know: which outcome is right; the tests of HTTPWire do.

import HTTPWire

enum HTTP1Properties {
    static let limits: [HTTPLimits] = [
        HTTPLimits(),
        {
            var tight = HTTPLimits(bodyBytesMax: 24)
            tight.requestLineBytesMax = 48
            tight.headBytesMax = 200
            tight.fieldsMax = 4
            return tight
        }(),
    ]

    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        try HTTP1Parts.check(input)
        for limits in limits {
            let whole = try HTTP1Outcome(of: input, cutAt: [], limits)
            for seen in whole.requests { try HTTP1Parts.check(seen.request) }
            let split = try HTTP1Outcome(of: input, cutAt: input.drawnCuts, limits)
            try hold(split == whole, "split at \(input.drawnCuts), it is read differently: \(split), not \(whole)")
            let dripped = try HTTP1Outcome(of: input, cutAt: input.isEmpty ? [] : Array(1..<input.count), limits)
            try hold(dripped == whole, "byte by byte it is read differently: \(dripped), not \(whole)")
        }
    }
}

/// A request, compared by everything that routes see of it.
struct HTTP1Seen: Equatable {
    let request: Request

    static func == (a: HTTP1Seen, b: HTTP1Seen) -> Bool {
        let (a, b) = (a.request, b.request)
        return a.method == b.method && a.methodToken == b.methodToken && a.path == b.path && a.query == b.query
            && a.authority == b.authority && a.targetHost == b.targetHost && a.isHTTP10 == b.isHTTP10
            && a.expectsContinue == b.expectsContinue && a.isHeadComplete == b.isHeadComplete && a.head == b.head
            && a.fields == b.fields && a.body == b.body
    }
}

/// All that comes of some bytes on one connection, each request answered as soon as it is whole.
struct HTTP1Outcome: Equatable {
    private(set) var requests: [HTTP1Seen] = []
    private(set) var refusal: Refusal?
    private(set) var refused: HTTP1Seen?
    private(set) var awaiting = HTTP1Session.Awaiting.idle
    private(set) var mustClose = false
    /// The answers. Interim ones are left out: whether they are due depends on what has arrived.
    private(set) var output: [UInt8] = []
    /// Where nothing was refused.
    private(set) var consumedBytes = 0

    init(of input: [UInt8], cutAt cuts: [Int], _ limits: HTTPLimits) throws(BrokenProperty) {
        var session = HTTP1Session(limits: limits)
        var request = Request()
        /// Everything before it was consumed.
        var start = 0
        var hasContinued = false
        for end in cuts + [input.count] {
            // Each turn but the last consumes a byte or ends a request, which has at least one.
            reading: while true {
                var position = 0
                let event = session.receive(input.span.extracting(start..<end), at: &position, into: &request)
                try hold(0...(end - start) ~= position, "\(position) of \(end - start) bytes were consumed")
                start += position
                try Self.checkBounds(request, limits)
                switch event {
                case .needsMore:
                    try hold(session.mustClose || end - start <= limits.headBytesMax, "\(end - start) bytes stay with the caller")
                    try hold(session.awaiting != .body || start == end, "bytes of a body stay with the caller")
                    try hold(session.awaiting != .answer, "an answer is awaited, and no request was given out")
                    break reading
                case .sendContinue:
                    try hold(!hasContinued, "told to go on twice")
                    try hold(request.expectsContinue && request.isHeadComplete && start == end, "told to go on without need")
                    hasContinued = true
                case .refused(let found):
                    try refuse(found, request, &session)
                    break reading
                case .request:
                    try hold(session.awaiting == .answer && request.isHeadComplete, "a request awaits no answer")
                    requests.append(HTTP1Seen(request: request))
                    hasContinued = false
                    try answer(request, &session)
                }
            }
        }
        awaiting = session.awaiting
        mustClose = session.mustClose
        if refusal == nil { consumedBytes = start }
    }

    /// Answers a request with what it said itself, the likeliest way to split an answer.
    private mutating func answer(_ request: Request, _ session: inout HTTP1Session) throws(BrokenProperty) {
        var response = Response()
        response.status = [200, 204, 304, 404][requests.count % 4]
        response.contentType = "application/json"
        response.fields = [Response.Field(name: "X-Quoted", value: request.text(0..<min(request.head.count, 256)))]
        response.body = request.body
        let start = output.count
        session.respond(response, date: HTTPDate(unixSeconds: 0), close: false, into: &output)
        try HTTP1Answer.check(output[start...], of: response, isHead: request.method == .head)
        try hold(session.awaiting == .idle, "an answered request still awaits something")
    }

    private mutating func refuse(_ found: Refusal, _ request: Request, _ session: inout HTTP1Session) throws(BrokenProperty) {
        if let refusal {
            try hold(refusal == found, "refused as \(refusal), then as \(found)")
            return
        }
        refusal = found
        if request.isHeadComplete { refused = HTTP1Seen(request: request) }
        try hold(session.awaiting == .answer, "a refusal awaits no answer")
        var response = Response()
        response.status = found.status
        response.body = Array(found.detail.utf8)
        let start = output.count
        session.respondRefusal(response, date: HTTPDate(unixSeconds: 0), into: &output)
        try HTTP1Answer.check(output[start...], of: response, isHead: request.method == .head)
        try hold(session.mustClose, "a refused connection stays")
    }

    private static func checkBounds(_ request: Request, _ limits: HTTPLimits) throws(BrokenProperty) {
        try hold(request.head.count <= limits.headBytesMax, "a head of \(request.head.count) bytes")
        try hold(request.fields.count <= limits.fieldsMax, "\(request.fields.count) fields")
        try hold(request.body.count <= limits.bodyBytesMax, "a body of \(request.body.count) bytes")
    }
}

/// One answer as a client reads it.
enum HTTP1Answer {
    /// It ends where its client thinks that it ends, and has the fields that it was given and no more.
    static func check(_ answer: ArraySlice<UInt8>, of response: Response, isHead: Bool) throws(BrokenProperty) {
        var lines: [ArraySlice<UInt8>] = []
        var rest = answer
        while let feed = rest.firstIndex(of: 0x0A) {
            let line = rest[..<feed]
            rest = rest[(feed + 1)...]
            try hold(line.last == 0x0D, "a line of an answer ends without CR")
            if line.count == 1 { break }
            lines.append(line.dropLast())
        }
        for line in lines {
            let isClean = line.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
            try hold(isClean, "a control byte in an answer")
        }
        let status = Array("HTTP/1.1 \(response.status) ".utf8)
        try hold(lines.first?.starts(with: status) == true, "no status line of \(response.status)")
        let hasContent = response.status != 204 && response.status != 304
        let lengths = lines.filter { $0.starts(with: Array("Content-Length: ".utf8)) }
        let expected = hasContent ? [Array("Content-Length: \(response.body.count)".utf8)] : []
        try hold(lengths.map(Array.init) == expected, "the length of an answer's body is not said, or twice")
        let hasType = hasContent && !response.body.isEmpty && response.contentType.utf8CodeUnitCount > 0
        // Status line and Date; the length; the type; what the connection does is said or not.
        let count = 2 + (hasContent ? 1 : 0) + (hasType ? 1 : 0) + response.fields.count
        try hold(count...(count + 1) ~= lines.count, "\(lines.count) lines in an answer's head")
        try hold(Array(rest) == (hasContent && !isHead ? response.body : []), "an answer's body is another")
    }
}
