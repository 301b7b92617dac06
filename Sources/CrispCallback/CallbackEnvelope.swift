// A payload's two places, the top and `data`, and what they say together.
//
// Promises: API.md §3: each field is looked for at the top, then in `data`, and the first usable value counts;
// outcome, failure message, reason and code come from here alone, so that what is decided on arrival and what
// is answered later cannot differ.
// Must not know: records, answers, or where the bytes are kept.

/// A JSON object read as a callback. Its tokens are offsets into the bytes it was read from.
struct CallbackEnvelope: Sendable {
    private var top = CallbackPlace()
    private var data = CallbackPlace()
    /// Whether no white space stands between tokens: then the text, but for a byte order mark, is the payload.
    private(set) var isCompact = true

    /// Reads the whole of `bytes` and checks every byte of it.
    init(_ bytes: Span<UInt8>) throws(CallbackRejection) {
        let isObject: Bool
        do throws(JSONRejection) {
            isObject = try read(bytes)
        } catch {
            throw CallbackRejection(error)
        }
        guard isObject else { throw .notAnObject }
    }

    /// Whether the text is an object. What is no JSON at all is said first, whatever it starts with.
    private mutating func read(_ bytes: Span<UInt8>) throws(JSONRejection) -> Bool {
        var scanner = JSONScanner(bytes)
        let isObject = scanner.peek(bytes) == UInt8(ascii: "{")
        if isObject {
            try readTop(&scanner, bytes)
        } else {
            _ = try scanner.value(bytes, depth: 0)
        }
        try scanner.finish(bytes)
        isCompact = scanner.whiteSpaceBytes == 0
        return isObject
    }

    private mutating func readTop(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONRejection) {
        var name = try scanner.firstName(bytes)
        while let token = name {
            let member = CallbackMember(token, bytes)
            if member == .data {
                try readData(&scanner, bytes)
            } else {
                try top.read(member, &scanner, bytes, depth: 1)
            }
            name = try scanner.nextName(bytes)
        }
    }

    /// The value of a `data`: it replaces an earlier one wholly, also where it is no object.
    private mutating func readData(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONRejection) {
        data = CallbackPlace()
        guard scanner.peek(bytes) == UInt8(ascii: "{") else {
            _ = try scanner.value(bytes, depth: 1)
            return
        }
        var name = try scanner.firstName(bytes)
        while let token = name {
            try data.read(CallbackMember(token, bytes), &scanner, bytes, depth: 2)
            name = try scanner.nextName(bytes)
        }
    }

    // MARK: What it says

    var requestID: JSONToken? { top.requestID ?? data.requestID }
    var whatsappMessageID: JSONToken? { top.whatsappMessageID ?? data.whatsappMessageID }
    var sessionID: JSONToken? { top.sessionID ?? data.sessionID }
    var crispFingerprint: JSONToken? { top.crispFingerprint ?? data.crispFingerprint }

    /// The first line that holds (API.md §3, the table of outcomes).
    var status: CallbackStatus {
        if top.error.isFailure || data.error.isFailure { return .failed }
        if whatsappMessageID != nil { return .sent }
        if message != nil { return .failed }
        return .unrecognized
    }

    /// `message`, the error's `message`, the error as a string, `reason`: for each, the top comes before `data`.
    var failureMessage: JSONToken? {
        message ?? top.error.message ?? data.error.message ?? top.error.text ?? data.error.text ?? reason
    }

    /// `reason`, and nothing in its stead.
    var reason: JSONToken? { top.reason ?? data.reason }

    /// `code`, the error's `code`, the number in the first `(#131049)` of the failure message.
    func code(_ bytes: Span<UInt8>) -> UInt64? {
        if let token = top.code ?? data.code ?? top.error.code ?? data.error.code { return token.codeValue(bytes) }
        return failureMessage?.codeInParentheses(bytes)
    }

    private var message: JSONToken? { top.message ?? data.message }
}
