// From the body of a POST to what a record of it needs: status, request_id, compact payload.
//
// Promises: the payload is the JSON that came, byte for byte but for white space between tokens (API.md §3, §7)
// and a leading byte order mark; equal payloads come from equal callbacks, however they were laid out. One
// pass over a compact body, two over another; no allocation but the growth of the caller's array.
// Must not know: the log's format, HTTP, the clock.

/// What is kept of one callback. The ranges are offsets into the array that it was decoded into.
public struct DecodedCallback: Sendable, Equatable {
    /// What the callback says happened.
    public let status: CallbackStatus
    /// The unescaped `request_id`: 1 to 256 bytes, each visible ASCII (0x21 to 0x7E).
    public let requestID: Range<Int>
    /// The JSON object that came, without white space between tokens and without byte order mark.
    public let payload: Range<Int>
}

/// The decoder of callbacks.
public enum CallbackDecoder {
    /// The meaning of payloads, as a number: raised with every change of it, so that what was derived under
    /// another version is derived anew (DESIGN invariant 6).
    public static let version: UInt32 = 1

    /// Decodes `body` and appends the compact payload, then the unescaped `request_id`, to `record`.
    ///
    /// Adds at most `body.count` + 256 bytes. The caller bounds the body (`callback.body-bytes-max`).
    /// - Throws: why the body is no callback; `record` is then as it was.
    public static func decode(
        _ body: Span<UInt8>, into record: inout [UInt8]
    ) throws(CallbackRejection) -> DecodedCallback {
        let envelope = try CallbackEnvelope(body)
        guard let requestID = envelope.requestID else { throw .noRequestID }
        let payloadStart = record.count
        if envelope.isCompact {
            record.append(body, JSONScanner.textStart(body)..<body.count)
        } else {
            JSONText.appendCompact(body, to: &record)
        }
        let requestIDStart = record.count
        JSONString.appendValue(of: requestID, in: body, to: &record)
        return DecodedCallback(
            status: envelope.status,
            requestID: requestIDStart..<record.count,
            payload: payloadStart..<requestIDStart)
    }
}
