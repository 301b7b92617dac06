// The answers about one request, as JSON (API.md §4).
//
// Promises: status and failure are derived from the stored payload by the present decoder, each time;
// digits and strings are answered as they came. Appends to a body that is reused.
// Must not know: HTTP, who asked.

import CallbackLog
import CrispCallback

package enum StatusAnswer {
    /// Appends the status of a request. `sequence` and `updatedAt` are its newest record's, `payload` and
    /// `callbackReceivedAt` its newest callback's.
    package static func append(
        requestID: Span<UInt8>, sequence: UInt64, updatedAt: Timestamp, callbackReceivedAt: Timestamp,
        callbackCount: Int, reading: CallbackReading, payload: Span<UInt8>, to body: inout [UInt8]
    ) {
        body.append(json: "{\"request_id\":")
        body.append(jsonString: requestID)
        body.append(json: ",\"status\":\"")
        body.append(contentsOf: reading.status.name.utf8)
        body.append(json: "\",\"crisp_fingerprint\":")
        if let number = reading.crispFingerprint { number.append(from: payload, to: &body) } else { body.append(json: "null") }
        body.append(json: ",\"whatsapp_message_id\":")
        append(reading.whatsappMessageID, of: payload, to: &body)
        body.append(json: ",\"session_id\":")
        append(reading.sessionID, of: payload, to: &body)
        body.append(json: ",\"failure\":")
        appendFailure(reading, payload, to: &body)
        body.append(json: ",\"received_at\":")
        body.append(json: callbackReceivedAt)
        body.append(json: ",\"sequence\":")
        body.append(json: sequence)
        body.append(json: ",\"callbacks\":")
        body.append(json: UInt64(callbackCount))
        body.append(json: ",\"updated_at\":")
        body.append(json: updatedAt)
        body.append(json: ",\"announced_at\":null,\"overdue_at\":null,\"reference\":null,\"metadata\":{}}")
    }

    private static func append(_ token: Range<Int>?, of payload: Span<UInt8>, to body: inout [UInt8]) {
        if let token { body.append(json: payload.extracting(token)) } else { body.append(json: "null") }
    }

    private static func appendFailure(_ reading: CallbackReading, _ payload: Span<UInt8>, to body: inout [UInt8]) {
        guard let verdict = reading.verdict(payload) else { return body.append(json: "null") }
        body.append(json: "{\"message\":")
        reading.appendFailureMessage(from: payload, to: &body)
        body.append(json: ",\"reason\":")
        reading.appendFailureReason(from: payload, to: &body)
        body.append(json: ",\"code\":")
        if let code = reading.code { body.append(json: code) } else { body.append(json: "null") }
        body.append(json: ",\"class\":\"")
        body.append(contentsOf: verdict.failureClass.name.utf8)
        body.append(json: verdict.isRetryable ? "\",\"retryable\":true,\"retry_after_seconds\":" : "\",\"retryable\":false,\"retry_after_seconds\":")
        if let seconds = verdict.retryAfterSeconds { body.append(json: UInt64(seconds)) } else { body.append(json: "null") }
        body.append(json: ",\"advice\":")
        body.append(jsonString: verdict.advice.description)
        body.append(json: "}")
    }

    /// Appends one element of a request's history.
    static func appendElement(_ record: StoredRecord, requestID: Span<UInt8>, status: CallbackStatus, payload: Span<UInt8>, to body: inout [UInt8]) {
        body.append(json: "{\"sequence\":")
        body.append(json: record.sequence)
        body.append(json: ",\"received_at\":")
        body.append(json: record.receivedAt)
        body.append(json: ",\"kind\":\"callback\",\"request_id\":")
        body.append(jsonString: requestID)
        body.append(json: ",\"status\":\"")
        body.append(contentsOf: status.name.utf8)
        body.append(json: "\",\"payload\":")
        body.append(json: payload)
        body.append(json: "}")
    }
}
