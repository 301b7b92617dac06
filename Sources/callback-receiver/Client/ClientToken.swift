// The token that `status` and `follow` show: out of its file, into the field Authorization (RFC 7617).
//
// Promises: read to a bound; nothing of it is ever in an error. Takes what `token create` printed, as it is, and
// `identifier:key`. Must not know: how a token is checked.

import Platform

struct ClientToken {
    /// A file with more in it holds no token.
    private static let bytesMax = 4_096

    /// The value of the field.
    let authorization: String

    /// Reads the token at `path`; where others than its owner and group can read it, that is said.
    init(path: String) throws(Refusal) {
        let bytes = try Surroundings.bytes(of: path, bytesMax: Self.bytesMax)
        try self.init(bytes)
        if WholeFile.isReadableByAll(path) {
            StandardStream.error("callback-receiver: \(printable(path)) can be read by every user of this machine; chmod 600 it\n")
        }
    }

    init(_ bytes: [UInt8]) throws(Refusal) {
        let words = bytes.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        // RFC 7617 §2: the user has no colon.
        let parts = words.count == 1 ? words[0].split(separator: UInt8(ascii: ":"), maxSplits: 1) : words
        guard bytes.count <= Self.bytesMax, parts.count == 2, !parts[0].contains(UInt8(ascii: ":")),
            parts.allSatisfy({ $0.allSatisfy { (0x21...0x7E).contains($0) } })
        else {
            throw Refusal("does not hold a token; write identifier and key into it, as callback-receiver token create prints them")
        }
        authorization = "Basic " + Base64.text(Array(parts[0]) + [UInt8(ascii: ":")] + Array(parts[1]))
    }
}

/// RFC 4648 §4.
enum Base64 {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                text.append(index <= count ? letters[Int(bits >> (18 - 6 * UInt32(index)) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
