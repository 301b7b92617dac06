// RFC 7541, HPACK: field blocks, written piece by piece as a test wants them, and read by the rules.
//
// Promises: what is written is exactly what was asked for, broken if need be; what is read is held to the RFC, and a
// block that breaks it is a failure that names the section.
// Must not know: frames, or what a field means.

/// Pieces of a field block (RFC 7541 §6). A block is their concatenation.
public enum HPACK {
    /// What a literal does to the reader's dynamic table.
    public enum Indexing: Sendable {
        case incremental, without, never

        var firstByte: UInt8 { self == .incremental ? 0x40 : self == .never ? 0x10 : 0 }
        var prefixBits: Int { self == .incremental ? 6 : 4 }
    }

    /// An integer behind the bits that the first byte brings (§5.1).
    public static func integer(_ value: Int, prefixBits: Int, firstByte: UInt8) -> [UInt8] {
        let most = (1 << prefixBits) - 1
        guard value >= most else { return [firstByte | UInt8(value)] }
        var bytes = [firstByte | UInt8(most)]
        var rest = value - most
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// A string of bytes as they are, or in the Huffman code (§5.2).
    public static func string(_ bytes: [UInt8], huffman: Bool = false) -> [UInt8] {
        let content = huffman ? Self.huffman(bytes) : bytes
        return integer(content.count, prefixBits: 7, firstByte: huffman ? 0x80 : 0) + content
    }

    /// An indexed field (§6.1).
    public static func indexed(_ index: Int) -> [UInt8] { integer(index, prefixBits: 7, firstByte: 0x80) }

    /// A literal field with a literal name (§6.2).
    public static func literal(_ name: [UInt8], _ value: [UInt8], _ indexing: Indexing = .without, huffman: Bool = false) -> [UInt8] {
        [indexing.firstByte] + string(name, huffman: huffman) + string(value, huffman: huffman)
    }

    /// A literal field whose name is an entry's (§6.2).
    public static func literal(nameOf index: Int, _ value: [UInt8], _ indexing: Indexing = .without) -> [UInt8] {
        integer(index, prefixBits: indexing.prefixBits, firstByte: indexing.firstByte) + string(value)
    }

    /// A new maximum size of the dynamic table (§6.3).
    public static func tableSize(_ size: Int) -> [UInt8] { integer(size, prefixBits: 5, firstByte: 0x20) }

    /// All fields as literals that leave no trace.
    public static func block(_ fields: [(String, String)], _ indexing: Indexing = .without, huffman: Bool = false) -> [UInt8] {
        fields.flatMap { literal(Array($0.0.utf8), Array($0.1.utf8), indexing, huffman: huffman) }
    }

    /// The Huffman code of bytes, padded with ones (§5.2).
    public static func huffman(_ bytes: [UInt8]) -> [UInt8] {
        var written: [UInt8] = []
        var bits: UInt64 = 0
        var count = 0
        for byte in bytes {
            bits = bits << UInt64(HPACKTables.codeLengths[Int(byte)]) | UInt64(HPACKTables.codes[Int(byte)])
            count += Int(HPACKTables.codeLengths[Int(byte)])
            while count >= 8 {
                count -= 8
                written.append(UInt8(truncatingIfNeeded: bits >> UInt64(count)))
            }
        }
        if count > 0 { written.append(UInt8(truncatingIfNeeded: bits << UInt64(8 - count)) | 0xFF >> UInt8(count)) }
        return written
    }
}

/// Reads the blocks of one connection in order.
struct HPACKReader {
    /// Newest first.
    private var dynamic: [(name: String, value: String)] = []
    private var sizeMax = 4_096
    /// The limit in force: what the reading side has said, once that was acknowledged.
    private var limit = 4_096
    private var mustBeginWithSize = false

    /// What the settings say from the acknowledgement on (RFC 9113 §4.3.1).
    mutating func acknowledged(tableSizeLimit: Int) {
        limit = tableSizeLimit
        if limit < sizeMax { mustBeginWithSize = true }
    }

    /// Reads one whole block.
    /// - Throws: `TestFailure.unreadable` where it breaks a rule.
    mutating func read(_ block: [UInt8]) throws -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        var index = 0
        var isFirst = true
        if mustBeginWithSize, block.first.map({ $0 & 0xE0 == 0x20 }) != true {
            throw TestFailure.unreadable("RFC 9113 §4.3.1: the table's size was reduced, and the block does not begin with it")
        }
        mustBeginWithSize = false
        while index < block.count {
            let byte = block[index]
            if byte & 0x80 != 0 {
                let number = try integer(block, &index, prefixBits: 7)
                fields.append(try entry(number))
            } else if byte & 0xE0 == 0x20 {
                guard isFirst else { throw TestFailure.unreadable("RFC 7541 §4.2: a table size within a block") }
                sizeMax = try integer(block, &index, prefixBits: 5)
                guard sizeMax <= limit else { throw TestFailure.unreadable("RFC 7541 §6.3: table size \(sizeMax) beyond \(limit)") }
                evict()
                continue
            } else {
                let isIncremental = byte & 0x40 != 0
                let number = try integer(block, &index, prefixBits: isIncremental ? 6 : 4)
                let name = number == 0 ? try string(block, &index) : try entry(number).name
                let field = (name: name, value: try string(block, &index))
                fields.append(field)
                if isIncremental {
                    dynamic.insert(field, at: 0)
                    evict()
                }
            }
            isFirst = false
        }
        return fields
    }

    private mutating func evict() {
        var size = dynamic.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
        while size > sizeMax, let last = dynamic.popLast() { size -= last.name.utf8.count + last.value.utf8.count + 32 }
    }

    private func entry(_ number: Int) throws -> (name: String, value: String) {
        let tables = HPACKTables.fields.count
        if (1...tables).contains(number) { return HPACKTables.fields[number - 1] }
        guard number > tables, number - tables - 1 < dynamic.count else {
            throw TestFailure.unreadable("RFC 7541 §2.3.3: no entry \(number)")
        }
        return dynamic[number - tables - 1]
    }

    private func integer(_ block: [UInt8], _ index: inout Int, prefixBits: Int) throws -> Int {
        let most = (1 << prefixBits) - 1
        var value = Int(block[index]) & most
        index += 1
        guard value == most else { return value }
        var shift = 0
        while true {
            guard index < block.count, shift < 28 else { throw TestFailure.unreadable("RFC 7541 §5.1: an integer without end") }
            let byte = block[index]
            index += 1
            value += Int(byte & 0x7F) << shift
            shift += 7
            if byte & 0x80 == 0 { return value }
        }
    }

    private func string(_ block: [UInt8], _ index: inout Int) throws -> String {
        guard index < block.count else { throw TestFailure.unreadable("RFC 7541 §5.2: a string is missing") }
        let isHuffman = block[index] & 0x80 != 0
        let count = try integer(block, &index, prefixBits: 7)
        guard count <= block.count - index else { throw TestFailure.unreadable("RFC 7541 §5.2: a string beyond its block") }
        let content = Array(block[index..<index + count])
        index += count
        return String(decoding: isHuffman ? try plain(content) : content, as: UTF8.self)
    }

    private func plain(_ content: [UInt8]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var code: UInt64 = 0, length: UInt64 = 0
        for bit in content.lazy.flatMap({ byte in (0..<8).map { UInt64(byte >> (7 - $0) & 1) } }) {
            code = code << 1 | bit
            length += 1
            guard let symbol = HPACKTables.symbols[length << 32 | code] else { continue }
            guard symbol != HPACKTables.endOfString else { throw TestFailure.unreadable("RFC 7541 §5.2: the end of string within one") }
            bytes.append(UInt8(symbol))
            (code, length) = (0, 0)
        }
        guard length < 8, code == (1 << length) - 1 else { throw TestFailure.unreadable("RFC 7541 §5.2: padding that is not fewer than 8 ones") }
        return bytes
    }
}
