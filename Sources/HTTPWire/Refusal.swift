// Every way in which a request cannot be read, and the one table of how it is answered.
//
// Promises: each refusal has a status and a sentence that says what to do; no bytes of the request
// are in either.
// Must not know: how an answer is written or logged.

/// Why a request cannot be read any further. Over HTTP/1.1 the connection is closed after the answer, since where
/// the next request would begin is not known; over HTTP/2 the stream ends, and its neighbours go on.
public enum Refusal: Sendable, Equatable, CaseIterable {
    /// The first byte is none that a method starts with: TLS, another protocol, junk.
    case notHTTP
    /// More than `HTTPLimits.emptyLinesMax` empty lines before a request line (RFC 9112 §2.2).
    case tooManyEmptyLines
    /// Not `method SP request-target SP HTTP-version` (RFC 9112 §3).
    case malformedRequestLine
    /// None of the forms of RFC 9112 §3.2, one that its method does not have, or not visible ASCII.
    case invalidTarget
    /// A CR without LF or an LF without CR (RFC 9112 §2.2).
    case bareLineBreak
    /// NUL or another control byte but HTAB (RFC 9110 §5.5).
    case controlByte
    /// White space at the start of a field line (RFC 9112 §5.2).
    case foldedField
    /// Not `field-name ":" OWS field-value OWS` (RFC 9112 §5).
    case malformedField
    /// HTTP/1.1 without Host (RFC 9112 §3.2).
    case missingHost
    /// More than one Host (RFC 9112 §3.2).
    case repeatedHost
    /// A Host that names another host than `:authority` (RFC 9113 §8.3.1).
    case differingHost
    /// A Host that is no `uri-host [":" port]` (RFC 9110 §7.2).
    case invalidHost
    /// Not decimal digits, or more than fit (RFC 9110 §8.6).
    case invalidContentLength
    /// More than one Content-Length, even of the same value (RFC 9112 §6.3).
    case repeatedContentLength
    /// Both framings in one message (RFC 9112 §6.1).
    case contentLengthWithTransferEncoding
    /// `chunked` twice, not last, with parameters, or no list of codings at all (RFC 9112 §6.1).
    case malformedTransferEncoding
    /// RFC 9112 §6.1: the framing of such a message is faulty.
    case transferEncodingInHTTP10
    /// Not the grammar of RFC 9112 §7.1.
    case malformedChunk
    /// Beyond `HTTPLimits.chunkLineBytesMax` or `.chunkExtensionBytesMax` (RFC 9112 §7.1.1).
    case chunkLineTooLong
    /// Not the grammar of RFC 9112 §7.1.2.
    case malformedTrailer
    /// The peer closed its side within a request (RFC 9112 §8). Said by the caller.
    case endedEarly
    /// The head did not arrive in time. Said by the caller.
    case headTimeout
    /// The body did not arrive in time. Said by the caller.
    case bodyTimeout
    /// Beyond `HTTPLimits.bodyBytesMax`.
    case bodyTooLarge
    /// The request line is beyond `HTTPLimits.requestLineBytesMax` (RFC 9112 §3).
    case targetTooLong
    /// An expectation other than 100-continue (RFC 9110 §10.1.1).
    case unknownExpectation
    /// Beyond `HTTPLimits.headBytesMax` (RFC 6585 §5).
    case headTooLarge
    /// Beyond `HTTPLimits.fieldsMax` (RFC 6585 §5).
    case tooManyFields
    /// Beyond `HTTPLimits.trailerBytesMax` (RFC 6585 §5).
    case trailersTooLarge
    /// Beyond `HTTPLimits.methodBytesMax` (RFC 9112 §3).
    case methodTooLong
    /// A coding other than chunked (RFC 9112 §6.1).
    case unknownTransferCoding
    /// A version that is neither HTTP/1.0 nor HTTP/1.1 (RFC 9110 §15.6.6).
    case unsupportedVersion

    /// The status of the answer (RFC 9110 §15).
    public var status: UInt16 { answer.status }

    /// What is wrong and what to do about it, as one English sentence.
    public var detail: String { answer.detail }

    /// The table.
    private var answer: (status: UInt16, detail: String) {
        switch self {
        case .notHTTP:
            (400, "This is no HTTP request: speak plain HTTP/1.1 or HTTP/2 to this port, without TLS.")
        case .tooManyEmptyLines:
            (400, "Send the request line first, without empty lines before it.")
        case .malformedRequestLine:
            (400, "Write the request line as METHOD TARGET HTTP/1.1, with single spaces between.")
        case .invalidTarget:
            (400, "Send a target that starts with / and is of visible ASCII characters, percent-encoding all others.")
        case .bareLineBreak:
            (400, "End every line with CR LF: a CR or LF on its own is not accepted.")
        case .controlByte:
            (400, "Remove the control characters from the request line and the header fields.")
        case .foldedField:
            (400, "Put each header field on a line of its own, without white space at its start.")
        case .malformedField:
            (400, "Write each header field as Name: value, without white space before the colon.")
        case .missingHost:
            (400, "Add a Host header field: HTTP/1.1 requires it.")
        case .repeatedHost:
            (400, "Send one Host header field only.")
        case .differingHost:
            (400, "Send the same host in Host as in :authority, or leave Host out.")
        case .invalidHost:
            (400, "Send a Host header field with a host name or address, and a port where it is not the default.")
        case .invalidContentLength:
            (400, "Send Content-Length as one number in decimal digits.")
        case .repeatedContentLength:
            (400, "Send one Content-Length header field only.")
        case .contentLengthWithTransferEncoding:
            (400, "Send either Content-Length or Transfer-Encoding, not both.")
        case .malformedTransferEncoding:
            (400, "Send Transfer-Encoding as the one word chunked, once.")
        case .transferEncodingInHTTP10:
            (400, "Send Content-Length: HTTP/1.0 has no Transfer-Encoding.")
        case .malformedChunk:
            (400, "Send each chunk as its size in hexadecimal digits, CR LF, that many bytes, CR LF.")
        case .chunkLineTooLong:
            (400, "Send chunks without long extensions.")
        case .malformedTrailer:
            (400, "End the body with an empty line, or with trailer fields written as Name: value.")
        case .endedEarly:
            (400, "Send the whole request before closing the connection for writing.")
        case .headTimeout:
            (408, "Send the request line and header fields without long pauses, on a new connection.")
        case .bodyTimeout:
            (408, "Send the body without long pauses, on a new connection.")
        case .bodyTooLarge:
            (413, "Send a smaller body: this one is over the limit.")
        case .targetTooLong:
            (414, "Send a shorter target: this one is over the limit.")
        case .unknownExpectation:
            (417, "Leave out the Expect header field, or send 100-continue.")
        case .headTooLarge:
            (431, "Send fewer or shorter header fields: together they are over the limit.")
        case .tooManyFields:
            (431, "Send fewer header fields: there are more than the limit.")
        case .trailersTooLarge:
            (431, "Send fewer or shorter trailer fields: together they are over the limit.")
        case .methodTooLong:
            (501, "Use a registered method: this one is longer than any that is implemented.")
        case .unknownTransferCoding:
            (501, "Use no transfer coding but chunked.")
        case .unsupportedVersion:
            (505, "Speak HTTP/1.1 or HTTP/1.0, or HTTP/2 from the first byte on (prior knowledge).")
        }
    }
}
