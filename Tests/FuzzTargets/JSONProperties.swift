// Any bytes as the body of a callback.
//
//     scanner and slow parser take the same texts                 decoder and slow reading of the contract agree
//     the payload is the body but for white space, one line       a payload decoded again is the same payload
//     a refusal leaves the record as it was                       any bytes become a valid string token
//     every failure has a verdict, however its message is escaped
//
// Promises: the second opinions share no code with the room under test (JSONReference).
// Must not know: which bodies are callbacks; the reference does.

import CrispCallback
import JSONReference

enum JSONProperties {
    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let tree = JSONTreeParser.parse(input)
        try checkScanner(input, tree)
        try checkDecoder(input)
        try checkCompaction(input, tree)
        try checkToken(input)
    }

    private static func checkScanner(_ text: [UInt8], _ tree: Result<JSONTree, JSONTreeFault>) throws(BrokenProperty) {
        let rejection = rejection(of: text)
        switch (rejection, tree) {
        case (nil, .success), (.malformed, .failure(.grammar)), (_?, .failure(.notUTF8)): break
        case (.nestedTooDeep(let offset), .failure(.tooDeep(let expected))) where offset == expected: break
        default: throw BrokenProperty(description: "the scanner says \(String(describing: rejection)), the slow parser \(tree)")
        }
        if case .malformed(let offset, _) = rejection { try hold(0...text.count ~= offset, "a fault at byte \(offset)") }
    }

    private static func rejection(of text: [UInt8]) -> JSONRejection? {
        do throws(JSONRejection) {
            try JSONScanner.validate(text.span)
            return nil
        } catch {
            return error
        }
    }

    private static func checkDecoder(_ body: [UInt8]) throws(BrokenProperty) {
        let decoded = try Decoded(body)
        let expected = CallbackReference.verdict(body)
        // What is too deep and, further on, no UTF-8 is refused for what comes first; the slow parser looks at the
        // encoding of the whole before anything else.
        let isEither = decoded.verdict == .nestedTooDeep && expected == .notJSON && String(validating: body, as: UTF8.self) == nil
        try hold(decoded.verdict == expected || isEither, "the decoder says \(decoded.verdict), the contract \(expected)")
        guard let payload = decoded.payload else { return }
        try hold(payload.allSatisfy { $0 >= 0x20 }, "a payload that fits no line of the log")
        try hold(JSONTreeParser.parse(payload) == JSONTreeParser.parse(body), "the payload means something else than the body")
        let again = try Decoded(payload)
        try hold(again.payload == payload && again.verdict == decoded.verdict, "the payload decoded again is another")
    }

    /// The white space rule without the scanner: outside strings the four characters go, in any text.
    private static func checkCompaction(_ text: [UInt8], _ tree: Result<JSONTree, JSONTreeFault>) throws(BrokenProperty) {
        var compact: [UInt8] = []
        JSONText.appendCompact(text.span, to: &compact)
        try hold(compact.count <= text.count, "the compact text is longer")
        guard case .success = tree else { return }
        var isInString = false
        var isEscaped = false
        let expected = text.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }.filter { byte in
            defer {
                if byte == 0x22, !isEscaped { isInString.toggle() }
                isEscaped = isInString && byte == 0x5C && !isEscaped
            }
            return isInString || ![0x20, 0x09, 0x0A, 0x0D].contains(byte)
        }
        try hold(compact == expected, "the compact text is another")
    }

    /// Any bytes make a token; those that are UTF-8 come back as they went in.
    private static func checkToken(_ bytes: [UInt8]) throws(BrokenProperty) {
        var token: [UInt8] = []
        JSONString.append(utf8: bytes.span, to: &token)
        guard case .success(.string(let units)) = JSONTreeParser.parse(token) else {
            throw BrokenProperty(description: "no string token: \(token)")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { return }
        try hold(String(decoding: units, as: UTF16.self).utf8.elementsEqual(bytes), "a token that means another string")
        var back: [UInt8] = []
        JSONString.appendUnescaped(0..<token.count, of: token.span, to: &back)
        try hold(back == bytes, "a token that is read back as another string")
    }
}

/// A body through the decoder and, where it was taken, its payload through the reading for answers.
private struct Decoded {
    let verdict: ReferenceVerdict
    let payload: [UInt8]?

    init(_ body: [UInt8]) throws(BrokenProperty) {
        let before: [UInt8] = [1, 2, 3]
        var record = before
        let decoded: DecodedCallback
        do throws(CallbackRejection) {
            decoded = try CallbackDecoder.decode(body.span, into: &record)
        } catch {
            try hold(record == before, "a refusal has changed the record")
            try hold((400...422).contains(error.status) && !error.detail.isEmpty, "a refusal without an answer")
            payload = nil
            verdict =
                switch error {
                case .notJSON: .notJSON
                case .nestedTooDeep: .nestedTooDeep
                case .notAnObject: .notAnObject
                case .noRequestID: .noRequestID
                }
            return
        }
        try hold(Array(record[..<3]) == before && record.count <= 3 + body.count + 256, "a record of \(record.count) bytes")
        try hold(decoded.payload.lowerBound == 3 && decoded.payload.upperBound == decoded.requestID.lowerBound, "a payload at \(decoded.payload)")
        try hold(decoded.requestID.upperBound == record.count, "a request_id at \(decoded.requestID)")
        let payload = Array(record[decoded.payload])
        self.payload = payload
        let answers = try Self.answers(payload)
        try hold(answers.status == decoded.status, "stored as \(decoded.status), answered as \(answers.status)")
        verdict = .taken(requestID: String(decoding: record[decoded.requestID], as: UTF8.self), answers)
    }

    private static func answers(_ payload: [UInt8]) throws(BrokenProperty) -> ReferenceAnswers {
        let reading: CallbackReading
        do throws(CallbackRejection) {
            reading = try CallbackReading(payload: payload.span)
        } catch {
            throw BrokenProperty(description: "a stored payload cannot be read: \(error)")
        }
        var number: [UInt8] = []
        reading.crispFingerprint?.append(from: payload.span, to: &number)
        var message: [UInt8] = []
        reading.appendFailureMessage(from: payload.span, to: &message)
        var reason: [UInt8] = []
        reading.appendFailureReason(from: payload.span, to: &reason)
        let text = try string(message)
        try checkVerdict(reading, payload, text)
        return ReferenceAnswers(
            status: reading.status,
            fingerprint: reading.crispFingerprint == nil ? nil : String(decoding: number, as: UTF8.self),
            whatsappMessageID: try reading.whatsappMessageID.map { range throws(BrokenProperty) in try string(Array(payload[range])) } ?? nil,
            sessionID: try reading.sessionID.map { range throws(BrokenProperty) in try string(Array(payload[range])) } ?? nil,
            message: text, reason: try string(reason), code: reading.code)
    }

    /// Failures have a verdict and nothing else has; that it is read through escapes makes no difference.
    private static func checkVerdict(_ reading: CallbackReading, _ payload: [UInt8], _ message: String?) throws(BrokenProperty) {
        let verdict = reading.verdict(payload.span)
        try hold((verdict != nil) == (reading.status == .failed), "a verdict on \(reading.status)")
        guard let verdict else { return }
        let plain = VerdictTable.verdict(code: reading.code, message: Array((message ?? "").utf8).span)
        try hold(
            verdict.failureClass == plain.failureClass && verdict.retryAfterSeconds == plain.retryAfterSeconds,
            "the verdict is \(verdict.failureClass), on the plain message \(plain.failureClass)")
    }

    /// The value of a token that goes into an answer as it is; nil for `null`.
    private static func string(_ token: [UInt8]) throws(BrokenProperty) -> String? {
        switch JSONTreeParser.parse(token) {
        case .success(.null): return nil
        case .success(.string(let units)):
            guard let value = String(validating: units, as: UTF16.self) else { break }
            return value
        default: break
        }
        throw BrokenProperty(description: "no string token for an answer: \(token)")
    }
}
