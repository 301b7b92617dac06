// What the tests of this room share: a callback decoded and read in one call, in types that compare.
//
// Promises: goes through the public interface alone, and holds what no case may break: on an error the record
// is as it was; on success the ranges cover exactly what was appended, and the reading of the stored payload
// agrees with the decoder.

import CrispCallback
import Testing

/// Everything that a payload says, as the answers have it.
struct Answers: Equatable, CustomStringConvertible {
    var status: CallbackStatus
    var fingerprint: String?
    var whatsappMessageID: String?
    var sessionID: String?
    var message: String = "null"
    var reason: String = "null"
    var code: UInt64?

    var description: String {
        "\(status.name) fingerprint=\(fingerprint ?? "-") wamid=\(whatsappMessageID ?? "-") session=\(sessionID ?? "-") "
            + "message=\(message) reason=\(reason) code=\(code.map(String.init) ?? "-")"
    }
}

/// A callback that was taken in.
struct Taken: Equatable {
    var requestID: String
    var payload: [UInt8]
    var answers: Answers
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// Decodes `body` into a record that holds something already.
func take(_ body: [UInt8]) -> Result<Taken, CallbackRejection> {
    let before: [UInt8] = [1, 2, 3]
    var record = before
    do {
        let decoded = try CallbackDecoder.decode(body.span, into: &record)
        #expect(Array(record[..<3]) == before)
        #expect(decoded.payload.lowerBound == 3)
        #expect(decoded.payload.upperBound == decoded.requestID.lowerBound)
        #expect(decoded.requestID.upperBound == record.count)
        let payload = Array(record[decoded.payload])
        let answers = try read(payload).get()
        #expect(answers.status == decoded.status)
        return .success(Taken(requestID: text(record[decoded.requestID]), payload: payload, answers: answers))
    } catch {
        #expect(record == before)
        return .failure(error)
    }
}

func take(_ body: String) -> Result<Taken, CallbackRejection> { take(bytes(body)) }

/// Reads `payload` as a stored one is read for an answer.
func read(_ payload: [UInt8]) -> Result<Answers, CallbackRejection> {
    do throws(CallbackRejection) {
        let reading = try CallbackReading(payload: payload.span)
        var answers = Answers(status: reading.status)
        if let fingerprint = reading.crispFingerprint {
            var output: [UInt8] = []
            fingerprint.append(from: payload.span, to: &output)
            answers.fingerprint = text(output)
        }
        answers.whatsappMessageID = reading.whatsappMessageID.map { text(payload[$0]) }
        answers.sessionID = reading.sessionID.map { text(payload[$0]) }
        answers.code = reading.code
        var output: [UInt8] = []
        reading.appendFailureMessage(from: payload.span, to: &output)
        answers.message = text(output)
        output = []
        reading.appendFailureReason(from: payload.span, to: &output)
        answers.reason = text(output)
        return .success(answers)
    } catch {
        return .failure(error)
    }
}

/// What a JSON object says; nil where it is refused.
func answers(_ payload: String) -> Answers? { try? read(bytes(payload)).get() }

/// The scanner's verdict on a text.
func rejection(_ text: [UInt8]) -> JSONRejection? {
    do throws(JSONRejection) {
        try JSONScanner.validate(text.span)
        return nil
    } catch {
        return error
    }
}

func rejection(_ text: String) -> JSONRejection? { rejection(bytes(text)) }
