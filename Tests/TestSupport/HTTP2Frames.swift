// RFC 9113 §4 and §6: frames, each as a value, right or wrong as a test wants it.
//
//     +-----------------------------------------------+
//     |                 length (24)                   |
//     +---------------+---------------+---------------+
//     |   kind (8)    |   flags (8)   |
//     +-+-------------+---------------+-------------------------------+
//     |R|                 stream identifier (31)                      |
//     +=+=============================================================+
//     |                   payload (length)                         ...
//     +---------------------------------------------------------------+
//
// Promises: a frame's bytes are what its members say, nothing is corrected.
// Must not know: connections, states, windows.

/// The kinds of frames (§6).
public enum HTTP2FrameKind {
    public static let data: UInt8 = 0, headers: UInt8 = 1, priority: UInt8 = 2, reset: UInt8 = 3, settings: UInt8 = 4
    public static let pushPromise: UInt8 = 5, ping: UInt8 = 6, goAway: UInt8 = 7, windowUpdate: UInt8 = 8, continuation: UInt8 = 9
}

/// The flags (§6). What a bit means depends on the kind.
public enum HTTP2Flags {
    public static let endStream: UInt8 = 1, acknowledgement: UInt8 = 1, endHeaders: UInt8 = 4, padded: UInt8 = 8, priority: UInt8 = 0x20
}

/// The parameters of SETTINGS (§6.5.2).
public enum HTTP2Setting {
    public static let headerTableSize: UInt16 = 1, enablePush: UInt16 = 2, concurrentStreamsMax: UInt16 = 3
    public static let initialWindowSize: UInt16 = 4, frameSizeMax: UInt16 = 5, headerListSizeMax: UInt16 = 6
}

/// An error code (§7); any number may come.
public struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let noError = Self(rawValue: 0), protocolError = Self(rawValue: 1), internalError = Self(rawValue: 2)
    public static let flowControlError = Self(rawValue: 3), settingsTimeout = Self(rawValue: 4), streamClosed = Self(rawValue: 5)
    public static let frameSizeError = Self(rawValue: 6), refusedStream = Self(rawValue: 7), cancel = Self(rawValue: 8)
    public static let compressionError = Self(rawValue: 9), connectError = Self(rawValue: 10), enhanceYourCalm = Self(rawValue: 11)

    public var description: String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
            "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
        ]
        return rawValue < names.count ? names[Int(rawValue)] : "error \(rawValue)"
    }
}

/// One frame.
public struct HTTP2Frame: Sendable, Equatable {
    public var kind: UInt8
    public var flags: UInt8
    /// All 32 bits, the reserved one too.
    public var stream: UInt32
    public var payload: [UInt8]

    public init(kind: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = []) {
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    /// As on the wire.
    public var bytes: [UInt8] {
        [UInt8(truncatingIfNeeded: payload.count >> 16), UInt8(truncatingIfNeeded: payload.count >> 8), UInt8(truncatingIfNeeded: payload.count), kind, flags]
            + bigEndian(stream) + payload
    }

    /// The client connection preface (§3.4), without its SETTINGS.
    public static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// §6.1.
    public static func data(_ bytes: [UInt8], on stream: UInt32, end: Bool = false, padding: Int? = nil) -> HTTP2Frame {
        HTTP2Frame(
            kind: HTTP2FrameKind.data, flags: (end ? HTTP2Flags.endStream : 0) | (padding == nil ? 0 : HTTP2Flags.padded), stream: stream,
            payload: padded(bytes, padding))
    }

    /// §6.2. `priority` is the five bytes of a dependency and a weight.
    public static func headers(
        _ block: [UInt8], on stream: UInt32, end: Bool = true, endHeaders: Bool = true, padding: Int? = nil, priority: [UInt8]? = nil
    ) -> HTTP2Frame {
        let flags =
            (end ? HTTP2Flags.endStream : 0) | (endHeaders ? HTTP2Flags.endHeaders : 0) | (padding == nil ? 0 : HTTP2Flags.padded)
            | (priority == nil ? 0 : HTTP2Flags.priority)
        return HTTP2Frame(kind: HTTP2FrameKind.headers, flags: flags, stream: stream, payload: padded((priority ?? []) + block, padding))
    }

    /// §6.10.
    public static func continuation(_ block: [UInt8], on stream: UInt32, endHeaders: Bool = true) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.continuation, flags: endHeaders ? HTTP2Flags.endHeaders : 0, stream: stream, payload: block)
    }

    /// §6.3.
    public static func priority(on stream: UInt32, dependsOn other: UInt32, weight: UInt8 = 15) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.priority, stream: stream, payload: bigEndian(other) + [weight])
    }

    /// §6.4.
    public static func reset(_ stream: UInt32, _ code: HTTP2ErrorCode = .cancel) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.reset, stream: stream, payload: bigEndian(code.rawValue))
    }

    /// §6.5.
    public static func settings(_ values: [(UInt16, UInt32)]) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.settings, payload: values.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + bigEndian($0.1) })
    }

    /// §6.5, one value.
    public static func setting(_ identifier: UInt16, _ value: UInt32) -> HTTP2Frame { settings([(identifier, value)]) }

    /// §6.5.3.
    public static let settingsAcknowledgement = HTTP2Frame(kind: HTTP2FrameKind.settings, flags: HTTP2Flags.acknowledgement)

    /// §6.7.
    public static func ping(_ opaque: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8], acknowledges: Bool = false) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.ping, flags: acknowledges ? HTTP2Flags.acknowledgement : 0, payload: opaque)
    }

    /// §6.8.
    public static func goAway(last: UInt32 = 0, _ code: HTTP2ErrorCode = .noError, debug: [UInt8] = []) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.goAway, payload: bigEndian(last) + bigEndian(code.rawValue) + debug)
    }

    /// §6.9. Stream 0 is the connection.
    public static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> HTTP2Frame {
        HTTP2Frame(kind: HTTP2FrameKind.windowUpdate, stream: stream, payload: bigEndian(increment))
    }

    private static func padded(_ bytes: [UInt8], _ padding: Int?) -> [UInt8] {
        guard let padding else { return bytes }
        return [UInt8(padding)] + bytes + [UInt8](repeating: 0, count: padding)
    }
}

/// The four bytes of a number, most significant first.
public func bigEndian(_ number: UInt32) -> [UInt8] {
    [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
}

extension HTTP2Frame {
    /// The number in four bytes of the payload, or nil where it is shorter.
    func number(at offset: Int) -> UInt32? {
        guard payload.count >= offset + 4 else { return nil }
        return payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The payload without padding (§6.1, §6.2).
    func unpadded() throws -> [UInt8] {
        guard flags & HTTP2Flags.padded != 0 else { return payload }
        guard let length = payload.first, Int(length) < payload.count else { throw TestFailure.unreadable("RFC 9113 §6.1: padding beyond the frame") }
        return Array(payload[1..<payload.count - Int(length)])
    }
}
