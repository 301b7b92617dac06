// Every input of the corpora, and every input that ever failed, once more, in the ordinary test run.
//
// Promises: the same functions that the fuzzer drives; a failure names the file.
// Must not know: how the inputs came to be.

import Foundation
import FuzzTargets
import Testing

/// A committed input.
struct CommittedInput: CustomTestStringConvertible {
    let target: FuzzTarget
    let url: URL
    var testDescription: String { "\(target.rawValue)/\(url.lastPathComponent)" }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FuzzTargets")

    /// Empty where it cannot be read, which the test of its size finds out.
    var bytes: [UInt8] { (try? Data(contentsOf: url)).map { [UInt8]($0) } ?? [] }

    /// Those below `folder`; none where it is not there.
    static func all(in folder: String, of target: FuzzTarget) -> [CommittedInput] {
        let base = root.appending(path: folder).appending(path: target.rawValue)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return names.sorted().map { CommittedInput(target: target, url: base.appending(path: $0)) }
            .filter { (try? $0.url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true }
    }
}

@Suite("What was fuzzed holds")
struct CorpusTests {
    @Test("every input of the corpus keeps every property", arguments: FuzzTarget.allCases)
    func corpus(target: FuzzTarget) throws {
        let inputs = CommittedInput.all(in: "Corpus", of: target)
        #expect(inputs.count >= 10, "the corpus of \(target.rawValue) is missing")
        for input in inputs { try replay(input) }
    }

    @Test("every input that ever failed keeps every property now", arguments: FuzzTarget.allCases)
    func failures(target: FuzzTarget) throws {
        for input in CommittedInput.all(in: "Failures", of: target) { try replay(input) }
    }

    @Test("a corpus stays small enough to replay at every test run", arguments: FuzzTarget.allCases)
    func size(target: FuzzTarget) throws {
        let inputs = CommittedInput.all(in: "Corpus", of: target)
        let bytes = try inputs.reduce(0) { try $0 + Data(contentsOf: $1.url).count }
        #expect(inputs.count <= 400 && bytes <= 1 << 20, "\(inputs.count) files of \(bytes) bytes")
    }

    private func replay(_ input: CommittedInput) throws {
        let bytes = input.bytes
        do throws(BrokenProperty) {
            try input.target.check(bytes)
        } catch {
            Issue.record("\(input.testDescription): \(error)")
        }
    }
}
