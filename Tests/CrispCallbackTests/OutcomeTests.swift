// API.md §3, the table of outcomes, and what is said of a failure.

import CrispCallback
import Testing

@Suite("outcome")
struct OutcomeTests {
    private func status(_ payload: String) -> CallbackStatus? { answers(payload)?.status }
    private func message(_ payload: String) -> String? { answers(payload)?.message }

    @Test("an error that is true, an object or a non-empty string is a failure", arguments: ["true", "{}", "{\"a\":1}", "\"x\"", "\" \"", "\"\\ud800\""])
    func errorFails(error: String) {
        for payload in [
            "{\"error\":\(error)}", "{\"data\":{\"error\":\(error)}}", "{\"errors\":[\(error)]}", "{\"data\":{\"errors\":[\(error),null]}}",
            "{\"error\":\(error),\"whatsapp_message_id\":\"w\"}", "{\"error\":false,\"data\":{\"error\":\(error),\"whatsapp_message_id\":\"w\"}}",
            "{\"error\":null,\"errors\":[\(error)]}",
        ] {
            #expect(status(payload) == .failed, "\(payload)")
        }
    }

    @Test("an error that is anything else is none", arguments: ["false", "null", "0", "1", "-1", "1.5", "\"\"", "[]", "[true]", "[{}]"])
    func errorIsNone(error: String) {
        for payload in ["{\"error\":\(error)}", "{\"data\":{\"error\":\(error)}}", "{\"errors\":[\(error)]}", "{\"errors\":[\(error),true]}"] {
            #expect(status(payload) == .unrecognized, "\(payload)")
        }
        #expect(status("{\"error\":\(error),\"data\":{\"whatsapp_message_id\":\"w\"}}") == .sent)
    }

    @Test("errors is looked at only where error is absent or null, and only its first element counts", arguments: [
        ("{\"error\":false,\"errors\":[true]}", .unrecognized), ("{\"error\":0,\"errors\":[true]}", .unrecognized), ("{\"error\":\"\",\"errors\":[{}]}", .unrecognized),
        ("{\"error\":null,\"errors\":[true]}", .failed), ("{\"errors\":[null,true]}", .unrecognized), ("{\"errors\":[]}", .unrecognized),
        ("{\"errors\":[ ]}", .unrecognized), ("{\"errors\":[ {} ]}", .failed), ("{\"errors\":{}}", .unrecognized), ("{\"errors\":true}", .unrecognized), ("{\"errors\":\"x\"}", .unrecognized),
        ("{\"errors\":[[true]]}", .unrecognized), ("{\"errors\":[true],\"error\":null}", .failed), ("{\"error\":false,\"data\":{\"errors\":[{}]}}", .failed),
    ] as [(String, CallbackStatus)])
    func errors(payload: String, expected: CallbackStatus) {
        #expect(status(payload) == expected)
    }

    @Test("a later error, or errors, replaces an earlier one wholly", arguments: [
        ("{\"error\":true,\"error\":false}", .unrecognized, "null"), ("{\"error\":{\"message\":\"m\"},\"error\":{}}", .failed, "null"),
        ("{\"error\":{\"message\":\"m\"},\"error\":null}", .unrecognized, "null"), ("{\"errors\":[{\"message\":\"m\"}],\"errors\":[]}", .unrecognized, "null"),
        ("{\"errors\":[{\"message\":\"m\"}],\"errors\":7}", .unrecognized, "null"), ("{\"error\":{\"message\":\"m\",\"message\":\"\"}}", .failed, "null"),
        ("{\"error\":{\"message\":1,\"message\":\"n\"}}", .failed, "\"n\""), ("{\"error\":null,\"error\":{\"message\":\"n\"},\"errors\":[true]}", .failed, "\"n\""),
    ] as [(String, CallbackStatus, String)])
    func later(payload: String, expected: CallbackStatus, text: String) {
        #expect(status(payload) == expected)
        #expect(message(payload) == text)
    }

    @Test("without an error, a usable whatsapp_message_id is sent", arguments: [
        "{\"whatsapp_message_id\":\"w\"}", "{\"data\":{\"whatsapp_message_id\":\"w\"}}", "{\"error\":false,\"message\":\"m\",\"data\":{\"whatsapp_message_id\":\"w\"}}",
        "{\"whatsapp_message_id\":5,\"data\":{\"whatsapp_message_id\":\"w\"}}",
    ])
    func sent(payload: String) {
        #expect(status(payload) == .sent)
    }

    @Test("without either, a usable message is a failure; reason and code alone are not", arguments: [
        ("{\"message\":\"m\"}", .failed), ("{\"data\":{\"message\":\"m\"}}", .failed), ("{\"message\":\"m\",\"whatsapp_message_id\":\"\"}", .failed),
        ("{\"message\":\"\"}", .unrecognized), ("{\"message\":null}", .unrecognized), ("{\"message\":5}", .unrecognized), ("{\"message\":{\"message\":\"m\"}}", .unrecognized),
        ("{\"reason\":\"r\"}", .unrecognized), ("{\"code\":5}", .unrecognized), ("{\"session_id\":\"s\"}", .unrecognized), ("{}", .unrecognized),
    ] as [(String, CallbackStatus)])
    func messageAlone(payload: String, expected: CallbackStatus) {
        #expect(status(payload) == expected)
    }

    /// Every place that a failure message may come from, in the order of the contract.
    private static let messagePlaces: [(top: String, data: String, message: String)] = [
        ("\"message\":\"1\"", "", "\"1\""), ("", "\"message\":\"2\"", "\"2\""), ("\"error\":{\"message\":\"3\"}", "", "\"3\""),
        ("", "\"error\":{\"message\":\"4\"}", "\"4\""), ("\"error\":\"5\"", "", "\"5\""), ("", "\"error\":\"6\"", "\"6\""),
        ("\"reason\":\"7\"", "", "\"7\""), ("", "\"reason\":\"8\"", "\"8\""),
    ]

    @Test("the failure message is the first usable of message, the error's message, the error, reason; top, then data")
    func messageOrder() {
        func payload(_ places: [(top: String, data: String, message: String)]) -> String {
            let top = places.map(\.top).filter { !$0.isEmpty }
            let data = places.map(\.data).filter { !$0.isEmpty }
            return "{" + (top + ["\"data\":{" + data.joined(separator: ",") + "}"]).joined(separator: ",") + "}"
        }
        for (index, place) in Self.messagePlaces.enumerated() {
            #expect(message(payload([place])) == place.message)
            for later in Self.messagePlaces[(index + 1)...] {
                // One place has one `error`: an object and a string there exclude each other.
                if place.top.contains("\"error\""), later.top.contains("\"error\"") { continue }
                if place.data.contains("\"error\""), later.data.contains("\"error\"") { continue }
                #expect(message(payload([place, later])) == place.message, "\(payload([place, later]))")
                #expect(message(payload([later, place])) == place.message, "\(payload([later, place]))")
            }
        }
        #expect(message("{\"error\":true}") == "null")
        #expect(message("{\"error\":{\"message\":\"\"},\"reason\":\"r\"}") == "\"r\"")
        #expect(message("{\"errors\":[\"e\"],\"reason\":\"r\"}") == "\"e\"")
    }

    @Test("the failure reason is reason and nothing else", arguments: [
        ("{\"reason\":\"r\",\"data\":{\"reason\":\"d\"}}", "\"r\""), ("{\"reason\":\"\",\"data\":{\"reason\":\"d\"}}", "\"d\""),
        ("{\"message\":\"m\",\"error\":{\"reason\":\"r\"}}", "null"), ("{\"reason\":5}", "null"), ("{\"reason\":\"a\\ud800\"}", "\"a\u{FFFD}\""),
    ])
    func reason(payload: String, expected: String) {
        #expect(answers(payload)?.reason == expected)
    }

    @Test("a lone surrogate in a message is answered as U+FFFD, and the payload keeps its escape", arguments: [
        ("\\ud800", "\u{FFFD}"), ("a\\udfffb", "a\u{FFFD}b"), ("\\ud800\\ud83d\\ude00", "\u{FFFD}😀"), ("\\ud83d\\u0041\\\"", "\u{FFFD}A\\\""),
        ("\\ud800\\ud800", "\u{FFFD}\u{FFFD}"), ("\\ud800\\n\\u0001é", "\u{FFFD}\\n\\u0001é"),
    ])
    func loneSurrogate(escaped: String, answered: String) throws {
        let body = "{\"request_id\":\"r\",\"message\":\"\(escaped)\"}"
        let taken = try take(body).get()
        #expect(taken.answers.message == "\"\(answered)\"")
        #expect(taken.payload == bytes(body))
    }

    @Test("a message without lone surrogates is answered as its token stood", arguments: ["\"a\"", "\"\\u00e9\\/\"", "\"\\ud83d\\ude00\"", "\"\u{7F}é\""])
    func messageAsItStood(token: String) {
        #expect(message("{\"message\":\(token)}") == token)
    }

    @Test("the code is the first usable of code, the error's code, the number in the message; top, then data", arguments: [
        ("{\"code\":1,\"data\":{\"code\":2},\"error\":{\"code\":3},\"message\":\"(#9)\"}", 1), ("{\"code\":\"x\",\"data\":{\"code\":2},\"error\":{\"code\":3}}", 2),
        ("{\"error\":{\"code\":3},\"data\":{\"error\":{\"code\":4}}}", 3), ("{\"error\":true,\"data\":{\"error\":{\"code\":4,\"message\":\"(#9)\"}}}", 4),
        ("{\"errors\":[{\"code\":5},{\"code\":6}]}", 5), ("{\"error\":false,\"errors\":[{\"code\":5}]}", nil), ("{\"message\":\"(#131049) x\"}", 131049),
        ("{\"error\":{\"message\":\"(#7)\"}}", 7), ("{\"error\":\"(#8)\"}", 8), ("{\"reason\":\"(#9)\"}", 9), ("{\"message\":\"m\",\"reason\":\"(#9)\"}", nil), ("{}", nil),
    ] as [(String, UInt64?)])
    func code(payload: String, expected: UInt64?) {
        #expect(answers(payload)?.code == expected)
    }

    @Test("the number in a message is the first of 1 to 18 digits between (# and )", arguments: [
        ("(#131049)", 131049), ("a (#1) (#2)", 1), ("(#)(#2)", 2), ("(#x)(#2)", 2), ("(# 1)(#2)", 2), ("(#1 )(#2)", 2), ("(#1(#2)", 2), ("((#2)", 2), ("(#(#2)", 2),
        ("(#-1)", nil), ("#1)", nil), ("(1)", nil), ("(#1", nil), ("(#0)", 0), ("(#007)", 7), ("(#999999999999999999)", 999_999_999_999_999_999),
        ("(#1000000000000000000)", nil), ("(#1000000000000000000)(#3)", 3), ("(#0000000000000000001)", nil), ("\\u0028\\u0023\\u0031\\u0029", 1), ("é(#5)", 5), ("(\\n#5)", nil), ("(#١)", nil), ("(#5\\u0029", 5),
    ] as [(String, UInt64?)])
    func codeInMessage(message: String, expected: UInt64?) {
        #expect(answers("{\"message\":\"\(message)\"}")?.code == expected)
        #expect(answers("{\"data\":{\"errors\":[\"\(message)\"]}}")?.code == expected)
    }
}
