// The field Link that leads to a next page (RFC 8288): the target as it was asked for, with another cursor.
//
// Promises: what stands between the angle brackets is a valid reference, whatever path and query held: a byte that RFC 3986
// §3.3, §3.4 does not allow there is percent-encoded. Must not know: what is paged.

import HTTPWire

enum PageLink {
    /// The query's parameters as they came, but for `cursor`; each with an ampersand behind.
    static func query(of request: borrowing Request) -> String {
        var kept: [UInt8] = []
        var parameters = QueryParameters(of: request.query)
        while let parameter = parameters.next(in: request.head.span) {
            var name: [UInt8] = []
            _ = PercentEncoding.decode(request.head.span, at: parameter.name, into: &name)
            if name.elementsEqual(Parameter.cursor.name.utf8) { continue }
            for byte in request.head[parameter.name.lowerBound..<parameter.value.upperBound] { append(byte, to: &kept) }
            kept.append(UInt8(ascii: "&"))
        }
        return String(decoding: kept, as: UTF8.self)
    }

    static func field(path: [UInt8], query: String, cursor: [UInt8]) -> Response.Field {
        var reference: [UInt8] = []
        for byte in path { append(byte, to: &reference) }
        let link = "<\(String(decoding: reference, as: UTF8.self))?\(query)cursor=\(String(decoding: cursor, as: UTF8.self))>; rel=\"next\""
        return Response.Field(name: "Link", value: link)
    }

    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        let isAllowed = 0x21...0x7E ~= byte && !"\"<>\\^`{|}#".utf8.contains(byte)
        if isAllowed { return text.append(byte) }
        let digits = Array("0123456789ABCDEF".utf8)
        text.append(UInt8(ascii: "%"))
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
}
