// Reads the head of an HTTP/1.1 request, line by line, as it arrives (RFC 9112 §2 to §5).
//
//     method ──SP──▶ requestLine ──CRLF──▶ fields ──empty line──▶ complete
//
// Promises: what was examined is not examined again when more arrives; a line is judged as soon as
// it is complete; how the bytes were split makes no difference to what comes out. Nothing is copied
// before the head is whole: until then the caller holds its bytes, and the request has positions.
// Must not know: bodies, answers, connections.

/// The reader of one head. Positions count from the head's first byte.
struct HeadReader: Sendable {
    enum Outcome {
        case needsMore
        /// The head is whole, and ends before this position.
        case complete(end: Int)
        case refused(Refusal)
    }

    private enum Phase { case method, requestLine, fields }

    private var phase = Phase.method
    /// Where the line that is being read starts.
    private var lineStart = 0
    /// Everything before it has been examined.
    private var position = 0
    /// What the fields read so far say about the body and the connection.
    private(set) var framing = Framing()

    /// How many bytes have been examined, for the test that this is linear in what arrives.
    private(set) var examinedBytes = 0

    /// Reads on.
    /// - Parameters:
    ///   - head: all bytes from the head's first one on, at least as many as in the call before.
    ///   - request: the same one from the head's first byte to its last.
    mutating func read(_ head: Span<UInt8>, limits: HTTPLimits, into request: inout Request) -> Outcome {
        precondition(head.count >= position, "bytes that were not consumed must be presented again")
        if phase == .method {
            switch readMethod(head, into: &request) {
            case .needsMore: return .needsMore
            case .refused(let refusal): return .refused(refusal)
            case .complete: phase = .requestLine
            }
        }
        if phase == .requestLine {
            switch findLineEnd(head, bytesMax: limits.requestLineBytesMax + 2) {
            case .incomplete: return .needsMore
            case .tooLong: return .refused(.targetTooLong)
            case .refused(let refusal): return .refused(refusal)
            case .at(let end):
                if let refusal = RequestLine.read(head, methodEnd: request.methodToken.upperBound, end: end, into: &request) {
                    return .refused(refusal)
                }
                nextLine(after: end)
                phase = .fields
            }
        }
        return readFields(head, limits: limits, into: &request)
    }

    /// method = token (RFC 9112 §3.1). Byte by byte, so that what is not HTTP is refused at its first
    /// byte (a TLS ClientHello starts with 0x16) and not after a timeout.
    private mutating func readMethod(_ head: Span<UInt8>, into request: inout Request) -> Outcome {
        while position < head.count {
            let byte = head[position]
            examinedBytes += 1
            if byte == Byte.space, position > 0 {
                request.methodToken = 0..<position
                request.method = Method(token: request.methodToken, in: head)
                position += 1
                return .complete(end: position)
            }
            guard Byte.isToken(byte) else { return .refused(position == 0 ? .notHTTP : .malformedRequestLine) }
            // RFC 9112 §3: a method longer than any that is implemented is answered with 501.
            guard position < HTTPLimits.methodBytesMax else { return .refused(.methodTooLong) }
            position += 1
        }
        return .needsMore
    }

    private mutating func readFields(
        _ head: Span<UInt8>, limits: HTTPLimits, into request: inout Request
    ) -> Outcome {
        while true {
            // RFC 9112 §5.2: a line that starts with white space folds the one before it; behind the
            // request line it would be read differently by others (§2.2). Refused at its first byte.
            if lineStart < head.count, lineStart < limits.headBytesMax, Byte.isWhiteSpace(head[lineStart]) {
                return .refused(.foldedField)
            }
            let end: Int
            switch findLineEnd(head, bytesMax: limits.headBytesMax) {
            case .incomplete: return .needsMore
            case .tooLong: return .refused(.headTooLarge)
            case .refused(let refusal): return .refused(refusal)
            case .at(let found): end = found
            }
            if end == lineStart { return .complete(end: end + 2) }
            guard request.fields.count < limits.fieldsMax else { return .refused(.tooManyFields) }
            guard let field = fieldLine(head, lineStart..<end) else { return .refused(.malformedField) }
            request.fields.append(field)
            if let refusal = framing.note(field, in: head) { return .refused(refusal) }
            nextLine(after: end)
        }
    }

    /// field-line = field-name ":" OWS field-value OWS (RFC 9112 §5). nil for an empty name, a byte in
    /// it that is none of a token, white space before the colon (§5.1), or no colon at all.
    private func fieldLine(_ head: Span<UInt8>, _ line: Range<Int>) -> Request.Field? {
        let nameEnd = head.endOfToken(in: line)
        guard nameEnd > line.lowerBound, nameEnd < line.upperBound, head[nameEnd] == Byte.colon else { return nil }
        return Request.Field(name: line.lowerBound..<nameEnd, value: head.trimmed(nameEnd + 1..<line.upperBound))
    }

    private mutating func nextLine(after end: Int) {
        lineStart = end + 2
        position = lineStart
    }

    private enum LineEnd {
        case incomplete, tooLong
        case refused(Refusal)
        /// The line's CR is here, and its LF is there too.
        case at(Int)
    }

    /// Looks for CR LF from `position` on; both have to stand before `bytesMax`.
    ///
    /// RFC 9112 §2.2 lets a recipient take a bare LF for a line end, and §11.1 says what comes of it
    /// when the next recipient does not: refused, like a bare CR. RFC 9110 §5.5: so are NUL and the
    /// other control bytes but HTAB.
    private mutating func findLineEnd(_ head: Span<UInt8>, bytesMax: Int) -> LineEnd {
        let limit = min(head.count, bytesMax - 1)
        while true {
            let start = min(position, limit)
            let found = head.firstControl(from: start, to: limit)
            examinedBytes += found - start
            guard found < limit else {
                position = max(position, limit)
                return limit == bytesMax - 1 ? .tooLong : .incomplete
            }
            examinedBytes += 1
            position = found
            switch head[found] {
            case Byte.carriageReturn:
                guard found + 1 < head.count else { return .incomplete }
                examinedBytes += 1
                return head[found + 1] == Byte.lineFeed ? .at(found) : .refused(.bareLineBreak)
            case Byte.tab: position = found + 1
            case Byte.lineFeed: return .refused(.bareLineBreak)
            default: return .refused(.controlByte)
            }
        }
    }
}
