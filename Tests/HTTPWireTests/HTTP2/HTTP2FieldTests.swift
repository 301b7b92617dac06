// Control data and fields over HTTP/2 (RFC 9113 §8.2, §8.3): what is a request, what is refused with an
// answer, and what is malformed and reset with PROTOCOL_ERROR (§8.1.1).
//
// Promises: one table; each case holds however the bytes are split.
// Must not know: bounds; LimitTests and FloodTests have them.

import Testing

@testable import HTTPWire

@Suite("HTTP/2: fields")
struct HTTP2FieldTests {
    enum Expected: Equatable {
        case request
        case refused(Refusal)
        /// RST_STREAM PROTOCOL_ERROR, and no request.
        case malformed
        /// One or the other: libnghttp2 has become stricter.
        case refusedOrMalformed(Refusal)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let fields: Fields
        let expected: Expected
        init(_ claim: String, _ fields: Fields, _ expected: Expected) {
            testDescription = claim
            self.fields = fields
            self.expected = expected
        }
    }

    static let cases: [Case] = [
        Case("a plain request", pseudo(), .request),
        Case("https as scheme, as a proxy before us has it", pseudo(scheme: "https"), .request),
        Case("OPTIONS * (RFC 9113 §8.3.1)", pseudo("OPTIONS", "*"), .request),
        Case("a method nobody knows", pseudo("BREW"), .request),
        Case("Host instead of :authority", pseudo(authority: nil) + [("host", "a.example")], .request),
        Case("Host beside the same :authority, in other letters", pseudo() + [("host", "A.EXAMPLE")], .request),
        Case("TE: trailers (§8.2.2)", pseudo() + [("te", "trailers")], .request),
        Case("an empty value", pseudo() + [("x", "")], .request),
        Case("bytes beyond ASCII in a value", pseudo() + [("x", "é")], .request),
        Case("two cookies, as §8.2.3 has it", pseudo() + [("cookie", "a=b"), ("cookie", "c=d")], .request),

        Case("a fragment in the target", pseudo("GET", "/a#b"), .refused(.invalidTarget)),
        Case("a path beyond ASCII", pseudo("GET", "/é"), .refused(.invalidTarget)),
        Case("CONNECT (§8.5)", [(":method", "CONNECT"), (":authority", "a.example:443")], .refused(.invalidTarget)),
        Case("a scheme that is not HTTP's", pseudo(scheme: "ftp"), .refused(.invalidTarget)),
        Case("absolute form with such a scheme", pseudo("GET", "ftp://a.example/", scheme: "ftp"), .refused(.invalidTarget)),
        Case("user information in :authority (§8.3.1)", pseudo(authority: "me@a.example"), .refusedOrMalformed(.invalidHost)),
        Case("an :authority that is no host", pseudo(authority: "[::1"), .refused(.invalidHost)),
        Case("a port beyond 65535", pseudo(authority: "a.example:65536"), .refused(.invalidHost)),
        Case("Host that names another host (§8.3.1)", pseudo() + [("host", "b.example")], .refused(.differingHost)),
        Case("Host that is no host", pseudo(authority: nil) + [("host", "a:b")], .refused(.invalidHost)),
        Case("an unknown expectation", pseudo() + [("expect", "200-ok")], .refused(.unknownExpectation)),
        Case("a method beyond its bound", pseudo(String(repeating: "A", count: 33)), .refused(.methodTooLong)),

        Case("neither :authority nor Host", pseudo(authority: nil), .malformed),
        Case("two Hosts", pseudo(authority: nil) + [("host", "a"), ("host", "a")], .malformed),
        Case("no :method", Array(pseudo().dropFirst()), .malformed),
        Case("no :scheme", pseudo().filter { $0.name != ":scheme" }, .malformed),
        Case("no :path", pseudo().filter { $0.name != ":path" }, .malformed),
        Case("an empty :path", pseudo("GET", ""), .malformed),
        Case("a :path without a slash", pseudo("GET", "a"), .malformed),
        Case("absolute form", pseudo("GET", "http://a.example/"), .malformed),
        Case("* with another method than OPTIONS", pseudo("GET", "*"), .malformed),
        Case("a space in the target", pseudo("GET", "/a b"), .malformed),
        Case("NUL in the target", pseudo("GET", "/a\0b"), .malformed),
        Case("a space in the method", pseudo("GE T"), .malformed),
        Case("an empty method", pseudo(""), .malformed),
        Case("a pseudo-header field twice (§8.3)", pseudo() + [(":path", "/")], .malformed),
        Case("a pseudo-header field behind a field (§8.3)", [("x", "y")] + pseudo(), .malformed),
        Case("one that is not defined (§8.3)", pseudo() + [(":x", "y")], .malformed),
        Case("one of answers (§8.3)", pseudo() + [(":status", "200")], .malformed),
        Case(":protocol, which was not offered (RFC 8441 §4)", pseudo() + [(":protocol", "websocket")], .malformed),
        Case("CONNECT with a path (§8.5)", pseudo("CONNECT"), .malformed),
        Case("a name in upper case (§8.2.1)", pseudo() + [("X-Y", "z")], .malformed),
        Case("a space in a name", pseudo() + [("x y", "z")], .malformed),
        Case("a colon in a name", pseudo() + [("x:y", "z")], .malformed),
        Case("an empty name", pseudo() + [("", "z")], .malformed),
        Case("NUL in a value (§8.2.1)", pseudo() + [("x", "a\0b")], .malformed),
        Case("CR in a value", pseudo() + [("x", "a\rb")], .malformed),
        Case("LF in a value", pseudo() + [("x", "a\nb: c")], .malformed),
        Case("a value that begins with a space", pseudo() + [("x", " a")], .malformed),
        Case("a value that ends with a tab", pseudo() + [("x", "a\t")], .malformed),
        Case("Connection (§8.2.2)", pseudo() + [("connection", "close")], .malformed),
        Case("Keep-Alive (§8.2.2)", pseudo() + [("keep-alive", "timeout=5")], .malformed),
        Case("Upgrade (§8.2.2)", pseudo() + [("upgrade", "h2c")], .malformed),
        Case("Transfer-Encoding (§8.2.2)", pseudo() + [("transfer-encoding", "chunked")], .malformed),
        Case("TE that says more than trailers (§8.2.2)", pseudo() + [("te", "gzip")], .malformed),
        Case("a Content-Length that is none", pseudo() + [("content-length", "+1")], .malformed),
        Case("two Content-Lengths", pseudo() + [("content-length", "0"), ("content-length", "0")], .malformed),
        Case("a Content-Length without the body (§8.1.1)", pseudo() + [("content-length", "5")], .malformed),
    ]

    @Test("is", arguments: cases)
    func field(_ claim: Case) {
        // A good request behind it is served in any case.
        let outcome = http2Outcome(headers(1, claim.fields) + headers(3, pseudo("GET", "/next")))
        #expect(outcome.answers[3]?.status == "204" && !outcome.isFailed)
        switch claim.expected {
        case .request:
            #expect(outcome.requests.count == 2 && outcome.answers[1]?.status == "204")
        case .refused(let refusal):
            #expect(outcome.refusals == [refusal] && outcome.requests.count == 1)
            #expect(outcome.answers[1]?.status == String(refusal.status) && outcome.answers[1]?.reset == nil)
        case .refusedOrMalformed(let refusal):
            let isMalformed = outcome.refusals == [] && outcome.answers[1] == Answer(reset: 1)
            let isRefused = outcome.refusals == [refusal] && outcome.answers[1]?.status == String(refusal.status)
            #expect((isMalformed || isRefused) && outcome.requests.count == 1)
        case .malformed:
            #expect(outcome.refusals == [] && outcome.requests.count == 1)
            #expect(outcome.answers[1] == Answer(reset: 1))
        }
    }

    @Test("what came is in the request as it came")
    func asItCame() throws {
        let outcome = http2Outcome(headers(1, pseudo("OPTIONS", "*") + [("x-a", "1"), ("cookie", "a=b"), ("x-a", "2, 3")]))
        let seen = try #require(outcome.requests.first)
        #expect(seen.method == .options && seen.path == "*" && seen.query == nil)
        #expect(seen.fields == ["x-a=1", "cookie=a=b", "x-a=2, 3"])
    }

    @Test("a body that is longer or shorter than its Content-Length is malformed (RFC 9113 §8.1.1)", arguments: ["3", "5"])
    func length(_ declared: String) {
        let outcome = http2Outcome(post(1, [1, 2, 3, 4], [("content-length", declared)]) + headers(3, pseudo()))
        #expect(outcome.requests.count == 1 && outcome.answers[1] == Answer(reset: 1))
    }

    @Test("malformed trailers reset the stream, and good ones are passed over", arguments: [
        ([("x", "y")], true, true), ([(":path", "/")], true, false), ([("x", "y")], false, false),
        ([("connection", "close")], true, false),
    ])
    func trailers(_ fields: Fields, ends: Bool, isRequest: Bool) {
        let outcome = http2Outcome(
            headers(1, pseudo("POST"), ends: false) + data(1, [1], ends: false) + headers(1, fields, ends: ends))
        #expect(outcome.requests.map(\.body) == (isRequest ? [[1]] : []))
        #expect(outcome.requests.allSatisfy { $0.fields.isEmpty })
        #expect(outcome.answers[1]?.reset == (isRequest ? nil : 1))
    }
}
