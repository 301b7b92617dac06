// A JSON object whose members keep the very text they were sent as.
//
// Promises: no number is converted, so digits are compared one by one; member order and repeated
// names are kept; strings are unescaped by Foundation, an implementation not under test.
// Must not know: what the members mean.

import Foundation

/// One JSON object, its values as raw text.
public struct RawJSON: Sendable {
    /// Name (unescaped) and raw text of each member, in order.
    public let members: [(name: String, raw: String)]

    /// Reads an object that the text consists of.
    /// - Throws: `TestFailure.unreadable` when it is no JSON object.
    public init(object text: String) throws {
        let bytes = Array(text.utf8)
        guard JSONGrammar.acceptsObject(bytes) else {
            throw TestFailure.unreadable("no JSON object: \(text.prefix(500))")
        }
        members = try Self.pieces(bytes).map { piece in
            let colon = Self.endOfString(piece, Self.skipSpace(piece, 0))
            let name = try Self.unescaped(String(decoding: piece[..<colon], as: UTF8.self))
            let value = Self.skipSpace(piece, Self.skipSpace(piece, colon) + 1)
            return (name, String(decoding: piece[value...], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    /// The raw text of the last member of that name, or nil when there is none.
    public subscript(_ name: String) -> String? { members.last { $0.name == name }?.raw }

    /// The names in order.
    public var names: [String] { members.map(\.name) }

    /// A string member's value; nil when it is absent or no string.
    public func string(_ name: String) -> String? {
        guard let raw = self[name], raw.hasPrefix("\"") else { return nil }
        return try? Self.unescaped(raw)
    }

    /// An integer member's value; nil when it is absent, no number, or too large.
    public func integer(_ name: String) -> Int? { self[name].flatMap { Int($0) } }

    /// An object member; nil when it is absent or no object.
    public func object(_ name: String) -> RawJSON? { self[name].flatMap { try? RawJSON(object: $0) } }

    /// The raw text of an array member's elements; nil when it is absent or no array.
    public func array(_ name: String) -> [String]? {
        guard let raw = self[name], raw.hasPrefix("[") else { return nil }
        return Self.pieces(Array(raw.utf8)).map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// The text without white space between tokens (RFC 8259 §2), strings untouched.
    public static func compact(_ text: String) -> String {
        var kept: [UInt8] = []
        var inString = false, escaped = false
        for byte in text.utf8 {
            if inString {
                if escaped { escaped = false } else if byte == 0x5C { escaped = true } else if byte == 0x22 { inString = false }
            } else if byte == 0x22 {
                inString = true
            } else if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
                continue
            }
            kept.append(byte)
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static func unescaped(_ raw: String) throws -> String {
        guard let value = try JSONSerialization.jsonObject(with: Data(raw.utf8), options: .fragmentsAllowed) as? String
        else { throw TestFailure.unreadable("no JSON string: \(raw)") }
        return value
    }

    /// The pieces between the outermost brackets and their commas.
    private static func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var depth = 0, start = 0, index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = endOfString(bytes, index)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { start = index + 1 }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { pieces.append(Array(bytes[start..<index])) }
            case UInt8(ascii: ",") where depth == 1:
                pieces.append(Array(bytes[start..<index]))
                start = index + 1
            default: break
            }
            index += 1
        }
        return pieces.count == 1 && skipSpace(pieces[0], 0) == pieces[0].count ? [] : pieces
    }

    private static func skipSpace(_ bytes: [UInt8], _ from: Int) -> Int {
        bytes[from...].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? bytes.count
    }

    /// The index after the string that starts at `from`.
    private static func endOfString(_ bytes: [UInt8], _ from: Int) -> Int {
        var index = from + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.count)
    }
}
