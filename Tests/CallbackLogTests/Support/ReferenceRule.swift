// API.md §7 read a second time: which lines of one segment are sound, what is damage, what is a tear.
//
// Promises: written from the contract's text alone, slowly and plainly, with a checksum of its own; shares no
// code with the log. Knows lines as the real writer makes them, and any damage done to them.

/// One line as it stands in a file.
struct ReferenceLine {
    /// Of the first byte that is not NUL.
    let offset: Int
    let text: [UInt8]
    let isWhole: Bool

    /// The checksum holds, and it ends as a line does.
    var isSound: Bool {
        guard isWhole, text.count > 21, text.starts(with: Array("{".utf8)) else { return false }
        let body = text.dropLast(21)
        let hexadecimal = String(referenceCRC32C(body), radix: 16)
        let tail = ",\"crc32c\":\"" + String(repeating: "0", count: 8 - hexadecimal.count) + hexadecimal + "\"}"
        return Array(text.suffix(21)) == Array(tail.utf8)
    }
    var sequence: UInt64? { number(after: "{\"sequence\":", from: 0) }
    var durable: UInt64 {
        // The last member but one.
        let mark = Array(",\"durable\":".utf8)
        let start = (0..<text.count).last { text[$0...].starts(with: mark) } ?? 0
        return number(after: ",\"durable\":", from: start) ?? 0
    }

    private func number(after label: String, from start: Int) -> UInt64? {
        let label = Array(label.utf8)
        guard text[start...].starts(with: label) else { return nil }
        let digits = text[(start + label.count)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}

/// What the contract says of one segment that is the whole log.
struct ReferenceRule {
    struct Place: Equatable {
        let offset: Int
        let sequence: UInt64
    }
    /// The sequences that are served.
    var served: [UInt64] = []
    var damages: [Place] = []
    var tear: Place?
    /// The sequence that the next record gets.
    var next: UInt64 = 1

    init(_ bytes: [UInt8], first: UInt64 = 1) {
        let lines = Self.lines(bytes)
        /// A place, and the first line that may prove it.
        var places: [(place: Place, proofFrom: Int)] = []
        var last = first - 1
        var records: [(sequence: UInt64, line: Int)] = []
        for (number, line) in lines.enumerated() {
            func mark(proofFrom: Int) {
                // Bad lines that follow each other are one place.
                if places.last?.place.sequence != last + 1 { places.append((Place(offset: line.offset, sequence: last + 1), proofFrom)) }
            }
            guard line.isSound, line.sequence ?? .max > last else {
                mark(proofFrom: number + 1)
                continue
            }
            let reached = line.sequence.map { $0 - 1 } ?? line.durable
            if reached > last { mark(proofFrom: number) }
            if let sequence = line.sequence { records.append((sequence, number)) }
            last = max(last, line.sequence ?? line.durable)
        }
        func isProved(_ place: Place, from number: Int) -> Bool {
            lines[number...].contains { line in line.isSound && line.durable >= place.sequence && isInOrder(line) }
        }
        /// A sound line that repeats a sequence is itself an unsound place.
        func isInOrder(_ line: ReferenceLine) -> Bool {
            line.sequence == nil || records.contains { lines[$0.line].offset == line.offset }
        }
        for (place, proofFrom) in places {
            if tear == nil, isProved(place, from: proofFrom) { damages.append(place) } else if tear == nil { tear = place }
        }
        let end = tear?.offset ?? bytes.count
        served = records.filter { lines[$0.line].offset < end }.map(\.sequence)
        next = tear?.sequence ?? last + 1
    }

    static func lines(_ bytes: [UInt8]) -> [ReferenceLine] {
        var lines: [ReferenceLine] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            // NUL bytes within end what is before them, which is not whole, and begin a line.
            let pieces = bytes[start..<end].split(separator: 0)
            for (number, text) in pieces.enumerated() {
                lines.append(ReferenceLine(offset: text.startIndex, text: Array(text), isWhole: end < bytes.count && number == pieces.count - 1))
            }
            start = end + 1
        }
        return lines
    }
}

/// CRC-32C bit by bit (RFC 3720 §B.4): reflected polynomial 82F63B78.
func referenceCRC32C(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder = UInt32.max
    for byte in bytes {
        remainder ^= UInt32(byte)
        for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    return ~remainder
}

/// The line of `body` (all but the checksum), as the contract has it, line feed included.
func referenceLine(_ body: String) -> [UInt8] {
    let hexadecimal = String(referenceCRC32C(body.utf8), radix: 16)
    return Array((body + ",\"crc32c\":\"" + String(repeating: "0", count: 8 - hexadecimal.count) + hexadecimal + "\"}\n").utf8)
}
