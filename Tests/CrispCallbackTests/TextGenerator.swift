// Random JSON texts, callbacks and damage to them, from a seed.
//
// Promises: `value` and `callback` give valid JSON by construction (nesting stays far below the limit);
// `damaged` gives something near it, valid or not. The odd forms are frequent: escapes, lone surrogates,
// members named twice, values that are nearly usable.

import TestSupport

struct TextGenerator {
    var numbers: SeededGenerator

    init(seed: UInt64) { numbers = SeededGenerator(seed: seed) }

    // MARK: Any JSON

    mutating func text() -> [UInt8] { bytes(space() + value(depth: 0) + space()) }

    mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 5 ? 6 : 9), using: &numbers) {
        case 0: return numbers.pick(["true", "false", "null"])
        case 1, 2: return number()
        case 3, 4, 5: return string()
        case 6: return array(depth: depth)
        default: return object(depth: depth)
        }
    }

    mutating func array(depth: Int) -> String {
        let count = Int.random(in: 0...4, using: &numbers)
        var elements: [String] = []
        for _ in 0..<count { elements.append(space() + value(depth: depth + 1) + space()) }
        return "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]"
    }

    mutating func object(depth: Int) -> String {
        let count = Int.random(in: 0...4, using: &numbers)
        var members: [(String, String)] = []
        for _ in 0..<count { members.append((string(), value(depth: depth + 1))) }
        return object(members)
    }

    mutating func object(_ members: [(String, String)]) -> String {
        var parts: [String] = []
        for (name, value) in members { parts.append(space() + name + space() + ":" + space() + value + space()) }
        return "{" + (parts.isEmpty ? space() : parts.joined(separator: ",")) + "}"
    }

    mutating func space() -> String {
        guard numbers.chance(4) else { return "" }
        return numbers.pick([" ", "\n", "\t", "\r", "\r\n", "  ", " \t\n\r "])
    }

    mutating func digits(_ most: Int) -> String {
        (0..<Int.random(in: 1...most, using: &numbers)).map { _ in String(Int.random(in: 0...9, using: &numbers)) }
            .joined()
    }

    mutating func wholeNumber() -> String {
        if numbers.chance(4) { return "0" }
        return String(Int.random(in: 1...9, using: &numbers)) + (numbers.chance(3) ? "" : digits(19))
    }

    mutating func number() -> String {
        var number = numbers.chance(3) ? "-" : ""
        number += wholeNumber()
        if numbers.chance(4) { number += "." + digits(6) }
        if numbers.chance(5) { number += numbers.pick(["e", "E"]) + numbers.pick(["", "+", "-"]) + digits(2) }
        return number
    }

    mutating func string() -> String {
        let count =
            numbers.chance(10) ? Int.random(in: 0...60, using: &numbers) : Int.random(in: 0...10, using: &numbers)
        return "\"" + (0..<count).map { _ in character() }.joined() + "\""
    }

    private mutating func character() -> String {
        switch Int.random(in: 0..<14, using: &numbers) {
        case 0: return numbers.pick(["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"])
        case 1: return escape(UInt16.random(in: 0...0x7F, using: &numbers))
        case 2: return escape(UInt16.random(in: 0x80...0xD7FF, using: &numbers))
        case 3: return "\\ud83d" + escape(UInt16.random(in: 0xDC00...0xDFFF, using: &numbers))
        case 4:
            return numbers.pick([
                "é", "ß", "\u{7FF}", "\u{800}", "€", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "😀", "\u{10FFFF}", "\u{FEFF}",
            ])
        case 5: return numbers.pick(["{", "}", "[", "]", ":", ",", " ", "(#1)", "\u{7F}"])
        case 6 where numbers.chance(3): return escape(UInt16.random(in: 0xD800...0xDFFF, using: &numbers))
        default: return String(Character(Unicode.Scalar(UInt8.random(in: 0x61...0x7A, using: &numbers))))
        }
    }

    mutating func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16, uppercase: numbers.chance(2))
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    // MARK: Callbacks

    /// A callback, more or less: an object with the members that mean something, in either place.
    mutating func callback() -> [UInt8] {
        let mark = numbers.chance(20) ? "\u{FEFF}" : ""
        var members: [(String, String)] = []
        if !numbers.chance(5) { members.append((name("request_id"), numbers.chance(5) ? requestID() : "\"r-1\"")) }
        for _ in 0..<Int.random(in: 0...6, using: &numbers) { members.append(member(depth: 0)) }
        members.shuffle(using: &numbers)
        return bytes(mark + space() + object(members) + space())
    }

    private static let fields = [
        "request_id", "whatsapp_message_id", "session_id", "crisp_fingerprint", "message", "reason", "code", "error",
        "errors", "data",
    ]

    private mutating func member(depth: Int) -> (String, String) {
        let field = numbers.chance(12) ? "note" : numbers.pick(Self.fields)
        return (name(field), numbers.chance(12) ? value(depth: 4) : fieldValue(field, depth: depth))
    }

    /// A name, sometimes written with escapes, sometimes with a letter wrong.
    private mutating func name(_ name: String) -> String {
        var letters = Array(name.utf8).map { String(Character(Unicode.Scalar($0))) }
        if numbers.chance(8) {
            for index in letters.indices where numbers.chance(3) {
                letters[index] = escape(letters[index].utf16.first ?? 0)
            }
        } else if numbers.chance(30) {
            letters[Int.random(in: 0..<letters.count, using: &numbers)] = character()
        }
        return "\"" + letters.joined() + "\""
    }

    private mutating func fieldValue(_ field: String, depth: Int) -> String {
        switch field {
        case "request_id": return requestID()
        case "whatsapp_message_id", "session_id": return numbers.chance(3) ? long(512) : string()
        case "crisp_fingerprint", "code": return numeric()
        case "message", "reason": return message()
        case "errors":
            return numbers.chance(4)
                ? fieldValue("error", depth: depth)
                : "[" + space()
                    + (0..<Int.random(in: 0...2, using: &numbers)).map { _ in fieldValue("error", depth: depth) }
                    .joined(separator: ",") + "]"
        case "error":
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0: return numbers.pick(["true", "false"])
            case 1: return numbers.pick(["null", "0", "1", "[]", "[true]", "\"\"", "{}"])
            case 2, 3: return message()
            default:
                var members: [(String, String)] = []
                for _ in 0..<Int.random(in: 0...3, using: &numbers) {
                    let field = numbers.pick(["message", "code", "error", "data"])
                    members.append((name(field), depth > 2 ? string() : fieldValue(field, depth: depth + 1)))
                }
                return object(members)
            }
        case "data" where depth < 2:
            if numbers.chance(6) { return value(depth: 4) }
            var members: [(String, String)] = []
            for _ in 0..<Int.random(in: 0...5, using: &numbers) { members.append(member(depth: depth + 1)) }
            return object(members)
        default: return value(depth: 4)
        }
    }

    private mutating func requestID() -> String {
        switch Int.random(in: 0..<6, using: &numbers) {
        case 0: return long(256)
        case 1: return string()
        case 2:
            return numbers.pick(["\"\"", "null", "7", "\"a b\"", "\"\\u0041\\u007e\"", "\"\\u007f\"", "\"\\u0020\""])
        default: return "\"6ea55176-\(digits(6))\""
        }
    }

    /// A string of about `most` bytes once unescaped.
    private mutating func long(_ most: Int) -> String {
        let unit = numbers.pick([("x", 1), ("\\u0078", 1), ("é", 2), ("\\u20ac", 3), ("\\ud83d\\ude00", 4), ("😀", 4)])
        let count = most / unit.1 + Int.random(in: -1...1, using: &numbers)
        let rest = numbers.chance(2) ? "" : "y"
        return "\"" + String(repeating: unit.0, count: count) + rest + "\""
    }

    private mutating func numeric() -> String {
        switch Int.random(in: 0..<6, using: &numbers) {
        case 0: return number()
        case 1: return "\"" + digits(20) + "\""
        case 2:
            return numbers.pick([
                "\"0\"", "\"00\"", "\"-1\"", "0", "-0", "1.0", "1e5", "\"\"", "\"\\u0035\"", "null", "\"1 \"",
            ])
        case 3: return "\"" + wholeNumber() + "\""
        default: return wholeNumber()
        }
    }

    private mutating func message() -> String {
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0: return string()
        case 1: return numbers.pick(["\"\"", "null", "1", "true", "\"\\ud800\"", "\"a\\udfffb\\ud83d\\ude00\"", "[]"])
        default:
            let start = numbers.pick(["(#", "\\u0028#", "((#", "(#(#", "(", "#", "(#\\u0031", "( #"])
            let end = numbers.pick([")", "\\u0029", "))", "", " )", "x)"])
            let tail = numbers.pick(["", " text", "(#7)", "é(#0012) x"])
            return "\"" + numbers.pick(["", "Failed ", "é"]) + start + (numbers.chance(6) ? "" : digits(20)) + end
                + tail + "\""
        }
    }

    // MARK: Damage

    /// `text` with one to three small changes: bytes gone, doubled, changed or put in, or the end cut off.
    mutating func damaged(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...3, using: &numbers) where !text.isEmpty {
            let index = Int.random(in: 0..<text.count, using: &numbers)
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: text.remove(at: index)
            case 1: text.insert(text[index], at: index)
            case 2: text[index] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            case 3:
                text.insert(
                    numbers.pick(Array("{}[]:,\"\\ \n0-+.eEtu/'".utf8) + [0, 0x0B, 0x7F, 0x80, 0xC0, 0xED, 0xFF]),
                    at: index)
            case 4: text.removeSubrange(index..<min(text.count, index + 3))
            default:
                if numbers.chance(3) {
                    text.removeLast(text.count - index)
                } else {
                    text[index] = numbers.pick(Array("{}[]:,\"\\0123456789-+.eE truefalsn".utf8))
                }
            }
        }
        return text
    }
}
