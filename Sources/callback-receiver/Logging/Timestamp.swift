// Times of log events: RFC 3339 in UTC with milliseconds, `2026-05-20T18:20:25.031Z`.
//
// Promises: right for every day of the proleptic Gregorian calendar from year 0 to 9999; what lies beyond is
// held at the nearest of those. No locale, no time zone, no allocation beyond the text.
// Must not know: what time it is.

enum Timestamp {
    /// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: RFC 3339 §1 has four digits for the year.
    private static let millisecondsRange: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    static func text(milliseconds: Int64) -> String {
        let clamped = min(max(milliseconds, millisecondsRange.lowerBound), millisecondsRange.upperBound)
        let sinceMidnight = (clamped % millisecondsPerDay + millisecondsPerDay) % millisecondsPerDay
        let day = (clamped - sinceMidnight) / millisecondsPerDay
        let (year, month, dayOfMonth) = date(daysSince1970: day)
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2) + "T"
            + padded(sinceMidnight / 3_600_000, 2) + ":" + padded(sinceMidnight / 60_000 % 60, 2) + ":"
            + padded(sinceMidnight / 1_000 % 60, 2) + "." + padded(sinceMidnight % 1_000, 3) + "Z"
    }

    /// Years are counted from March, so that the leap day is the last of its year; 400 years are 146,097 days.
    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468  // since 0000-03-01
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
