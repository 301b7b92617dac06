// What is no well-formed request, and which refusal answers it.

import Testing

@testable import HTTPWire

@Suite("A malformed request is refused")
struct RefusalTests {
    /// Bytes and what they are refused with. Every refusal that bytes can cause is here.
    static let cases: [(String, Refusal)] = [
        // The first byte: what is no HTTP at all.
        ("\u{16}\u{3}\u{1}", .notHTTP), ("\u{0}", .notHTTP), (" GET / HTTP/1.1\r\n", .notHTTP), ("\n", .notHTTP),
        ("{\"a\":1}", .notHTTP), ("\u{e9}", .notHTTP), (":", .notHTTP), ("\r\n\r\n\r\n", .tooManyEmptyLines),
        ("\r\n \r\n", .notHTTP), ("\rG", .bareLineBreak),
        // Request line.
        ("GET\r\n\r\n", .malformedRequestLine), ("GET\tGET", .malformedRequestLine), ("G\u{0}", .malformedRequestLine),
        ("GE(T / HTTP/1.1\r\n", .malformedRequestLine), ("hello:", .malformedRequestLine),
        ("GET  / HTTP/1.1\r\n", .malformedRequestLine), ("GET /  HTTP/1.1\r\n", .malformedRequestLine),
        ("GET / HTTP/1.1 \r\n", .malformedRequestLine), ("GET /\r\n", .malformedRequestLine),
        ("GET \r\n", .malformedRequestLine), ("GET / \r\n", .malformedRequestLine),
        ("GET /a b HTTP/1.1\r\n", .malformedRequestLine), ("GET / http/1.1\r\n", .malformedRequestLine),
        ("GET / HTTP/1.10\r\n", .malformedRequestLine), ("GET / HTTP/01.1\r\n", .malformedRequestLine),
        ("GET / HTTP/1\r\n", .malformedRequestLine), ("GET / HTTP/1,1\r\n", .malformedRequestLine),
        ("GET / HTTP/x.1\r\n", .malformedRequestLine), ("GET / HTTP/1.x\r\n", .malformedRequestLine),
        ("GET / HTTPS/1.1\r\n", .malformedRequestLine), ("GET / HTTP/1.1\t\r\n", .malformedRequestLine),
        ("GET\u{b}/ HTTP/1.1\r\n", .malformedRequestLine), ("GET /a\tHTTP/1.1\r\n", .malformedRequestLine),
        // Version.
        ("GET / HTTP/2.0\r\n", .unsupportedVersion), ("PRI * HTTP/2.0\r\n", .unsupportedVersion),
        ("GET / HTTP/1.2\r\n", .unsupportedVersion), ("GET / HTTP/0.9\r\n", .unsupportedVersion),
        ("GET / HTTP/9.9\r\n", .unsupportedVersion), ("GET nonsense HTTP/3.0\r\n", .unsupportedVersion),
        // Target.
        ("GET a HTTP/1.1\r\n", .invalidTarget), ("GET * HTTP/1.1\r\n", .invalidTarget),
        ("GET /a#b HTTP/1.1\r\n", .invalidTarget), ("GET /\u{e9} HTTP/1.1\r\n", .invalidTarget),
        ("GET /a\tb HTTP/1.1\r\n", .invalidTarget), ("GET ?a HTTP/1.1\r\n", .invalidTarget),
        ("OPTIONS ** HTTP/1.1\r\n", .invalidTarget), ("OPTIONS *?a HTTP/1.1\r\n", .invalidTarget),
        ("CONNECT a:443 HTTP/1.1\r\n", .invalidTarget), ("CONNECT / HTTP/1.1\r\n", .invalidTarget),
        ("GET a:80 HTTP/1.1\r\n", .invalidTarget), ("GET http:/a HTTP/1.1\r\n", .invalidTarget),
        ("GET http:// HTTP/1.1\r\n", .invalidTarget), ("GET http:///a HTTP/1.1\r\n", .invalidTarget),
        ("GET http://?a HTTP/1.1\r\n", .invalidTarget), ("GET http://:80/ HTTP/1.1\r\n", .invalidTarget),
        ("GET http://u@h/ HTTP/1.1\r\n", .invalidTarget), ("GET http://u:p@h/ HTTP/1.1\r\n", .invalidTarget),
        ("GET ftp://h/ HTTP/1.1\r\n", .invalidTarget), ("GET http://h:x/ HTTP/1.1\r\n", .invalidTarget),
        ("GET http?://h HTTP/1.1\r\n", .invalidTarget), ("GET http://h\\a/ HTTP/1.1\r\n", .invalidTarget),
        // Line ends and control bytes.
        ("GET / HTTP/1.1\n", .bareLineBreak), ("GET /\r HTTP/1.1\r\n", .bareLineBreak),
        (line("A: b\nC: d"), .bareLineBreak), (line("A: b\rC: d"), .bareLineBreak), (line("A: b\r\rC: d"), .bareLineBreak),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineBreak), ("GET / HTTP/1.1\r\nHost: a\r\n\rX", .bareLineBreak),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineBreak), ("GET / HTTP/1.1\r\r\n", .bareLineBreak),
        ("GET /\u{0} HTTP/1.1\r\n", .controlByte), ("GET /\u{7f} HTTP/1.1\r\n", .controlByte),
        (line("A: \u{0}"), .controlByte), (line("A: \u{b}b"), .controlByte), (line("A: b\u{7f}"), .controlByte),
        (line("A\u{0}: b"), .controlByte), (line("A: \u{1f}"), .controlByte), (line("A: \u{c}"), .controlByte),
        // Field lines.
        (line(" A: b"), .foldedField), (line("\tA: b"), .foldedField), (line("A: b\r\n c"), .foldedField),
        (line("A: b\r\n\tc"), .foldedField), ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedField),
        (line("A : b"), .malformedField), (line("A\t: b"), .malformedField), (line("A"), .malformedField),
        (line(": b"), .malformedField), (line("A b: c"), .malformedField), (line("A(b: c"), .malformedField),
        (line("\"A\": b"), .malformedField), (line("\u{e9}: b"), .malformedField), (line("A/b: c"), .malformedField),
        // Host.
        ("GET / HTTP/1.1\r\n\r\n", .missingHost), ("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\na", .missingHost),
        (line("Host: a"), .repeatedHost), (line("hOST: b"), .repeatedHost),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .repeatedHost),
        ("GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n", .repeatedHost), (host("a b"), .invalidHost),
        (host("a:b"), .invalidHost), (host("a:80:80"), .invalidHost), (host("u@a"), .invalidHost),
        (host("a/b"), .invalidHost), (host("http://a"), .invalidHost), (host("[::1"), .invalidHost),
        (host(":80"), .invalidHost), (host("a:65536"), .invalidHost), (host("\u{e9}"), .invalidHost),
        ("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .invalidHost), ("GET http://a/ HTTP/1.1\r\nHost: b?\r\n\r\n", .invalidHost),
        // Content-Length.
        (line("Content-Length: x"), .invalidContentLength), (line("Content-Length:"), .invalidContentLength),
        (line("Content-Length: +1"), .invalidContentLength), (line("Content-Length: -1"), .invalidContentLength),
        (line("Content-Length: 1 1"), .invalidContentLength), (line("Content-Length: 1, 1"), .invalidContentLength),
        (line("Content-Length: 0x1"), .invalidContentLength), (line("Content-Length: 1.0"), .invalidContentLength),
        (line("Content-Length: \"1\""), .invalidContentLength), (line("Content-Length: 1_0"), .invalidContentLength),
        (line("Content-Length: 9223372036854775808"), .invalidContentLength),
        (line("Content-Length: 18446744073709551617"), .invalidContentLength),
        (line("Content-Length: 99999999999999999999999999999999"), .invalidContentLength),
        (line("Content-Length: 1\r\nContent-Length: 1"), .repeatedContentLength),
        (line("Content-Length: 1\r\nContent-length: 2"), .repeatedContentLength),
        (line("Content-Length: 9223372036854775807"), .bodyTooLarge), (line("Content-Length: 65537"), .bodyTooLarge),
        // Transfer-Encoding.
        (line("Content-Length: 1\r\nTransfer-Encoding: chunked"), .contentLengthWithTransferEncoding),
        (line("Transfer-Encoding: gzip\r\nContent-Length: 1"), .contentLengthWithTransferEncoding),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
        (line("Transfer-Encoding: gzip"), .unknownTransferCoding),
        (line("Transfer-Encoding: identity"), .unknownTransferCoding),
        (line("Transfer-Encoding: gzip, chunked"), .unknownTransferCoding),
        (line("Transfer-Encoding: a;q=1 , chunked"), .unknownTransferCoding),
        (line("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), .unknownTransferCoding),
        (line("Transfer-Encoding: chunked, gzip"), .malformedTransferEncoding),
        // Expect, method.
        (line("Expect: 200-ok"), .unknownExpectation), (line("Expect:"), .unknownExpectation),
        (line("Expect: 100-continue, x"), .unknownExpectation), (line("Expect: 100-continue;a=b"), .unknownExpectation),
        (line("Expect: 100-continue\r\nExpect: x"), .unknownExpectation),
        (String(repeating: "A", count: 33), .methodTooLong),
    ]

    /// A request with this field line behind Host.
    static func line(_ line: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n" }

    /// A request to this host.
    static func host(_ host: String) -> String { "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n" }

    @Test("for what is wrong with it, however it arrives", arguments: cases)
    func refused(bytes: String, refusal: Refusal) {
        let seen = outcome(bytes)
        #expect(seen.refusal == refusal)
        #expect(seen.requests == [])
        #expect(seen.mustClose)
    }

    @Test("every refusal that a head or a line can cause stands in the table of cases")
    func everyRefusal() {
        let elsewhere: Set<Refusal> = [
            // ChunkedTests; LimitTests; SessionTests; HTTP2.
            .malformedChunk, .chunkLineTooLong, .malformedTrailer, .trailersTooLarge,
            .targetTooLong, .headTooLarge, .tooManyFields,
            .endedEarly, .headTimeout, .bodyTimeout, .differingHost,
        ]
        #expect(Set(RefusalTests.cases.map(\.1)).union(elsewhere) == Set(Refusal.allCases))
    }

    @Test("each refusal has its status and a sentence of its own")
    func table() {
        let statuses: [UInt16: Set<Refusal>] = [
            408: [.headTimeout, .bodyTimeout], 413: [.bodyTooLarge], 414: [.targetTooLong],
            417: [.unknownExpectation], 431: [.headTooLarge, .tooManyFields, .trailersTooLarge],
            501: [.methodTooLong, .unknownTransferCoding], 505: [.unsupportedVersion],
        ]
        for refusal in Refusal.allCases {
            let status = statuses.first { $0.value.contains(refusal) }?.key ?? 400
            #expect(refusal.status == status, "\(refusal)")
            #expect(refusal.detail.hasSuffix(".") && refusal.detail.utf8.count > 20, "\(refusal)")
        }
        #expect(Set(Refusal.allCases.map(\.detail)).count == Refusal.allCases.count)
    }
}
