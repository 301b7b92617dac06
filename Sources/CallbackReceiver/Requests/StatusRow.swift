// The status of a request as a row of CSV (RFC 4180), for spreadsheets.
//
// Promises: the same values as StatusAnswer, one column each, `request_id` first; what is null is empty. Rows end
// with CR LF (RFC 4180 §2.1); a field with a comma, a quote or a line break is quoted (§2.6, §2.7).
// Must not know: where the rows go.

import CallbackLog
import CrispCallback

package enum StatusRow {
    private static let columns = [
        "request_id", "status", "crisp_fingerprint", "whatsapp_message_id", "session_id", "failure_message", "failure_reason",
        "failure_code", "failure_class", "failure_retryable", "failure_retry_after_seconds", "received_at", "sequence", "callbacks",
        "updated_at", "announced_at", "overdue_at", "reference", "metadata",
    ]

    /// Appends the header row.
    package static func appendHeader(to rows: inout [UInt8]) {
        rows.append(contentsOf: columns.joined(separator: ",").utf8)
        rows.append(contentsOf: [0x0D, 0x0A])
    }

    /// Appends the row of a request; parameters as StatusAnswer's.
    package static func append(
        requestID: Span<UInt8>, _ state: borrowing RequestState, status: RequestStatus, payload: Span<UInt8>, to rows: inout [UInt8]
    ) {
        var field: [UInt8] = []
        field.append(requestID)
        append(&field, to: &rows)
        field.append(contentsOf: status.name.utf8)
        append(&field, to: &rows)
        state.reading?.crispFingerprint?.append(from: payload, to: &field)
        append(&field, to: &rows)
        for token in [state.reading?.whatsappMessageID, state.reading?.sessionID] {
            if let token { JSONString.appendUnescaped(token, of: payload, to: &field) }
            append(&field, to: &rows)
        }
        appendFailure(state.reading, payload, to: &rows)
        state.callbackReceivedAt?.append(to: &field)
        append(&field, to: &rows)
        for number in [state.sequence, UInt64(state.callbackCount)] {
            field.append(decimal: number)
            append(&field, to: &rows)
        }
        for time in [state.updatedAt, state.announcedAt, state.overdueAt] {
            time?.append(to: &field)
            append(&field, to: &rows)
        }
        if let reference = state.reference { appendString(reference, to: &field) }
        append(&field, to: &rows)
        if state.metadata.isEmpty { field.append("{}") } else { field.append(state.metadata.span) }
        append(&field, to: &rows)
        rows[rows.count - 1] = 0x0D
        rows.append(0x0A)
    }

    /// Message, reason, code, class, whether and when to try again.
    private static func appendFailure(_ reading: CallbackReading?, _ payload: Span<UInt8>, to rows: inout [UInt8]) {
        guard let reading, let verdict = reading.verdict(payload) else { return rows.append(contentsOf: [UInt8](repeating: 0x2C, count: 6)) }
        var token: [UInt8] = []
        var field: [UInt8] = []
        reading.appendFailureMessage(from: payload, to: &token)
        appendString(token, to: &field)
        append(&field, to: &rows)
        token.removeAll()
        reading.appendFailureReason(from: payload, to: &token)
        appendString(token, to: &field)
        append(&field, to: &rows)
        if let code = reading.code { field.append(decimal: code) }
        append(&field, to: &rows)
        field.append(contentsOf: verdict.failureClass.name.utf8)
        append(&field, to: &rows)
        field.append(verdict.isRetryable ? "true" : "false")
        append(&field, to: &rows)
        if let seconds = verdict.retryAfterSeconds { field.append(decimal: UInt64(seconds)) }
        append(&field, to: &rows)
    }

    /// The value of a JSON string token; nothing for `null`.
    private static func appendString(_ token: [UInt8], to field: inout [UInt8]) {
        guard token.first == 0x22 else { return }
        JSONString.appendUnescaped(0..<token.count, of: token.span, to: &field)
    }

    /// Appends `field` and a comma, and empties it.
    private static func append(_ field: inout [UInt8], to rows: inout [UInt8]) {
        let isQuoted = field.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        if isQuoted {
            rows.append(0x22)
            for byte in field {
                if byte == 0x22 { rows.append(0x22) }
                rows.append(byte)
            }
            rows.append(0x22)
        } else {
            rows.append(contentsOf: field)
        }
        rows.append(0x2C)
        field.removeAll(keepingCapacity: true)
    }
}
