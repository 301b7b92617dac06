// The host a request is for: `Host` values and authorities, `host [":" port]` (RFC 9110 §7.2).
//
// Promises: strict. What is accepted has one reading only, so that "this names the loopback
// interface" can be trusted against a rebound DNS name: 127.0.0.1.example.com is not loopback,
// neither is 127.1 nor 0x7f.0.0.1, which resolvers differ about.
// Must not know: name resolution, which names this server has.

/// A host and a port, as positions in the bytes they were read from.
public struct TargetHost: Sendable, Equatable {
    /// The host; an IPv6 literal with its brackets. Never empty.
    public let name: Range<Int>

    /// The port, nil where none (or an empty one) is given.
    public let port: UInt16?

    /// Whether the host names the loopback interface whatever any DNS server says: `localhost` and
    /// names below it (RFC 6761 §6.3), with or without a trailing dot, 127.0.0.0/8 in four plain
    /// decimal numbers, `[::1]` in any spelling.
    public let isLoopbackName: Bool

    /// Reads `range` of `bytes`; nil where it is no `uri-host [":" port]` (RFC 3986 §3.2.2, §3.2.3),
    /// has user information, an empty host, a zone or a future literal, or a port above 65535.
    public init?(parsing bytes: Span<UInt8>, at range: Range<Int>) {
        guard let first = range.first else { return nil }
        let hostEnd: Int
        if bytes[first] == Byte.openBracket {
            guard let close = bytes.firstIndex(of: Byte.closeBracket, in: range),
                let address = IPv6Text.words(of: bytes, at: first + 1..<close)
            else { return nil }
            hostEnd = close + 1
            isLoopbackName = IPv6Text.isLoopback(address)
        } else {
            hostEnd = bytes.firstIndex(of: Byte.colon, in: range) ?? range.upperBound
            let host = range.lowerBound..<hostEnd
            guard !host.isEmpty, TargetHost.isRegisteredName(bytes, host) else { return nil }
            isLoopbackName = TargetHost.isLoopback(bytes, host)
        }
        name = range.lowerBound..<hostEnd
        if hostEnd == range.upperBound {
            port = nil
            return
        }
        guard bytes[hostEnd] == Byte.colon else { return nil }
        var number = 0
        for index in hostEnd + 1..<range.upperBound {
            guard let digit = Byte.digit(bytes[index]) else { return nil }
            number = number * 10 + Int(digit)
            guard number <= Int(UInt16.max) else { return nil }
        }
        // `port = *DIGIT`: a colon with nothing behind it means the default port (RFC 3986 §3.2.3).
        port = hostEnd + 1 == range.upperBound ? nil : UInt16(number)
    }

    /// reg-name or IPv4address: unreserved, sub-delims, percent-encoded (RFC 3986 §3.2.2).
    private static func isRegisteredName(_ bytes: Span<UInt8>, _ host: Range<Int>) -> Bool {
        var index = host.lowerBound
        while index < host.upperBound {
            if Byte.isRegisteredName(bytes[index]) {
                index += 1
            } else {
                guard bytes[index] == Byte.percent, index + 2 < host.upperBound,
                    Byte.hexDigit(bytes[index + 1]) != nil, Byte.hexDigit(bytes[index + 2]) != nil
                else { return false }
                index += 3
            }
        }
        return true
    }

    private static func isLoopback(_ bytes: Span<UInt8>, _ host: Range<Int>) -> Bool {
        if let octets = IPv4Text.octets(of: bytes, at: host) { return octets[0] == 127 }
        var name = host
        if bytes[name.upperBound - 1] == Byte.dot { name = name.lowerBound..<name.upperBound - 1 }
        let suffix: StaticString = "localhost"
        let start = name.upperBound - suffix.utf8CodeUnitCount
        guard start >= name.lowerBound, bytes.equalsIgnoringCase(suffix, at: start..<name.upperBound) else {
            return false
        }
        // What stands before it are whole, non-empty labels: `evil-localhost` and `.localhost` are not.
        var labelBytes = 0
        for index in name.lowerBound..<start {
            if bytes[index] != Byte.dot {
                labelBytes += 1
            } else if labelBytes == 0 {
                return false
            } else {
                labelBytes = 0
            }
        }
        return labelBytes == 0
    }
}

/// IPv4address of RFC 3986 §3.2.2: four decimal numbers up to 255 without leading zeros.
enum IPv4Text {
    /// The octets, nil where it is no such address.
    static func octets(of bytes: Span<UInt8>, at range: Range<Int>) -> InlineArray<4, UInt8>? {
        var octets = InlineArray<4, UInt8>(repeating: 0)
        var index = range.lowerBound
        for position in 0..<4 {
            if position > 0 {
                guard index < range.upperBound, bytes[index] == Byte.dot else { return nil }
                index += 1
            }
            let start = index
            var number = 0
            while index < range.upperBound, index - start < 3, let digit = Byte.digit(bytes[index]) {
                number = number * 10 + Int(digit)
                index += 1
            }
            guard index > start, number <= 255, index - start == 1 || bytes[start] != Byte.zero else { return nil }
            octets[position] = UInt8(number)
        }
        return index == range.upperBound ? octets : nil
    }
}

/// IPv6address of RFC 3986 §3.2.2 (RFC 4291 §2.2), without brackets and without a zone.
enum IPv6Text {
    /// The eight words, nil where it is no such address.
    static func words(of bytes: Span<UInt8>, at range: Range<Int>) -> InlineArray<8, UInt16>? {
        var words = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap: Int?
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == Byte.colon, index + 1 < range.upperBound, bytes[index + 1] == Byte.colon {
                guard gap == nil else { return nil }
                gap = count
                index += 2
                continue
            }
            // A single colon stands between two words only: behind a word, and not behind the gap.
            if count > 0, gap != count {
                guard bytes[index] == Byte.colon else { return nil }
                index += 1
            }
            guard count < 8 else { return nil }
            if count <= 6, let octets = IPv4Text.octets(of: bytes, at: index..<range.upperBound) {
                words[count] = UInt16(octets[0]) << 8 | UInt16(octets[1])
                words[count + 1] = UInt16(octets[2]) << 8 | UInt16(octets[3])
                count += 2
                index = range.upperBound
                break
            }
            let start = index
            var word: UInt16 = 0
            while index < range.upperBound, index - start < 4, let digit = Byte.hexDigit(bytes[index]) {
                word = word << 4 | UInt16(digit)
                index += 1
            }
            guard index > start else { return nil }
            words[count] = word
            count += 1
        }
        guard let gap else { return count == 8 ? words : nil }
        // `::` stands for at least one word; what follows it moves to the end.
        guard count < 8 else { return nil }
        let moved = count - gap
        for offset in 0..<moved {
            words[7 - offset] = words[count - 1 - offset]
        }
        for position in gap..<8 - moved { words[position] = 0 }
        return words
    }

    static func isLoopback(_ words: InlineArray<8, UInt16>) -> Bool {
        for position in 0..<7 where words[position] != 0 { return false }
        return words[7] == 1
    }
}
