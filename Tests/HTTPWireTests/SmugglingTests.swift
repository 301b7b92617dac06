// Requests that two recipients could read differently (RFC 9112 §11.2): the corpus of known tricks.
//
// Each holds a second request to `/smuggled`; it must never come out, and the connection must close.

import Testing

@testable import HTTPWire

@Suite("No request is smuggled")
struct SmugglingTests {
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Framing fields, and the body behind them.
    static let corpus: [(String, String)] = [
        // CL.TE and TE.CL, in either order.
        ("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", "5c\r\n" + smuggled),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + smuggled),
        ("Content-Length: 0\r\nTransfer-Encoding: identity", smuggled),
        // CL.CL.
        ("Content-Length: 0\r\nContent-Length: 40", smuggled), ("Content-Length: 40\r\nContent-Length: 0", smuggled),
        ("Content-Length: 0\r\ncontent-length: 0", smuggled), ("Content-Length: 0, 0", smuggled),
        ("Content-Length: 0,40", smuggled), ("Content-Length: ,0", smuggled), ("Content-Length: 0\u{b}", smuggled),
        ("Content-Length: 0\u{c}", smuggled), ("Content-Length: 00 00", smuggled), ("Content-Length: 0\u{0}", smuggled),
        ("Content-Length: 0;", smuggled), ("Content-Length: '0'", smuggled), ("Content-Length: 0e0", smuggled),
        ("Content-Length: 18446744073709551616", smuggled), ("Content-Length: -0", smuggled),
        ("Content-Length : 0", smuggled), ("Content-Length\t: 0", smuggled), (" Content-Length: 0", smuggled),
        ("Content-Length\u{0}: 0", smuggled), ("Content-Length:\r\n 0", smuggled), ("X: y\r\n Content-Length: 40", smuggled),
        ("Content-Length: \u{ff10}", smuggled), ("Content-Length: \u{a0}0", smuggled),
        // TE.TE: codings that one recipient sees and another does not.
        ("Transfer-Encoding: xchunked", smuggled), ("Transfer-Encoding: chunked x", smuggled),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked, chunked", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: identity, chunked", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked,", "0\r\n\r\n" + smuggled), ("Transfer-Encoding: ,chunked", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: ", smuggled), ("Transfer-Encoding:", smuggled), ("Transfer-Encoding: ,", smuggled),
        ("Transfer-Encoding: chunked;a=b", "0\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked ;", "0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: \"chunked\"", "0\r\n\r\n" + smuggled), ("Transfer-Encoding: 'chunked'", smuggled),
        ("Transfer-Encoding: chunk", smuggled), ("Transfer-Encoding: chunked\u{0}", smuggled),
        ("Transfer-Encoding: \u{b}chunked", smuggled), ("Transfer-Encoding: chunked\u{b}", smuggled),
        ("Transfer-Encoding: \u{7f}chunked", smuggled), ("Transfer-Encoding: \u{a0}chunked", smuggled),
        ("Transfer-Encoding : chunked", "0\r\n\r\n" + smuggled), ("Transfer-Encoding\t: chunked", smuggled),
        (" Transfer-Encoding: chunked", smuggled), ("\tTransfer-Encoding: chunked", smuggled),
        ("X: y\r\n Transfer-Encoding: chunked", smuggled), ("Transfer-Encoding:\r\n chunked", smuggled),
        ("Transfer-Encoding\r\n: chunked", smuggled), ("X: y\nTransfer-Encoding: chunked", smuggled),
        ("X: y\rTransfer-Encoding: chunked", smuggled), ("Transfer-Encoding: chunked\nX: y", smuggled),
        ("\u{0}Transfer-Encoding: chunked", smuggled), ("Transfer-Encoding\u{a0}: chunked", smuggled),
        ("Transfer-Encoding: gzip, chunked;q=0.5", smuggled), ("Transfer-Encoding: chunked\r\n", "0\n\n" + smuggled),
        // Chunked bodies whose end is in the eye of the beholder.
        ("Transfer-Encoding: chunked", "0\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "0\r\n\n" + smuggled),
        ("Transfer-Encoding: chunked", "0\r\r\n" + smuggled), ("Transfer-Encoding: chunked", "0 \r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "0x0\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "-0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "\r\n0\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", " 0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "0;\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "0;\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "0;a\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "0;a=\"\r\n\r\n\"" + smuggled),
        ("Transfer-Encoding: chunked", "0;a\rb\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "1;\nx\r\n0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "10000000000000000\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "1\r\nxx0\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "1\r\nx\n0\r\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "0\r\nX\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "0\r\nX: y\n\r\n" + smuggled),
        ("Transfer-Encoding: chunked", "0\r\n X: y\r\n\r\n" + smuggled), ("Transfer-Encoding: chunked", "0_1\r\n\r\n" + smuggled),
        // A head whose end is in the eye of the beholder.
        ("X: y\n", smuggled), ("X: y\r\r\n", smuggled), ("X: y\n\n", smuggled), ("X\r\n", smuggled), ("X: \r \r\n", smuggled),
    ]

    @Test("by any trick of the corpus", arguments: corpus)
    func tricks(fields: String, body: String) {
        let seen = outcome("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)")
        #expect(seen.refusal != nil)
        #expect(seen.mustClose)
        #expect(!seen.requests.contains { $0.path == "/smuggled" })
    }

    @Test("but the same bytes in a body that is framed well are content")
    func content() {
        let smuggled = SmugglingTests.smuggled
        let seen = outcome("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)")
        #expect(seen.refusal == nil)
        #expect(seen.requests.map(\.path) == ["/"])
        #expect(seen.requests.first?.body == Array(smuggled.utf8))
    }
}
