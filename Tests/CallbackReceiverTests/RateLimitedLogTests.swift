// Log lines that a stranger can cause.
//
// Promises: the pace is held, and what was left out is counted (invariant 7 of DESIGN.md, for the log's growth).

import Testing

@testable import CallbackReceiver

@Suite("RateLimitedLog")
struct RateLimitedLogTests {
    @Test("ten lines a second, and the next second's first counts what was left out")
    func pace() {
        let kept = KeptLog()
        var log = RateLimitedLog(kept.logger)
        for number in 0..<25 { log.warning("refused", ["number": "\(number)"], now: 5_000 + Int64(number)) }
        #expect(kept.lines == (0..<10).map { "warning refused number=\($0)" })
        log.warning("refused", ["number": "25"], now: 6_000)
        log.warning("refused", ["number": "26"], now: 6_001)
        #expect(kept.lines.suffix(2) == ["warning refused left-out=15 number=25", "warning refused number=26"])
    }

    @Test("metadata of a line that is left out is not made")
    func lazy() {
        let kept = KeptLog()
        var log = RateLimitedLog(kept.logger)
        var made = 0
        func metadata() -> [String: Int] {
            made += 1
            return ["made": made]
        }
        for _ in 0..<50 { log.warning("refused", ["made": "\(metadata())"], now: 1_000) }
        #expect(made == RateLimitedLog.linesPerSecondMax)
    }
}
