// For whom a request was forwarded, by what the proxies on its way say: `Forwarded` (RFC 7239 §4) and
// `X-Forwarded-For` (no standard; a list of addresses, each proxy appends the one it was asked by).
//
//     client ──▶ proxy c ──▶ proxy b ──▶ proxy a ──▶ us        X-Forwarded-For: client, c, b
//                                  ◀── read from the right: b is what a says, c what b says, …
//
// What stands left of the first address that is no trusted proxy was written by a stranger, whatever it says. So the
// walk goes from the right, from hop to hop for as long as the hop is trusted, and ends with the last address that a
// trusted one has named. Anything that is not plainly an address (unknown, `_hidden`, a malformed element or line)
// ends it there.
//
// With both fields they are believed as far as they say the same: a proxy that maintains one of them usually passes
// the other on as the client wrote it, and which one it maintains cannot be seen.
//
// Promises: bounded by `hopsMax`; whatever the fields hold, an address that a trusted hop named, or none.
// Must not know: which hops are trusted.

/// Finds the client behind proxies in `Forwarded` and `X-Forwarded-For`.
public enum ForwardedFor {
    /// The most hops that are walked. Real chains have one to four.
    static let hopsMax = 32

    /// The address for which the request came. nil: nothing in it can be believed, and it is the peer's.
    ///
    /// To be asked only where the peer itself is trusted.
    /// - Parameter isTrusted: whether an address is one of a proxy whose word counts.
    public static func client(of request: borrowing Request, isTrusted: (NodeAddress) -> Bool) -> NodeAddress? {
        let forwarded = hops(of: "forwarded", in: request, element: Forwarded.append)
        let listed = hops(of: "x-forwarded-for", in: request, element: XForwardedFor.append)
        var believed: NodeAddress?
        for index in 0..<hopsMax {
            guard let hop = forwarded.hop(index) ?? listed.hop(index),
                forwarded.isAbsent || forwarded.hop(index) == hop, listed.isAbsent || listed.hop(index) == hop
            else { break }
            believed = hop
            guard isTrusted(hop) else { break }
        }
        return believed
    }

    /// What one kind of field says, nearest hop first; nil for one that is not plainly an address.
    private struct Hops {
        var isAbsent = true
        var list: [NodeAddress?] = []

        func hop(_ index: Int) -> NodeAddress? { index < list.count ? list[index] : nil }
    }

    /// Reads elements of a field value into an array, in their order; false where it cannot be taken apart.
    private typealias Reader = (Span<UInt8>, Range<Int>, inout [NodeAddress?]) -> Bool

    private static func hops(of name: StaticString, in request: borrowing Request, element read: Reader) -> Hops {
        var hops = Hops()
        let bytes = request.head.span
        // Each line for itself, the last one first (RFC 9110 §5.3): what a proxy appended as a line of its own stays
        // readable, whatever an earlier one holds.
        for field in request.fields.reversed() where bytes.equalsIgnoringCase(name, at: field.name) {
            hops.isAbsent = false
            var elements: [NodeAddress?] = []
            guard read(bytes, field.value, &elements) else {
                hops.list.append(nil)
                break
            }
            hops.list.append(contentsOf: elements.reversed())
            if hops.list.count >= hopsMax { break }
        }
        return hops
    }

    /// Keeps the last `hopsMax` elements of a line.
    fileprivate static func keep(_ element: NodeAddress?, in elements: inout [NodeAddress?]) {
        if elements.count == hopsMax { elements.removeFirst() }
        elements.append(element)
    }
}

private enum XForwardedFor {
    /// Elements as proxies write them: an address, IPv6 with or without brackets, with or without a port.
    static func append(_ bytes: Span<UInt8>, _ line: Range<Int>, to elements: inout [NodeAddress?]) -> Bool {
        var rest = line
        while true {
            let end = bytes.firstIndex(of: Byte.comma, in: rest) ?? rest.upperBound
            let element = bytes.trimmed(rest.lowerBound..<end)
            // A list may have empty elements (RFC 9110 §5.6.1.2).
            if !element.isEmpty {
                ForwardedFor.keep(NodeAddress(ipv6: bytes, at: element) ?? Node.address(bytes, element), in: &elements)
            }
            guard end < rest.upperBound else { return true }
            rest = end + 1..<rest.upperBound
        }
    }
}

private enum Forwarded {
    /// Elements of pairs (RFC 7239 §4): `for=192.0.2.43;proto=http, for="[2001:db8:cafe::17]:4711"`.
    static func append(_ bytes: Span<UInt8>, _ line: Range<Int>, to elements: inout [NodeAddress?]) -> Bool {
        var index = line.lowerBound
        // Of the element that is read.
        var hasPairs = false
        var node: Range<Int>?
        var isSpoilt = false
        while true {
            skipWhiteSpace(bytes, &index, line)
            if index < line.upperBound, bytes[index] != Byte.semicolon, bytes[index] != Byte.comma {
                guard let pair = pair(bytes, at: index..<line.upperBound) else { return false }
                if bytes.equalsIgnoringCase("for", at: pair.name) {
                    // A parameter stands at most once in an element (RFC 7239 §4).
                    if node != nil { isSpoilt = true }
                    node = pair.value
                }
                hasPairs = true
                index = pair.end
                skipWhiteSpace(bytes, &index, line)
            }
            let isEnd = index == line.upperBound
            if isEnd || bytes[index] == Byte.comma {
                if hasPairs {
                    ForwardedFor.keep(isSpoilt ? nil : node.flatMap { Node.address(bytes, $0) }, in: &elements)
                }
                if isEnd { return true }
                hasPairs = false
                node = nil
                isSpoilt = false
            } else if bytes[index] != Byte.semicolon {
                return false
            }
            index += 1
        }
    }

    /// `token "=" ( token / quoted-string )`; the value without its quotation marks. An escape in it stays, and makes
    /// it no address.
    private static func pair(_ bytes: Span<UInt8>, at range: Range<Int>) -> (name: Range<Int>, value: Range<Int>, end: Int)? {
        let nameEnd = bytes.endOfToken(in: range)
        guard nameEnd > range.lowerBound, nameEnd + 1 < range.upperBound, bytes[nameEnd] == Byte.equals else { return nil }
        let name = range.lowerBound..<nameEnd
        let start = nameEnd + 1
        if bytes[start] != Byte.quote {
            let end = bytes.endOfToken(in: start..<range.upperBound)
            return end > start ? (name, start..<end, end) : nil
        }
        // quoted-string, RFC 9110 §5.6.4. Controls are in no field value.
        var index = start + 1
        while index < range.upperBound, bytes[index] != Byte.quote {
            index += bytes[index] == Byte.backslash ? 2 : 1
        }
        return index < range.upperBound ? (name, start + 1..<index, index + 1) : nil
    }

    private static func skipWhiteSpace(_ bytes: Span<UInt8>, _ index: inout Int, _ line: Range<Int>) {
        while index < line.upperBound, Byte.isWhiteSpace(bytes[index]) { index += 1 }
    }
}

/// `node` of RFC 7239 §6.
private enum Node {
    /// The address: IPv4, or IPv6 in brackets, perhaps with a port. nil for `unknown`, `_hidden` and anything else.
    static func address(_ bytes: Span<UInt8>, _ range: Range<Int>) -> NodeAddress? {
        guard let first = range.first else { return nil }
        if bytes[first] == Byte.openBracket {
            guard let close = bytes.firstIndex(of: Byte.closeBracket, in: range), isPort(bytes, close + 1..<range.upperBound)
            else { return nil }
            return NodeAddress(ipv6: bytes, at: first + 1..<close)
        }
        let end = bytes.firstIndex(of: Byte.colon, in: range) ?? range.upperBound
        guard isPort(bytes, end..<range.upperBound) else { return nil }
        return NodeAddress(ipv4: bytes, at: range.lowerBound..<end)
    }

    /// Nothing, or `":" ( 1*5DIGIT / "_" 1*( ALPHA / DIGIT / "." / "_" / "-" ) )`. Nobody asks which port.
    private static func isPort(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        if range.isEmpty { return true }
        guard bytes[range.lowerBound] == Byte.colon, range.count > 1 else { return false }
        let port = range.lowerBound + 1..<range.upperBound
        if bytes[port.lowerBound] == 0x5F { return port.count > 1 && port.allSatisfy { isHidden(bytes[$0]) } }
        return port.count <= 5 && port.allSatisfy { Byte.digit(bytes[$0]) != nil }
    }

    private static func isHidden(_ byte: UInt8) -> Bool {
        Byte.digit(byte) != nil || (0x61...0x7A).contains(byte | 0x20) || byte == Byte.dot || byte == 0x5F || byte == 0x2D
    }
}
