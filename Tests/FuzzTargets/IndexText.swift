// The index file of a segment as text, so that a fuzzer can change what stands behind checksums, and people can read it.
//
//     records 300        so many records…
//     ids 7              …of so many request_ids…
//     mask ff            …and of hashes only these bits
//     2 48 00ff00ff      in page 2, from byte 48 on, these bytes stand; the page gets the checksum that it has to have
//     !2 48 00ff00ff     the same, and the checksum is left as it was
//     pages 9            the file has so many pages: the rest is cut off, what is missing is zero with right checksums
//     bytes 5000         the file is cut to so many bytes
//
// What comes last counts; the changes are made in their order, to the index that the writer makes of the records. Any
// other line says nothing.
// Promises: any bytes are some file, of at most 64 pages. The checksum is computed here a second time, by table.
// Must not know: what stands where in a page.

struct IndexText {
    static let pageBytes = 4_096
    static let pagesMax = 64
    /// The index's own, which is part of each checksum.
    static let number: UInt64 = 9
    /// Bounds on what is made of an input: more would only be slow.
    static let recordsMax = 1_000
    static let changesMax = 32

    private enum Change {
        case bytes([UInt8], page: Int, at: Int, isSealed: Bool)
        case pages(Int)
        case cut(Int)
    }

    private(set) var records = 10
    private(set) var ids = 1_000
    private(set) var mask = UInt64.max
    private var changes: [Change] = []

    init(_ text: [UInt8]) {
        for line in text.split(separator: 0x0A) {
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "records": records = min(Int(words[1]).map { max($0, 0) } ?? records, Self.recordsMax)
            case "ids": ids = max(Int(words[1]) ?? ids, 1)
            case "mask": mask = UInt64(words[1], radix: 16) ?? mask
            default: if changes.count < Self.changesMax, let change = Self.change(words) { changes.append(change) }
            }
        }
    }

    private static func change(_ words: [String]) -> Change? {
        guard let number = Int(words[1]), number >= 0 else { return nil }
        switch words[0] {
        case "pages": return .pages(min(number, pagesMax))
        case "bytes": return .cut(number)
        default:
            let isSealed = !words[0].hasPrefix("!")
            guard words.count == 3, let page = Int(isSealed ? words[0] : String(words[0].dropFirst())), 0..<pagesMax ~= page else { return nil }
            var digits = words[2].utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            if digits.count % 2 == 1 { digits.removeLast() }
            let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
            guard !bytes.isEmpty, number <= pageBytes - 4 - bytes.count else { return nil }
            return .bytes(bytes, page: page, at: number, isSealed: isSealed)
        }
    }

    /// Eight bytes of each change, as a number: a hash, perhaps, that a look-up should ask for.
    var numbers: [UInt64] {
        changes.compactMap { change in
            guard case .bytes(let bytes, _, _, _) = change else { return nil }
            return bytes.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
        }
    }

    /// `file` with the changes.
    func changed(_ file: [UInt8]) -> [UInt8] {
        var file = file
        for change in changes {
            switch change {
            case .bytes(let bytes, let page, let offset, let isSealed):
                let start = page * Self.pageBytes
                guard start + Self.pageBytes <= file.count else { continue }
                file.replaceSubrange(start + offset..<start + offset + bytes.count, with: bytes)
                if isSealed { Self.seal(&file, page) }
            case .pages(let count):
                let old = file.count / Self.pageBytes
                if file.count > count * Self.pageBytes { file.removeSubrange((count * Self.pageBytes)...) }
                file += [UInt8](repeating: 0, count: count * Self.pageBytes - file.count)
                for page in old..<max(old, count) { Self.seal(&file, page) }
            case .cut(let count): if file.count > count { file.removeSubrange(count...) }
            }
        }
        return file
    }

    /// CRC-32C over the page's place, the index's number (0 in page 0) and the content.
    private static func seal(_ file: inout [UInt8], _ page: Int) {
        let start = page * pageBytes
        var remainder = UInt32.max
        func take(_ byte: UInt8) { remainder = remainder >> 8 ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] }
        for index in 0..<8 { take(UInt8(truncatingIfNeeded: page >> (8 * index))) }
        for index in 0..<8 { take(page == 0 ? 0 : UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
        for index in start..<start + pageBytes - 4 { take(file[index]) }
        for index in 0..<4 { file[start + pageBytes - 4 + index] = UInt8(truncatingIfNeeded: ~remainder >> UInt32(8 * index)) }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
}
