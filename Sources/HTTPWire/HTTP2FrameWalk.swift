// Counts frames by their headers, before libnghttp2 reads them (RFC 9113 §4.1).
//
//     preface (24 bytes) ──▶ header (9 bytes) ──▶ payload ──▶ header ──▶ …
//
// Promises: every frame that costs is charged exactly once, however the bytes were split, also those
// that libnghttp2 passes over in silence; the same in each of its versions.
// Must not know: what frames mean beyond what they cost; nothing is accepted or refused here but floods.

/// The walk along one connection's frames.
struct HTTP2FrameWalk: Sendable {
    private var prefaceBytesLeft = HTTP2Session.preface.utf8CodeUnitCount
    private var payloadBytesLeft = 0
    private var header = InlineArray<9, UInt8>(repeating: 0)
    private var headerCount = 0
    private var continuations = 0
    private var newestStream: UInt32 = 0

    /// Walks on through all of `input`.
    /// - Returns: nil, or where the header ends of the frame that is one too many.
    mutating func walk(_ input: Span<UInt8>, charging budget: inout NuisanceBudget) -> Int? {
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
            if isTooMany(charging: &budget) { return position }
        }
        return nil
    }

    /// Charges for the frame whose header is complete, and says whether it is one too many.
    private mutating func isTooMany(charging budget: inout NuisanceBudget) -> Bool {
        let type = header[3]
        let flags = header[4]
        switch type {
        case HTTP2Frame.data:
            // Padding may be all there is in it, so that it costs whatever its length.
            let isSmall = payloadBytesLeft < HTTP2Limits.crumbBytesMax || flags & HTTP2Frame.padded != 0
            guard isSmall, flags & HTTP2Frame.endStream == 0 else { return false }
        case HTTP2Frame.headers:
            continuations = 0
            let stream = UInt32(header[5] & 0x7F) << 24 | UInt32(header[6]) << 16 | UInt32(header[7]) << 8
                | UInt32(header[8])
            // A new stream is a request. Another block on an old one is trailers, seldom needed.
            guard stream <= newestStream else {
                newestStream = stream
                return false
            }
        case HTTP2Frame.continuation:
            continuations += 1
            if continuations > HTTP2Limits.continuationsMax { return true }
        default: break
        }
        budget.charge()
        return budget.isOverdrawn
    }
}
