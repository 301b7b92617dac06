// What the fields of a head say about where the body ends and whether the connection stays
// (RFC 9112 §6, §9; RFC 9110 §7.2, §8.6, §10.1.1).
//
// Promises: a message whose length could be read in two ways is refused (RFC 9112 §6.3, §11.2).
// Must not know: the body's bytes, the answer.

/// Notes the fields one by one, and judges them together at the end of the head.
struct Framing: Sendable {
    /// How the body is delimited.
    enum Body: Equatable { case none, bytes(Int), chunked }

    /// The Host field's value.
    private(set) var host: Range<Int>?
    /// Whether HTTP/1.1 has to have a Host; not where HTTP/2 has named the authority elsewhere.
    var isHostRequired = true
    private var contentLength: Int?
    private var hasTransferEncoding = false
    private var isChunked = false
    private var hasUnknownCoding = false
    /// Whether there is an Expect field.
    private(set) var hasExpectation = false
    private var hasUnknownExpectation = false
    private var saysClose = false
    private var saysKeepAlive = false

    /// Takes one field into account. Its name's length tells most fields apart at no cost.
    mutating func note(_ field: Request.Field, in head: Span<UInt8>) -> Refusal? {
        let name = field.name
        switch name.count {
        case 4 where head.equalsIgnoringCase("host", at: name):
            // RFC 9112 §3.2: more than one Host line is a 400.
            guard host == nil else { return .repeatedHost }
            host = field.value
        case 6 where head.equalsIgnoringCase("expect", at: name):
            // RFC 9110 §10.1.1: 100-continue, ignoring case, is the only expectation there is.
            hasExpectation = true
            if !head.equalsIgnoringCase("100-continue", at: field.value) { hasUnknownExpectation = true }
        case 10 where head.equalsIgnoringCase("connection", at: name):
            noteConnection(field.value, in: head)
        case 14 where head.equalsIgnoringCase("content-length", at: name):
            return noteContentLength(field.value, in: head)
        case 17 where head.equalsIgnoringCase("transfer-encoding", at: name):
            return noteTransferEncoding(field.value, in: head)
        default: break
        }
        return nil
    }

    /// Judges the whole, writes what it says into `request`, and says how the body is delimited.
    func conclude(_ head: Span<UInt8>, limits: HTTPLimits, into request: inout Request) -> (Body, Refusal?) {
        if let refusal = concludeHost(head, into: &request) { return (.none, refusal) }
        if hasTransferEncoding {
            // RFC 9112 §6.1: together they are likely an attempt at smuggling; close in any case.
            guard contentLength == nil else { return (.none, .contentLengthWithTransferEncoding) }
            // RFC 9112 §6.1: in HTTP/1.0 the framing is faulty, whatever the coding.
            guard !request.isHTTP10 else { return (.none, .transferEncodingInHTTP10) }
            // RFC 9112 §6.1: a coding that is not understood is a 501. Also where chunked is missing
            // altogether, since then nothing was said wrongly but what the coding is.
            guard isChunked, !hasUnknownCoding else { return (.none, .unknownTransferCoding) }
        }
        guard !hasUnknownExpectation else { return (.none, .unknownExpectation) }
        // RFC 9112 §6.3: neither field means that there is no body, whatever the method.
        let body: Body = hasTransferEncoding ? .chunked : contentLength.map { $0 == 0 ? .none : .bytes($0) } ?? .none
        // RFC 9110 §10.1.1: an HTTP/1.0 client's expectation is ignored; without a body there is
        // nothing to go on with.
        request.expectsContinue = hasExpectation && !request.isHTTP10 && body != .none
        if case .bytes(let count) = body, count > limits.bodyBytesMax { return (body, .bodyTooLarge) }
        return (body, nil)
    }

    /// Whether the connection stays after the answer, as far as the client says (RFC 9112 §9.3).
    func isPersistent(isHTTP10: Bool) -> Bool {
        !saysClose && (!isHTTP10 || saysKeepAlive)
    }

    /// RFC 9112 §3.2: required in HTTP/1.1, and checked also where the target's authority wins. An
    /// empty one is valid: it is what a client sends whose target has no authority.
    private func concludeHost(_ head: Span<UInt8>, into request: inout Request) -> Refusal? {
        guard let host else { return request.isHTTP10 || !isHostRequired ? nil : .missingHost }
        guard !host.isEmpty else { return nil }
        guard let parsed = TargetHost(parsing: head, at: host) else { return .invalidHost }
        if request.authority == nil {
            request.authority = host
            request.targetHost = parsed
        }
        return nil
    }

    /// Content-Length = 1*DIGIT (RFC 9110 §8.6). The list of identical numbers that the section lets
    /// a recipient accept is refused, and so is a second line: no client sends either.
    private mutating func noteContentLength(_ value: Range<Int>, in head: Span<UInt8>) -> Refusal? {
        guard contentLength == nil else { return .repeatedContentLength }
        guard !value.isEmpty else { return .invalidContentLength }
        var number = 0
        for index in value {
            guard let digit = Byte.digit(head[index]) else { return .invalidContentLength }
            let (product, overflowed) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowedToo) = product.addingReportingOverflow(Int(digit))
            // RFC 9110 §8.6: a number that does not fit must not be cut down to one that does.
            guard !overflowed, !overflowedToo else { return .invalidContentLength }
            number = sum
        }
        contentLength = number
        return nil
    }

    /// Transfer-Encoding = #transfer-coding, over all its lines (RFC 9112 §6.1, §7). `chunked` stands
    /// once and last; empty elements and parameters of `chunked` are refused.
    private mutating func noteTransferEncoding(_ value: Range<Int>, in head: Span<UInt8>) -> Refusal? {
        hasTransferEncoding = true
        var start = value.lowerBound
        while true {
            let comma = head.firstIndex(of: Byte.comma, in: start..<value.upperBound) ?? value.upperBound
            let coding = head.trimmed(start..<comma)
            let tokenEnd = head.endOfToken(in: coding)
            let token = coding.lowerBound..<tokenEnd
            let isNamedChunked = head.equalsIgnoringCase("chunked", at: token)
            // A parameter may follow a coding's name (RFC 9112 §7), and chunked has none (§7.1).
            let isBare = tokenEnd == coding.upperBound
            guard !token.isEmpty, !isChunked, isBare || (!isNamedChunked && isParameter(head[tokenEnd])) else {
                return .malformedTransferEncoding
            }
            if isNamedChunked { isChunked = true } else { hasUnknownCoding = true }
            guard comma < value.upperBound else { return nil }
            start = comma + 1
        }
    }

    /// Whether a parameter begins with this byte: `OWS ";"`.
    private func isParameter(_ byte: UInt8) -> Bool { byte == Byte.semicolon || Byte.isWhiteSpace(byte) }

    /// Connection = #connection-option (RFC 9110 §7.6.1). Options that are not known are ignored.
    private mutating func noteConnection(_ value: Range<Int>, in head: Span<UInt8>) {
        var start = value.lowerBound
        while true {
            let comma = head.firstIndex(of: Byte.comma, in: start..<value.upperBound) ?? value.upperBound
            let option = head.trimmed(start..<comma)
            if head.equalsIgnoringCase("close", at: option) { saysClose = true }
            if head.equalsIgnoringCase("keep-alive", at: option) { saysKeepAlive = true }
            guard comma < value.upperBound else { return }
            start = comma + 1
        }
    }
}
