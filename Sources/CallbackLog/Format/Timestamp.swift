// A moment, as the log and the API write it: RFC 3339 §5.6 in UTC with milliseconds, always 24 bytes.
//
// Promises: `append` and `init(parsing:)` are inverse for years 0000 to 9999; anything else does not parse. What people
// write is read by `init(rfc3339:)`. Calendar by arithmetic (days from civil, proleptic Gregorian); no locale, no zone, no Foundation.
// Must not know: what time it is.

/// Milliseconds since 1970-01-01T00:00:00.000Z.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Since 1970, below 0 before it.
    public let milliseconds: Int64

    /// Clamped to the years that 24 bytes can write, 0000 to 9999.
    public init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// Bytes of the text: `2026-05-20T18:20:25.031Z`.
    public static let byteCount = 24

    /// Appends the 24 bytes.
    public func append(to output: inout [UInt8]) {
        let dayMilliseconds: Int64 = 86_400_000
        var days = milliseconds / dayMilliseconds
        var rest = milliseconds % dayMilliseconds
        if rest < 0 {
            rest += dayMilliseconds
            days -= 1
        }
        // Days to a date: eras of 400 years, years beginning in March so that the leap day comes last.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

        // In one piece, each division by a constant: this is done for every record and every answer.
        var text = InlineArray<24, UInt8>(repeating: 0)
        func pair(_ value: Int64, at index: Int) {
            text[index] = UInt8(truncatingIfNeeded: 48 + value / 10)
            text[index + 1] = UInt8(truncatingIfNeeded: 48 + value % 10)
        }
        pair(year / 100, at: 0)
        pair(year % 100, at: 2)
        pair(month, at: 5)
        pair(day, at: 8)
        pair(rest / 3_600_000, at: 11)
        pair(rest / 60_000 % 60, at: 14)
        pair(rest / 1_000 % 60, at: 17)
        pair(rest % 1_000 / 10, at: 20)
        text[22] = UInt8(truncatingIfNeeded: 48 + rest % 10)
        text[4] = 0x2D
        text[7] = 0x2D
        text[10] = 0x54
        text[13] = 0x3A
        text[16] = 0x3A
        text[19] = 0x2E
        text[23] = 0x5A
        output.append(text.span)
    }

    /// RFC 3339 in UTC with three digits of a second: `2026-11-22T19:20:31.500Z`.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The moment written in exactly 24 bytes as `append` does; nil for anything else (no leap second,
    /// no offset, no lower case).
    public init?(parsing text: Span<UInt8>) {
        guard text.count == Self.byteCount else { return nil }
        func number(_ start: Int, _ width: Int) -> Int64? {
            var value: Int64 = 0
            for index in start..<(start + width) {
                let digit = text[index] &- 48
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        guard text[4] == 0x2D, text[7] == 0x2D, text[10] == 0x54, text[13] == 0x3A, text[16] == 0x3A,
            text[19] == 0x2E, text[23] == 0x5A,
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), let millisecond = number(20, 3),
            1...12 ~= month, 1...Self.days(inMonth: month, of: year) ~= day, hour < 24, minute < 60, second < 60
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        self.init(milliseconds: days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1_000 + millisecond)
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

extension Timestamp {
    /// Reads RFC 3339 §5.6: `2026-05-20T18:20:25Z`, with a fraction of a second (beyond milliseconds it is rounded up)
    /// or an offset (`+02:00`); or a date alone, `2026-05-20`, for its first moment in UTC. Nil for anything else.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        if bytes.count == 10 {
            self.init(parsing: Array((text + "T00:00:00.000Z").utf8).span)
            return
        }
        // RFC 3339 §5.6: "T" and "Z" may be written small.
        guard bytes.count >= 20, bytes[10] | 0x20 == 0x74 else { return nil }
        var position = 19
        var fraction: [UInt8] = []
        if bytes[position] == 0x2E {
            fraction = Array(bytes[(position + 1)...].prefix { $0 &- 48 < 10 })
            guard !fraction.isEmpty else { return nil }
            position += 1 + fraction.count
        }
        let milliseconds = Array((fraction + [48, 48, 48]).prefix(3))
        let whole = Array(bytes[..<10]) + [0x54] + Array(bytes[11..<19]) + [0x2E] + milliseconds + [0x5A]
        guard let local = Timestamp(parsing: whole.span), let offset = Self.offsetMinutes(bytes[position...]) else { return nil }
        // What is finer is rounded up: a record of a millisecond before it is before it, for `since` and `until` alike.
        let rounding: Int64 = fraction.dropFirst(3).contains { $0 != 48 } ? 1 : 0
        self.init(milliseconds: local.milliseconds - offset * 60_000 + rounding)
    }

    /// `Z`, or `+02:00`.
    private static func offsetMinutes(_ text: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(text)
        if bytes.count == 1 { return bytes[0] | 0x20 == 0x7A ? 0 : nil }
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A else { return nil }
        let digits = [bytes[1], bytes[2], bytes[4], bytes[5]].map { Int64($0) - 48 }
        guard digits.allSatisfy({ 0...9 ~= $0 }) else { return nil }
        let hours = digits[0] * 10 + digits[1]
        let minutes = digits[2] * 10 + digits[3]
        guard hours < 24, minutes < 60 else { return nil }
        return (bytes[0] == 0x2D ? -1 : 1) * (hours * 60 + minutes)
    }
}
