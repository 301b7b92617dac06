// An IP address as a value: of a socket's peer, of a hop that a proxy names, of a key in a table.
//
//     16 bytes, network order, as two halves; IPv4 stands where IPv6 maps it (RFC 4291 §2.5.5.2):
//     high 0000000000000000   low 0000 ffff a.b.c.d
//
// Promises: one value for one address, however it came: ::ffff:192.0.2.7 is 192.0.2.7. Reading is strict,
// since an address decides whom to believe: no 127.1, no 0x7f.1, no leading zeros, no zone, no brackets.
// Must not know: ports, names, who is behind an address.

import CPlatform
import Glibc

/// An address of IPv6, or of IPv4 as IPv6 maps it (RFC 4291 §2.5.5.2), so that one comparison serves both.
public struct IPAddress: Sendable, Hashable {
    /// The longest text of an address: INET6_ADDRSTRLEN without its NUL.
    public static let textBytesMax = 45

    /// The first eight bytes as a number; zero for IPv4.
    public let high: UInt64
    /// The last eight bytes as a number.
    public let low: UInt64

    /// From the halves of its 16 bytes, IPv4 in its mapped form.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From the four octets of an IPv4 address, the first in the highest bits.
    public init(ipv4 octets: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(octets)) }

    /// `::`, where nobody knows the address.
    public static let unspecified = IPAddress(high: 0, low: 0)

    /// Reads four decimal numbers (RFC 3986 §3.2.2) or the text of an IPv6 address (RFC 4291 §2.2); nil for
    /// anything else.
    public init?(_ text: String) {
        // A NUL would end the text for inet_pton(3) alone; nothing else that it does not know comes so far, either.
        guard text.utf8.count <= Self.textBytesMax, text.utf8.allSatisfy(Self.isAddressByte) else { return nil }
        if text.utf8.contains(UInt8(ascii: ":")) {
            var halves: (UInt64, UInt64) = (0, 0)
            // An in6_addr is 16 bytes, and so is this.
            guard unsafe inet_pton(AF_INET6, text, &halves) == 1 else { return nil }
            self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
        } else {
            var octets: UInt32 = 0
            // An in_addr is four bytes, and so is this.
            guard unsafe inet_pton(AF_INET, text, &octets) == 1 else { return nil }
            self.init(ipv4: UInt32(bigEndian: octets))
        }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        (0x30...0x3A).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == UInt8(ascii: ".")
    }

    /// True for one that is mapped.
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1 (RFC 4291 §2.5.3).
    public var isLoopback: Bool { isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

    /// `192.0.2.7`, `2001:db8::1` (RFC 5952): no brackets.
    public var text: String {
        var buffer = [CChar](repeating: 0, count: Self.textBytesMax + 1)
        let room = socklen_t(buffer.count)
        if isIPv4 {
            var octets = UInt32(truncatingIfNeeded: low).bigEndian
            // Reads four bytes, writes at most `room`.
            _ = unsafe inet_ntop(AF_INET, &octets, &buffer, room)
        } else {
            var halves = (high.bigEndian, low.bigEndian)
            // Reads 16 bytes, writes at most `room`.
            _ = unsafe inet_ntop(AF_INET6, &halves, &buffer, room)
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Of a peer, as accept4(2) told it.
    init(_ peer: cplatform_address) { self.init(high: peer.high, low: peer.low) }
}

extension IPAddress: CustomStringConvertible {
    public var description: String { text }
}
