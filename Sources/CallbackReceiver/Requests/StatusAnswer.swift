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
        body.append("{\"request_id\":")
        body.append(jsonString: requestID)
        body.append(",\"status\":\"")
        body.append(contentsOf: status.name.utf8)
        body.append("\",\"crisp_fingerprint\":")
        if let number = state.reading?.crispFingerprint { number.append(from: payload, to: &body) } else { body.append("null") }
        body.append(",\"whatsapp_message_id\":")
        append(state.reading?.whatsappMessageID, of: payload, to: &body)
        body.append(",\"session_id\":")
        append(state.reading?.sessionID, of: payload, to: &body)
        body.append(",\"failure\":")
        if let reading = state.reading { appendFailure(reading, payload, to: &body) } else { body.append("null") }
        body.append(",\"received_at\":")
        append(state.callbackReceivedAt, to: &body)
        body.append(",\"sequence\":")
        body.append(decimal: state.sequence)
        body.append(",\"callbacks\":")
        body.append(decimal: UInt64(state.callbackCount))
        body.append(",\"updated_at\":")
        body.append(jsonString: state.updatedAt)
        body.append(",\"announced_at\":")
        append(state.announcedAt, to: &body)
        body.append(",\"overdue_at\":")
        append(state.overdueAt, to: &body)
        body.append(",\"reference\":")
        if let reference = state.reference { body.append(reference.span) } else { body.append("null") }
        body.append(",\"metadata\":")
        if state.metadata.isEmpty { body.append("{}") } else { body.append(state.metadata.span) }
        body.append("}")
    }

    private static func append(_ time: Timestamp?, to body: inout [UInt8]) {
        if let time { body.append(jsonString: time) } else { body.append("null") }
    }

    private static func append(_ token: Range<Int>?, of payload: Span<UInt8>, to body: inout [UInt8]) {
        if let token { body.append(payload.extracting(token)) } else { body.append("null") }
    }

    private static func appendFailure(_ reading: CallbackReading, _ payload: Span<UInt8>, to body: inout [UInt8]) {
        guard let verdict = reading.verdict(payload) else { return body.append("null") }
        body.append("{\"message\":")
        reading.appendFailureMessage(from: payload, to: &body)
        body.append(",\"reason\":")
        reading.appendFailureReason(from: payload, to: &body)
        body.append(",\"code\":")
        if let code = reading.code { body.append(decimal: code) } else { body.append("null") }
        body.append(",\"class\":\"")
        body.append(contentsOf: verdict.failureClass.name.utf8)
        body.append(verdict.isRetryable ? "\",\"retryable\":true,\"retry_after_seconds\":" : "\",\"retryable\":false,\"retry_after_seconds\":")
        if let seconds = verdict.retryAfterSeconds { body.append(decimal: UInt64(seconds)) } else { body.append("null") }
        // No advice has a letter that a JSON string would escape: a test of the table holds that.
        body.append(",\"advice\":\"")
        body.append(verdict.advice)
        body.append("\"}")
    }

    /// Appends one element of a request's history, with the members of its kind. `status` is a callback's, by the
    /// present decoder.
    static func appendElement(
        _ record: StoredRecord, kind: StaticString, requestID: Span<UInt8>, status: RequestStatus?, members: Span<UInt8>,
        to body: inout [UInt8]
    ) {
        body.append("{\"sequence\":")
        body.append(decimal: record.sequence)
        body.append(",\"received_at\":")
        body.append(jsonString: record.receivedAt)
        body.append(",\"kind\":\"")
        body.append(kind)
        body.append("\",\"request_id\":")
        body.append(jsonString: requestID)
        if let status {
            body.append(",\"status\":\"")
            body.append(contentsOf: status.name.utf8)
            body.append("\",\"payload\":")
        } else if !members.isEmpty {
            body.append(",")
        }
        body.append(members)
        body.append("}")
    }
}
