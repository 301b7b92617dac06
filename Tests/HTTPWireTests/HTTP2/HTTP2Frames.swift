// HTTP/2 frames written and read by hand (RFC 9113 §4.1, §6), for tests that say every byte themselves.
//
// Promises: what is written is exactly what is said, valid or not. Header blocks are HPACK literals
// without indexing (RFC 7541 §6.2.2), or whatever bytes the test gives.
// Must not know: the session.

/// A frame as it was read.
struct Frame: Equatable {
    enum Kind: UInt8 {
        case data = 0, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
        case priorityUpdate = 0x10, unknown = 0x7F
    }

    var kind: Kind
    var flags: UInt8
    var stream: Int32
    var payload: [UInt8]

    var isEnd: Bool { flags & 1 != 0 }
    var isAcknowledgement: Bool { flags & 1 != 0 }

    /// The 32 bits at `offset` of the payload: an error code, an increment, a stream.
    func number(at offset: Int = 0) -> UInt32 {
        payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Takes whole frames apart.
    static func all(in bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var position = 0
        while position + 9 <= bytes.count {
            let header = bytes[position..<position + 9].map { Int($0) }
            let length = header[0] << 16 | header[1] << 8 | header[2]
            let stream = (header[5] & 0x7F) << 24 | header[6] << 16 | header[7] << 8 | header[8]
            let end = min(bytes.count, position + 9 + length)
            frames.append(Frame(
                kind: Kind(rawValue: UInt8(header[3])) ?? .unknown, flags: UInt8(header[4]), stream: Int32(stream),
                payload: Array(bytes[position + 9..<end])))
            position = end
        }
        return frames
    }
}

/// Flags of RFC 9113 §6, by what they say.
enum Flag {
    static let endStream: UInt8 = 1, acknowledgement: UInt8 = 1, endHeaders: UInt8 = 4
    static let padded: UInt8 = 8, priority: UInt8 = 0x20
}

/// The fields of a header block, in order.
typealias Fields = [(name: String, value: String)]

/// A frame's bytes.
func frame(_ kind: Frame.Kind, flags: UInt8 = 0, stream: Int32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), kind.rawValue, flags]
        + fourBytes(UInt32(bitPattern: stream)) + payload
}

func fourBytes(_ number: UInt32) -> [UInt8] {
    [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
}

/// What a client sends first: preface and SETTINGS.
func opening(_ settings: [(id: UInt16, value: UInt32)] = []) -> [UInt8] {
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settingsFrame(settings)
}

func settingsFrame(_ settings: [(id: UInt16, value: UInt32)] = []) -> [UInt8] {
    frame(.settings, settings.flatMap { [UInt8($0.id >> 8), UInt8($0.id & 0xFF)] + fourBytes($0.value) })
}

let settingsAcknowledgement = frame(.settings, flags: Flag.acknowledgement)

/// An HPACK integer (RFC 7541 §5.1).
func integer(_ number: Int, prefixBits: Int, first: UInt8 = 0) -> [UInt8] {
    let most = (1 << prefixBits) - 1
    guard number >= most else { return [first | UInt8(number)] }
    var bytes = [first | UInt8(most)]
    var rest = number - most
    while rest >= 128 {
        bytes.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}

/// A literal field without indexing, or with it (RFC 7541 §6.2.1, §6.2.2).
func literal(_ name: [UInt8], _ value: [UInt8], isIndexed: Bool = false) -> [UInt8] {
    [isIndexed ? 0x40 : 0] + integer(name.count, prefixBits: 7) + name + integer(value.count, prefixBits: 7) + value
}

func block(_ fields: Fields) -> [UInt8] {
    fields.flatMap { literal(Array($0.name.utf8), Array($0.value.utf8)) }
}

/// The pseudo-header fields of a request.
func pseudo(
    _ method: String = "GET", _ path: String = "/", authority: String? = "a.example", scheme: String = "http"
) -> Fields {
    [(":method", method), (":scheme", scheme), (":path", path)] + (authority.map { [(":authority", $0)] } ?? [])
}

/// A HEADERS frame with a whole block.
func headers(_ stream: Int32, _ fields: Fields, ends: Bool = true) -> [UInt8] {
    frame(.headers, flags: Flag.endHeaders | (ends ? Flag.endStream : 0), stream: stream, block(fields))
}

func data(_ stream: Int32, _ bytes: [UInt8], ends: Bool = true) -> [UInt8] {
    frame(.data, flags: ends ? Flag.endStream : 0, stream: stream, bytes)
}

/// A POST with its body.
func post(_ stream: Int32, _ body: [UInt8], _ fields: Fields = []) -> [UInt8] {
    headers(stream, pseudo("POST", "/callback") + fields, ends: false) + data(stream, body)
}

func reset(_ stream: Int32, _ code: UInt32 = 8) -> [UInt8] { frame(.reset, stream: stream, fourBytes(code)) }

func windowUpdate(_ stream: Int32, _ increment: UInt32) -> [UInt8] {
    frame(.windowUpdate, stream: stream, fourBytes(increment))
}
