// API §3, the table of fields: what is usable, at each boundary, and where it is looked for.
//
// Promises: every value is compared with the raw text of the answer, digit for digit.
// Must not know: how the server decodes; only what it answers.

import Foundation
import Testing
import TestSupport

@Suite("Fields of a callback")
struct FieldTests {
    /// A request_id as JSON text, and what it means; nil where it is not usable.
    static let identifiers: [(json: String, value: String?)] = [
        (#""x""#, "x"),
        ("\"" + String(repeating: "i", count: 256) + "\"", String(repeating: "i", count: 256)),
        ("\"" + String(repeating: "i", count: 257) + "\"", nil),
        ("\"" + String(repeating: #"\u0041"#, count: 256) + "\"", String(repeating: "A", count: 256)),
        ("\"" + String(repeating: #"\u0041"#, count: 257) + "\"", nil),
        (#""""#, nil), (#""a b""#, nil), (#""a\u0020b""#, nil), (#""\u007f""#, nil), ("\"\u{7F}\"", nil),
        (#""é""#, nil), (#""\u00e9""#, nil), (#""a\nb""#, nil), (#""\u0000""#, nil), (#""\ud800""#, nil),
        (#""😀""#, nil),
        (#""!~""#, "!~"), (#""\u0021\u007e""#, "!~"),
        (#""a\/b\\c\"d""#, #"a/b\c"d"#), (#""\u0069\u0044""#, "iD"),
        ("1", nil), ("null", nil), ("true", nil), (#"["x"]"#, nil), (#"{"request_id":"x"}"#, nil),
    ]

    @Test("a request_id is 1 to 256 visible ASCII characters once unescaped", arguments: identifiers)
    func identifier(json: String, value: String?) throws {
        // A server of one's own is not needed: equal identifiers differ in payload by a marker.
        let server = try Shared.server()
        let marker = Shared.freshIdentifier("wamid")
        let answer = try server.post(#"{"request_id":\#(json),"whatsapp_message_id":"\#(marker)"}"#)
        guard let value else {
            try expectProblem(answer, 422, instance: "/callback")
            return
        }
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.object().string("request_id") == value)
        let status = try server.status(of: value).object()
        #expect(status.string("request_id") == value)
    }

    /// A string's JSON and whether it is usable as `whatsapp_message_id` and `session_id`.
    static let texts: [(json: String, usable: Bool)] = [
        (#""w""#, true), (#""""#, false),
        ("\"" + String(repeating: "w", count: 512) + "\"", true),
        ("\"" + String(repeating: "w", count: 513) + "\"", false),
        ("\"" + String(repeating: "é", count: 256) + "\"", true),
        ("\"" + String(repeating: "é", count: 256) + "x\"", false),
        ("\"" + String(repeating: #"\u00e9"#, count: 256) + "\"", true),
        ("\"" + String(repeating: #"\ud83d\ude00"#, count: 128) + "\"", true),
        ("\"" + String(repeating: #"\ud83d\ude00"#, count: 129) + "\"", false),
        (#""a\ud83d""#, false), (#""\ude00a""#, false), (#""\ude00\ud83d""#, false),
        (#""a b\t\u0000""#, true), ("5", false), ("null", false), (#"["w"]"#, false), ("false", false),
    ]

    @Test("whatsapp_message_id and session_id are 1 to 512 bytes without lone surrogates", arguments: texts)
    func text(json: String, usable: Bool) throws {
        let status = try delivered(#"{"request_id":"$ID","whatsapp_message_id":\#(json),"session_id":\#(json)}"#)
        let expected = usable ? try RawJSON(object: "{\"v\":\(json)}").string("v") : nil
        #expect(status.string("whatsapp_message_id") == expected)
        #expect(status.string("session_id") == expected)
        #expect(status.string("status") == (usable ? "sent" : "unrecognized"))
        if !usable { #expect(status["whatsapp_message_id"] == "null" && status["session_id"] == "null") }
    }

    static let digits = "1234567890123456789012345678901234567890"

    @Test(
        "crisp_fingerprint keeps every digit it came with",
        arguments: [
            ("163239623329114", "163239623329114"), (digits, digits), ("\"\(digits)\"", digits),
            ("-\(digits)", "-\(digits)"), ("0", "0"), ("-7", "-7"), ("9007199254740993", "9007199254740993"),
            ("18446744073709551616", "18446744073709551616"), (#""42""#, "42"), (#""\u0034\u0032""#, "42"),
            (String(repeating: "9", count: 600), String(repeating: "9", count: 600)),
            (#""007""#, "null"), (#""-7""#, "null"), (#"" 7""#, "null"), (#""7 ""#, "null"), (#""""#, "null"),
            (#""+7""#, "null"), (#""1.0""#, "null"), (#""1e3""#, "null"), (#""٣""#, "null"), (#""0x10""#, "null"),
            ("1.0", "null"), ("1e3", "null"), ("1E3", "null"), ("-1.5", "null"), ("true", "null"), ("[1]", "null"),
            ("null", "null"),
        ])
    func fingerprint(json: String, answered: String) throws {
        let status = try delivered(#"{"request_id":"$ID","crisp_fingerprint":\#(json)}"#)
        #expect(status["crisp_fingerprint"] == answered)
    }

    @Test("each field is looked for at the top, then in data, and the first usable value counts")
    func places() throws {
        let inData = try delivered(
            #"{"error":false,"reason":"r","data":{"request_id":"$ID","whatsapp_message_id":"w","session_id":"s","crisp_fingerprint":7}}"#)
        #expect(inData.string("whatsapp_message_id") == "w")
        #expect(inData.string("session_id") == "s")
        #expect(inData["crisp_fingerprint"] == "7")

        let mixed = try delivered(
            #"{"request_id":"$ID","session_id":"top","whatsapp_message_id":"","crisp_fingerprint":1.5,"data":{"request_id":"other","session_id":"data","whatsapp_message_id":"data","crisp_fingerprint":"8"}}"#)
        #expect(mixed.string("session_id") == "top")
        #expect(mixed.string("whatsapp_message_id") == "data")
        #expect(mixed["crisp_fingerprint"] == "8")

        let unusableTop = try delivered(#"{"request_id":"","data":{"request_id":"$ID"},"session_id":"s"}"#)
        #expect(unusableTop.string("session_id") == "s")
    }

    @Test("data that is no object holds no field", arguments: ["[]", "null", #""x""#, "1", #"[{"session_id":"s"}]"#])
    func dataOfAnotherType(json: String) throws {
        let status = try delivered(#"{"request_id":"$ID","data":\#(json)}"#)
        #expect(status["session_id"] == "null")
        #expect(status.string("status") == "unrecognized")
    }

    @Test("fields deeper than data are not looked at")
    func deeper() throws {
        let status = try delivered(
            #"{"request_id":"$ID","data":{"data":{"whatsapp_message_id":"w"}},"other":{"whatsapp_message_id":"w"}}"#)
        #expect(status.string("status") == "unrecognized")
        #expect(status["whatsapp_message_id"] == "null")
    }

    @Test("where an object names a member twice, the last one counts")
    func repeatedMembers() throws {
        let last = try delivered(#"{"request_id":"ignored","request_id":"$ID","session_id":"a","session_id":"b"}"#)
        #expect(last.string("session_id") == "b")

        let escaped = try delivered(#"{"request_id":"$ID","session_id":"a","session\u005fid":"b"}"#)
        #expect(escaped.string("session_id") == "b")

        let unusableLast = try delivered(#"{"request_id":"$ID","session_id":"a","session_id":null}"#)
        #expect(unusableLast["session_id"] == "null")

        let lastData = try delivered(#"{"request_id":"$ID","data":{"session_id":"a"},"data":{"session_id":"b"}}"#)
        #expect(lastData.string("session_id") == "b")

        let dataReplaced = try delivered(#"{"request_id":"$ID","data":{"session_id":"a"},"data":null}"#)
        #expect(dataReplaced["session_id"] == "null")

        let server = try Shared.server()
        let answer = try server.post(#"{"request_id":"x","request_id":7}"#)
        try expectProblem(answer, 422)
    }
}
