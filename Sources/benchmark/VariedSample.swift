// Callbacks as a business gets them in the course of time: the n-th of them, for any n, without keeping any.
//
//     80 %   sent           with a message id
//     18 %   failed         one of three messages of WhatsApp's
//      2 %   unrecognized   neither
//
// Promises: ids, message ids, sessions and fingerprints look random, are another for each number, and the same in every
// run; numbers from `absent` on are never stored, so their ids can be asked for in vain. Payloads are compact JSON, and
// their status is what the decoder says of them (`check`). Lines of such records are 350 to 470 bytes long.
// Must not know: files, sequences, time.

import CallbackLog
import CrispCallback

struct VariedSample {
    static let idBytes = 36
    /// Numbers that no log reaches.
    static let absent: UInt64 = 1 << 48

    /// Callback `number`, once `make` made it.
    private(set) var payload: [UInt8] = []
    private(set) var requestID = 0..<0
    private(set) var status = RecordedStatus.sent

    private static let texts: [(percent: UInt64, status: RecordedStatus, text: String)] = [
        (
            80, .sent,
            #"{"error":false,"reason":"message_sent","data":{"request_id":"<id>","whatsapp_message_id":"wamid.HBgL<message>","#
                + #""crisp_fingerprint":<fingerprint>,"session_id":"session_<session>"}}"#
        ),
        (
            9, .failed,
            #"{"error":true,"reason":"message_failed","data":{"request_id":"<id>","message":"(#131049) This message was not "#
                + #"delivered to maintain healthy ecosystem engagement.","session_id":"session_<session>"}}"#
        ),
        (
            6, .failed,
            #"{"error":true,"reason":"message_failed","data":{"request_id":"<id>","message":"(#131026) Message undeliverable","#
                + #""session_id":"session_<session>"}}"#
        ),
        (
            3, .failed,
            #"{"error":true,"reason":"template_failed","data":{"request_id":"<id>","message":"(#132001) Template name does "#
                + #"not exist in the translation","session_id":"session_<session>"}}"#
        ),
        (
            2, .unrecognized,
            #"{"error":false,"reason":"message_accepted","data":{"request_id":"<id>","session_id":"session_<session>"}}"#
        ),
    ]
    private let templates = Self.texts.map { Template($0.text, percent: $0.percent, status: $0.status) }

    mutating func make(_ number: UInt64) {
        var numbers = Self.numbers(number)
        let identifier = (numbers.next(), numbers.next())
        var share = numbers.next() % 100
        var template = templates[0]
        for candidate in templates {
            template = candidate
            if share < candidate.percent { break }
            share -= candidate.percent
        }
        payload.removeAll(keepingCapacity: true)
        payload.append(contentsOf: template.bytes)
        status = template.status
        for (field, offset) in template.places {
            switch field {
            case .id:
                requestID = offset..<(offset + Self.idBytes)
                Self.write(identifier, to: &payload, at: offset)
            case .session: Self.write((numbers.next(), numbers.next()), to: &payload, at: offset)
            case .message: Self.write(numbers.next(), digits: field.byteCount, letters: Self.upperCase, to: &payload, at: offset)
            case .fingerprint:
                var rest = numbers.next() % 900_000_000_000_000 + 100_000_000_000_000
                for digit in (0..<field.byteCount).reversed() {
                    payload[offset + digit] = UInt8(0x30 + rest % 10)
                    rest /= 10
                }
            }
        }
    }

    /// The id of callback `number`.
    static func requestID(_ number: UInt64) -> [UInt8] {
        var numbers = numbers(number)
        var bytes = [UInt8](repeating: 0, count: idBytes)
        write((numbers.next(), numbers.next()), to: &bytes, at: 0)
        return bytes
    }

    /// Throws where the decoder sees one of the first callbacks otherwise.
    static func check() throws {
        var sample = VariedSample()
        for number in 1...UInt64(1_000) {
            sample.make(number)
            var record: [UInt8] = []
            let decoded = try CallbackDecoder.decode(sample.payload.span, into: &record)
            guard record[decoded.payload].elementsEqual(sample.payload), "\(decoded.status)" == "\(sample.status)",
                record[decoded.requestID].elementsEqual(requestID(number))
            else { throw BenchmarkFailure("varied sample \(number) is not what it should be") }
        }
    }

    // MARK: pieces

    private enum Field: String, CaseIterable {
        case id, message, fingerprint, session

        var byteCount: Int {
            switch self {
            case .id, .session: VariedSample.idBytes
            case .message: 32
            case .fingerprint: 15
            }
        }
    }

    /// A payload and where its own parts go.
    private struct Template {
        let percent: UInt64
        let status: RecordedStatus
        private(set) var bytes: [UInt8] = []
        private(set) var places: [(field: Field, offset: Int)] = []

        init(_ text: String, percent: UInt64, status: RecordedStatus) {
            self.percent = percent
            self.status = status
            for (index, part) in text.split(separator: "<").enumerated() {
                var rest = part
                if index > 0, let end = part.firstIndex(of: ">"), let field = Field(rawValue: String(part[..<end])) {
                    places.append((field, bytes.count))
                    bytes += [UInt8](repeating: 0, count: field.byteCount)
                    rest = part[part.index(after: end)...]
                }
                bytes += Array(rest.utf8)
            }
        }
    }

    private static let lowerCase = Array("0123456789abcdef".utf8)
    private static let upperCase = Array("ABCDEFGHIJKLMNOP".utf8)

    private static func numbers(_ number: UInt64) -> SeededNumbers { SeededNumbers(seed: number << 8) }

    /// A random UUID, version 4 (RFC 9562 §5.4).
    private static func write(_ value: (UInt64, UInt64), to bytes: inout [UInt8], at offset: Int) {
        let high = value.0 & ~0xF000 | 0x4000
        let low = value.1 & ~(3 << 62) | 1 << 63
        var place = offset
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                bytes[place] = 0x2D
                place += 1
            }
            let half = digit < 16 ? high : low
            bytes[place] = lowerCase[Int(half >> UInt64(60 - 4 * (digit & 15)) & 15)]
            place += 1
        }
    }

    private static func write(_ value: UInt64, digits: Int, letters: [UInt8], to bytes: inout [UInt8], at offset: Int) {
        for digit in 0..<digits { bytes[offset + digit] = letters[Int(value >> UInt64(60 - 4 * (digit & 15)) & 15)] }
    }
}
