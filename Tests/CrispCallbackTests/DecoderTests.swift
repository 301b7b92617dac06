// What the decoder appends, what it refuses, and in which words.

import CrispCallback
import TestSupport
import Testing

@Suite("decoder")
struct DecoderTests {
    @Test(
        "the payload is the body without white space between tokens; all else stays byte for byte",
        arguments: [
            ("{\"request_id\":\"r\"}", "{\"request_id\":\"r\"}"),
            (" { \"request_id\" :\t\"r\" ,\r\n\"a\" : [ 1 , { } ] } \n", "{\"request_id\":\"r\",\"a\":[1,{}]}"),
            ("{\"request_id\":\"r\",\"a\":\" b\\\" \\\\\"}", "{\"request_id\":\"r\",\"a\":\" b\\\" \\\\\"}"),
            ("{\"request_id\":\"r\", \"a\\\\\" : \" \\\" : \" }", "{\"request_id\":\"r\",\"a\\\\\":\" \\\" : \"}"),
            ("\u{FEFF}{\"request_id\":\"r\"}", "{\"request_id\":\"r\"}"),
            ("\u{FEFF} {\"request_id\":\"r\"}", "{\"request_id\":\"r\"}"),
            (
                "{\"request_id\":\"\\u0072\",\"n\":1.50e+007,\"n\":-0}",
                "{\"request_id\":\"\\u0072\",\"n\":1.50e+007,\"n\":-0}"
            ),
            (
                "{ \"request_id\":\"r\",\"n\":12345678901234567890123.10 }",
                "{\"request_id\":\"r\",\"n\":12345678901234567890123.10}"
            ),
            (
                "{\"\u{FEFF}\":\"\u{FEFF} é\", \"request_id\":\"r\",\"s\":\"\\ud800\"}",
                "{\"\u{FEFF}\":\"\u{FEFF} é\",\"request_id\":\"r\",\"s\":\"\\ud800\"}"
            ),
        ])
    func payload(body: String, payload: String) throws {
        #expect(text(try take(body).get().payload) == payload)
    }

    @Test("callbacks that differ in white space alone have the same payload")
    func samePayload() throws {
        let compact = try take("{\"request_id\":\"r\",\"a\":[1,2]}").get()
        #expect(try take("\u{FEFF}\r\n{ \"request_id\": \"r\",\n  \"a\": [1, 2]\n}\n").get() == compact)
        #expect(try take("{\"request_id\":\"\\u0072\",\"a\":[1,2]}").get().payload != compact.payload)
    }

    @Test("decoding appends: what stood in the record before stays, one callback after another")
    func appends() throws {
        var record: [UInt8] = []
        var decoded: [DecodedCallback] = []
        for name in ["one", "two", "three"] {
            decoded.append(try CallbackDecoder.decode(bytes("{ \"request_id\":\"\(name)\"}").span, into: &record))
        }
        #expect(decoded.map { text(record[$0.requestID]) } == ["one", "two", "three"])
        #expect(text(record) == "{\"request_id\":\"one\"}one{\"request_id\":\"two\"}two{\"request_id\":\"three\"}three")
    }

    @Test(
        "what is no JSON object is told from what has no request_id",
        arguments: [
            ("", .notJSON(offset: 0, .empty)), ("[]", .notAnObject), ("\"request_id\"", .notAnObject),
            ("null", .notAnObject), ("17", .notAnObject),
            ("[{\"request_id\":\"r\"}]", .notAnObject), ("[1", .notJSON(offset: 2, .unexpectedEnd)),
            ("{}", .noRequestID),
            ("{\"request_id\":\"r\"}{", .notJSON(offset: 18, .trailingBytes)),
            ("{\"request_id\":7,}", .notJSON(offset: 16, .unexpectedByte)),
            ("request_id=r", .notJSON(offset: 0, .unexpectedByte)),
        ] as [(String, CallbackRejection)])
    func refused(body: String, rejection: CallbackRejection) {
        #expect(take(body) == .failure(rejection))
    }

    @Test("a payload without request_id can be read, for it is an object all the same")
    func readWithout() throws {
        #expect(answers("{\"error\":true}") == Answers(status: .failed))
        #expect(read(bytes("[]")) == .failure(.notAnObject))
        #expect(read(bytes("{")) == .failure(.notJSON(offset: 1, .unexpectedEnd)))
    }

    @Test("not JSON is 400, no request_id 422")
    func statuses() {
        #expect(CallbackRejection.notJSON(offset: 0, .empty).status == 400)
        #expect(CallbackRejection.notAnObject.status == 400)
        #expect(CallbackRejection.nestedTooDeep(offset: 64).status == 400)
        #expect(CallbackRejection.noRequestID.status == 422)
    }

    @Test("a detail says what is wrong, where, and what to do")
    func details() {
        for fault in JSONFault.allCases {
            let detail = CallbackRejection.notJSON(offset: 4711, fault).detail
            #expect(detail.contains("byte 4711") && detail.contains(fault.description) && detail.contains("Send "))
        }
        #expect(Set(JSONFault.allCases.map(\.description)).count == JSONFault.allCases.count)
        #expect(CallbackRejection.notAnObject.detail.contains("Send one JSON object"))
        #expect(CallbackRejection.nestedTooDeep(offset: 99).detail.contains("byte 99"))
        #expect(CallbackRejection.nestedTooDeep(offset: 99).detail.contains("64"))
        #expect(CallbackRejection.noRequestID.detail.contains("1 to 256 visible ASCII"))
    }

    @Test("the names of the statuses are those of the interface")
    func names() {
        #expect(CallbackStatus.allCases.map(\.name) == ["sent", "failed", "unrecognized"])
    }
}

@Suite("string tokens")
struct StringTokenTests {
    private func token(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [7]
        JSONString.append(utf8: bytes.span, to: &output)
        #expect(output.first == 7)
        return Array(output.dropFirst())
    }

    @Test(
        "a string becomes a token with what must be escaped escaped, and no more",
        arguments: [
            ("", "\"\""), ("abc", "\"abc\""), ("a\"b", "\"a\\\"b\""), ("a\\b", "\"a\\\\b\""), ("/", "\"/\""),
            ("\n\r\t\u{8}\u{C}", "\"\\n\\r\\t\\b\\f\""),
            ("\u{0}\u{1F}\u{7F}", "\"\\u0000\\u001f\u{7F}\""), ("é€😀\u{2028}", "\"é€😀\u{2028}\""),
            ("12345678\"12345678", "\"12345678\\\"12345678\""),
        ])
    func tokens(value: String, expected: String) {
        var output: [UInt8] = []
        JSONString.append(value, to: &output)
        #expect(text(output) == expected)
        #expect(token(bytes(value)) == bytes(expected))
    }

    @Test(
        "bytes that are not UTF-8 become U+FFFD, one for each",
        arguments: [
            ([0xFF], "\u{FFFD}"), ([0x61, 0x80, 0x62], "a\u{FFFD}b"), ([0xC3, 0xA9, 0xC3], "é\u{FFFD}"),
            ([0xE2, 0x82], "\u{FFFD}\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
            ([0xF0, 0x9F, 0x98, 0x80], "😀"),
        ] as [([UInt8], String)])
    func repaired(value: [UInt8], expected: String) {
        #expect(token(value) == bytes("\"\(expected)\""))
    }

    @Test(
        "whatever the bytes, the token is valid JSON, and what was UTF-8 comes back the same", arguments: Rounds.seeds)
    func generated(seed: UInt64) {
        var numbers = SeededGenerator(seed: seed &+ 5000)
        for _ in 0..<Rounds.casesPerSeed / 4 {
            let value = (0..<Int.random(in: 0...24, using: &numbers)).map { _ in
                numbers.chance(2)
                    ? UInt8.random(in: 0...255, using: &numbers) : numbers.pick([0x22, 0x5C, 0x0A, 0x61, 0xC3, 0xA9])
            }
            let token = token(value)
            #expect(rejection(token) == nil)
            guard String(validating: value, as: UTF8.self) != nil else { continue }
            var back: [UInt8] = []
            JSONString.appendUnescaped(0..<token.count, of: token.span, to: &back)
            #expect(back == value)
        }
    }
}
