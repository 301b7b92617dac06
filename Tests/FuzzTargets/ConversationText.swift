// An HTTP/2 connection as text, so that a fuzzer can change frames without breaking all that follow.
//
//     @HEADERS 1 end              a frame of this type on this stream; flags: end, open (no END_HEADERS), ack, padded,
//     :method: GET                priority. Fields, one a line, become HPACK literals (RFC 7541 §6.2.2); a line that
//     !82 86                      begins with ! is hexadecimal bytes of the block as they are.
//     @CONTINUATION 1             likewise
//     @SETTINGS                   entries, one a line:  4=65535
//     @WINDOW_UPDATE 1            a number; also of RST_STREAM, GOAWAY
//     @DATA 1 end                 the lines that follow, without the last line feed; also of PING, PRIORITY and of
//                                 any other word, whose digits are then the type: @16
//     @RAW                        bytes as they are, without a frame header
//     @WAIT 1000                  the clock, in milliseconds; @TIMEOUT, @SHUTDOWN, @FINAL, @LEAVE, @TAKE, @HOLD, @ANSWER,
//                                 @REFUSE: what the server does at that moment
//
// The preface goes before the first frame; a text that does not begin with @ begins with raw bytes, and without it.
// Promises: any bytes are some conversation, valid or not.
// Must not know: what a server makes of it.

/// What happens on the connection, in order.
enum ConversationStep {
    case bytes([UInt8])
    /// The server's side.
    case wait(milliseconds: Int64), timeOut, beginShutdown, endShutdown
    /// Requests are left with the session, and taken again; so are answers.
    case leaveRequests, takeRequests, holdAnswers, answer, refuseOne
}

enum ConversationText {
    /// RFC 9113 §6.
    private static let types = [
        "DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION",
    ]
    private static let flags: [String: UInt8] = ["end": 0x1, "ack": 0x1, "padded": 0x8, "priority": 0x20]
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func steps(_ text: [UInt8]) -> [ConversationStep] {
        var steps: [ConversationStep] = []
        var head: ArraySlice<UInt8>?
        var payload: [UInt8] = []
        func finish() {
            if let head { steps.append(step(String(decoding: head, as: UTF8.self), payload)) } else { steps.append(.bytes(payload)) }
            payload = []
        }
        if text.first == 0x40 { steps.append(.bytes(preface)) }
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if line.first == 0x40 {
                // The line feed before a head belongs to neither.
                if head != nil || !payload.isEmpty {
                    payload = payload.dropLast()
                    finish()
                }
                head = line.dropFirst()
            } else {
                payload += line
                payload.append(0x0A)
            }
        }
        payload = payload.dropLast()
        finish()
        return steps
    }

    private static func step(_ head: String, _ payload: [UInt8]) -> ConversationStep {
        let words = head.split(separator: " ")
        let name = String(words.first ?? "")
        switch name {
        case "RAW": return .bytes(payload)
        case "WAIT": return .wait(milliseconds: words.dropFirst().first.flatMap { Int64($0) } ?? 1_000)
        case "TIMEOUT": return .timeOut
        case "SHUTDOWN": return .beginShutdown
        case "FINAL": return .endShutdown
        case "LEAVE": return .leaveRequests
        case "TAKE": return .takeRequests
        case "HOLD": return .holdAnswers
        case "ANSWER": return .answer
        case "REFUSE": return .refuseOne
        default: break
        }
        let stream = words.dropFirst().first.flatMap { UInt32($0) } ?? 0
        var flags = words.reduce(0 as UInt8) { $0 | (Self.flags[String($1)] ?? 0) }
        var content = payload
        switch name {
        case "HEADERS", "CONTINUATION", "PUSH_PROMISE":
            content = block(payload)
            if !words.contains("open") { flags |= 0x4 }
        case "SETTINGS": content = settings(payload)
        case "WINDOW_UPDATE", "RST_STREAM": content = fourBytes(number(payload))
        case "GOAWAY": content = fourBytes(0) + fourBytes(number(payload))
        default: break
        }
        let type = types.firstIndex(of: name).map { UInt8($0) } ?? UInt8(truncatingIfNeeded: number(Array(name.utf8)))
        let count = UInt32(content.count)
        return .bytes(fourBytes(count).dropFirst() + [type, flags] + fourBytes(stream) + content)
    }

    // MARK: payloads

    private static func fourBytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func number(_ text: some Collection<UInt8>) -> UInt32 {
        text.prefix { (0x30...0x39).contains($0) }.reduce(0) { $0 &* 10 &+ UInt32($1 - 0x30) }
    }

    private static func settings(_ text: [UInt8]) -> [UInt8] {
        text.split(separator: 0x0A).flatMap { line in
            let value = line.firstIndex(of: 0x3D).map { line[($0 + 1)...] } ?? []
            return fourBytes(number(line)).dropFirst(2) + fourBytes(number(value))
        }
    }

    /// HPACK, each field a literal without indexing and without Huffman codes.
    private static func block(_ text: [UInt8]) -> [UInt8] {
        text.split(separator: 0x0A).flatMap { line in
            if line.first == 0x21 { return hexadecimal(line.dropFirst()) }
            // A pseudo-header field begins with a colon of its own.
            let colon = line.dropFirst().firstIndex(of: 0x3A) ?? line.endIndex
            let value = line[colon...].dropFirst().drop { $0 == 0x20 }
            return [0] + string(line[..<colon]) + string(value)
        }
    }

    private static func string(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        // The length has a prefix of 7 bits (RFC 7541 §5.1).
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> [UInt8] {
        let digits = String(decoding: text, as: UTF8.self).compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
