// The sample configuration tells the truth: every key is in it, with the default that acts.

import Foundation
import TestSupport
import Testing

@testable import callback_receiver

@Suite("The sample configuration")
struct SampleTests {
    private let sample: [UInt8]

    init() throws {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        sample = [UInt8](try Data(contentsOf: repository.appendingPathComponent("config/callback-receiver.yaml")))
    }

    /// With the "#" removed from each line that begins with it and a key at once.
    private func uncommented() -> [UInt8] {
        let text = String(decoding: sample, as: UTF8.self)
        return Array(text.replacing(/(?m)^( *)#([a-z-]+:)/) { "\($0.output.1)\($0.output.2)" }.utf8)
    }

    @Test("changes nothing as it is")
    func asItIs() {
        let file = ConfigurationFile(path: "sample", bytes: sample)
        #expect(file.problems == [])
        #expect(file.assignments == [])
    }

    @Test("documents every key of the table, in its order, with its default and bounds")
    func complete() throws {
        let file = ConfigurationFile(path: "sample", bytes: uncommented())
        #expect(file.problems == [])
        #expect(file.assignments.map(\.key) == Setting.all.map(\.key))
        for assignment in file.assignments {
            #expect(assignment.text == Setting.named(assignment.key)?.standard, "\(assignment.key)")
        }
        #expect(Resolution(file: file, environment: [:], flags: []).problems == [])
    }

    @Test("with any bytes changed ends in values or problems, never in a trap")
    func damaged() {
        // A fixed seed: a failure is the same failure tomorrow.
        var random = SeededGenerator(seed: 0x5EED)
        let whole = uncommented()
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[position] = Array("{}[]:-?&*!|>'\"%@`#,\n \t".utf8).randomElement(using: &random) ?? 0
                case 2: bytes.removeSubrange(position..<min(bytes.count, position + 40))
                default: bytes.removeSubrange(position...)
                }
                if bytes.isEmpty { break }
            }
            let file = ConfigurationFile(path: "sample", bytes: bytes)
            let resolution = Resolution(file: file, environment: [:], flags: [])
            #expect(resolution.entries.count == Setting.all.count)
            #expect(resolution.problems.allSatisfy { $0.line.hasPrefix("sample:") && !$0.line.contains("\n") })
        }
    }
}
