// The frames of HTTP/2 (RFC 9113 §6) by number, and the one that is written here.
//
// Promises: constants, and bytes exactly as the section has them.
// Must not know: sessions.

/// Frame types and flags, as far as they are told apart.
enum HTTP2Frame {
    static let headerBytes = 9
    static let data: UInt8 = 0, headers: UInt8 = 1, priority: UInt8 = 2, reset: UInt8 = 3, settings: UInt8 = 4
    static let ping: UInt8 = 6, goAway: UInt8 = 7, continuation: UInt8 = 9
    static let endStream: UInt8 = 0x1, acknowledgement: UInt8 = 0x1, padded: UInt8 = 0x8
}

extension [UInt8] {
    /// Appends a GOAWAY frame (RFC 9113 §6.8) without debug data.
    mutating func appendGoAway(lastStream: HTTP2Session.StreamID, code: UInt32) {
        append(contentsOf: [0, 0, 8, HTTP2Frame.goAway, 0, 0, 0, 0, 0])
        appendBigEndian(UInt32(lastStream))
        appendBigEndian(code)
    }

    private mutating func appendBigEndian(_ number: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) { append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
    }
}
