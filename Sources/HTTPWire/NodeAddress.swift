// An IP address as messages carry it: in a field that a proxy added, in a PROXY header.
//
// Promises: a plain value of 16 bytes, IPv4 where IPv6 maps it (RFC 4291 §2.5.5.2), so that one address has one
// value in any spelling. Read with the parsers of hosts (TargetHost), which guess at nothing.
// Must not know: sockets, and which addresses are trusted.

/// An IPv4 or IPv6 address.
public struct NodeAddress: Sendable, Hashable {
    /// The first eight of the 16 bytes, as a number; zero for IPv4.
    public let high: UInt64
    /// The last eight; for IPv4 `0000ffff` and its four octets.
    public let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Four decimal numbers (RFC 3986 §3.2.2); nil where `range` is something else.
    init?(ipv4 bytes: Span<UInt8>, at range: Range<Int>) {
        guard let octets = IPv4Text.octets(of: bytes, at: range) else { return nil }
        var low: UInt64 = 0xFFFF
        for index in octets.indices { low = low << 8 | UInt64(octets[index]) }
        self.init(high: 0, low: low)
    }

    /// An IPv6 address without brackets and zone (RFC 4291 §2.2); nil where `range` is something else.
    init?(ipv6 bytes: Span<UInt8>, at range: Range<Int>) {
        guard let words = IPv6Text.words(of: bytes, at: range) else { return nil }
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for index in 0..<4 {
            halves.high = halves.high << 16 | UInt64(words[index])
            halves.low = halves.low << 16 | UInt64(words[index + 4])
        }
        self.init(high: halves.high, low: halves.low)
    }
}
