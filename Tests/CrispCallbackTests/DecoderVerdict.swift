// What the decoder says of a body, in the words of the slow reading of the contract.
//
// Promises: nothing is judged here; what does not fit the words becomes a text that equals no answer.
// Must not know: which verdict is right.

import CrispCallback
import JSONReference

/// The decoder's verdict on `body`, in the reference's terms.
func decoderVerdict(_ body: [UInt8]) -> ReferenceVerdict {
    switch take(body) {
    case .failure(.notJSON): return .notJSON
    case .failure(.nestedTooDeep): return .nestedTooDeep
    case .failure(.notAnObject): return .notAnObject
    case .failure(.noRequestID): return .noRequestID
    case .success(let taken):
        let answers = taken.answers
        return .taken(
            requestID: taken.requestID,
            ReferenceAnswers(
                status: answers.status, fingerprint: answers.fingerprint,
                whatsappMessageID: answers.whatsappMessageID.map(stringValue),
                sessionID: answers.sessionID.map(stringValue), message: nullable(answers.message),
                reason: nullable(answers.reason), code: answers.code))
    }
}

private func nullable(_ token: String) -> String? { token == "null" ? nil : stringValue(token) }

/// The value of a token that has to be a string without lone surrogates, as every answer's is.
private func stringValue(_ token: String) -> String {
    guard case .success(.string(let units)) = JSONTreeParser.parse(bytes(token)), let value = String(validating: units, as: UTF16.self) else {
        return "no such string token: \(token)"
    }
    return value
}
