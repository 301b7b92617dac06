// How a text becomes a value: whole numbers, sizes, networks, the callback's path, a directory.
//
// Promises: one spelling for each value, nothing guessed: no signs, no leading zeros (YAML 1.1 reads 010 as
// eight), no fractions, no KB that could be 1000 or 1024. Whatever the text, no trap and no overflow.
// Must not know: keys or their bounds (Settings).

import Platform

enum WholeNumber {
    /// Digits without sign or leading zero; nil for anything else and beyond 63 bits.
    static func parse(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard text == "0" || text.utf8.first != UInt8(ascii: "0") else { return nil }
        return Int64(text)
    }
}

enum Size {
    private static let units: [(suffix: String, bytes: Int64)] = [
        ("GiB", 1_073_741_824), ("MiB", 1_048_576), ("KiB", 1_024),
    ]

    /// Bytes, plain or with a unit: `65536`, `64KiB`, `64 KiB`.
    static func parse(_ text: String) -> Int64? {
        for unit in units where text.hasSuffix(unit.suffix) {
            var digits = text.dropLast(unit.suffix.count)
            if digits.hasSuffix(" ") { digits = digits.dropLast() }
            guard let count = WholeNumber.parse(String(digits)) else { return nil }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
            return overflow ? nil : bytes
        }
        return WholeNumber.parse(text)
    }

    /// In the largest unit that divides it: 65536 is `64KiB`, 65537 is `65537`.
    static func text(_ bytes: Int64) -> String {
        for unit in units where bytes > 0 && bytes % unit.bytes == 0 { return "\(bytes / unit.bytes)\(unit.suffix)" }
        return "\(bytes)"
    }
}

/// Addresses and networks, with commas between them.
enum NetworkList {
    private static let example = "write for example 127.0.0.1, 10.0.0.0/8, or none"

    static func parse(_ text: String, countMax: Int) throws(Refusal) -> [IPNetwork] {
        if text == Setting.nothing { return [] }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= countMax else {
            throw Refusal("has \(parts.count) entries; the most is \(countMax): join them to networks")
        }
        var networks: [IPNetwork] = []
        for part in parts { networks.append(try network(String(part.trimmingPrefix { $0 == " " }))) }
        return networks
    }

    static func text(_ networks: [IPNetwork]) -> String {
        networks.isEmpty ? Setting.nothing : networks.map(\.text).joined(separator: ", ")
    }

    private static func network(_ text: String) throws(Refusal) -> IPNetwork {
        do throws(IPNetworkFault) {
            return try IPNetwork(text)
        } catch {
            switch error {
            case .notAnAddress: throw Refusal("\(quoted(text)) is no address and no network; \(example)")
            case .prefixLength(let most): throw Refusal("\(quoted(text)) has no prefix of 0 to \(most) bits behind its slash; \(example)")
            case .bitsBehindPrefix(let network):
                throw Refusal("\(quoted(text)) has bits behind its prefix; write \(network.text) for that network, or the address alone")
            }
        }
    }
}

enum CallbackPath {
    /// Far below what any request line may be.
    static let bytesMax = 1_024

    /// Checks a path and takes one trailing slash off, since both spellings are the same endpoint.
    static func parse(_ text: String) throws(Refusal) -> String {
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw Refusal("\(quoted(text)) does not begin with a slash; write for example /callback")
        }
        guard text.utf8.count <= bytesMax else {
            throw Refusal("is longer than \(bytesMax) bytes; write for example /callback")
        }
        // RFC 3986 §3.3: a query or a fragment is no part of a path; percent-encoding would make two
        // spellings of one path, and what is not visible ASCII cannot stand in a request line at all.
        for byte in text.utf8 {
            if byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") {
                throw Refusal("has a query or fragment; write only the path, for example /callback")
            }
            guard (0x21...0x7E).contains(byte), byte != UInt8(ascii: "%") else {
                throw Refusal("\(quoted(text)) has characters other than visible ASCII without %; write for example /callback")
            }
        }
        let path = text.utf8.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        // RFC 3986 §5.2.4: clients remove `.` and `..` before they send, so such a path is never asked for.
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) where path != "/" {
            if part.isEmpty || part == "." || part == ".." {
                throw Refusal("\(quoted(text)) has an empty part, . or ..; write for example /callback")
            }
        }
        return path
    }
}

enum DirectoryPath {
    /// PATH_MAX is 4096 with the final NUL; this leaves room for the names of files within.
    static let bytesMax = 3_072

    static func check(_ text: String) throws(Refusal) {
        guard text.utf8.count <= bytesMax else { throw Refusal("is longer than \(bytesMax) bytes; use a shorter path") }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw Refusal("\(quoted(text)) has control characters; write for example /var/lib/callback-receiver")
        }
        // Only a shell expands it; a directory named "~" is not what was meant.
        guard text != "~", !text.hasPrefix("~/") else {
            throw Refusal("~ is not expanded here; write the path in full, for example /var/lib/callback-receiver")
        }
    }
}
