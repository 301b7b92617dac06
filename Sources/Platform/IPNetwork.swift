// A range of addresses as operators write it: `10.0.0.0/8`, `2001:db8::/32`, or an address alone.
//
// Promises: strict. A network with bits set behind its prefix is refused and the one that was probably meant is
// named, since `10.1.2.3/8` may as well be a slip for `/32`. IPv4 networks hold IPv4 addresses only, IPv6 networks
// IPv6 ones only: `::/0` does not take in the mapped ones.
// Must not know: what being in a network allows.

/// Why a text is no network.
public enum IPNetworkFault: Error, Equatable, Sendable {
    case notAnAddress
    /// Not a number, or more than the address has bits.
    case prefixLength(most: Int)
    /// The address has bits behind the prefix; this is the network it is in.
    case bitsBehindPrefix(of: IPNetwork)
}

/// The addresses that share a prefix (RFC 4632 §3.1, RFC 4291 §2.3).
public struct IPNetwork: Sendable, Hashable {
    /// The first address.
    public let base: IPAddress
    /// How many bits all its addresses share, of the 128 that an address has here (IPv4: 96 and its own).
    private let sharedBits: Int

    /// - Parameter sharedBits: 0...128; what `base` has behind them is cut off.
    private init(_ base: IPAddress, sharedBits: Int) {
        self.base = IPAddress(high: base.high & Self.highMask(sharedBits), low: base.low & Self.lowMask(sharedBits))
        self.sharedBits = sharedBits
    }

    /// The network of one address.
    public init(_ address: IPAddress) { self.init(address, sharedBits: 128) }

    /// The 64 bits that one subscriber is given at least (RFC 6177 §2), with whatever it likes behind them; an IPv4
    /// address alone.
    public init(subscriberOf address: IPAddress) { self.init(address, sharedBits: address.isIPv4 ? 128 : 64) }

    /// Reads `ADDRESS` or `ADDRESS/BITS` (RFC 4632 §3.1, RFC 4291 §2.3).
    public init(_ text: String) throws(IPNetworkFault) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { throw .notAnAddress }
        guard parts.count == 2 else {
            self.init(address)
            return
        }
        // Counted as it is written: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
        let most = first.utf8.contains(UInt8(ascii: ":")) ? 128 : 32
        let digits = parts[1].utf8
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != 0x30, let bits = Int(parts[1]), bits <= most
        else { throw .prefixLength(most: most) }
        self.init(address, sharedBits: 128 - most + bits)
        guard base == address else { throw .bitsBehindPrefix(of: self) }
    }

    /// Whether the address is one of them. None of IPv4 is in a network of IPv6.
    public func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == base.isIPv4 && address.high & Self.highMask(sharedBits) == base.high
            && address.low & Self.lowMask(sharedBits) == base.low
    }

    /// As one writes it: an address alone without a prefix.
    public var text: String {
        sharedBits == 128 ? base.text : "\(base.text)/\(base.isIPv4 ? sharedBits - 96 : sharedBits)"
    }

    // A shift by 64 leaves nothing.
    private static func highMask(_ bits: Int) -> UInt64 { UInt64.max << (64 - min(64, bits)) }
    private static func lowMask(_ bits: Int) -> UInt64 { UInt64.max << (128 - max(64, bits)) }
}

extension IPNetwork: CustomStringConvertible {
    public var description: String { text }
}
