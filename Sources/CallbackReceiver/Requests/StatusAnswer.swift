// The answers about one request, as JSON (API.md §4).
//
// Promises: status and failure are derived from the stored payload by the present decoder, each time;
// digits and strings are answered as they came. Appends to a body that is reused.
// Must not know: HTTP, who asked.

import CallbackLog
import CrispCallback

package enum StatusAnswer {
    /// Appends what is known of a request. `payload` is its newest callback's; empty where none has come.
    package static func append(
        requestID: Span<UInt8>, _ state: borrowing RequestState, status: RequestStatus, payload: Span<UInt8>, to body: inout [UInt8]
    ) {
        body.append(json: "{\"request_id\":")
        body.append(jsonString: requestID)
        body.append(json: ",\"status\":\"")
        body.append(contentsOf: status.name.utf8)
        body.append(json: "\",\"crisp_fingerprint\":")
        if let number = state.reading?.crispFingerprint { number.append(from: payload, to: &body) } else { body.append(json: "null") }
        body.append(json: ",\"whatsapp_message_id\":")
        append(state.reading?.whatsappMessageID, of: payload, to: &body)
        body.append(json: ",\"session_id\":")
        append(state.reading?.sessionID, of: payload, to: &body)
        body.append(json: ",\"failure\":")
        if let reading = state.reading { appendFailure(reading, payload, to: &body) } else { body.append(json: "null") }
        body.append(json: ",\"received_at\":")
        append(state.callbackReceivedAt, to: &body)
        body.append(json: ",\"sequence\":")
        body.append(json: state.sequence)
        body.append(json: ",\"callbacks\":")
        body.append(json: UInt64(state.callbackCount))
        body.append(json: ",\"updated_at\":")
        body.append(json: state.updatedAt)
        body.append(json: ",\"announced_at\":")
        append(state.announcedAt, to: &body)
        body.append(json: ",\"overdue_at\":")
        append(state.overdueAt, to: &body)
        body.append(json: ",\"reference\":")
        if let reference = state.reference { body.append(json: reference.span) } else { body.append(json: "null") }
        body.append(json: ",\"metadata\":")
        if state.metadata.isEmpty { body.append(json: "{}") } else { body.append(json: state.metadata.span) }
        body.append(json: "}")
    }

    private static func append(_ time: Timestamp?, to body: inout [UInt8]) {
        if let time { body.append(json: time) } else { body.append(json: "null") }
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
        // No advice has a letter that a JSON string would escape: a test of the table holds that.
        body.append(json: ",\"advice\":\"")
        body.append(json: verdict.advice)
        body.append(json: "\"}")
    }

    /// Appends one element of a request's history, with the members of its kind. `status` is a callback's, by the
    /// present decoder.
    static func appendElement(
        _ record: StoredRecord, kind: StaticString, requestID: Span<UInt8>, status: RequestStatus?, members: Span<UInt8>,
        to body: inout [UInt8]
    ) {
        body.append(json: "{\"sequence\":")
        body.append(json: record.sequence)
        body.append(json: ",\"received_at\":")
        body.append(json: record.receivedAt)
        body.append(json: ",\"kind\":\"")
        body.append(json: kind)
        body.append(json: "\",\"request_id\":")
        body.append(jsonString: requestID)
        if let status {
            body.append(json: ",\"status\":\"")
            body.append(contentsOf: status.name.utf8)
            body.append(json: "\",\"payload\":")
        } else if !members.isEmpty {
            body.append(json: ",")
        }
        body.append(json: members)
        body.append(json: "}")
    }
}
