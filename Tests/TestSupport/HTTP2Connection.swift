// A client's end of one HTTP/2 connection by prior knowledge (RFC 9113 §3.3), frame by frame.
//
// Promises: sends exactly the frames it is given, wrong ones too; holds every frame of the server to the RFC
// (HTTP2Rules) and fails with the section where one breaks it; acknowledges SETTINGS and PING, and gives windows back
// unless told not to. Every wait has the raw connection's deadline.
// Must not know: which server it speaks to.

/// How a stream ended.
public enum HTTP2Outcome: Sendable {
    /// A whole answer came.
    case answer(Answer)
    /// The server reset the stream.
    case reset(HTTP2ErrorCode)
    /// The connection was closed after GOAWAY with this code.
    case goAway(HTTP2ErrorCode)
    /// The connection was closed without a word.
    case closed
}

/// One connection.
public final class HTTP2Connection {
    /// What is known of one stream.
    public struct Stream {
        /// Statuses of interim answers.
        public internal(set) var interim: [Int] = []
        /// The final answer's fields, pseudo-header field first.
        public internal(set) var fields: [(name: String, value: String)]?
        public internal(set) var body: [UInt8] = []
        public internal(set) var isEnded = false
        public internal(set) var reset: HTTP2ErrorCode?
        /// What the server may still send, and what it still takes.
        public internal(set) var receiveWindow: Int
        public internal(set) var sendWindow: Int
        var isToHEAD = false

        /// The answer, once it has ended.
        public var answer: Answer? {
            guard isEnded, let fields, let status = fields.first.flatMap({ Int($0.value) }) else { return nil }
            return Answer(version: "HTTP/2", status: status, fields: Array(fields.dropFirst()), body: body)
        }
    }

    public let raw: RawConnection
    /// The server's frames in order, DATA without its bytes.
    public internal(set) var received: [HTTP2Frame] = []
    public internal(set) var streams: [UInt32: Stream] = [:]
    /// The server's settings, where it has said any.
    public internal(set) var peerSettings: [UInt16: UInt32] = [:]
    /// GOAWAY frames in order.
    public internal(set) var goAways: [(last: UInt32, code: HTTP2ErrorCode)] = []
    /// Payloads of PING acknowledgements in order.
    public internal(set) var pongs: [[UInt8]] = []
    /// How many SETTINGS frames the server has acknowledged.
    public internal(set) var settingsAcknowledged = 0
    /// Whether the server has closed the connection.
    public internal(set) var hasEnded = false
    /// Whether DATA is given back to both windows at once. Off, a test sends WINDOW_UPDATE itself.
    public var givesWindowsBack = true
    /// Frames that are together shorter than this are sent byte by byte, so that they end nowhere for whoever reads.
    public var piecesBytesMax = 0
    /// The connection's windows: what the server may still send, and what it still takes.
    public internal(set) var receiveWindow = 65_535
    public internal(set) var sendWindow = 65_535

    var reader = HPACKReader()
    /// Settings sent and not acknowledged yet, in order.
    var unacknowledged: [[(UInt16, UInt32)]] = []
    /// Of ours, in force.
    var initialWindow = 65_535, frameSizeMax = 16_384
    /// The open header block: its stream, its first frame's flags, its bytes so far.
    var openBlock: (stream: UInt32, flags: UInt8, bytes: [UInt8])?
    private var nextStream: UInt32 = 1
    private var pingCount: UInt32 = 0

    /// Connects and sends the preface.
    /// - Parameters:
    ///   - settings: of the preface's SETTINGS frame.
    ///   - handshakes: whether to wait until both sides' SETTINGS are acknowledged; without, nothing is sent at all.
    public init(host: String = "127.0.0.1", port: UInt16, settings: [(UInt16, UInt32)] = [], handshakes: Bool = true, timeoutSeconds: Double = 15) throws {
        raw = try RawConnection(host: host, port: port, timeoutSeconds: timeoutSeconds)
        guard handshakes else { return }
        try sendPreface(settings)
        try read { $0.settingsAcknowledged == 1 && $0.received.contains { $0.kind == HTTP2FrameKind.settings && $0.flags == 0 } }
    }

    /// Sends the preface with its SETTINGS.
    public func sendPreface(_ settings: [(UInt16, UInt32)] = []) throws {
        let frame = HTTP2Frame.settings(settings)
        keepAccount(frame)
        try raw.send(HTTP2Frame.preface + frame.bytes, toleratingClose: true)
    }

    /// Sends frames in one piece, whatever they say.
    public func send(_ frames: HTTP2Frame...) throws { try send(frames) }

    /// Sends frames in one piece, whatever they say.
    public func send(_ frames: [HTTP2Frame]) throws {
        for frame in frames { keepAccount(frame) }
        let bytes = frames.flatMap(\.bytes)
        for piece in piecesBytesMax > bytes.count ? bytes.map({ [$0] }) : [bytes] { try raw.send(piece, toleratingClose: true) }
    }

    /// Keeps account of frames that a test sends in raw bytes.
    public func expectAnswers(to frames: [HTTP2Frame]) {
        for frame in frames { keepAccount(frame) }
    }

    /// An identifier for the next stream (§5.1.1).
    public func takeStream() -> UInt32 {
        defer { nextStream += 2 }
        return nextStream
    }

    /// Reads one frame and does what it asks for; false at the end of the connection.
    @discardableResult
    public func step() throws -> Bool {
        guard !hasEnded else { return false }
        guard let head = try raw.readBytes(9) else { return end() }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        // §4.2: no frame may be larger than this side has said.
        guard length <= frameSizeMax else { throw TestFailure.unreadable("RFC 9113 §4.2: a frame of \(length) bytes") }
        guard let payload = length == 0 ? [] : try raw.readBytes(length) else { return end() }
        let frame = HTTP2Frame(kind: head[3], flags: head[4], stream: head[5...].reduce(0) { $0 << 8 | UInt32($1) }, payload: payload)
        try take(frame)
        var kept = frame
        if frame.kind == HTTP2FrameKind.data { kept.payload = [] }
        received.append(kept)
        return true
    }

    private func end() -> Bool {
        hasEnded = true
        return false
    }

    /// Reads until the condition holds.
    /// - Throws: `TestFailure.unreadable` when the connection ends first.
    public func read(until condition: (HTTP2Connection) throws -> Bool) throws {
        while try !condition(self) {
            guard try step() else { throw TestFailure.unreadable("the connection ended; GOAWAY: \(goAways)") }
        }
    }

    /// Reads to the end of the connection.
    public func readToEnd() throws {
        while try step() {}
    }

    /// Reads until the stream has ended, one way or another.
    public func outcome(of stream: UInt32) throws -> HTTP2Outcome {
        while true {
            if let answer = streams[stream]?.answer { return .answer(answer) }
            if let code = streams[stream]?.reset { return .reset(code) }
            guard try step() else { return goAways.last.map { .goAway($0.code) } ?? .closed }
        }
    }

    /// The answer on a stream.
    /// - Throws: `TestFailure.unreadable` where it ends otherwise.
    public func answer(on stream: UInt32) throws -> Answer {
        let outcome = try outcome(of: stream)
        guard case .answer(let answer) = outcome else { throw TestFailure.unreadable("stream \(stream) ended with \(outcome)") }
        return answer
    }

    /// Sends a PING and reads until its answer: whatever was sent before it has been processed.
    public func roundTrip() throws {
        pingCount += 1
        let opaque = bigEndian(0x70696E67) + bigEndian(pingCount)
        try send(.ping(opaque))
        try read { $0.pongs.contains(opaque) }
    }
}

extension HTTP2Connection {
    /// The fields of a request in their usual order.
    /// - Parameter authority: nil sends none.
    public static func fields(_ method: String, _ target: String, authority: String? = "127.0.0.1", scheme: String = "http") -> [(String, String)] {
        [(":method", method), (":scheme", scheme)] + (authority.map { [(":authority", $0)] } ?? []) + [(":path", target)]
    }

    /// Opens a stream with these fields and nothing else.
    /// - Returns: its identifier.
    public func open(_ fields: [(String, String)], end: Bool = false) throws -> UInt32 {
        let stream = takeStream()
        try send(.headers(HPACK.block(fields), on: stream, end: end))
        streams[stream]?.isToHEAD = fields.contains { $0.0 == ":method" && $0.1 == "HEAD" }
        return stream
    }

    /// Sends a request, its body as the windows allow.
    public func request(
        _ method: String, _ target: String, authority: String? = "127.0.0.1", fields: [(String, String)] = [], body: [UInt8]? = nil, statesLength: Bool = true
    ) throws -> UInt32 {
        let length = statesLength ? body.map { [("content-length", "\($0.count)")] } ?? [] : []
        let stream = try open(Self.fields(method, target, authority: authority) + fields + length, end: body == nil)
        if let body { try sendBody(body, on: stream) }
        return stream
    }

    /// One request and its answer.
    public func exchange(
        _ method: String, _ target: String, authority: String? = "127.0.0.1", fields: [(String, String)] = [], body: [UInt8]? = nil
    ) throws -> Answer {
        try answer(on: request(method, target, authority: authority, fields: fields, body: body))
    }

    /// POSTs JSON to the callback path.
    public func post(_ json: String) throws -> Answer { try exchange("POST", "/callback", body: Array(json.utf8)) }

    /// Sends DATA as far as both windows allow, and reads while they do not. Ends early where the stream has ended.
    public func sendBody(_ bytes: [UInt8], on stream: UInt32, end: Bool = true) throws {
        var rest = bytes[...]
        repeat {
            guard let state = streams[stream], !state.isEnded, state.reset == nil, !hasEnded else { return }
            let room = min(sendWindow, state.sendWindow, Int(peerSettings[HTTP2Setting.frameSizeMax] ?? 16_384))
            if room <= 0, !rest.isEmpty {
                try step()
                continue
            }
            let piece = rest.prefix(max(room, 0))
            rest = rest.dropFirst(piece.count)
            try send(.data(Array(piece), on: stream, end: end && rest.isEmpty))
        } while !rest.isEmpty
    }
}
