// API §3, the rows of refusal: 400 for what is no JSON object (RFC 8259), 422, 413, 405, 404.
//
// Promises: for every refused form a neighbour that is accepted, so that refusing everything would fail too.
// Must not know: quarantine, which has rules of its own.

import Foundation
import Testing
import TestSupport

@Suite("Refused callbacks")
struct RefusalTests {
    @Test(
        "what is not JSON is 400",
        arguments: [
            "", " ", "\n", "x", "{", "}", "{}}", "{} {}", "{},", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":1 "b":2}"#,
            #"{"a" 1}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":[1,]}"#, #"{"a":[,1]}"#, #"{"a":[1 2]}"#, #"{"a":[1}"#, #"{"a":"x}"#,
            #"{"a":01}"#, #"{"a":-}"#, #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":1e}"#, #"{"a":1e+}"#, #"{"a":0x1}"#, #"{"a":--1}"#,
            #"{"a":NaN}"#, #"{"a":Infinity}"#, #"{"a":True}"#, #"{"a":nul}"#, #"{"a":truefalse}"#, #"{"a":undefined}"#,
            #"{"a":"\x41"}"#, #"{"a":"\u12g4"}"#, #"{"a":"\u12"}"#, #"{"a":"\"}"#, "{\"a\":\"\t\"}", "{\"a\":\"\n\"}", "{\"a\":\"\u{0}\"}", "{\"a\":1}\u{0}",
            "{\"a\":1}\u{C}", "\u{A0}{}", "{} // comment", "/* c */ {}", "\u{FEFF}", "\u{FEFF}\u{FEFF}{}", "{}\u{FEFF}",
            #"{"request_id":"x""#, #"{"request_id":"x"}]"#,
        ])
    func notJSON(body: String) throws {
        try expectProblem(try Shared.server().post(body), 400, instance: "/callback")
    }

    @Test("JSON that is no object is 400", arguments: ["[]", "null", "1", "true", #""x""#, #"[{"request_id":"x"}]"#, "-0.5e3"])
    func notAnObject(body: String) throws {
        try expectProblem(try Shared.server().post(body), 400, instance: "/callback")
    }

    @Test(
        "what is not UTF-8 is 400",
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0xAF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xC3, 0x28],
        ] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) throws {
        let body = Array(#"{"request_id":"x","a":""#.utf8) + bytes + Array(#""}"#.utf8)
        try expectProblem(try Shared.server().exchange(requestBytes("POST", "/callback", body: body)), 400)
    }

    @Test("UTF-16 is 400, with and without a byte order mark")
    func otherEncodings() throws {
        let server = try Shared.server()
        for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32] {
            let body = try #require(sentPayload("x").data(using: encoding))
            try expectProblem(try server.exchange(requestBytes("POST", "/callback", body: [UInt8](body))), 400)
        }
    }

    @Test("nesting of 64 is accepted, of 65 is 400", arguments: [("[", "]"), (#"{"a":"#, "}")])
    func nesting(open: String, close: String) throws {
        let server = try Shared.server()
        func body(depth: Int) -> String {
            let inner = String(repeating: open, count: depth - 1) + (open == "[" ? "" : "1") + String(repeating: close, count: depth - 1)
            return #"{"request_id":"\#(Shared.freshIdentifier())","a":\#(inner)}"#
        }
        #expect(try server.post(body(depth: 64)).status == 200)
        try expectProblem(try server.post(body(depth: 65)), 400)
        try expectProblem(try server.post(String(repeating: "[", count: 60_000)), 400)
    }

    @Test("all that JSON allows is accepted", arguments: [
        #"{"request_id":"$ID","a":[-0,0,1e5,1E-5,1.5e+3,-1.25,123456789012345678901234567890],"b":{},"c":[],"d":null,"e":true,"f":false}"#,
        #"{"request_id":"$ID","":"","a":"\"\\\/\b\f\n\r\t\u0000\uFFFF\ud800","é":"😀"}"#,
        "\u{FEFF}{\"request_id\":\"$ID\"}", "\t\r\n {\"request_id\":\"$ID\"} \t\r\n",
        #"{"request_id":"$ID","data":{"$k":"v"},"error":null}"#,
    ])
    func grammar(template: String) throws {
        let status = try delivered(template)
        #expect(status.string("status") == "unrecognized")
        #expect(status.integer("callbacks") == 1)
    }

    @Test("an object without a usable request_id is 422", arguments: ["{}", #"{"data":{}}"#, #"{"id":"x"}"#, #"{"data":[{"request_id":"x"}]}"#])
    func noIdentifier(body: String) throws {
        try expectProblem(try Shared.server().post(body), 422, instance: "/callback")
    }

    @Test("a body of 64 KiB is accepted, one byte more is 413, by length and by chunks")
    func bodyBytesMax() throws {
        let server = try Shared.server()
        func body(bytes: Int) -> [UInt8] {
            let start = #"{"request_id":"\#(Shared.freshIdentifier())","a":""#
            return Array((start + String(repeating: "x", count: bytes - start.utf8.count - 2) + #""}"#).utf8)
        }
        #expect(try server.exchange(requestBytes("POST", "/callback", body: body(bytes: 65_536))).status == 200)
        try expectProblem(try server.exchange(requestBytes("POST", "/callback", body: body(bytes: 65_537))), 413, instance: "/callback")

        func chunked(_ body: [UInt8]) -> [UInt8] {
            var bytes = requestBytes("POST", "/callback", fields: ["Transfer-Encoding: chunked"])
            for start in stride(from: 0, to: body.count, by: 10_000) {
                let chunk = body[start..<min(start + 10_000, body.count)]
                bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10]
            }
            return bytes + Array("0\r\n\r\n".utf8)
        }
        #expect(try server.exchange(chunked(body(bytes: 65_536))).status == 200)
        try expectProblem(try server.exchange(chunked(body(bytes: 65_537))), 413, instance: "/callback")
        // The size is known to be too much before a byte of the body has come.
        let announced = requestBytes("POST", "/callback", fields: ["Content-Length: 99999999999"])
        try expectProblem(try server.exchange(announced), 413, instance: "/callback")
    }

    @Test("other methods on the callback path are 405 with Allow: POST", arguments: ["GET", "PUT", "DELETE", "PATCH"])
    func otherMethods(method: String) throws {
        for target in ["/callback", "/callback/", "/callback?key=x"] {
            let answer = try Shared.server().exchange(requestBytes(method, target))
            try expectProblem(answer, 405)
            #expect(answer["Allow"]?.contains("POST") == true)
        }
    }

    @Test("HEAD on the callback path is 405 without a body")
    func head() throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("HEAD", "/callback") + requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer(toHEAD: true).status == 405)
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("the callback path is met with a trailing slash and a query, and no other way")
    func paths() throws {
        let server = try Shared.server()
        for target in ["/callback/", "/callback?a=b", "/callback/?key=x&y", "/callback?", "/%63allback"] {
            #expect(try server.post(sentPayload(Shared.freshIdentifier()), to: target).status == 200, "\(target)")
        }
        // The page is there.
        try expectProblem(try server.post(sentPayload("nowhere"), to: "/"), 405)
        for target in ["/Callback", "/callbac", "/callback/x", "/callbackx", "/callback%2F", "/v1/callback", "/x/../callback"] {
            try expectProblem(try server.post(sentPayload("nowhere"), to: target), 404)
        }
        #expect(try server.status(of: "nowhere").status == 404)
    }

    @Test("Content-Type is not looked at", arguments: ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""])
    func contentType(value: String) throws {
        let body = Array(sentPayload(Shared.freshIdentifier()).utf8)
        let answer = try Shared.server().exchange(requestBytes("POST", "/callback", fields: ["Content-Type: \(value)"], body: body))
        #expect(answer.status == 200)
    }

    @Test("a foreign Host and proxy fields do not matter to the callback")
    func proxied() throws {
        let body = Array(sentPayload(Shared.freshIdentifier()).utf8)
        let answer = try Shared.server().exchange(
            requestBytes(
                "POST", "/callback", host: "hooks.example",
                fields: ["X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7", "Via: 1.1 proxy"], body: body))
        #expect(answer.status == 200)
    }
}
