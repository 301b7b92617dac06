// One answer of an HTTP/1.1 server, taken apart as it comes (RFC 9112).
//
//     head ──▶ fixed length ───────────────▶ done
//      │ ├───▶ chunk size ◀─▶ chunk ──▶ trailers ──▶ done
//      │ └───▶ until the connection's end ──▶ done
//      └ 1xx: the next head
//
// Promises: pure; every line and the head are bounded; what could be read in two ways is a fault. The body is handed out as
// far as it has come. Must not know: sockets, what is in a body.

/// Why an answer cannot be read: the end of a sentence.
struct AnswerFault: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
}

struct AnswerReader {
    /// Head, or trailers, of an answer.
    private static let headBytesMax = 16 * 1_024

    private enum State { case head, fixed(UInt64), chunkSize, chunk(UInt64), chunkEnd, trailers, untilEnd, done }

    private var state = State.head
    /// The line that has begun to arrive.
    private var line: [UInt8] = []
    private var headBytes = 0
    private var contentLength: UInt64?
    private var isChunked = false
    /// The three digits; nil until the head is whole.
    private(set) var status: Int?
    private var statusSeen: Int?
    /// The field Retry-After, where it is a number of seconds.
    private(set) var retryAfterSeconds: Int?
    /// What has come of the body and was not taken yet.
    private(set) var body: [UInt8] = []

    var isDone: Bool { if case .done = state { true } else { false } }

    /// The body so far; what comes next is appended to nothing.
    mutating func takeBody() -> [UInt8] {
        defer { body.removeAll(keepingCapacity: true) }
        return body
    }

    /// Takes what has arrived. What comes behind the answer's end is passed over: nothing more was asked for.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(AnswerFault) {
        var at = bytes.startIndex
        while at < bytes.endIndex {
            switch state {
            case .fixed(let left):
                let count = min(bytes.endIndex - at, Int(clamping: left))
                body += bytes[at..<at + count]
                at += count
                state = left == UInt64(count) ? .done : .fixed(left - UInt64(count))
            case .chunk(let left):
                let count = min(bytes.endIndex - at, Int(clamping: left))
                body += bytes[at..<at + count]
                at += count
                state = left == UInt64(count) ? .chunkEnd : .chunk(left - UInt64(count))
            case .untilEnd:
                body += bytes[at...]
                at = bytes.endIndex
            case .done: return
            case .head, .chunkSize, .chunkEnd, .trailers:
                let byte = bytes[at]
                at += 1
                headBytes += 1
                guard headBytes <= Self.headBytesMax else { throw AnswerFault("sends a head that does not end") }
                guard byte == 0x0A else {
                    line.append(byte)
                    continue
                }
                if line.last == 0x0D { line.removeLast() }
                try takeLine()
                line.removeAll(keepingCapacity: true)
            }
        }
    }

    /// The connection's end. False where the answer was not whole then.
    mutating func end() -> Bool {
        if case .untilEnd = state { state = .done }
        return isDone
    }

    // MARK: Lines

    private mutating func takeLine() throws(AnswerFault) {
        switch state {
        case .head:
            if statusSeen == nil { return try takeStatus() }
            if !line.isEmpty { return try takeField() }
            try beginBody()
        case .chunkSize:
            // RFC 9112 §7.1.1: extensions mean nothing here.
            let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
            guard 1...15 ~= digits.count, let size = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) else {
                throw AnswerFault("sends a chunk without a size")
            }
            headBytes = 0
            state = size == 0 ? .trailers : .chunk(size)
        case .chunkEnd:
            guard line.isEmpty else { throw AnswerFault("sends a chunk longer than it said") }
            state = .chunkSize
        case .trailers: if line.isEmpty { state = .done }
        case .fixed, .chunk, .untilEnd, .done: break
        }
    }

    /// `HTTP/1.1 200 OK` (RFC 9112 §4).
    private mutating func takeStatus() throws(AnswerFault) {
        let words = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].elementsEqual("HTTP/1.1".utf8) || words[0].elementsEqual("HTTP/1.0".utf8),
            words[1].count == 3, let code = Int(String(decoding: words[1], as: UTF8.self)), 100...599 ~= code
        else { throw AnswerFault("does not speak HTTP/1.1") }
        statusSeen = code
    }

    private mutating func takeField() throws(AnswerFault) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw AnswerFault("sends a field without a colon") }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let value = String(decoding: line[(colon + 1)...], as: UTF8.self).drop { $0 == " " || $0 == "\t" }
        let text = String(value.prefix(upTo: value.lastIndex { $0 != " " && $0 != "\t" }.map { value.index(after: $0) } ?? value.startIndex))
        switch name {
        case "content-length":
            guard contentLength == nil, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let length = UInt64(text) else {
                throw AnswerFault("sends a length that is none")
            }
            contentLength = length
        case "transfer-encoding":
            guard text.lowercased() == "chunked" else { throw AnswerFault("sends a transfer encoding that is not known here") }
            isChunked = true
        case "retry-after": retryAfterSeconds = WholeNumber.parse(text).map { Int(min($0, 3_600)) }
        default: break
        }
    }

    /// How long the body is (RFC 9112 §6.3).
    private mutating func beginBody() throws(AnswerFault) {
        guard let code = statusSeen else { return }
        headBytes = 0
        if code < 200 {
            statusSeen = nil
            contentLength = nil
            isChunked = false
            return
        }
        status = code
        if isChunked {
            guard contentLength == nil else { throw AnswerFault("sends an answer that has two lengths") }
            state = .chunkSize
        } else if code == 204 || code == 304 || contentLength == 0 {
            state = .done
        } else {
            state = contentLength.map { .fixed($0) } ?? .untilEnd
        }
    }
}
