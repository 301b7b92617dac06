// A request as routes see it: the same value whichever HTTP version brought it.
//
// Promises: one value serves many requests; its arrays keep their capacity, so that reading a
// request allocates nothing once they have grown. Names and values are positions in `head`, which
// holds their bytes exactly as they came.
// Must not know: how it was framed on the wire, nor what any route makes of it.

/// A complete request: method, target, fields, body.
///
/// `path`, `query`, `authority` and field values are ranges of `head`:
/// `request.head.span.extracting(request.path)` for parsers, `request.text(_:)` where a string is
/// wanted. They hold until the next request is read into this value.
public struct Request: Sendable {
    /// The method. HEAD is answered like GET; the session leaves the body out.
    public internal(set) var method = Method.other

    /// The method's token as it came.
    public internal(set) var methodToken = 0..<0

    /// The target up to its first `?`, raw: not percent-decoded, not normalized. It starts with `/`
    /// (absolute-form with an empty path: `/`, RFC 9110 §4.2.3), or is `*` of `OPTIONS *`.
    public internal(set) var path = 0..<0

    /// The raw bytes after the target's first `?`; nil where there is none, empty after a bare `?`.
    public internal(set) var query: Range<Int>?

    /// Host and port as the client named them: of an absolute-form target, which wins (RFC 9112
    /// §3.2.2), else of the Host field. nil where HTTP/1.0 names none or the field is empty.
    public internal(set) var authority: Range<Int>?

    /// `authority`, taken apart. Its positions are in `head` too.
    public internal(set) var targetHost: TargetHost?

    /// Whether the client speaks HTTP/1.0.
    public internal(set) var isHTTP10 = false

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    public internal(set) var expectsContinue = false

    /// Whether all of the above and the fields are there. After a refusal it says whether they may
    /// be looked at; of a head that was refused only the method may be known.
    public internal(set) var isHeadComplete = false

    /// The bytes that every range above points into: request line and fields, as they came.
    public internal(set) var head: [UInt8] = []

    /// The fields in the order they came.
    public internal(set) var fields: [Field] = []

    /// The body without its framing. After `Refusal.bodyTooLarge` as much of it as was taken in: over HTTP/2
    /// what came before the refusal was given out, over HTTP/1.1 what came before the piece that is too much.
    public internal(set) var body: [UInt8] = []

    /// A field line: where its name and its value are in `Request.head`.
    public struct Field: Sendable, Equatable {
        // 32 bits each, since a head is bounded: a field is 16 bytes.
        let nameStart: UInt32, nameEnd: UInt32, valueStart: UInt32, valueEnd: UInt32

        init(name: Range<Int>, value: Range<Int>) {
            nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
            nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
            valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        }

        /// Where the name is, never empty.
        public var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }

        /// Where the value is, without the white space around it.
        public var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    /// An empty request, to be read into.
    public init() {}

    /// The value of the first field of this name, nil without one.
    /// - Parameter name: in lower case, of letters, digits and hyphens; compared ignoring ASCII case
    ///   (RFC 9110 §5.1).
    public func value(of name: StaticString) -> Range<Int>? {
        let bytes = head.span
        for field in fields where bytes.equalsIgnoringCase(name, at: field.name) { return field.value }
        return nil
    }

    /// Whether there is a field of this name (as in `value(of:)`).
    public func hasField(_ name: StaticString) -> Bool { value(of: name) != nil }

    /// Whether a field's name begins so, e.g. `x-forwarded-` (written as in `value(of:)`).
    public func hasField(startingWith prefix: StaticString) -> Bool {
        let bytes = head.span
        for field in fields where bytes.startsIgnoringCase(prefix, at: field.name) { return true }
        return false
    }

    /// Visits the values of all fields of this name (as in `value(of:)`), in the order they came.
    public func forEachValue(of name: StaticString, _ visit: (Range<Int>) -> Void) {
        let bytes = head.span
        for field in fields where bytes.equalsIgnoringCase(name, at: field.name) { visit(field.value) }
    }

    /// How many fields have this name (as in `value(of:)`): two of what must be one is an error.
    public func count(of name: StaticString) -> Int {
        var count = 0
        forEachValue(of: name) { _ in count += 1 }
        return count
    }

    /// The bytes at a range of `head`. They hold on to `head`: let go of them before the next request.
    public func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> { head[range] }

    /// The bytes at a range of `head` as a string; what is no UTF-8 becomes U+FFFD.
    public func text(_ range: Range<Int>) -> String { String(decoding: head[range], as: UTF8.self) }

    /// Whether the bytes at a range of `head` are exactly those of `literal`.
    public func isEqual(_ range: Range<Int>, _ literal: StaticString) -> Bool {
        head.span.equals(literal, at: range)
    }

    /// Forgets the request, and keeps the capacity for the next.
    mutating func reset() {
        method = .other
        methodToken = 0..<0
        path = 0..<0
        query = nil
        authority = nil
        targetHost = nil
        isHTTP10 = false
        expectsContinue = false
        isHeadComplete = false
        head.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: true)
    }
}
