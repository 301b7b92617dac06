// RFC 9112 §5 and RFC 9110 §5: field lines, their names and values.
//
// Promises: every byte is tried in a name and every control byte in a value; what must be taken stands beside it.
// Must not know: what a server does with fields it does not use.

import Testing
import TestSupport

@Suite("RFC 9112 §5: field lines")
struct FieldLineTests {
    @Test(
        "RFC 9112 §5.1: white space between a field name and its colon is 400",
        arguments: [
            "Content-Length : $L", "Content-Length\t: $L", "Content-Length  : $L\r\nX: y", "X : y\r\nContent-Length: $L", "X\t: y\r\nContent-Length: $L",
            "Transfer-Encoding : chunked", "Host : y\r\nContent-Length: $L",
        ])
    func spaceBeforeColon(fields: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(fields)")
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(fields)\r\nHost: x")
    }

    @Test(
        "RFC 9112 §5.2: a folded line is 400",
        arguments: [
            "X: y\r\n z\r\nContent-Length: $L", "X: y\r\n\tz\r\nContent-Length: $L", "X:\r\n y\r\nContent-Length: $L", "X: y\r\n \r\nContent-Length: $L",
            "X: y\r\n Content-Length: 5\r\nContent-Length: $L",
            "Content-Length:\r\n $L", "Content-Length: 1\r\n 2", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\r\n , identity",
            "Content-Length: $L\r\n ", "X: y\r\n\t\r\nContent-Length: $L",
        ])
    func folded(fields: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(fields)")
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(fields)\r\nHost: x")
    }

    @Test(
        "RFC 9112 §5: a line without a colon or without a name is refused",
        arguments: ["X", "X y", "Content-Length", "chunked", ": y", ":", "::", " : y", "=", "GET / HTTP/1.1", "\u{0}"])
    func noColon(line: String) throws {
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(line)\r\nContent-Length: $L")
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L\r\n\(line)")
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(line)\r\nHost: x\r\nContent-Length: $L")
    }

    @Test("RFC 9110 §5.1: a field name has token bytes only; each other byte is refused, first, within and last")
    func nameBytes() throws {
        for byte in bytesOutsideTokens where byte != UInt8(ascii: ":") {
            for (before, after) in [("", "name"), ("na", "me"), ("name", "")] {
                try expectRefused(
                    Array("POST /callback HTTP/1.1\r\nHost: x\r\n\(before)".utf8) + [byte] + Array("\(after): v\r\nContent-Length: $L\r\n\r\n".utf8))
            }
        }
    }

    @Test("RFC 9110 §5.6.2: every token byte may stand in a field name")
    func tokenBytes() throws {
        try expectTaken(head: "POST /callback HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~09azAZ: v\r\nContent-Length: $L")
    }

    @Test("RFC 9110 §5.1: field names are compared without case", arguments: ["Content-Length", "content-length", "CONTENT-LENGTH", "cOnTeNt-LeNgTh"])
    func nameCase(name: String) throws {
        try expectTaken(head: "POST /callback HTTP/1.1\r\nHOST: x\r\n\(name): $L")
    }

    @Test("RFC 9110 §5.5: NUL and every other control byte but HTAB is refused in a value")
    func valueBytes() throws {
        for byte in controlBytes {
            for (before, after) in [("", "value"), ("val", "ue"), ("value", "")] {
                try expectRefused(
                    Array("POST /callback HTTP/1.1\r\nHost: x\r\nX: \(before)".utf8) + [byte] + Array("\(after)\r\nContent-Length: $L\r\n\r\n".utf8))
            }
            try expectRefused(Array("POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: $L".utf8) + [byte, 13, 10, 13, 10])
            try expectRefused(Array("POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ".utf8) + [byte] + Array("chunked\r\n\r\n".utf8), [400, 501])
        }
    }

    @Test("RFC 9110 §5.5: HTAB, visible bytes and opaque bytes beyond ASCII are taken, and a value may be empty")
    func opaqueValues() throws {
        let server = try Shared.server()
        let visible = Array(0x21...0x7E as ClosedRange<UInt8>), opaque = Array(0x80...0xFF as ClosedRange<UInt8>)
        for value in [visible, [0x61, 9, 32, 9, 0x62], opaque, [], [0x20, 9], [0xC3], [0xFF, 0xFE, 0xC0, 0x80]] {
            let identifier = Shared.freshIdentifier()
            let body = Array(sentPayload(identifier).utf8)
            let bytes = Array("POST /callback HTTP/1.1\r\nHost: x\r\nX:".utf8) + value + Array("\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
            #expect(try server.exchange(bytes).status == 200, "\(value)")
            #expect(try server.status(of: identifier).status == 200)
        }
    }

    @Test(
        "RFC 9112 §5.1: white space around a value is no part of it",
        arguments: ["Content-Length:$L", "Content-Length:   $L", "Content-Length:\t$L\t", "Content-Length: \t $L \t \t"])
    func surroundingSpace(field: String) throws {
        try expectTaken(head: "POST /callback HTTP/1.1\r\nHost: \t x \t\r\n\(field)")
    }

    @Test("RFC 9110 §5.3: nothing is done before the whole field section has come, and its last line counts")
    func wholeSection() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        #expect(try server.post(sentPayload(identifier)).status == 200)
        for (last, status) in [("X-Forwarded-For: 192.0.2.1", 401), ("X: y", 200), ("Host: x", 400)] {
            let connection = try server.connect()
            try connection.send("GET /v1/requests/\(identifier) HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            #expect(!connection.isReadable(milliseconds: 100))
            try connection.send("\(last)\r\n\r\n")
            #expect(try connection.readAnswer().status == status, "\(last)")
        }
    }

    @Test("RFC 9110 §5.4: fields larger or more than a server reads are a 4xx, and what follows is not read")
    func overLong() throws {
        let long = String(repeating: "a", count: 500_000)
        for field in ["X: \(long)", "\(long): x", "X:\(String(repeating: " ", count: 500_000))y", "\(long)", "Cookie: \(long)"] {
            try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(field)\r\nContent-Length: $L", [400, 431])
        }
        let many = (0..<20_000).map { "X-\($0): a\r\n" }.joined()
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\n\(many)Content-Length: $L", [431])
        try expectRefused(head: "POST /callback HTTP/1.1\r\n\(String(repeating: "X:\r\n", count: 100_000))Host: x\r\nContent-Length: $L", [431])
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: \(long)\r\nContent-Length: $L", [400, 431])
        try expectRefused(head: "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: \(String(repeating: "0", count: 500_000))$L", [400, 413, 431])
        try expectRefused(Array(String(repeating: "\r\n", count: 100_000).utf8) + Array("POST \r\n\r\n".utf8), [400, 431])
    }

    @Test("RFC 9110 §5.6.1: empty elements of a list are passed over", arguments: [", close", "close,", ",, ,close, ,", "\tclose\t,\t", ", ,\t,, close"])
    func emptyElements(value: String) throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("GET", "/healthz", fields: ["Connection: \(value)"]))
        #expect(try connection.readAnswer().announcesClose)
        #expect(try connection.readToEnd() == [])
    }

    @Test("RFC 9110 §5.2: lines of one list field count as one list")
    func combinedLines() throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("GET", "/healthz", fields: ["Connection: x-one", "X: y", "Connection: x-two, close"]))
        #expect(try connection.readAnswer().announcesClose)
        #expect(try connection.readToEnd() == [])
    }
}
