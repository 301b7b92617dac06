// The committed cases: JSON texts, valid, invalid and disputed, each with the verdict it has to get.
//
// `Corpus/grammar.json` is a list of {"name", "text" or "hexadecimal", "verdict"}. `Corpus/foundation-differs.json`
// adds {"foundation", "difference", "reason"}. A verdict is "valid", "nestedTooDeep", or the name of a JSONFault.

import Foundation
import Testing

struct CorpusCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var text: String?
    var hexadecimal: String?
    /// Repeats `text` so many times, then `rest`: for the deep ones.
    var times: Int?
    var rest: String?
    var verdict: String
    var foundation: String?
    var difference: String?
    var reason: String?

    var testDescription: String { name }

    var bytes: [UInt8] {
        if let hexadecimal {
            let digits = hexadecimal.compactMap(\.hexDigitValue).map { UInt8($0) }
            return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        }
        let text = String(repeating: text ?? "", count: times ?? 1)
        return Array((text + String(repeating: rest ?? "", count: rest == nil ? 0 : times ?? 1)).utf8)
    }

    static let grammar = load("grammar.json")
    static let foundationDiffers = load("foundation-differs.json")

    /// The cases of a file; none where it cannot be read, which a test of its own finds out.
    private static func load(_ file: String) -> [CorpusCase] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Corpus")
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(file)) else { return [] }
        return (try? JSONDecoder().decode([CorpusCase].self, from: data)) ?? []
    }
}
