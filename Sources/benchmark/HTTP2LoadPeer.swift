// A load's connection over HTTP/2 by prior knowledge (RFC 9113 §3.3): many requests at once, each on a stream of its own.
//
// Promises: asks nothing before the server's SETTINGS have come; keeps to its limit of streams and to its window for
// the connection; compresses fields as h2load does, by the dynamic table of HPACK, where the server's default size of it
// stands. Opens its own window once, far enough for any load here. SETTINGS and PING are acknowledged.
// Must not know: what LoadPeer.swift says it must not.

struct HTTP2LoadPeer: LoadPeer {
    /// Where the server names no limit.
    private static let streamsMax = 1_000
    private static let headerTableBytes = 4_096

    /// A whole request, and where its stream id stands.
    private struct Prepared {
        let bytes: [UInt8]
        let dataOffset: Int
        let place: NumberPlace

        init(_ block: [UInt8], series: UInt32) {
            var bytes = HTTP2.frame(.headers, flags: HTTP2.Flag.endHeaders, stream: 0, block)
            dataOffset = bytes.count
            let body = Sample.body(Sample.requestID(series: series, number: 0))
            HTTP2.append(.data, flags: HTTP2.Flag.endStream, stream: 0, body, to: &bytes)
            self.bytes = bytes
            place = NumberPlace(in: bytes, series: series)
        }
    }

    private let first: Prepared
    private let later: Prepared
    private let unindexed: Prepared
    /// The status of each stream, by index, from its HEADERS; 0 before, and where it is not known.
    private var statuses: [UInt16] = []
    /// Of a stream that is done with: what may still come for it (RST_STREAM behind the answer) is nothing new.
    private static let answeredStatus: UInt16 = .max
    private var streamsMax = 0
    private var sendWindow = HTTP2.windowBytesInitial
    private var isIndexing = true
    private var isClosing = false

    init(authority: String, series: UInt32) {
        func fields(_ indexing: HPACK.Indexing) -> [UInt8] {
            HPACK.field(.authority, authority, indexing) + HPACK.field(.path, "/callback", indexing)
                + HPACK.field(.contentType, "application/json", indexing)
                + HPACK.field(.contentLength, String(Sample.bodyBytes), indexing)
        }
        let start = [HPACK.post, HPACK.schemeHTTP]
        first = Prepared(start + fields(.added), series: series)
        later = Prepared(start + (0..<4).reversed().flatMap(HPACK.indexed), series: series)
        unindexed = Prepared(start + fields(.none), series: series)
    }

    func open(into output: inout [UInt8]) {
        output += HTTP2.preface
        output += HTTP2.settings([(.enablePush, 0)])
        let more = UInt32(HTTP2.windowBytesMax - HTTP2.windowBytesInitial)
        HTTP2.append(.windowUpdate, HTTP2.number(more), to: &output)
    }

    func room(inFlight: Int, depth: Int) -> Int {
        isClosing ? 0 : min(min(depth, streamsMax) - inFlight, sendWindow / Sample.bodyBytes)
    }

    mutating func ask(number: UInt64, into output: inout [UInt8]) {
        let prepared = !isIndexing ? unindexed : statuses.isEmpty ? first : later
        let stream = UInt32(2 * statuses.count + 1)
        statuses.append(0)
        sendWindow -= Sample.bodyBytes
        let start = output.count
        output.append(contentsOf: prepared.bytes)
        Self.write(stream, to: &output, at: start + 5)
        Self.write(stream, to: &output, at: start + prepared.dataOffset + 5)
        prepared.place.write(number, to: &output, from: start)
    }

    private static func write(_ stream: UInt32, to bytes: inout [UInt8], at start: Int) {
        for place in 0..<4 { bytes[start + place] = UInt8(truncatingIfNeeded: stream >> UInt32(24 - 8 * place)) }
    }

    mutating func receive(
        _ bytes: [UInt8], count: Int, into output: inout [UInt8], _ answered: (LoadAnswer) -> Void
    ) throws -> Int {
        var position = 0
        while position + HTTP2.headBytes <= count {
            let length = Int(bytes[position]) << 16 | Int(bytes[position + 1]) << 8 | Int(bytes[position + 2])
            let start = position + HTTP2.headBytes
            guard start + length <= count else { break }
            guard let type = HTTP2.FrameType(rawValue: bytes[position + 3]) else {
                if streamsMax == 0 { throw BenchmarkFailure("what the server says is not HTTP/2") }
                position = start + length
                continue
            }
            let flags = bytes[position + 4]
            let stream = HTTP2.number31(bytes, at: position + 5)
            if stream == 0 {
                receiveControl(type, flags, bytes, from: start, to: start + length, into: &output)
            } else {
                try receiveStream(type, flags, Int(stream / 2), bytes, from: start, to: start + length, answered)
            }
            position = start + length
        }
        return position
    }

    private mutating func receiveStream(
        _ type: HTTP2.FrameType, _ flags: UInt8, _ index: Int, _ bytes: [UInt8], from start: Int, to end: Int,
        _ answered: (LoadAnswer) -> Void
    ) throws {
        guard statuses.indices.contains(index), statuses[index] != Self.answeredStatus else { return }
        var sequence: UInt64 = 0
        switch type {
        case .headers:
            guard flags & (HTTP2.Flag.padded | HTTP2.Flag.priority) == 0 else {
                throw BenchmarkFailure("HEADERS with padding or priority is not understood")
            }
            statuses[index] = UInt16(HPACK.status(bytes, from: start, to: end))
        case .data:
            if statuses[index] == 200 {
                sequence = AnswerText.number(after: AnswerText.sequence, bytes, from: start, to: end)
            } else if statuses[index] == 0 {
                // A status that is not in the static table: the problem says it, too (RFC 9457 §3.1.2).
                statuses[index] = UInt16(clamping: AnswerText.number(after: AnswerText.status, bytes, from: start, to: end))
            }
        case .resetStream:
            statuses[index] = Self.answeredStatus
            return answered(LoadAnswer(index: index, status: 0, sequence: 0))
        default: return
        }
        if flags & HTTP2.Flag.endStream != 0 {
            let status = Int(statuses[index])
            statuses[index] = Self.answeredStatus
            answered(LoadAnswer(index: index, status: status, sequence: sequence))
        }
    }

    private mutating func receiveControl(
        _ type: HTTP2.FrameType, _ flags: UInt8, _ bytes: [UInt8], from start: Int, to end: Int, into output: inout [UInt8]
    ) {
        let isAcknowledgement = flags & HTTP2.Flag.acknowledge != 0
        switch type {
        case .settings where !isAcknowledgement:
            if streamsMax == 0 { streamsMax = Self.streamsMax }
            for entry in stride(from: start, to: end - 5, by: 6) {
                let value = Int(HTTP2.number31(bytes, at: entry + 2))
                switch HTTP2.Setting(rawValue: UInt16(bytes[entry]) << 8 | UInt16(bytes[entry + 1])) {
                case .concurrentStreamsMax: streamsMax = min(Self.streamsMax, value)
                case .headerTableSize: isIndexing = value >= Self.headerTableBytes
                default: break
                }
            }
            HTTP2.append(.settings, flags: HTTP2.Flag.acknowledge, to: &output)
        case .ping where !isAcknowledgement:
            HTTP2.append(.ping, flags: HTTP2.Flag.acknowledge, Array(bytes[start..<end]), to: &output)
        case .windowUpdate where end - start == 4: sendWindow += Int(HTTP2.number31(bytes, at: start))
        case .goAway: isClosing = true
        default: break
        }
    }
}
