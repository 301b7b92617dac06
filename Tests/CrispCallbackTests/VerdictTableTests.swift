// The table itself: that every row can be reached, that none stands in another's way, that README and version go with it.

import Foundation
import TestSupport
import Testing

@testable import CrispCallback

@Suite("the verdict table")
struct VerdictTableTests {
    private static func text(_ literal: StaticString) -> String { String(describing: literal) }

    @Test("rows are in order, and no code is in two of them")
    func order() {
        for (row, next) in zip(VerdictTable.rows, VerdictTable.rows.dropFirst()) {
            #expect(row.codes.upperBound < next.codes.lowerBound, "\(next.codes)")
        }
    }

    @Test("every row is found by its codes, and by no neighbour")
    func reached() {
        for row in VerdictTable.rows {
            for code in [row.codes.lowerBound, row.codes.upperBound] {
                #expect(Self.text(verdict("", code: code).advice) == Self.text(row.verdict.advice), "\(code)")
            }
            for code in [row.codes.lowerBound &- 1, row.codes.upperBound + 1]
            where !VerdictTable.rows.contains(where: { $0.codes.contains(code) }) {
                #expect(verdict("", code: code).failureClass == .unknown, "\(code)")
            }
        }
    }

    @Test("every class but unknown has rows; what waiting does not mend names no wait; advice is one plain sentence")
    func rows() {
        #expect(Set(VerdictTable.rows.map(\.verdict.failureClass)) == Set(FailureClass.allCases).subtracting([.unknown]))
        for verdict in VerdictTable.rows.map(\.verdict) + [VerdictTable.unknown] {
            #expect(verdict.isRetryable == (verdict.retryAfterSeconds != nil))
            if let seconds = verdict.retryAfterSeconds { #expect(60...259_200 ~= seconds) }
            let advice = Self.text(verdict.advice)
            #expect(advice.hasSuffix(".") && advice.filter { $0 == "." }.count == 1 && 40...220 ~= advice.count, "\(advice)")
            // It stands in answers as it is.
            #expect(advice.utf8.allSatisfy { 0x20...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C }, "\(advice)")
        }
    }

    @Test("every wording leads to a row, and none hides another")
    func wordings() {
        for wording in VerdictTable.wordings {
            let text = Self.text(wording.text)
            #expect(text == text.lowercased() && text.allSatisfy(\.isASCII) && text.utf8.count <= VerdictTable.wordingBytesMax / 10)
            let known = Self.text(verdict("", code: wording.code).advice)
            #expect(VerdictTable.rows.contains { $0.codes.contains(wording.code) })
            for message in [text, text.uppercased(), "It says: \(text), and more.", "(\(text))"] {
                #expect(Self.text(verdict(message).advice) == known, "\(message)")
            }
        }
    }

    /// Slow and plain: the first wording of the list that begins where a word does.
    private static func expected(_ message: String) -> Verdict {
        let letters = message.map { $0.isASCII ? Character($0.lowercased()) : $0 }
        for wording in VerdictTable.wordings {
            let text = Array(text(wording.text))
            for start in letters.indices where letters[start...].starts(with: text) {
                if start == 0 || !(letters[start - 1].isASCII && letters[start - 1].isLetter) { return verdict("", code: wording.code) }
            }
        }
        return VerdictTable.unknown
    }

    @Test("of several wordings the first of the list counts, wherever it stands", arguments: Rounds.seeds)
    func mixed(seed: UInt64) {
        var numbers = SeededGenerator(seed: seed)
        let pieces = VerdictTable.wordings.map { Self.text($0.text) }
        for _ in 0..<200 {
            var message = ""
            for _ in 0..<Int.random(in: 0...4, using: &numbers) {
                var piece = numbers.pick(pieces)
                if numbers.chance(3) { piece = String(piece.dropFirst(Int.random(in: 0...3, using: &numbers))) }
                if numbers.chance(3) { piece = String(piece.dropLast(Int.random(in: 0...3, using: &numbers))) }
                if numbers.chance(2) { piece = piece.uppercased() }
                message += piece + numbers.pick(["", " ", ". ", "s ", "é", "x"])
            }
            #expect(Self.text(verdict(message).advice) == Self.text(Self.expected(message).advice), "\(message)")
        }
    }

    @Test("a wording is found up to the bound and not behind it, with escapes as without")
    func bound() throws {
        let wording = "Template is paused"
        for (before, isFound) in [(VerdictTable.wordingBytesMax - wording.utf8.count, true), (VerdictTable.wordingBytesMax, false)] {
            for filler in [" ", "\\u0020"] {
                let payload = Array("{\"message\":\"\(String(repeating: filler, count: before))\(wording)\"}".utf8)
                let reading = try CallbackReading(payload: payload.span)
                #expect((reading.verdict(payload.span)?.failureClass == .template) == isFound)
            }
        }
    }

    @Test("the version goes with the table: who changes a row or a wording raises it, and puts the new digest here")
    func version() {
        var table = ""
        for row in VerdictTable.rows + [VerdictTable.Row(UInt64.max, VerdictTable.unknown)] {
            table += "\(row.codes) \(row.verdict.failureClass.name) \(row.verdict.retryAfterSeconds ?? 0) \(row.verdict.advice)\n"
        }
        for wording in VerdictTable.wordings { table += "\(wording.text) \(wording.code)\n" }
        let digest = SHA256.digest(Array(table.utf8).span).prefix(8).map { String(format: "%02x", $0) }.joined()
        #expect([VerdictTable.version: digest] == [1: "0d47751d1d6fd319"])
    }

    @Test("the README's table of classes is this one")
    func readme() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../README.md")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        for failureClass in FailureClass.allCases {
            let line = try #require(lines.first { $0.hasPrefix("| `\(failureClass.name)` | ") })
            let codes = VerdictTable.rows.filter { $0.verdict.failureClass == failureClass }.map(\.codes).map { codes in
                codes.count == 1 ? "\(codes.lowerBound)" : "\(codes.lowerBound) to \(codes.upperBound)"
            }
            #expect(line.split(separator: "|").last == " \(codes.joined(separator: ", ")) " || codes.isEmpty && line.hasSuffix("| |"))
        }
    }
}
