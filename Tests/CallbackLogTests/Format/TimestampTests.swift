// Timestamps: the text and the number are inverse, and nothing else parses.
//
// Promises: the calendar is counted day by day here, so that the arithmetic is compared with something else.
// Must not know: the lines that carry them.

import Testing

@testable import CallbackLog

@Suite struct TimestampTests {
    private func text(_ milliseconds: Int64) -> String { Timestamp(milliseconds: milliseconds).text }

    private func parsed(_ text: String) -> Int64? { Timestamp(parsing: Array(text.utf8).span)?.milliseconds }

    @Test("known moments are written as RFC 3339 has them", arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (1_779_301_225_031, "2026-05-20T18:20:25.031Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] as [(Int64, String)])
    func known(milliseconds: Int64, expected: String) {
        #expect(text(milliseconds) == expected)
        #expect(parsed(expected) == milliseconds)
    }

    @Test("every day from year 0 to 9999 is the day after the one before, there and back")
    func days() {
        let lengths: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var milliseconds: Int64 = -62_167_219_200_000
        for year in Int64(0)...9_999 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            // Each year's first and last day, the days around the leap day, and one that wanders.
            for (dayOfYear, month, day) in [(0, 1, 1), (58, 2, 28), (isLeap ? 60 : 59, 3, 1), (isLeap ? 365 : 364, 12, 31)] as [(Int64, Int, Int)] {
                let moment = milliseconds + dayOfYear * 86_400_000 + year * 8_639
                let date = "\(String(String(10_000 + year).dropFirst()))-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
                if !text(moment).hasPrefix(date) { Issue.record("\(moment) is \(text(moment)), not on \(date)") }
                if parsed(text(moment)) != moment { Issue.record("\(text(moment)) does not come back") }
            }
            milliseconds += (lengths.reduce(0, +) + (isLeap ? 1 : 0)) * 86_400_000
        }
        #expect(milliseconds == 253_402_300_800_000)
    }

    @Test("a moment that 24 bytes cannot write is the nearest that they can")
    func clamped() {
        #expect(text(.max) == "9999-12-31T23:59:59.999Z")
        #expect(text(.min) == "0000-01-01T00:00:00.000Z")
    }

    @Test("what is not exactly so does not parse", arguments: [
        "", "2026-05-20T18:20:25.031", "2026-05-20T18:20:25.031ZZ", "2026-05-20t18:20:25.031Z", "2026-05-20T18:20:25.031z",
        "2026-05-20 18:20:25.031Z", "2026-05-20T18:20:25,031Z", "2026-13-20T18:20:25.031Z", "2026-00-20T18:20:25.031Z",
        "2026-05-00T18:20:25.031Z", "2026-05-32T18:20:25.031Z", "2026-04-31T18:20:25.031Z", "2026-02-29T18:20:25.031Z",
        "2100-02-29T18:20:25.031Z", "2026-05-20T24:00:00.000Z", "2026-05-20T18:60:25.031Z", "2026-05-20T18:20:60.031Z",
        "2026-05-20T18:20:25.03-Z", "+026-05-20T18:20:25.031Z", "2026-05-20T18:20:2:.031Z", "2026/05/20T18:20:25.031Z",
    ])
    func refused(text: String) {
        #expect(parsed(text) == nil)
    }
}
