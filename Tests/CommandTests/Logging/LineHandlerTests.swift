// Log lines: one event is one line, and nobody's text can make it two or look like another field.

import Foundation
import Logging
import Synchronization
import Testing

@testable import callback_receiver

@Suite("A log line")
struct LineHandlerTests {
    private struct Broken: Error, CustomStringConvertible { let description = "no space left" }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func append(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    /// The lines that `body` logs at 2026-05-20T18:20:25.031Z.
    private func logged(
        _ threshold: LogThreshold = LogThreshold(.info), _ format: LineFormat = .logfmt, hasPriority: Bool = false, _ body: (inout Logger) -> Void
    ) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in
            LineHandler(
                threshold: threshold, format: format, hasPriority: hasPriority, now: { 1_779_301_225_031 }, write: { lines.append($0) })
        }
        body(&logger)
        return lines.all
    }

    private let head = "time=2026-05-20T18:20:25.031Z level=info event="

    @Test("has time, level, event, then metadata sorted by name")
    func order() {
        let lines = logged { $0.info("segment sealed", metadata: ["path": "/a b", "at": "42"]) }
        #expect(lines == ["\(head)\"segment sealed\" at=42 path=\"/a b\"\n"])
    }

    @Test("in JSON is an object, its names in the same order, whole numbers as such")
    func json() throws {
        let lines = logged(LogThreshold(.info), .json) {
            $0.info("a\n\"b\"", metadata: ["path": "/a \u{202E}\u{1B}", "status": .stringConvertible(204), "level": "é", "odd \"": "42"])
        }
        let expected = #"{"time":"2026-05-20T18:20:25.031Z","level":"info","event":"a\n\"b\"","level_":"é","odd__":"42","path":"/a \u202e\u001b","status":204}"#
        #expect(lines == [expected + "\n"])
        let read = try JSONSerialization.jsonObject(with: Data(lines.joined().utf8)) as? [String: Any]
        #expect(read?["path"] as? String == "/a \u{202E}\u{1B}" && read?["status"] as? Int == 204)
    }

    @Test("for the journal begins with its priority", arguments: LineFormat.allCases)
    func priorities(format: LineFormat) {
        let lines = logged(LogThreshold(.trace), format, hasPriority: true) { logger in
            for level in Logger.Level.allCases { logger.log(level: level, "x") }
        }
        #expect(lines.map { $0.prefix(3) } == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
        let begins = format == .json ? "{\"time\":" : "time="
        #expect(lines.allSatisfy { $0.dropFirst(3).hasPrefix(begins) })
    }

    @Test("is written from another level on once that is changed")
    func changedLevel() {
        let threshold = LogThreshold(.info)
        let lines = logged(threshold) {
            $0.debug("no")
            threshold.level = .debug
            $0.debug("yes")
        }
        #expect(lines.count == 1 && lines[0].contains("yes"))
    }

    @Test("is written only from the level asked for")
    func levels() {
        let lines = logged(LogThreshold(.warning)) {
            $0.notice("no")
            $0.warning("yes")
            $0.critical("yes")
        }
        #expect(lines.map { $0.contains("\"yes\"") } == [true, true])
    }

    @Test(
        "quotes a value only where it would not read as one word",
        arguments: [
            ("word", "word"), ("127.0.0.1:8080", "127.0.0.1:8080"), ("", "\"\""), ("a b", "\"a b\""),
            ("a=b", "\"a=b\""), ("a\"b", "\"a\\\"b\""), ("a\\b", "\"a\\\\b\""), ("é", "\"é\""),
            ("a\nlevel=info", "\"a\\nlevel=info\""), ("\r\t", "\"\\r\\t\""), ("\u{1B}[31m", "\"\\u{1b}[31m\""),
            ("\u{0}", "\"\\u{0}\""), ("\u{7F}\u{85}", "\"\\u{7f}\\u{85}\""), ("\u{2028}", "\"\\u{2028}\""),
            ("\u{202E}", "\"\\u{202e}\""), ("\u{FEFF}", "\"\\u{feff}\""),
        ])
    func quoting(value: String, expected: String) {
        #expect(logged { $0.info("x", metadata: ["k": "\(value)"]) } == ["\(head)\"x\" k=\(expected)\n"])
    }

    @Test("escapes the event too")
    func event() {
        #expect(logged { $0.info("a\n\"b\"") } == ["\(head)\"a\\n\\\"b\\\"\"\n"])
    }

    @Test("keeps names to one word, and its own names to itself")
    func names() {
        let lines = logged { $0.info("x", metadata: ["a b=\n": "1", "level": "2", "": "3"]) }
        #expect(lines == ["\(head)\"x\" _=3 a_b__=1 level_=2\n"])
    }

    @Test("takes metadata of the logger, and the event's where both name it")
    func merging() {
        let lines = logged {
            $0[metadataKey: "a"] = "logger"
            $0[metadataKey: "b"] = "logger"
            $0.info("x", metadata: ["b": "event", "list": ["1", "2"]])
        }
        #expect(lines == ["\(head)\"x\" a=logger b=event list=\"[\\\"1\\\", \\\"2\\\"]\"\n"])
    }

    @Test("names the error of an event")
    func error() {
        #expect(logged { $0.info("x", error: Broken()) } == ["\(head)\"x\" error=\"no space left\"\n"])
    }

    @Test("cuts a long value at a character, and says so with an ellipsis")
    func longValue() throws {
        let lines = logged { $0.info("x", metadata: ["k": "\(String(repeating: "é", count: 5_000))"]) }
        let line = try #require(lines.first)
        #expect(line.hasSuffix("é…\"\n"))
        #expect(line.utf8.count <= head.utf8.count + 6 + LineHandler.valueBytesMax + 3)
        #expect(line.filter { $0 == "é" }.count == (LineHandler.valueBytesMax - 3) / 2)
    }

    @Test("is never longer than its bound; fields that do not fit are left out, and that is said", arguments: LineFormat.allCases)
    func bound(format: LineFormat) throws {
        let many = Logger.Metadata(
            uniqueKeysWithValues: (0..<100).map { ("field-\($0)", "\(String(repeating: "\n", count: 400))") })
        let lines = logged(LogThreshold(.info), format, hasPriority: true) { $0.info("\(String(repeating: "m", count: 9_000))", metadata: many) }
        let line = try #require(lines.first)
        #expect(lines.count == 1)
        #expect(line.utf8.count <= LineHandler.lineBytesMax)
        #expect(line.hasSuffix(format == .json ? ",\"cut\":true}\n" : " cut=true\n"))
        #expect(line.filter { $0 == "\n" }.count == 1)
    }
}
