// Looks at frames by their headers, before libnghttp2 reads them (RFC 9113 §4.1), and counts what costs.
//
//     preface (24 bytes) ──▶ header (9 bytes) ──▶ payload ──▶ header ──▶ …
//
// Promises: every frame that costs is charged exactly once, however the bytes were split, also those
// that libnghttp2 passes over in silence; the same in each of its versions. What the RFC has for errors
// of the connection and the library passes over is one.
// Must not know: what frames mean beyond their headers.

/// The walk along one connection's frames.
struct HTTP2FrameWalk: Sendable {
    private var prefaceBytesLeft = HTTP2Session.preface.utf8CodeUnitCount
    private var payloadBytesLeft = 0
    private var header = InlineArray<9, UInt8>(repeating: 0)
    private var headerCount = 0
    private var continuations = 0
    private var newestStream: UInt32 = 0
    /// Ids below it that no stream was opened with.
    private var gaps: [ClosedRange<UInt32>] = []

    /// Walks on through all of `input`.
    /// - Returns: nil, or where the header ends of the frame that ends the connection, and why.
    mutating func walk(
        _ input: Span<UInt8>, charging budget: inout NuisanceBudget
    ) -> (end: Int, code: HTTP2Session.ErrorCode)? {
        var position = 0
        if prefaceBytesLeft > 0 {
            position = min(prefaceBytesLeft, input.count)
            prefaceBytesLeft -= position
        }
        while position < input.count {
            if payloadBytesLeft > 0 {
                let step = min(payloadBytesLeft, input.count - position)
                payloadBytesLeft -= step
                position += step
                continue
            }
            header[headerCount] = input[position]
            headerCount += 1
            position += 1
            guard headerCount == HTTP2Frame.headerBytes else { continue }
            headerCount = 0
            payloadBytesLeft = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            if let code = examineHeader(charging: &budget) { return (position, code) }
        }
        return nil
    }

    /// Charges for the frame whose header is complete; says why, where it ends the connection.
    private mutating func examineHeader(charging budget: inout NuisanceBudget) -> HTTP2Session.ErrorCode? {
        let type = header[3]
        let flags = header[4]
        let stream = UInt32(header[5] & 0x7F) << 24 | UInt32(header[6]) << 16 | UInt32(header[7]) << 8
            | UInt32(header[8])
        // RFC 9113 §4.2. The library does not hold it for CONTINUATION.
        guard payloadBytesLeft <= HTTP2Limits.frameBytesMax else { return .frameSizeError }
        switch type {
        case HTTP2Frame.data:
            // Padding may be all there is in it, so that it costs whatever its length.
            let isSmall = payloadBytesLeft < HTTP2Limits.crumbBytesMax || flags & HTTP2Frame.padded != 0
            guard isSmall, flags & HTTP2Frame.endStream == 0 else { return nil }
        case HTTP2Frame.headers:
            continuations = 0
            // A new stream is a request. Another block on an old one is trailers, seldom needed.
            guard stream <= newestStream else {
                notePassedOver(below: stream)
                newestStream = stream
                return nil
            }
            // RFC 9113 §5.1.1: an id that was passed over is closed. The library ignores the frame.
            for gap in gaps where gap.contains(stream) { return .protocolError }
        case HTTP2Frame.priority where stream == 0:
            // RFC 9113 §6.3. The library ignores all of them, since there is no tree.
            return .protocolError
        case HTTP2Frame.continuation:
            continuations += 1
            if continuations > HTTP2Limits.continuationsMax { return .enhanceYourCalm }
        default: break
        }
        budget.charge()
        return budget.isOverdrawn ? .enhanceYourCalm : nil
    }

    private mutating func notePassedOver(below stream: UInt32) {
        // The first id is 1, the next is two more; even ones are the library's to refuse.
        let next = newestStream == 0 ? 1 : newestStream + 2
        if next < stream, gaps.count < HTTP2Limits.gapsMax { gaps.append(next...stream - 1) }
    }
}
