// Paths and queries taken apart, and percent-decoded once (RFC 3986 §2.1, §3.3, §3.4).
//
// Promises: what is split is split before it is decoded, so that `%2F` is a byte of a segment and
// `%26` one of a value; nothing is decoded twice; a `%` without two digits behind it is an error.
// Must not know: which paths and parameters there are.

/// Percent-decoding, RFC 3986 §2.1.
public enum PercentEncoding {
    /// Appends the bytes at `range` of `bytes` to `output`, decoded. `+` stays `+`: see `QueryParameters`.
    /// - Returns: false where a `%` is not followed by two hexadecimal digits; `output` is then as before.
    public static func decode(_ bytes: Span<UInt8>, at range: Range<Int>, into output: inout [UInt8]) -> Bool {
        let count = output.count
        var index = range.lowerBound
        while index < range.upperBound {
            let end = bytes.firstIndex(of: Byte.percent, in: index..<range.upperBound) ?? range.upperBound
            output.append(bytes.extracting(index..<end))
            index = end
            guard index < range.upperBound else { break }
            guard index + 2 < range.upperBound, let high = Byte.hexDigit(bytes[index + 1]),
                let low = Byte.hexDigit(bytes[index + 2])
            else {
                output.removeSubrange(count...)
                return false
            }
            output.append(high << 4 | low)
            index += 3
        }
        return true
    }
}

/// The segments of a path, RFC 3986 §3.3: `/v1/requests/a%2Fb` has `v1`, `requests` and `a%2Fb`, and
/// `/v1/` has `v1` and an empty one. Segments are raw; `.` and `..` mean nothing here.
public struct PathSegments: Sendable {
    private var rest: Range<Int>
    private var isAtEnd: Bool

    /// Segments of the path at a range of a request's head. `*`, being no path, has none.
    public init(of path: Range<Int>, in bytes: Span<UInt8>) {
        let isPath = !path.isEmpty && bytes[path.lowerBound] == Byte.slash
        rest = isPath ? path.lowerBound + 1..<path.upperBound : path
        isAtEnd = !isPath
    }

    /// The next segment, nil behind the last.
    /// - Parameter bytes: the same as for `init`.
    public mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        guard !isAtEnd else { return nil }
        guard let slash = bytes.firstIndex(of: Byte.slash, in: rest) else {
            isAtEnd = true
            return rest
        }
        let segment = rest.lowerBound..<slash
        rest = slash + 1..<rest.upperBound
        return segment
    }
}

/// The parameters of a query, `name=value&name=value`, in the order they came.
///
/// Names and values are raw, to be decoded by `PercentEncoding`. A `+` is a plus sign, as RFC 3986 has
/// it, and not the space that HTML forms write so: keys and times with an offset hold plus signs, and
/// their writers do not all encode them. A space is `%20`.
public struct QueryParameters: Sendable {
    /// One parameter. Without `=` the value is empty.
    public struct Parameter: Sendable, Equatable {
        /// Where the name is, up to the first `=`.
        public let name: Range<Int>
        /// Where the value is, behind the first `=`.
        public let value: Range<Int>
    }

    private var rest: Range<Int>

    /// Parameters of the query at a range of a request's head; none of nil.
    public init(of query: Range<Int>?) {
        rest = query ?? 0..<0
    }

    /// The next parameter, nil behind the last. Empty ones (`a=1&&b=2`) are passed over.
    /// - Parameter bytes: what the query is a range of.
    public mutating func next(in bytes: Span<UInt8>) -> Parameter? {
        while !rest.isEmpty {
            let end = bytes.firstIndex(of: Byte.ampersand, in: rest) ?? rest.upperBound
            let pair = rest.lowerBound..<end
            rest = min(end + 1, rest.upperBound)..<rest.upperBound
            guard !pair.isEmpty else { continue }
            let equals = bytes.firstIndex(of: Byte.equals, in: pair) ?? end
            return Parameter(name: pair.lowerBound..<equals, value: min(equals + 1, end)..<end)
        }
        return nil
    }
}
