// API.md §3, the table of fields: which values are usable, and which of several counts.

import CrispCallback
import Testing

@Suite("fields")
struct FieldTests {
    private func requestID(_ body: String) -> String? { try? take(body).get().requestID }

    // MARK: request_id

    @Test("a request_id is 1 to 256 visible ASCII characters", arguments: [
        ("\"a\"", "a"), ("\"!\"", "!"), ("\"~\"", "~"), ("\"\\u0061\\u0062\"", "ab"), ("\"\\/\\\"\\\\\"", "/\"\\"),
        ("\"6ea55176-0d23-4f4e-a9b5-6b6f9d7e3c11\"", "6ea55176-0d23-4f4e-a9b5-6b6f9d7e3c11"),
    ])
    func requestIDUsable(token: String, value: String) {
        #expect(requestID("{\"request_id\":\(token)}") == value)
    }

    @Test("what is no visible ASCII string is no request_id", arguments: [
        "\"\"", "\" \"", "\"a b\"", "\"a\\u0020b\"", "\"\u{7F}\"", "\"\\u007f\"", "\"\\n\"", "\"\\u0000\"", "\"é\"", "\"\\u00e9\"",
        "\"\\ud800\"", "\"😀\"", "1", "true", "null", "{}", "[\"a\"]", "{\"request_id\":\"a\"}",
    ])
    func requestIDUnusable(token: String) {
        #expect(take("{\"request_id\":\(token)}") == .failure(.noRequestID))
    }

    @Test("the bound of a request_id is 256 bytes after unescaping", arguments: ["x", "\\u0078"])
    func requestIDBound(letter: String) {
        let most = String(repeating: letter, count: 256)
        #expect(requestID("{\"request_id\":\"\(most)\"}") == String(repeating: "x", count: 256))
        #expect(take("{\"request_id\":\"\(most + letter)\"}") == .failure(.noRequestID))
    }

    @Test("the first usable value counts: the top, then data", arguments: [
        ("{\"request_id\":\"t\",\"data\":{\"request_id\":\"d\"}}", "t"),
        ("{\"data\":{\"request_id\":\"d\"},\"request_id\":\"t\"}", "t"),
        ("{\"data\":{\"request_id\":\"d\"}}", "d"),
        ("{\"request_id\":\"\",\"data\":{\"request_id\":\"d\"}}", "d"),
        ("{\"request_id\":7,\"data\":{\"request_id\":\"d\"}}", "d"),
        ("{\"data\":{\"request_id\":\"d\"},\"request_id\":null}", "d"),
    ])
    func topBeforeData(body: String, value: String) {
        #expect(requestID(body) == value)
    }

    @Test("a member named twice counts as it came last", arguments: [
        ("{\"request_id\":\"a\",\"request_id\":\"b\"}", "b"),
        ("{\"request_id\":\"a\",\"request\\u005fid\":\"b\"}", "b"),
        ("{\"request_id\":\"a\",\"request_id\":5,\"data\":{\"request_id\":\"d\"}}", "d"),
        ("{\"data\":{\"request_id\":\"a\"},\"data\":{\"request_id\":\"b\"}}", "b"),
        ("{\"data\":{\"request_id\":\"a\",\"request_id\":\"b\"}}", "b"),
    ])
    func lastCounts(body: String, value: String) {
        #expect(requestID(body) == value)
    }

    @Test("a later data replaces an earlier one wholly", arguments: ["{}", "null", "[{\"request_id\":\"b\"}]", "\"b\""])
    func laterData(second: String) {
        #expect(take("{\"data\":{\"request_id\":\"a\"},\"data\":\(second)}") == .failure(.noRequestID))
    }

    @Test("a later unusable value is not helped by an earlier usable one")
    func laterUnusable() {
        #expect(take("{\"request_id\":\"a\",\"request_id\":\"\"}") == .failure(.noRequestID))
    }

    @Test("names are matched after unescaping, exactly", arguments: [
        ("request\\u005fid", true), ("\\u0072equest_id", true), ("\\u0072\\u0065\\u0071\\u0075\\u0065\\u0073\\u0074\\u005F\\u0069\\u0064", true),
        ("Request_id", false), ("request_i", false), ("request_idd", false), ("request-id", false), ("session_id", false),
        ("request_id\\u0000", false), ("\\u0000equest_id", false), ("request_i\\ud800", false), ("sequest_id", false),
    ])
    func names(name: String, isIt: Bool) {
        #expect((requestID("{\"\(name)\":\"a\"}") == "a") == isIt)
    }

    @Test("nothing is looked for deeper than data", arguments: [
        "{\"data\":{\"data\":{\"request_id\":\"a\"}}}", "{\"data\":[{\"request_id\":\"a\"}]}", "{\"payload\":{\"request_id\":\"a\"}}",
        "{\"error\":{\"request_id\":\"a\"}}", "{\"errors\":[{\"request_id\":\"a\"}]}", "{\"x\":\"\\\"request_id\\\":\\\"a\\\"\"}",
    ])
    func notDeeper(body: String) {
        #expect(take(body) == .failure(.noRequestID))
    }

    // MARK: whatsapp_message_id, session_id

    @Test("an identifier is answered as its token stood", arguments: ["\"a\"", "\"é\"", "\"\\u00e9\"", "\" \"", "\"\\ud83d\\ude00\"", "\"\\u0000\""])
    func identifierUsable(token: String) {
        #expect(answers("{\"whatsapp_message_id\":\(token)}")?.whatsappMessageID == token)
        #expect(answers("{\"session_id\":\(token)}")?.sessionID == token)
        #expect(answers("{\"data\":{\"session_id\":\(token)}}")?.sessionID == token)
    }

    @Test("an identifier is no empty string, no other value and has no lone surrogate", arguments: [
        "\"\"", "1", "null", "true", "{}", "[]", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\u0041\"", "\"a\\uDFFF\"",
    ])
    func identifierUnusable(token: String) {
        let read = answers("{\"whatsapp_message_id\":\(token),\"session_id\":\(token)}")
        #expect(read == Answers(status: .unrecognized))
        #expect(answers("{\"session_id\":\(token),\"data\":{\"session_id\":\"d\"}}")?.sessionID == "\"d\"")
    }

    @Test("the bound of an identifier is 512 bytes of UTF-8 after unescaping", arguments: [
        ("x", 512), ("\\u0078", 512), ("é", 256), ("\\u00e9", 256), ("😀", 128), ("\\ud83d\\ude00", 128), ("\\n", 512), ("\\u0000", 512),
    ])
    func identifierBound(letter: String, most: Int) {
        let token = "\"\(String(repeating: letter, count: most))\""
        #expect(answers("{\"session_id\":\(token)}")?.sessionID == token)
        #expect(answers("{\"session_id\":\"\(String(repeating: letter, count: most + 1))\"}")?.sessionID == nil)
        #expect(answers("{\"session_id\":\"x\(String(repeating: letter, count: most))\"}")?.sessionID == nil)
    }

    @Test("an identifier's value is what its token stands for")
    func identifierValue() throws {
        let payload = bytes("{\"session_id\":\"\\u00e9\\ud83d\\ude00\\n/\\\\z\\u20AC\"}")
        let range = try #require(try CallbackReading(payload: payload.span).sessionID)
        var value: [UInt8] = []
        JSONString.appendUnescaped(range, of: payload.span, to: &value)
        #expect(text(value) == "é😀\n/\\z€")
    }

    // MARK: crisp_fingerprint

    @Test("a fingerprint is a whole number, or a string of digits; answered as that number", arguments: [
        ("0", "0"), ("163239623329114", "163239623329114"), ("-5", "-5"), ("-0", "-0"), ("\"0\"", "0"), ("\"17\"", "17"),
        ("\"\\u0031\\u0037\"", "17"), ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("\"9999999999999999999999999999999\"", "9999999999999999999999999999999"),
    ])
    func fingerprintUsable(token: String, number: String) {
        #expect(answers("{\"crisp_fingerprint\":\(token)}")?.fingerprint == number)
        #expect(answers("{\"crisp_fingerprint\":[],\"data\":{\"crisp_fingerprint\":\(token)}}")?.fingerprint == number)
    }

    @Test("anything else is no fingerprint", arguments: [
        "1.0", "1e5", "1E5", "0.0", "-1.5", "\"\"", "\"007\"", "\"00\"", "\"-5\"", "\"+5\"", "\"1.0\"", "\"1e5\"", "\" 1\"", "\"1 \"", "\"x\"",
        "\"\\u0030\\u0030\"", "\"١\"", "null", "true", "[1]", "{}",
    ])
    func fingerprintUnusable(token: String) {
        #expect(answers("{\"crisp_fingerprint\":\(token)}") == Answers(status: .unrecognized))
    }

    @Test("identifiers and fingerprint are answered whatever the outcome")
    func answeredWhateverTheOutcome() {
        let read = answers("{\"error\":true,\"data\":{\"whatsapp_message_id\":\"w\",\"session_id\":\"s\",\"crisp_fingerprint\":9}}")
        #expect(read == Answers(status: .failed, fingerprint: "9", whatsappMessageID: "\"w\"", sessionID: "\"s\""))
    }

    // MARK: code

    @Test("a code is a whole number without sign, or a string of digits, up to 18 digits", arguments: [
        ("0", 0), ("131049", 131049), ("\"131049\"", 131049), ("\"0\"", 0), ("\"\\u0039\"", 9),
        ("999999999999999999", 999_999_999_999_999_999), ("\"999999999999999999\"", 999_999_999_999_999_999),
    ] as [(String, UInt64)])
    func codeUsable(token: String, code: UInt64) {
        #expect(answers("{\"code\":\(token)}")?.code == code)
        #expect(answers("{\"data\":{\"code\":\(token)}}")?.code == code)
        #expect(answers("{\"error\":{\"code\":\(token)}}")?.code == code)
        #expect(answers("{\"data\":{\"errors\":[{\"code\":\(token)}]}}")?.code == code)
    }

    @Test("anything else is no code", arguments: [
        "-1", "-0", "1.0", "1e5", "1000000000000000000", "\"1000000000000000000\"", "\"\"", "\"007\"", "\"-1\"", "\"1.0\"", "null", "true", "[]", "{}",
    ])
    func codeUnusable(token: String) {
        #expect(answers("{\"code\":\(token),\"error\":{\"code\":\(token)}}")?.code == nil)
        #expect(answers("{\"code\":\(token),\"error\":{\"code\":7}}")?.code == 7)
    }
}
