// From the fields of a header block to a request: HTTP/2's control data is in pseudo-header fields
// (RFC 9113 §8.3.1), everything else is judged as in HTTP/1.1.
//
// Promises: the same strictness as a request line; beyond the bounds on size and number, what comes
// costs a comparison and is not kept.
// Must not know: HPACK, frames. That pseudo-header fields are unique, come first, are all there, that
// names are lower-case and nothing is connection-specific is libnghttp2's to hold: where it does not
// hold, the stream is reset with PROTOCOL_ERROR (RFC 9113 §8.1.1) and no request comes of it.

extension HTTP2Stream {
    /// Takes one field of the request's head.
    mutating func addField(name: Span<UInt8>, value: Span<UInt8>, limits: HTTPLimits) {
        guard refusal == nil else { return }
        headBytes += name.count + value.count + HTTP2Limits.fieldOverheadBytes
        guard headBytes <= limits.headBytesMax else {
            refusal = .headTooLarge
            return
        }
        guard name.count > 0, name[0] != Byte.colon else {
            return addPseudoField(name: name, value: value, limits: limits)
        }
        guard request.fields.count < limits.fieldsMax else {
            refusal = .tooManyFields
            return
        }
        let start = request.head.count
        request.head.append(name)
        let middle = start + name.count
        request.head.append(value)
        request.fields.append(Request.Field(name: start..<middle, value: middle..<middle + value.count))
    }

    private mutating func addPseudoField(name: Span<UInt8>, value: Span<UInt8>, limits: HTTPLimits) {
        let range = request.head.count..<request.head.count + value.count
        let whole = 0..<name.count
        if name.equals(":path", at: whole) {
            // A request line is method, target and version; here the target alone can be too long.
            guard value.count <= limits.requestLineBytesMax else {
                refusal = .targetTooLong
                return
            }
            pseudoFields.path = range
        } else if name.equals(":method", at: whole) {
            guard value.count <= HTTPLimits.methodBytesMax else {
                refusal = .methodTooLong
                return
            }
            pseudoFields.method = range
        } else if name.equals(":scheme", at: whole) {
            pseudoFields.scheme = range
        } else if name.equals(":authority", at: whole) {
            pseudoFields.authority = range
        }
        request.head.append(value)
    }

    /// Judges the head at the end of its block, and writes what it says into the request.
    /// - Parameter isEnded: whether the stream ended with it, so that there is no body.
    mutating func concludeHead(isEnded: Bool, limits: HTTPLimits) -> Refusal? {
        // Shares the storage, so that the request can be written to meanwhile.
        let head = request.head
        let bytes = head.span
        if let method = pseudoFields.method {
            request.methodToken = method
            request.method = Method(token: method, in: bytes)
            isHead = request.method == .head
        }
        if let refusal { return refusal }
        // CONNECT has neither scheme nor path (RFC 9113 §8.5); a tunnel is a proxy's to give.
        guard let path = pseudoFields.path, !path.isEmpty, let scheme = pseudoFields.scheme,
            bytes.equalsIgnoringCase("http", at: scheme) || bytes.equalsIgnoringCase("https", at: scheme)
        else { return .invalidTarget }
        if let refusal = RequestLine.readTarget(bytes, path, allowsAbsoluteForm: false, into: &request) {
            return refusal
        }
        var framing = Framing()
        if let authority = pseudoFields.authority, !authority.isEmpty {
            guard let host = TargetHost(parsing: bytes, at: authority) else { return .invalidHost }
            request.authority = authority
            request.targetHost = host
            framing.isHostRequired = false
        }
        for field in request.fields {
            if let refusal = framing.note(field, in: bytes) { return refusal }
        }
        // RFC 9113 §8.3.1: a server treats a Host that names another host than :authority as malformed.
        if let authority = request.authority, let host = framing.host, !bytes.equalsIgnoringCase(authority, host) {
            return .differingHost
        }
        let (_, refusal) = framing.conclude(bytes, limits: limits, into: &request)
        // There may be a body of which no Content-Length says anything: END_STREAM says it.
        request.expectsContinue = framing.hasExpectation && !isEnded
        request.isHeadComplete = true
        return refusal
    }
}
