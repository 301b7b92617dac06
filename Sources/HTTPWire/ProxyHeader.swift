// The PROXY protocol's header, before all else on a connection: who it was that connected to the proxy
// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, cited by its sections).
//
//     version 1, §2.1   PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 CR LF          at most 107 bytes
//     version 2, §2.2   0…11 signature · 12 version, command · 13 family, transport · 14…15 length · addresses · TLVs
//
// Promises: pure; what comes out depends on the bytes, not on how they were split. Strict: what is not exactly one of
// the two is malformed as soon as it can be known, and never taken for HTTP: a receiver that guesses lets clients name
// themselves (§2). Never looks beyond `bytesMax`.
// Must not know: who may send one, and what the address is for.

/// Reads the header of the PROXY protocol.
public enum ProxyHeader {
    /// The most that a header may have: what every TCP segment can hold, so that it comes whole (§2.2: 536). 484
    /// remain for IPv6's TLVs; HAProxy's take up to about 250.
    public static let bytesMax = 536

    /// The longest version 1 header, with its CRLF (§2.1).
    static let version1BytesMax = 107

    /// What the bytes so far are.
    public enum Reading: Equatable, Sendable {
        /// A part of a header so far.
        case needsMore
        /// A header of that many bytes; what follows is the client's. `source` is nil where the proxy connects on its
        /// own account (LOCAL) or knows no address: then the socket's peer stays what counts (§2.1, §2.2).
        case header(bytes: Int, source: NodeAddress?)
        /// Not a header: close (§2.2).
        case malformed
    }

    /// Reads the header that `input` begins with. `input` is all that has come on the connection.
    public static func read(_ input: Span<UInt8>) -> Reading {
        guard input.count > 0 else { return .needsMore }
        return input[0] == signature.byte(at: 0) ? version2(input) : version1(input)
    }

    // MARK: version 2

    private static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
    private static let prefixBytes = 16
    private static let ipv4Bytes = 12, ipv6Bytes = 36, unixBytes = 216

    private static func version2(_ input: Span<UInt8>) -> Reading {
        let known = min(input.count, signature.utf8CodeUnitCount)
        for index in 0..<known where input[index] != signature.byte(at: index) { return .malformed }
        // Version in the high four bits; LOCAL 0, PROXY 1. "Other values … must be rejected" (§2.2).
        guard input.count > 12 else { return .needsMore }
        let isLocal = input[12] == 0x20
        guard isLocal || input[12] == 0x21 else { return .malformed }
        guard input.count > 13 else { return .needsMore }
        // A proxy's own connections (health checks): the family is to be ignored.
        guard let addressBytes = isLocal ? 0 : addressBytes(input[13]) else { return .malformed }
        guard input.count >= prefixBytes else { return .needsMore }
        let length = Int(input[14]) << 8 | Int(input[15])
        guard length >= addressBytes, prefixBytes + length <= bytesMax else { return .malformed }
        guard input.count >= prefixBytes + length else { return .needsMore }
        // What follows the addresses are TLVs, which may all be skipped (§2.2).
        let source: NodeAddress? =
            switch addressBytes {
            case ipv4Bytes: NodeAddress(high: 0, low: 0xFFFF << 32 | number(input, at: prefixBytes, bytes: 4))
            case ipv6Bytes:
                NodeAddress(high: number(input, at: prefixBytes, bytes: 8), low: number(input, at: prefixBytes + 8, bytes: 8))
            default: nil
            }
        return .header(bytes: prefixBytes + length, source: source)
    }

    /// What a family's addresses take, for streams; nil for datagrams and what is not assigned.
    private static func addressBytes(_ family: UInt8) -> Int? {
        switch family {
        case 0x00: 0
        case 0x11: ipv4Bytes
        case 0x21: ipv6Bytes
        case 0x31: unixBytes
        default: nil
        }
    }

    private static func number(_ input: Span<UInt8>, at start: Int, bytes: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in start..<start + bytes { number = number << 8 | UInt64(input[index]) }
        return number
    }

    // MARK: version 1

    private static func version1(_ input: Span<UInt8>) -> Reading {
        let name: StaticString = "PROXY "
        for index in 0..<min(input.count, name.utf8CodeUnitCount) where input[index] != name.byte(at: index) { return .malformed }
        let window = 0..<min(input.count, version1BytesMax)
        guard let lineFeed = input.firstIndex(of: Byte.lineFeed, in: window) else {
            return window.count < version1BytesMax ? .needsMore : .malformed
        }
        // Present: the name, which has no LF, was compared.
        guard input[lineFeed - 1] == Byte.carriageReturn else { return .malformed }
        return line(input, at: name.utf8CodeUnitCount..<lineFeed - 1, bytes: lineFeed + 1)
    }

    /// `UNKNOWN` and anything, or `TCP4`/`TCP6`, two addresses of that family, two ports, one space between them.
    private static func line(_ input: Span<UInt8>, at range: Range<Int>, bytes: Int) -> Reading {
        var rest = range
        let family = word(input, &rest)
        if input.equals("UNKNOWN", at: family) { return .header(bytes: bytes, source: nil) }
        let isIPv4 = input.equals("TCP4", at: family)
        guard isIPv4 || input.equals("TCP6", at: family) else { return .malformed }
        guard let source = address(input, word(input, &rest), isIPv4: isIPv4),
            address(input, word(input, &rest), isIPv4: isIPv4) != nil,
            isPort(input, word(input, &rest)), isPort(input, rest)
        else { return .malformed }
        return .header(bytes: bytes, source: source)
    }

    /// What stands before the next space; `rest` is what stands behind it.
    private static func word(_ input: Span<UInt8>, _ rest: inout Range<Int>) -> Range<Int> {
        let end = input.firstIndex(of: Byte.space, in: rest) ?? rest.upperBound
        let word = rest.lowerBound..<end
        rest = min(end + 1, rest.upperBound)..<rest.upperBound
        return word
    }

    private static func address(_ input: Span<UInt8>, _ range: Range<Int>, isIPv4: Bool) -> NodeAddress? {
        isIPv4 ? NodeAddress(ipv4: input, at: range) : NodeAddress(ipv6: input, at: range)
    }

    /// 0 to 65535, without leading zeros.
    private static func isPort(_ input: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard (1...5).contains(range.count), range.count == 1 || input[range.lowerBound] != Byte.zero else { return false }
        var port = 0
        for index in range {
            guard let digit = Byte.digit(input[index]) else { return false }
            port = port * 10 + Int(digit)
        }
        return port <= Int(UInt16.max)
    }
}
