// What a person at a terminal sees while a command is at work, with time turned by hand.

import Synchronization
import Testing

@testable import CallbackLog
@testable import callback_receiver

@Suite("The progress bar")
struct ProgressBarTests {
    private final class Screen: Sendable {
        let time = Atomic<Int64>(0)
        let drawn = Mutex<[String]>([])

        func bar(bytes: Int64, isShown: Bool = true) -> ProgressBar {
            ProgressBar(
                "verify", bytes: bytes, isShown: isShown, columns: 80, now: { self.time.load(ordering: .relaxed) },
                draw: { text in self.drawn.withLock { $0.append(text) } })
        }
    }

    @Test("is a row with share, rate and time left, that fits the terminal")
    func row() {
        func row(_ passed: Int64, _ seconds: Double, columns: Int = 80) -> String {
            ProgressBar.row("verify", passed: passed, total: 1_000 << 20, nanoseconds: Int64(seconds * 1e9), columns: columns)
        }
        #expect(row(0, 0) == "verify   0 % [>                                       ]")
        #expect(row(500 << 20, 2) == "verify  50 % [====================>                   ] 250 MiB/s, 2 s left")
        #expect(row(1_000 << 20, 4) == "verify 100 % [========================================] 250 MiB/s, 0 s left")
        #expect(row(2_000 << 20, 4).hasPrefix("verify 100 % ["))
        #expect(row(1 << 20, 1).hasSuffix("1 MiB/s, 16 min 39 s left"))
        #expect(row(100 << 10, 10).hasSuffix("10 KiB/s, 28 h 26 min left"))
        for columns in 1...120 { #expect(row(500 << 20, 2, columns: columns).count < columns) }
    }

    @Test("is drawn at most ten times a second and wiped away")
    func pace() {
        let screen = Screen()
        let bar = screen.bar(bytes: 100)
        for _ in 0..<10 {
            bar.pass(1)
            screen.time.add(50_000_000, ordering: .relaxed)
        }
        #expect(screen.drawn.withLock { $0.count } == 5)
        bar.wipe()
        bar.wipe()
        #expect(screen.drawn.withLock { $0.count } == 6)
        #expect(screen.drawn.withLock { $0.last } == "\r\u{1B}[K")
        #expect(screen.drawn.withLock { $0.allSatisfy { $0.hasPrefix("\r") && $0.hasSuffix("\u{1B}[K") } })
    }

    @Test("is nothing where there is no terminal")
    func hidden() {
        let screen = Screen()
        let bar = screen.bar(bytes: 100, isShown: false)
        bar.pass(50)
        bar.wipe()
        #expect(screen.drawn.withLock { $0 } == [])
    }
}

@Suite("A moment on the command line")
struct MomentTests {
    @Test(
        "is RFC 3339, or a day",
        arguments: [
            ("2026-05-20T18:20:25Z", "2026-05-20T18:20:25.000Z"), ("2026-05-20t18:20:25.031z", "2026-05-20T18:20:25.031Z"),
            ("2026-05-20T18:20:25.0319999Z", "2026-05-20T18:20:25.032Z"), ("2026-05-20T18:20:25.9990001Z", "2026-05-20T18:20:26.000Z"), ("2026-05-20T18:20:25.0310000Z", "2026-05-20T18:20:25.031Z"), ("2026-05-20T18:20:25.5Z", "2026-05-20T18:20:25.500Z"),
            ("2026-05-20T20:20:25+02:00", "2026-05-20T18:20:25.000Z"), ("2026-05-20T00:20:25-23:59", "2026-05-21T00:19:25.000Z"),
            ("2026-05-20", "2026-05-20T00:00:00.000Z"), ("2024-02-29", "2024-02-29T00:00:00.000Z"),
        ])
    func moments(text: String, expected: String) throws {
        var bytes: [UInt8] = []
        try #require(Timestamp(rfc3339: text)).append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "now", "2026", "2026-05", "2026-5-20", "2026-02-30", "2025-02-29", "2026-05-20T18:20", "2026-05-20T18:20:25", "2026-05-20 18:20:25Z",
            "2026-05-20T18:20:60Z", "2026-05-20T24:00:00Z", "2026-05-20T18:20:25.Z", "2026-05-20T18:20:25+0200", "2026-05-20T18:20:25+24:00",
            "2026-05-20T18:20:25Zx", "2026-05-20T18:20:25.031", "+026-05-20T18:20:25Z", "２０２６-05-20",
        ])
    func others(text: String) { #expect(Timestamp(rfc3339: text) == nil) }
}
