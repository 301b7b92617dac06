// A second, slow JSON parser, to hold the scanner against.
//
// Promises: built differently on purpose: the standard library decides what is UTF-8, the grammar is a
// recursive descent over whole characters (RFC 8259, production by production), values become a tree. Strings are UTF-16 code
// units, so that lone surrogates have a place; numbers keep their characters; members keep their order.
// Must not know: the scanner.

package enum JSONTree: Equatable {
    package struct Member: Equatable {
        package var name: [UInt16]
        package var value: JSONTree
    }

    case object([Member])
    case array([JSONTree])
    case string([UInt16])
    case number(String)
    case yes, no, null

    /// The value of the member `name`, the last one of that name.
    package subscript(name: String) -> JSONTree? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == Array(name.utf16) }?.value
    }
}

package enum JSONTreeFault: Error, Equatable {
    case notUTF8, grammar
    /// The offset in bytes of the bracket that is one too many.
    case tooDeep(offset: Int)
}

package struct JSONTreeParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    package static func parse(_ bytes: [UInt8]) -> Result<JSONTree, JSONTreeFault> {
        guard let text = String(validating: bytes, as: UTF8.self) else { return .failure(.notUTF8) }
        var parser = JSONTreeParser(scalars: Array(text.unicodeScalars))
        return Result { () throws(JSONTreeFault) in try parser.text() }
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func text() throws(JSONTreeFault) -> JSONTree {
        if current == "\u{FEFF}" { position += 1 }
        space()
        let tree = try value(depth: 1)
        space()
        guard current == nil else { throw .grammar }
        return tree
    }

    private mutating func space() {
        while let scalar = current, [" ", "\t", "\n", "\r"].contains(scalar) { position += 1 }
    }

    private mutating func take(_ expected: Unicode.Scalar) -> Bool {
        guard current == expected else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONTreeFault) -> JSONTree {
        switch current {
        case "{", "[":
            guard depth <= 64 else {
                throw .tooDeep(offset: scalars[..<position].reduce(0) { $0 + UTF8.width($1) })
            }
            return current == "{" ? try object(depth: depth) : try array(depth: depth)
        case "\"": return .string(try string())
        case "t": return try word("true", .yes)
        case "f": return try word("false", .no)
        case "n": return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func object(depth: Int) throws(JSONTreeFault) -> JSONTree {
        position += 1
        space()
        var members: [JSONTree.Member] = []
        if take("}") { return .object(members) }
        while true {
            guard current == "\"" else { throw .grammar }
            let name = try string()
            space()
            guard take(":") else { throw .grammar }
            space()
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            space()
            if take("}") { return .object(members) }
            guard take(",") else { throw .grammar }
            space()
        }
    }

    private mutating func array(depth: Int) throws(JSONTreeFault) -> JSONTree {
        position += 1
        space()
        var elements: [JSONTree] = []
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            space()
            if take("]") { return .array(elements) }
            guard take(",") else { throw .grammar }
            space()
        }
    }

    private mutating func word(_ word: String, _ tree: JSONTree) throws(JSONTreeFault) -> JSONTree {
        for scalar in word.unicodeScalars {
            guard take(scalar) else { throw .grammar }
        }
        return tree
    }

    private mutating func digits() throws(JSONTreeFault) {
        let start = position
        while let scalar = current, ("0"..."9").contains(scalar) { position += 1 }
        guard position > start else { throw .grammar }
    }

    private mutating func number() throws(JSONTreeFault) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(String.UnicodeScalarView(scalars[start..<position]))
    }

    private mutating func string() throws(JSONTreeFault) -> [UInt16] {
        position += 1
        var units: [UInt16] = []
        while let scalar = current {
            position += 1
            if scalar == "\"" { return units }
            guard scalar.value >= 0x20 else { throw .grammar }
            if scalar == "\\" {
                units.append(try escape())
            } else {
                units += Array(String(Character(scalar)).utf16)
            }
        }
        throw .grammar
    }

    private mutating func escape() throws(JSONTreeFault) -> UInt16 {
        guard let letter = current else { throw .grammar }
        position += 1
        switch letter {
        case "\"", "\\", "/": return UInt16(letter.value)
        case "b": return 8
        case "f": return 12
        case "n": return 10
        case "r": return 13
        case "t": return 9
        case "u":
            var unit: UInt16 = 0
            for _ in 0..<4 {
                guard let digit = current, digit.isASCII, let value = Character(digit).hexDigitValue else {
                    throw .grammar
                }
                unit = unit * 16 + UInt16(value)
                position += 1
            }
            return unit
        default: throw .grammar
        }
    }
}
