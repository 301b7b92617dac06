// API §3, the table of outcomes and the rules for failure message, reason and code.
//
// Promises: each row of the table has a case that only that row explains.
// Must not know: verdict classes, which are a table of their own.

import Testing
import TestSupport

@Suite("Outcome of a callback")
struct OutcomeTests {
    @Test(
        "the outcome is the first rule that holds",
        arguments: [
            // The error of a place: true, an object or a non-empty string.
            (#""error":true"#, "failed"), (#""error":{}"#, "failed"), (#""error":{"code":1}"#, "failed"),
            (#""error":"boom""#, "failed"), (#""data":{"error":true}"#, "failed"), (#""data":{"error":"boom"}"#, "failed"),
            (#""data":{"error":{}}"#, "failed"), (#""error":false,"data":{"error":true}"#, "failed"),
            (#""error":true,"whatsapp_message_id":"w""#, "failed"),
            (#""whatsapp_message_id":"w","data":{"error":{}}"#, "failed"),
            // Not errors.
            (#""error":false"#, "unrecognized"), (#""error":"""#, "unrecognized"), (#""error":[]"#, "unrecognized"),
            (#""error":["x"]"#, "unrecognized"), (#""error":1"#, "unrecognized"), (#""error":0"#, "unrecognized"),
            (#""error":null"#, "unrecognized"), (#""error":false,"whatsapp_message_id":"w""#, "sent"),
            // The errors array stands in where error is absent or null.
            (#""errors":[true]"#, "failed"), (#""errors":[{"code":1}]"#, "failed"), (#""errors":["boom"]"#, "failed"),
            (#""error":null,"errors":[{}]"#, "failed"), (#""data":{"errors":[{}]}"#, "failed"),
            (#""errors":[]"#, "unrecognized"), (#""errors":[null,{}]"#, "unrecognized"), (#""errors":[[]]"#, "unrecognized"),
            (#""errors":{}"#, "unrecognized"), (#""errors":"boom""#, "unrecognized"), (#""errors":true"#, "unrecognized"),
            (#""error":false,"errors":[{}]"#, "unrecognized"), (#""error":"","errors":[{}]"#, "unrecognized"),
            (#""errors":[{}],"whatsapp_message_id":"w""#, "failed"),
            // Sent, then message, then nothing.
            (#""whatsapp_message_id":"w""#, "sent"), (#""data":{"whatsapp_message_id":"w"}"#, "sent"),
            (#""whatsapp_message_id":"w","message":"m""#, "sent"), (#""message":"m""#, "failed"),
            (#""data":{"message":"m"}"#, "failed"), (#""message":"""#, "unrecognized"), (#""message":5"#, "unrecognized"),
            (#""message":{"text":"m"}"#, "unrecognized"), (#""reason":"r""#, "unrecognized"), (#""code":5"#, "unrecognized"),
            (#""session_id":"s""#, "unrecognized"), (#""error":true,"error":false"#, "unrecognized"),
            (#""error":false,"error":true"#, "failed"),
        ])
    func outcome(members: String, status: String) throws {
        let object = try delivered(#"{"request_id":"$ID",\#(members)}"#)
        #expect(object.string("status") == status)
        #expect((object["failure"] == "null") == (status != "failed"))
    }

    @Test(
        "the failure message is the first usable of message, the error's message, the error, reason",
        arguments: [
            (#""error":true,"message":"top","data":{"message":"data","error":{"message":"e"}},"reason":"r""#, "top"),
            (#""error":{"message":"e"},"message":"","data":{"message":"data"},"reason":"r""#, "data"),
            (#""error":{"message":"e"},"data":{"error":{"message":"de"}},"reason":"r""#, "e"),
            (#""error":{"message":""},"data":{"error":{"message":"de"}},"reason":"r""#, "de"),
            (#""error":"text","data":{"error":{"message":"de"}},"reason":"r""#, "de"),
            (#""error":"text","data":{"error":"data text"},"reason":"r""#, "text"),
            (#""error":true,"data":{"error":"data text"},"reason":"r""#, "data text"),
            (#""error":true,"reason":"r","data":{"reason":"dr"}"#, "r"),
            (#""error":true,"reason":"","data":{"reason":"dr"}"#, "dr"),
            (#""errors":[{"message":"first"},{"message":"second"}]"#, "first"),
            (#""errors":["first text","second"]"#, "first text"),
            (#""error":true,"message":"ünïcode \"q\" \\ \/ \t \ud83d\ude00""#, "ünïcode \"q\" \\ / \t 😀"),
            (#""error":true,"message":"a\ud83d b""#, "a\u{FFFD} b"), (#""error":true,"message":"\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
        ])
    func message(members: String, message: String) throws {
        let failure = try #require(try delivered(#"{"request_id":"$ID",\#(members)}"#).object("failure"))
        #expect(failure.string("message") == message)
    }

    @Test("without any text the failure message and reason are null")
    func noMessage() throws {
        let failure = try #require(try delivered(#"{"request_id":"$ID","error":true,"message":1,"reason":[]}"#).object("failure"))
        #expect(failure["message"] == "null")
        #expect(failure["reason"] == "null")
        #expect(failure["code"] == "null")
    }

    @Test("the failure reason is the first usable reason")
    func reason() throws {
        let top = try delivered(#"{"request_id":"$ID","error":true,"reason":"r","data":{"reason":"dr","message":"m"}}"#)
        #expect(top.object("failure")?.string("reason") == "r")
        #expect(top.object("failure")?.string("message") == "m")
        let data = try delivered(#"{"request_id":"$ID","error":true,"reason":"","data":{"reason":"dr"}}"#)
        #expect(data.object("failure")?.string("reason") == "dr")
    }

    @Test(
        "the code is the first usable code, else the number in the message",
        arguments: [
            (#""error":true,"code":131049"#, "131049"), (#""error":true,"code":"131049""#, "131049"),
            (#""error":true,"code":0"#, "0"), (#""error":true,"code":123456789012345678"#, "123456789012345678"),
            (#""error":true,"code":"123456789012345678""#, "123456789012345678"),
            (#""error":true,"code":1234567890123456789"#, "null"), (#""error":true,"code":"1234567890123456789""#, "null"),
            (#""error":true,"code":-5"#, "null"), (#""error":true,"code":5.0"#, "null"), (#""error":true,"code":5e1"#, "null"),
            (#""error":true,"code":"05""#, "null"), (#""error":true,"code":true"#, "null"),
            (#""error":{"code":7},"code":-5,"data":{"code":6,"error":{"code":8}}"#, "6"),
            (#""error":{"code":7},"data":{"error":{"code":8}}"#, "7"), (#""error":{"code":""},"data":{"error":{"code":8}}"#, "8"),
            (#""error":true,"errors":[{"code":9}]"#, "null"), (#""errors":[{"code":"9"},{"code":10}]"#, "9"),
            (#""error":{"message":"(#12) limit"},"code":5"#, "5"),
            (#""message":"failed (#131049) because (#5)""#, "131049"), (#""error":"x (#77)""#, "77"), (#""error":true,"reason":"(#78)""#, "78"),
            (#""message":"(#) (# 5) (#5 ) (#x) #6 (7) (#8)""#, "8"), (#""message":"(#123456789012345678)""#, "123456789012345678"),
            (#""message":"(#1234567890123456789) then (#9)""#, "9"), (#""message":"(#(#10)""#, "10"), (#""message":"(#131049""#, "null"),
            (#""message":"\u0028\u0023131049\u0029""#, "131049"), (#""message":"(#-5)""#, "null"),
            (#""error":true,"message":"no number","reason":"(#5)""#, "null"),
        ])
    func code(members: String, code: String) throws {
        let failure = try #require(try delivered(#"{"request_id":"$ID",\#(members)}"#).object("failure"))
        #expect(failure["code"] == code)
    }

    @Test("identifiers are answered wherever usable, whatever the outcome")
    func identifiersOfFailure() throws {
        let status = try delivered(
            #"{"error":true,"data":{"request_id":"$ID","whatsapp_message_id":"w","session_id":"s","crisp_fingerprint":"12"}}"#)
        #expect(status.string("status") == "failed")
        #expect(status.string("whatsapp_message_id") == "w")
        #expect(status.string("session_id") == "s")
        #expect(status["crisp_fingerprint"] == "12")
    }
}
