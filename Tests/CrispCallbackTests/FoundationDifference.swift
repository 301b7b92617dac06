// Where Foundation's JSONSerialization and RFC 8259 part ways, and how to tell such a text.
//
// Promises: each case is a difference that was met, has its examples in `Corpus/foundation-differs.json`, and
// covers no text that shows nothing of its kind: a difference of a new kind is not excused.
// Must not know: the scanner; a text is told by its bytes and by the slow parser's tree.

import Foundation
import JSONReference

enum FoundationDifference: String, CaseIterable {
    /// `\ud800` outside a pair: grammar (RFC 8259 §8.2), refused by Foundation, whose strings cannot hold it.
    case loneSurrogate
    /// A number beyond a Double: grammar (§6), refused by Foundation, which converts numbers.
    case numberOutOfRange
    /// UTF-16 or UTF-32, told by a mark or by NUL bytes: taken by Foundation, no JSON between systems (§8.1).
    case otherEncoding
    /// More than 64 open arrays and objects: our limit (API.md §3; §9 allows one). Foundation's is 512.
    case nestedTooDeep
    /// A comma after the last element or member: no grammar (§4, §5), taken by Foundation.
    case trailingComma

    init?(of text: [UInt8]) {
        switch JSONTreeParser.parse(text) {
        case .success(let tree):
            if tree.contains(where: Self.isLoneSurrogate) {
                self = .loneSurrogate
            } else if tree.contains(where: Self.isOutOfRange) {
                self = .numberOutOfRange
            } else {
                return nil
            }
        case .failure(.tooDeep): self = .nestedTooDeep
        case .failure:
            if text.prefix(4).contains(0) || text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) {
                self = .otherEncoding
            } else if case .success = JSONTreeParser.parse(Self.withoutTrailingCommas(text)) {
                self = .trailingComma
            } else {
                return nil
            }
        }
    }

    /// `text` without the commas that stand, outside strings, between a value and a closing bracket.
    private static func withoutTrailingCommas(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        /// Where in the output a comma stands that nothing but white space has followed yet.
        var comma: Int?
        var isInString = false
        var isEscaped = false
        var previous: UInt8 = 0
        for byte in text {
            if !isInString, ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
                if let comma, byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { output[comma] = 0x20 }
                let followsValue = ![0, UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":")]
                    .contains(previous)
                comma = byte == UInt8(ascii: ",") && followsValue ? output.count : nil
                previous = byte
            }
            output.append(byte)
            if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
            isEscaped = isInString && byte == UInt8(ascii: "\\") && !isEscaped
        }
        return output
    }

    private static func isLoneSurrogate(_ tree: JSONTree) -> Bool {
        guard case .string(let units) = tree else { return false }
        return String(validating: units, as: UTF16.self) == nil
    }

    private static func isOutOfRange(_ tree: JSONTree) -> Bool {
        guard case .number(let number) = tree else { return false }
        return !(Double(number)?.isFinite ?? false)
    }
}

extension JSONTree {
    /// Whether the predicate holds of the tree, of a value in it, or of a member's name as a string.
    func contains(where predicate: (JSONTree) -> Bool) -> Bool {
        switch self {
        case .array(let elements): elements.contains { $0.contains(where: predicate) }
        case .object(let members):
            members.contains { predicate(.string($0.name)) || $0.value.contains(where: predicate) }
        default: predicate(self)
        }
    }
}
