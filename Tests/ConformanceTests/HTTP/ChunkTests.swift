// RFC 9112 §7.1: chunks, their sizes, extensions, line ends and trailers.
//
// Promises: each broken form carries a callback behind it that must not be executed; each right form stores one.
// Must not know: what a server does with extensions and trailers, beyond that they change nothing.

import Testing
import TestSupport

@Suite("RFC 9112 §7.1: chunks")
struct ChunkTests {
    private func expectBroken(_ body: String, _ statuses: Set<Int> = [400], sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectRefused(
            requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"]) + Array(body.utf8), statuses, sourceLocation: sourceLocation)
    }

    /// Sends a callback as one chunk whose size line is `size` with `$N` for its size in hexadecimal.
    private func expectStored(_ size: String, last: String = "0\r\n\r\n", sourceLocation: SourceLocation = #_sourceLocation) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let payload = sentPayload(identifier)
        let line = size.replacing("$N", with: String(payload.utf8.count, radix: 16))
        let connection = try server.connect()
        try connection.send(
            requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"]) + Array("\(line)\r\n\(payload)\r\n\(last)".utf8)
                + requestBytes("GET", "/healthz"),
            toleratingClose: true)
        let answer = try connection.readAnswer()
        #expect(answer.status == 200, "\(size.debugDescription) \(last.debugDescription): \(answer.text)", sourceLocation: sourceLocation)
        #expect(try connection.readAnswer().status == 200, sourceLocation: sourceLocation)
        #expect(try server.status(of: identifier).status == 200, sourceLocation: sourceLocation)
    }

    @Test(
        "RFC 9112 §7.1: a chunk size is one or more hexadecimal digits and nothing else",
        arguments: [
            "", " ", "g", "0x5", "0X5", "x5", "5 ", " 5", "\t5", "5\t", "-5", "+5", "-0", "5g", "5,", "5.", "5.0", "5 5", "\"5\"", "5h", "５", "٥", "\u{0}5",
            "5\u{0}", "5\u{B}", "five", "=5", "$5", "5\\", "5\u{A0}", ":5", "5:", "#5", "5//",
        ])
    func sizes(size: String) throws {
        try expectBroken("\(size)\r\nhello\r\n0\r\n\r\n")
    }

    @Test(
        "RFC 9112 §7.1: a size too large for a machine's integer does not wrap round to a small one",
        arguments: [
            "100000005", "8000000000000005", "10000000000000005", "100000000000000005", "FFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF",
            "8000000000000000", "fffffffffffffffb",
            "100000000000000000000000000000005", "1000000000000000000000000000000000000000000000000000000000000005",
        ])
    func overflow(size: String) throws {
        try expectBroken("\(size)\r\nhello\r\n0\r\n\r\n", [400, 413])
    }

    @Test(
        "RFC 9112 §7.1: chunk data is followed by CRLF, and every line of the coding ends with one",
        arguments: [
            "5\r\nhello0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello\r\r\n0\r\n\r\n",
            "5\r\nhello\n\r0\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n", "5\n\r\nhello\r\n0\r\n\r\n", "\r\n5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\r\n", "5\r\nhello\r\n0\r\n\n", "5\r\nhello\r\n0\r\n\r\r\n", "4\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello \r\n0\r\n\r\n",
        ])
    func lineEnds(body: String) throws {
        try expectBroken(body)
    }

    @Test(
        "RFC 9112 §7.1.1: an extension with control bytes, a bare line end or no name is refused",
        arguments: [
            "5;\u{0}", "5;a\u{0}b", "5;a=\u{1}", "5;a=\"\u{7F}\"", "5;a\rb", "5;a\nb", "5;\n", "5;a=\"\n\"", "5;a=\"\r\"", "5;a\r", "5;=b", "5;a=", "5;",
            "5;;a", "5;a;", "5;a b", "5;a=b c", "5;a=\"b", "5;a=b\"", "5;a=\"b\"c", "5;a=\"\\", "5;(a)", "5;a=b=c", "5;\u{E9}=x", "5,a=b",
        ])
    func brokenExtensions(line: String) throws {
        try expectBroken("\(line)\r\nhello\r\n0\r\n\r\n")
        try expectBroken("5\r\nhello\r\n0\(line.dropFirst())\r\n\r\n")
    }

    @Test(
        "RFC 9112 §7.1.1: an extension that is not recognized is ignored",
        arguments: [
            "$N;a", "$N;a=b", "$N;a=\"b c\"", "$N;a=\"\\\"\\\\;\"", "$N;a;b=c;d=\"\"", "$N;!#$%&'*+-.^_`|~=x", "$N;a=\"\u{E9}\"", "$N;content-length=5",
            "$N;a=\"\t\"",
        ])
    func extensions(line: String) throws {
        try expectStored(line)
        try expectStored("$N", last: "0\(line.dropFirst(2))\r\n\r\n")
    }

    @Test(
        "RFC 9110 §5.6.3, RFC 9112 §7.1.1: bad white space in an extension is parsed and removed",
        arguments: ["$N ;a", "$N\t; a", "$N ; a = b", "$N; a =\t\"b\" ;c"])
    func badWhiteSpace(line: String) throws {
        try expectStored(line)
    }

    @Test("RFC 9112 §7.1: sizes in either case and with leading zeros are read", arguments: ["0$N", "000000$N", "$N"])
    func readableSizes(line: String) throws {
        try expectStored(line)
        try expectStored(line, last: "0000\r\n\r\n")
        // The payload has between 0x2A and 0x4F bytes: pad it to 0x1AB, so that letters are among the digits.
        let server = try Shared.server()
        for digits in ["1ab", "1AB", "1aB", "01Ab"] {
            let identifier = Shared.freshIdentifier()
            let payload = sentPayload(identifier)
            let body = payload + String(repeating: " ", count: 0x1AB - payload.utf8.count)
            let answer = try server.exchange(
                requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"]) + Array("\(digits)\r\n\(body)\r\n0\r\n\r\n".utf8))
            #expect(answer.status == 200, "\(answer.text)")
        }
    }

    @Test(
        "RFC 9112 §6.1: the coding's name is read in any case, with white space around it",
        arguments: ["chunked", "Chunked", "CHUNKED", " \tchunked\t ", "cHuNkEd"])
    func codingName(value: String) throws {
        let payload = sentPayload(Shared.freshIdentifier())
        let answer = try Shared.server().exchange(
            requestBytes("POST", "/callback", fields: ["transfer-encoding:\(value)"])
                + Array("\(String(payload.utf8.count, radix: 16))\r\n\(payload)\r\n0\r\n\r\n".utf8))
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test(
        "RFC 9112 §7.1: a body in chunks is one body",
        arguments: [
            ["", "0\r\n\r\n"], [";name=value", "0;last\r\n\r\n"], [";a=\"q;\\\"\"", "0\r\nTrailer: x\r\n\r\n"], ["", "000\r\n\r\n"],
        ])
    func manyChunks(parts: [String]) throws {
        let server = try Shared.server()
        let connection = try server.connect()
        for codingName in ["chunked", "Chunked"] {
            let identifier = Shared.freshIdentifier()
            var text = "POST /callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \(codingName)\r\n\r\n"
            for character in sentPayload(identifier) { text += "1\(parts[0])\r\n\(character)\r\n" }
            try connection.send(text + parts[1])
            let answer = try connection.readAnswer()
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try answer.object().string("request_id") == identifier)
        }
    }

    @Test(
        "RFC 9112 §7.1.2: trailers are read to their end and change nothing",
        arguments: [
            "X: y", "X:", "X: y\r\nZ: \t w", "Content-Length: 0", "Content-Length: 999", "Transfer-Encoding: gzip", "Host: other", "Content-Type: x",
            "Connection: x", "Expect: 100-continue", "x: \u{E9}",
        ])
    func trailers(fields: String) throws {
        // RFC 9110 §6.5.1: framing and routing have no place in a trailer: refusing them is right too.
        let isForbidden = ["Content-Length", "Transfer-Encoding", "Host"].contains { fields.hasPrefix($0) }
        if isForbidden {
            let payload = sentPayload(Shared.freshIdentifier())
            let connection = try Shared.server().connect()
            try connection.send(
                requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"])
                    + Array("\(String(payload.utf8.count, radix: 16))\r\n\(payload)\r\n0\r\n\(fields)\r\n\r\n".utf8) + requestBytes("GET", "/healthz"),
                toleratingClose: true)
            let answer = try connection.readAnswer()
            #expect(answer.status == 200 || (answer.status == 400 && answer.announcesClose), "\(answer.status)")
            if answer.status == 200 { #expect(try connection.readAnswer().status == 200) }
        } else {
            try expectStored("$N", last: "0\r\n\(fields)\r\n\r\n")
        }
    }

    @Test("RFC 9110 §6.5.1: a trailer is not merged into the head: it opens no door and shuts none")
    func trailersAreNoFields() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        #expect(try server.post(sentPayload(identifier)).status == 200)
        func ask(_ host: String, _ trailer: String) throws -> Int {
            try server.exchange(
                requestBytes("GET", "/v1/requests/\(identifier)", host: host, fields: ["Transfer-Encoding: chunked"]) + Array("0\r\n\(trailer)\r\n\r\n".utf8)
            ).status
        }
        #expect([400, 401].contains(try ask("evil.example", "Host: 127.0.0.1")))
        #expect(try ask("evil.example", "X: y") == 401)
        #expect([200, 400].contains(try ask("127.0.0.1", "X-Forwarded-For: 192.0.2.1")))
        #expect(try ask("127.0.0.1", "X: y") == 200)
    }

    @Test(
        "RFC 9112 §7.1.2: a trailer that is no field line is refused",
        arguments: [
            "X", ": y", "X : y", "X\t: y", " X: y", "X: y\r\n z", "X: y\r\n\tz", "X: a\u{0}", "X: a\u{7F}", "X: a\rb", "X: a\nb", "X\u{0}: y", "X y: z",
            "X: y\n", "\u{E9}: y", "(X): y", "GET /healthz HTTP/1.1",
        ])
    func brokenTrailers(fields: String) throws {
        try expectBroken("5\r\nhello\r\n0\r\n\(fields)\r\n\r\n")
    }

    @Test("RFC 9112 §7.1.1, §7.1.2: extensions and trailers without end are a 4xx, and what follows is not read")
    func overLong() throws {
        let long = String(repeating: "a", count: 300_000)
        try expectBroken("5;a=\(long)\r\nhello\r\n0\r\n\r\n", [400, 413, 431])
        try expectBroken("5;a=\"\(long)\"\r\nhello\r\n0\r\n\r\n", [400, 413, 431])
        try expectBroken("5\(String(repeating: ";a", count: 150_000))\r\nhello\r\n0\r\n\r\n", [400, 413, 431])
        try expectBroken(String(repeating: "1;\(String(repeating: "a", count: 1_000))\r\nh\r\n", count: 300) + "0\r\n\r\n", [400, 413, 431])
        try expectBroken("5\r\nhello\r\n0\r\nX: \(long)\r\n\r\n", [400, 413, 431])
        try expectBroken("5\r\nhello\r\n0\r\n\((0..<20_000).map { "X-\($0): a\r\n" }.joined())\r\n", [400, 413, 431])
        try expectBroken("\(String(repeating: "0", count: 300_000))5\r\nhello\r\n0\r\n\r\n", [400, 413, 431])
        try expectBroken("5\r\nhello\r\n\(String(repeating: "0", count: 300_000))\r\n\r\n", [400, 413, 431])
    }
}
