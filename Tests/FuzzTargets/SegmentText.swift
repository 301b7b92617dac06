// A log directory as text, so that a fuzzer can change what stands behind checksums, and people can read it.
//
//     @42                     the lines that follow are those of 00000000000000000042.jsonl
//     @42.new  @notes.txt     …of a file with this name: a number has its 20 digits, the rest is as it stands
//     …,"crc32c":"xxxxxxxx"}  a line with this end gets the checksum that it has to have; any other stays as it is
//
// Lines before the first `@` belong to segment 1. A name that is there twice goes on where it was.
// Promises: any bytes are some directory. The checksum is computed here a second time, bit by bit.
// Must not know: which lines are sound.

enum SegmentText {
    /// Bound on the files of a directory: more would only be slow.
    static let filesMax = 8

    /// The files by name.
    static func files(_ text: [UInt8]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var name = fileName(Array("1".utf8))
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            let isLast = line.endIndex == text.endIndex
            if line.first == 0x40, files.count < filesMax {
                name = fileName(Array(line.dropFirst()))
                // A file may be empty.
                files[name, default: []] += []
                continue
            }
            // What stands behind the last line feed is a line without one.
            files[name, default: []] += completed(Array(line)) + (isLast ? [] : [0x0A])
        }
        return files
    }

    private static func fileName(_ text: [UInt8]) -> String {
        let digits = text.prefix { (0x30...0x39).contains($0) }
        let padding = String(repeating: "0", count: max(0, 20 - digits.count))
        let suffix = String(decoding: text[digits.count...].filter { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F }, as: UTF8.self)
        if digits.isEmpty { return suffix.isEmpty ? "unnamed" : suffix }
        return padding + String(decoding: digits, as: UTF8.self) + ".jsonl" + suffix
    }

    private static func completed(_ line: [UInt8]) -> [UInt8] {
        let end = Array(",\"crc32c\":\"xxxxxxxx\"}".utf8)
        guard line.suffix(end.count).elementsEqual(end) else { return line }
        let body = line.dropLast(end.count)
        let hexadecimal = String(checksum(body), radix: 16)
        return body + Array(",\"crc32c\":\"\(String(repeating: "0", count: 8 - hexadecimal.count))\(hexadecimal)\"}".utf8)
    }

    /// CRC-32C bit by bit (RFC 3720 §B.4): reflected polynomial 82F63B78.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
        return ~remainder
    }
}
