// The parts that no session is needed for: paths, queries, percent-encoding, hosts; what proxies say of the client.
//
// Promises: each is held against a second, slow reading of its RFC, or against the C library's, on the parts of
// requests that passed and on bytes that nothing has looked at before.
// Must not know: connections, answers.

import Glibc
import HTTPWire

enum HTTP1Parts {
    /// Any bytes at all, as a path, as a query and as a host.
    static func check(_ bytes: [UInt8]) throws(BrokenProperty) {
        // Only the beginning: a host is short, and the rest is read as part of a request.
        let range = 0..<min(bytes.count, 512)
        try checkPath(range, in: bytes)
        try checkQuery(range, in: bytes)
        try checkHost(range, in: bytes)
        try checkProxyHeader(bytes)
    }

    /// The parts of a request that was taken.
    static func check(_ request: Request) throws(BrokenProperty) {
        let head = request.head
        func isWithin(_ range: Range<Int>) -> Bool { range.lowerBound >= 0 && range.upperBound <= head.count }
        try hold(isWithin(request.path) && !request.path.isEmpty, "a path at \(request.path)")
        try hold(isWithin(request.methodToken) && !request.methodToken.isEmpty, "a method at \(request.methodToken)")
        try hold(head[request.path.lowerBound] == 0x2F || head[request.path] == [0x2A], "a path that is none")
        let isVisible = head[request.path].allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x23 && $0 != 0x3F }
        try hold(isVisible, "a path with a byte that no path has")
        var end = 0
        for field in request.fields {
            try hold(isWithin(field.name) && isWithin(field.value), "a field at \(field.name), \(field.value)")
            try hold(field.name.lowerBound >= end && field.value.lowerBound > field.name.upperBound, "fields that overlap")
            end = field.value.upperBound
            let isClean = head[field.value].allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
            try hold(isClean && !field.name.isEmpty, "a field with a byte that no field has")
        }
        try checkPath(request.path, in: head)
        // Where every hop is believed it may be anybody; where none is, it is who the nearest one names, or nobody.
        _ = ForwardedFor.client(of: request, isTrusted: { _ in true })
        _ = ForwardedFor.client(of: request, isTrusted: { $0.low & 1 == 0 })
        let nearest = ForwardedFor.client(of: request, isTrusted: { _ in false })
        let isForwarded = request.hasField("forwarded") || request.hasField("x-forwarded-for")
        try hold(nearest == nil || isForwarded, "a client that no field names")
        if let query = request.query {
            try hold(isWithin(query), "a query at \(query)")
            try checkQuery(query, in: head)
        }
        guard let authority = request.authority else {
            return try hold(request.targetHost == nil, "a host without an authority")
        }
        try hold(isWithin(authority), "an authority at \(authority)")
        try hold(request.targetHost == TargetHost(parsing: head.span, at: authority), "the host is not that of the authority")
        try checkHost(authority, in: head)
    }

    /// The segments, with a slash before each, are the path; each is decoded or refused as a slow decoder does.
    private static func checkPath(_ path: Range<Int>, in bytes: [UInt8]) throws(BrokenProperty) {
        var segments = PathSegments(of: path, in: bytes.span)
        var joined: [UInt8] = []
        while let segment = segments.next(in: bytes.span) {
            joined.append(0x2F)
            joined += bytes[segment]
            try checkDecoding(segment, in: bytes)
        }
        let isPath = path.first.map { bytes[$0] == 0x2F } ?? false
        try hold(joined == (isPath ? Array(bytes[path]) : []), "segments are not those of the path")
    }

    /// Names and values are what stands before and behind the first `=` between ampersands.
    private static func checkQuery(_ query: Range<Int>, in bytes: [UInt8]) throws(BrokenProperty) {
        var parameters = QueryParameters(of: query)
        for pair in bytes[query].split(separator: 0x26) {
            guard let parameter = parameters.next(in: bytes.span) else { throw BrokenProperty(description: "a parameter is missing") }
            let equals = pair.firstIndex(of: 0x3D)
            try hold(parameter.name == pair.startIndex..<(equals ?? pair.endIndex), "a parameter's name at \(parameter.name)")
            let value = equals.map { $0 + 1..<pair.endIndex } ?? pair.endIndex..<pair.endIndex
            try hold(parameter.value == value, "a parameter's value at \(parameter.value), not \(value)")
            try checkDecoding(parameter.name, in: bytes)
            try checkDecoding(parameter.value, in: bytes)
        }
        try hold(parameters.next(in: bytes.span) == nil, "a parameter that is not there")
    }

    private static func checkDecoding(_ range: Range<Int>, in bytes: [UInt8]) throws(BrokenProperty) {
        var decoded: [UInt8] = [7]
        let isSound = PercentEncoding.decode(bytes.span, at: range, into: &decoded)
        let expected = slowlyDecoded(bytes[range])
        try hold(isSound == (expected != nil), "percent-encoding \(isSound ? "taken" : "refused")")
        try hold(decoded == [7] + (expected ?? []), "decoded to \(decoded)")
    }

    /// RFC 3986 §2.1, byte by byte.
    private static func slowlyDecoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimalValue), let low = rest.popFirst().flatMap(hexadecimalValue) else { return nil }
            decoded.append(high * 16 + low)
        }
        return decoded
    }

    private static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        Array("0123456789abcdef".utf8).firstIndex(of: (0x41...0x46).contains(byte) ? byte + 32 : byte).map { UInt8($0) }
    }

    // MARK: what a proxy says before all else

    /// What is decided stays so whatever follows, and is decided at the last byte that it needs.
    private static func checkProxyHeader(_ bytes: [UInt8]) throws(BrokenProperty) {
        let whole = ProxyHeader.read(bytes.span)
        // What is malformed at once has no beginnings worth a look.
        if bytes.count >= 5, ProxyHeader.read(bytes.span.extracting(0..<5)) == .malformed {
            return try hold(whole == .malformed, "what was malformed is \(whole)")
        }
        var isDecided = false
        for count in 0...min(bytes.count, ProxyHeader.bytesMax) {
            let reading = ProxyHeader.read(bytes.span.extracting(0..<count))
            if case .header(let used, _) = reading, !isDecided { try hold(used == count, "\(used) bytes are used, \(count) were there") }
            isDecided = isDecided || reading != .needsMore
            try hold(!isDecided || reading == whole, "\(count) bytes are \(reading), all of them \(whole)")
        }
        try hold(isDecided || bytes.count < ProxyHeader.bytesMax, "\(bytes.count) bytes decide nothing")
    }

    // MARK: hosts

    private static func checkHost(_ range: Range<Int>, in bytes: [UInt8]) throws(BrokenProperty) {
        let text = Array(bytes[range])
        let expected = slowHost(text)
        let host = TargetHost(parsing: bytes.span, at: range)
        try hold((host != nil) == (expected != nil), "the host \(text) is \(host == nil ? "refused" : "taken")")
        guard let host, let expected else { return }
        try hold(Array(bytes[host.name]) == expected.name && host.port == expected.port, "the host \(text) is taken apart as \(host)")
        try hold(host.isLoopbackName == expected.isLoopback, "the host \(text) is \(host.isLoopbackName ? "" : "not ")loopback")
    }

    private struct SlowHost {
        let name: [UInt8]
        let port: UInt16?
        let isLoopback: Bool
    }

    /// `uri-host [":" port]`, RFC 3986 §3.2.2 and §3.2.3.
    private static func slowHost(_ text: [UInt8]) -> SlowHost? {
        let nameEnd: Int
        if text.first == 0x5B {
            guard let close = text.firstIndex(of: 0x5D) else { return nil }
            nameEnd = close + 1
        } else {
            nameEnd = text.firstIndex(of: 0x3A) ?? text.count
        }
        let name = Array(text[..<nameEnd])
        var port: UInt16?
        if nameEnd < text.count {
            guard text[nameEnd] == 0x3A else { return nil }
            let digits = text[(nameEnd + 1)...]
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            port = UInt16(String(decoding: digits, as: UTF8.self))
            guard port != nil || digits.isEmpty else { return nil }
        }
        guard let isLoopback = name.first == 0x5B ? isLoopbackLiteral(name) : isLoopbackName(name) else { return nil }
        return SlowHost(name: name, port: port, isLoopback: isLoopback)
    }

    /// Nil where it is no IPv6 literal by the C library's reading.
    private static func isLoopbackLiteral(_ literal: [UInt8]) -> Bool? {
        let text = literal.dropFirst().dropLast()
        guard text.allSatisfy({ $0 != 0 && $0 < 0x80 }) else { return nil }
        var address = in6_addr()
        // The address has the 16 bytes that inet_pton(3) writes; the string lives for the call.
        guard unsafe inet_pton(AF_INET6, String(decoding: text, as: UTF8.self), &address) == 1 else { return nil }
        let bytes = unsafe withUnsafeBytes(of: &address) { unsafe Array($0) }
        return bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// Nil where it is no reg-name.
    private static func isLoopbackName(_ name: [UInt8]) -> Bool? {
        guard let decoded = slowlyDecoded(name[...]), !decoded.isEmpty else { return nil }
        let marks = Array("-._~!$&'()*+,;=%".utf8)
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard name.allSatisfy({ isAlphanumeric($0) || marks.contains($0) }) else { return nil }
        let text = String(decoding: name, as: UTF8.self).lowercased()
        var address = in_addr()
        // As above, with 4 bytes. Like the RFC, inet_pton takes four decimal numbers without leading zeros.
        if unsafe inet_pton(AF_INET, text, &address) == 1 { return text.hasPrefix("127.") }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.last == "", labels.count > 1 { labels.removeLast() }
        return labels.last == "localhost" && !labels.contains("")
    }
}
