// What a stored payload says, for answers: derived anew at each query, never stored (API.md §4).
//
// Promises: the same rules as the decoder's, since both read through `CallbackEnvelope`. Holds offsets into
// the payload, no bytes; what is appended to an answer is valid JSON whatever the payload holds.
// Must not know: the answer's shape, what a failure means (`VerdictTable` does), the log.

/// A whole number in a payload, with every digit it came with.
public struct CallbackNumber: Sendable, Equatable {
    /// Where its digits stand in the payload. They may be written with escapes (`"\u0031"`): use `append`.
    let digits: Range<Int>

    /// Appends the number as JSON: digits, after a minus sign where it came with one. Any length.
    ///
    /// - Parameter payload: the bytes that the reading was made from.
    public func append(from payload: Span<UInt8>, to output: inout [UInt8]) {
        var letters = JSONUnescaping(digits)
        while let letter = letters.next(payload) { output.append(letter) }
    }
}

/// What one payload says. Every offset and every method is about the bytes it was made from.
public struct CallbackReading: Sendable {
    /// What the callback says happened.
    public let status: CallbackStatus
    /// The `crisp_fingerprint`, answered as this number whether it came as a number or as a string.
    public let crispFingerprint: CallbackNumber?
    /// The `whatsapp_message_id`: a JSON string token with its quotes, fit to be emitted as it is.
    /// `JSONString.appendUnescaped` gives its value, to look it up by.
    public let whatsappMessageID: Range<Int>?
    /// The `session_id`, likewise.
    public let sessionID: Range<Int>?
    /// The failure's code, below 10^18: a `code`, else the number in the first `(#131049)` of the message.
    public let code: UInt64?
    private let failureMessage: JSONToken?
    private let failureReason: JSONToken?

    /// Reads a payload. Stored ones are compact, but any JSON object will do, with a `request_id` or without.
    ///
    /// - Throws: where it is no JSON object; never `noRequestID`.
    public init(payload: Span<UInt8>) throws(CallbackRejection) {
        let envelope = try CallbackEnvelope(payload)
        status = envelope.status
        crispFingerprint = envelope.crispFingerprint.map { token in
            CallbackNumber(digits: token.kind == .string ? token.content : token.range)
        }
        whatsappMessageID = envelope.whatsappMessageID?.range
        sessionID = envelope.sessionID?.range
        code = envelope.code(payload)
        failureMessage = envelope.failureMessage
        failureReason = envelope.reason
    }

    /// What the failure means, by the present table; nil where the callback is none.
    ///
    /// - Parameter payload: the bytes that the reading was made from.
    public func verdict(_ payload: Span<UInt8>) -> Verdict? {
        guard status == .failed else { return nil }
        return VerdictTable.verdict(code: code, message: failureMessage, in: payload)
    }

    /// Appends the failure message as a JSON string token, or `null`. Lone surrogates become U+FFFD.
    ///
    /// - Parameter payload: the bytes that the reading was made from.
    public func appendFailureMessage(from payload: Span<UInt8>, to output: inout [UInt8]) {
        JSONString.appendToken(failureMessage, in: payload, to: &output)
    }

    /// Appends the failure reason likewise.
    public func appendFailureReason(from payload: Span<UInt8>, to output: inout [UInt8]) {
        JSONString.appendToken(failureReason, in: payload, to: &output)
    }
}
