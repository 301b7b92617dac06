// The rest of a request line: target and version (RFC 9112 §2.3, §3).
//
// Promises: one reading. What has a second SP too many, a bare LF, a byte outside visible ASCII or
// a form that its method does not have is refused, not repaired.
// Must not know: fields, bodies, which paths there are.

enum RequestLine {
    /// Reads ` target HTTP/x.y` between `methodEnd` and `end` (the position of CR) into `request`.
    static func read(_ head: Span<UInt8>, methodEnd: Int, end: Int, into request: inout Request) -> Refusal? {
        // Exactly one SP before and behind the target (RFC 9112 §3); a target has none in it.
        let targetStart = methodEnd + 1
        guard let targetEnd = head.firstIndex(of: Byte.space, in: targetStart..<end), targetEnd > targetStart else {
            return .malformedRequestLine
        }
        if let refusal = readVersion(head, targetEnd + 1..<end, into: &request) { return refusal }
        return readTarget(head, targetStart..<targetEnd, allowsAbsoluteForm: true, into: &request)
    }

    /// HTTP-version = "HTTP" "/" DIGIT "." DIGIT, case-sensitive (RFC 9112 §2.3). So `HTTP/1.10` and
    /// `http/1.1` are malformed, and `HTTP/1.2` and `HTTP/2.0` are versions that are not spoken here.
    private static func readVersion(_ head: Span<UInt8>, _ version: Range<Int>, into request: inout Request) -> Refusal? {
        let start = version.lowerBound
        guard version.count == 8, head.equals("HTTP/", at: start..<start + 5),
            let major = Byte.digit(head[start + 5]), head[start + 6] == Byte.dot,
            let minor = Byte.digit(head[start + 7])
        else { return .malformedRequestLine }
        guard major == 1, minor <= 1 else { return .unsupportedVersion }
        request.isHTTP10 = minor == 0
        return nil
    }

    /// Reads the target at `target`, which is not empty, into path, query and authority. The method is known.
    /// - Parameter allowsAbsoluteForm: not in HTTP/2, whose authority is a field of its own (RFC 9113 §8.3.1).
    static func readTarget(
        _ head: Span<UInt8>, _ target: Range<Int>, allowsAbsoluteForm: Bool, into request: inout Request
    ) -> Refusal? {
        let bytes = head.extracting(target)
        for index in bytes.indices {
            // RFC 3986 §2 has visible ASCII only; a fragment is never sent (RFC 9110 §4.2.5).
            guard Byte.isVisible(bytes[index]), bytes[index] != Byte.hash else { return .invalidTarget }
        }
        let question = head.firstIndex(of: Byte.question, in: target)
        // CONNECT and its authority-form ask for a tunnel, which is a proxy's (RFC 9112 §3.2.3).
        guard request.method != .connect else { return .invalidTarget }
        let pathEnd = question ?? target.upperBound
        request.query = question.map { $0 + 1..<target.upperBound }
        if head[target.lowerBound] == Byte.slash {
            // origin-form, RFC 9112 §3.2.1.
            request.path = target.lowerBound..<pathEnd
            return nil
        }
        if head.equals("*", at: target) {
            // asterisk-form, RFC 9112 §3.2.4.
            guard request.method == .options else { return .invalidTarget }
            request.path = target
            return nil
        }
        guard allowsAbsoluteForm else { return .invalidTarget }
        return readAbsoluteForm(head, target, pathEnd: pathEnd, into: &request)
    }

    /// absolute-form (RFC 9112 §3.2.2): a server has to accept it. `http` and `https` only, with a
    /// host (RFC 9110 §4.2.1) and without user information (§4.2.4).
    private static func readAbsoluteForm(
        _ head: Span<UInt8>, _ target: Range<Int>, pathEnd: Int, into request: inout Request
    ) -> Refusal? {
        let authorityStart: Int
        if head.startsIgnoringCase("http://", at: target) {
            authorityStart = target.lowerBound + 7
        } else if head.startsIgnoringCase("https://", at: target) {
            authorityStart = target.lowerBound + 8
        } else {
            return .invalidTarget
        }
        // The scheme has no `?`, and no byte that ends the authority.
        guard authorityStart <= pathEnd else { return .invalidTarget }
        let slash = head.firstIndex(of: Byte.slash, in: authorityStart..<pathEnd)
        let authority = authorityStart..<(slash ?? pathEnd)
        guard let host = TargetHost(parsing: head, at: authority) else { return .invalidTarget }
        request.authority = authority
        request.targetHost = host
        // An empty path is `/` (RFC 9110 §4.2.3): the last byte of `//` stands in for it.
        request.path = slash.map { $0..<pathEnd } ?? authorityStart - 1..<authorityStart
        return nil
    }
}
