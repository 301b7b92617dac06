// One refused body in the quarantine: a file of its own.
//
//     name    1779301225031-000042.refused         when it came first, in ms since 1970 (13 digits), a serial number,
//             1779301225031-000042.unauthorized    and its ring; so names sort by time
//             ….new                                being written; without meaning until renamed
//     line    {"last_at":"<RFC 3339>","count":<digits, then spaces to 10 bytes>,"at":"<RFC 3339>","peer":"<address>",
//             "status":<number>,"detail":"<text>"}  LF        with ,"cut":true where the body is not whole
//     rest    the body as it came, at most 64 KiB of it
//
// `last_at` and `count` stand at fixed places, so that a repetition writes over them. Valid is a file whose name is of
// this form and whose first line is; what is not is nobody's entry and left alone (invariant 8).
// Must not know: how many there may be.

import CallbackLog
import CrispCallback
import Platform

enum QuarantineRing: String, Sendable, CaseIterable {
    /// Refused with 400, 413 or 422.
    case refused
    /// Without the proof of origin that is asked for: refused with 401, or before that with 400 or 413.
    case unauthorized
}

struct QuarantineEntry: Sendable, Equatable {
    /// The first line is not longer, the longest detail escaped included.
    static let lineBytesMax = 4_096
    /// What a file takes of a disk, at least and in steps.
    static let blockBytes: Int64 = 4_096
    static let unfinishedSuffix = ".new"
    /// Longer details are cut.
    static let detailBytesMax = 512
    private static let countBytes = 10
    private static let countMax = 9_999_999_999

    /// The file's name, and the entry's id.
    let name: String
    let ring: QuarantineRing
    let at: Timestamp
    var lastAt: Timestamp
    var count: Int
    let peer: IPAddress
    let status: UInt16
    /// Of the file.
    let byteCount: Int64

    /// What it takes of the disk.
    var diskBytes: Int64 { (byteCount + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes }

    static func name(at: Timestamp, serial: Int, ring: QuarantineRing) -> String {
        padded(max(0, at.milliseconds), 13) + "-" + padded(Int64(serial % 1_000_000), 6) + "." + ring.rawValue
    }

    /// The ring of a file of this name; nil for what is no entry.
    static func ring(of name: String) -> QuarantineRing? {
        let bytes = Array(name.utf8)
        guard bytes.count > 21, bytes[13] == 0x2D, bytes[20] == 0x2E,
            bytes[..<13].allSatisfy({ $0 &- 48 < 10 }), bytes[14..<20].allSatisfy({ $0 &- 48 < 10 })
        else { return nil }
        return QuarantineRing(rawValue: String(decoding: bytes[21...], as: UTF8.self))
    }

    /// True for an entry that was being written, and for nobody else's file.
    static func isUnfinished(_ name: String) -> Bool {
        name.hasSuffix(unfinishedSuffix) && ring(of: String(name.dropLast(unfinishedSuffix.count))) != nil
    }

    /// The file of a new entry.
    static func file(at: Timestamp, peer: IPAddress, status: UInt16, detail: String, body: [UInt8], isCut: Bool = false) -> [UInt8] {
        var bytes = variablePart(lastAt: at, count: 1)
        bytes.append(",\"at\":")
        bytes.append(jsonString: at)
        bytes.append(",\"peer\":")
        bytes.append(jsonString: "\(peer)")
        bytes.append(",\"status\":")
        bytes.append(decimal: UInt64(status))
        bytes.append(",\"detail\":")
        bytes.append(jsonString: Array(detail.utf8.prefix(detailBytesMax)).span)
        bytes.append(isCut ? ",\"cut\":true}" : "}")
        bytes.append(0x0A)
        return bytes + body
    }

    /// The beginning of the first line, always as long.
    static func variablePart(lastAt: Timestamp, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append("{\"last_at\":")
        bytes.append(jsonString: lastAt)
        bytes.append(",\"count\":")
        let end = bytes.count + countBytes
        bytes.append(decimal: UInt64(min(max(1, count), countMax)))
        while bytes.count < end { bytes.append(0x20) }
        return bytes
    }

    /// The entry in a file of this name and size that begins with `beginning`; with it what its detail is, whether its body is cut, and
    /// where that begins. Nil where it is none.
    static func read(_ name: String, _ beginning: Span<UInt8>, byteCount: Int64) -> (entry: QuarantineEntry, detail: String, isCut: Bool, bodyStart: Int)? {
        guard let ring = ring(of: name), let end = ByteSearch.firstIndex(of: 0x0A, in: beginning, from: 0) else { return nil }
        let line = beginning.extracting(0..<end)
        var texts: [String: String] = [:]
        var numbers: [String: Int] = [:]
        var isCut = false
        do throws(JSONRejection) {
            guard var members = try JSONMembers(line) else { return nil }
            while let member = try members.next(line) {
                for name in ["last_at", "at", "peer", "detail"] as [StaticString] where member.isNamed(name, in: line) && member.value.kind == .string {
                    var text: [UInt8] = []
                    JSONString.appendUnescaped(member.value.range, of: line, to: &text)
                    texts["\(name)"] = String(decoding: text, as: UTF8.self)
                }
                if member.isNamed("cut", in: line) { isCut = line[member.value.range.lowerBound] == UInt8(ascii: "t") }
                for name in ["count", "status"] as [StaticString] where member.isNamed(name, in: line) && member.value.kind == .integer {
                    numbers["\(name)"] = number(line.extracting(member.value.range))
                }
            }
        } catch {
            return nil
        }
        guard let at = texts["at"].flatMap({ Timestamp(parsing: Array($0.utf8).span) }),
            let lastAt = texts["last_at"].flatMap({ Timestamp(parsing: Array($0.utf8).span) }), let peer = texts["peer"].flatMap({ IPAddress($0) }),
            let detail = texts["detail"], let count = numbers["count"], count > 0, let status = numbers["status"], 400...499 ~= status
        else { return nil }
        let entry = QuarantineEntry(
            name: name, ring: ring, at: at, lastAt: lastAt, count: count, peer: peer, status: UInt16(status), byteCount: byteCount)
        return (entry, detail, isCut, end + 1)
    }

    /// At most ten digits.
    private static func number(_ digits: Span<UInt8>) -> Int? {
        guard 1...countBytes ~= digits.count else { return nil }
        var value = 0
        for index in digits.indices {
            guard digits[index] &- 48 < 10 else { return nil }
            value = value * 10 + Int(digits[index] - 48)
        }
        return value
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
