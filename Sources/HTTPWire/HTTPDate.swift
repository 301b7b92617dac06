// IMF-fixdate (RFC 9110 §5.6.7), `Sun, 06 Nov 1994 08:49:37 GMT`, by arithmetic alone.
//
// Promises: always 29 bytes; no allocation, no locale, no time zone.
// Must not know: what time it is. The caller makes one a second and uses it for every answer.

/// A time as the Date field writes it.
public struct HTTPDate: Sendable {
    private var bytes = InlineArray<29, UInt8>(repeating: 0x20)

    /// The last second of the year 9999: the form has four digits for the year.
    static let unixSecondsMax: Int64 = 253_402_300_799

    /// The time so many seconds after 1970-01-01T00:00:00Z. Times before it, and after
    /// `unixSecondsMax`, are written as these.
    public init(unixSeconds: Int64) {
        let seconds = Int(min(max(unixSeconds, 0), HTTPDate.unixSecondsMax))
        let (year, month, day) = HTTPDate.civil(days: seconds / 86_400)
        let time = seconds % 86_400
        // 1970-01-01 was a Thursday.
        put("ThuFriSatSunMonTueWed", index: seconds / 86_400 % 7, at: 0)
        bytes[3] = Byte.comma
        put(day, at: 5)
        put("JanFebMarAprMayJunJulAugSepOctNovDec", index: month - 1, at: 8)
        put(year / 100, at: 12)
        put(year % 100, at: 14)
        put(time / 3600, at: 17)
        bytes[19] = Byte.colon
        put(time / 60 % 60, at: 20)
        bytes[22] = Byte.colon
        put(time % 60, at: 23)
        put("GMT", index: 0, at: 26)
    }

    /// Appends the 29 bytes to an answer.
    public func append(to output: inout [UInt8]) {
        output.append(bytes.span)
    }

    /// Two digits.
    private mutating func put(_ number: Int, at index: Int) {
        bytes[index] = Byte.zero + UInt8(number / 10)
        bytes[index + 1] = Byte.zero + UInt8(number % 10)
    }

    /// The name at `index` of those written one behind the other, three letters each.
    private mutating func put(_ names: StaticString, index nameIndex: Int, at index: Int) {
        for offset in 0..<3 { bytes[index + offset] = names.byte(at: nameIndex * 3 + offset) }
    }

    /// The Gregorian date so many days after 1970-01-01. Years are counted from March, so that the leap
    /// day is a year's last; 400 years have 146,097 days, and 1970-01-01 is the 719,468th since
    /// 0000-03-01.
    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
