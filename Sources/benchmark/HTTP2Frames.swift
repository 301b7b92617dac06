// HTTP/2 as bytes (RFC 9113 §4 to §6, RFC 7541): frames put together by hand, for loads and for attacks.
//
//     +-----------------------------------------------+
//     | length (24) | type (8) | flags (8) | stream (32) |   then `length` bytes of payload
//     +-----------------------------------------------+
//
// Promises: exactly the bytes that were asked for, right or wrong: a client that means harm needs wrong ones. Header
// fields are literals without Huffman coding. Must not know: sockets, what an answer means.

enum HTTP2 {
    /// The client connection preface (RFC 9113 §3.4); a SETTINGS frame must follow.
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let headBytes = 9
    /// The default of SETTINGS_INITIAL_WINDOW_SIZE, and what a connection begins with (RFC 9113 §6.9.2).
    static let windowBytesInitial = 65_535
    /// The largest window (RFC 9113 §6.9.1).
    static let windowBytesMax = 2_147_483_647

    enum FrameType: UInt8 {
        case data = 0, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    enum Flag {
        static let endStream: UInt8 = 0x1
        static let acknowledge: UInt8 = 0x1
        static let endHeaders: UInt8 = 0x4
        static let padded: UInt8 = 0x8
        static let priority: UInt8 = 0x20
    }

    enum Setting: UInt16 {
        case headerTableSize = 1, enablePush, concurrentStreamsMax, initialWindowSize
    }

    /// CANCEL (RFC 9113 §7).
    static let cancel: UInt32 = 8

    static func append(
        _ type: FrameType, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = [], to output: inout [UInt8]
    ) {
        let count = payload.count
        output.append(UInt8(truncatingIfNeeded: count >> 16))
        output.append(UInt8(truncatingIfNeeded: count >> 8))
        output.append(UInt8(truncatingIfNeeded: count))
        output.append(type.rawValue)
        output.append(flags)
        append(stream, to: &output)
        output.append(contentsOf: payload)
    }

    static func append(_ number: UInt32, to output: inout [UInt8]) {
        for place in 0..<4 { output.append(UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * place))) }
    }

    static func frame(_ type: FrameType, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        append(type, flags: flags, stream: stream, payload, to: &bytes)
        return bytes
    }

    static func settings(_ values: [(Setting, UInt32)] = []) -> [UInt8] {
        var payload: [UInt8] = []
        for (setting, value) in values {
            payload += [UInt8(setting.rawValue >> 8), UInt8(truncatingIfNeeded: setting.rawValue)]
            append(value, to: &payload)
        }
        return frame(.settings, payload)
    }

    static func number(_ number: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        append(number, to: &bytes)
        return bytes
    }

    /// The 31 bits at `start`, which must have four bytes behind it.
    static func number31(_ bytes: [UInt8], at start: Int) -> UInt32 {
        let high = UInt32(bytes[start] & 0x7F) << 24 | UInt32(bytes[start + 1]) << 16
        return high | UInt32(bytes[start + 2]) << 8 | UInt32(bytes[start + 3])
    }
}

/// Header fields as a client writes them (RFC 7541 §6), with names from the static table (Appendix A).
enum HPACK {
    static let get: UInt8 = 0x82  // :method: GET
    static let post: UInt8 = 0x83  // :method: POST
    static let schemeHTTP: UInt8 = 0x86
    /// Names in the static table.
    enum Name: UInt8 {
        case authority = 1, path = 4, contentLength = 28, contentType = 31
    }

    /// What a literal does to the decoder's dynamic table (§6.2).
    enum Indexing {
        case added, none
    }

    /// A field whose name is in the static table.
    static func field(_ name: Name, _ value: String, _ indexing: Indexing) -> [UInt8] {
        let index =
            switch indexing {
            case .added: integer(Int(name.rawValue), prefixBits: 6, first: 0x40)
            case .none: integer(Int(name.rawValue), prefixBits: 4, first: 0)
            }
        return index + text(value)
    }

    /// A field by its name.
    static func field(_ name: String, _ value: String, _ indexing: Indexing) -> [UInt8] {
        [indexing == .added ? 0x40 : 0] + text(name) + text(value)
    }

    /// A field of the dynamic table: 0 is the one added last (§2.3.3: behind the 61 of the static table).
    static func indexed(_ newest: Int) -> [UInt8] { integer(62 + newest, prefixBits: 7, first: 0x80) }

    private static func text(_ value: String) -> [UInt8] {
        integer(value.utf8.count, prefixBits: 7, first: 0) + Array(value.utf8)
    }

    /// §5.1.
    private static func integer(_ value: Int, prefixBits: Int, first: UInt8) -> [UInt8] {
        let prefixMax = (1 << prefixBits) - 1
        if value < prefixMax { return [first | UInt8(value)] }
        var bytes = [first | UInt8(prefixMax)]
        var rest = value - prefixMax
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// `:status`, where an answer's header block begins with a field of the static table (indices 8 to 14), as every
    /// encoder writes the usual ones; 0 for any other. A size update of the dynamic table (§6.3) may stand before it.
    static func status(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var position = start
        while position < end, bytes[position] & 0xE0 == 0x20 {
            let isLong = bytes[position] & 0x1F == 0x1F
            position += 1
            if isLong {
                while position < end, bytes[position] & 0x80 != 0 { position += 1 }
                position += 1
            }
        }
        guard position < end else { return 0 }
        switch bytes[position] {
        case 0x88: return 200
        case 0x89: return 204
        case 0x8A: return 206
        case 0x8B: return 304
        case 0x8C: return 400
        case 0x8D: return 404
        case 0x8E: return 500
        default: return 0
        }
    }
}
