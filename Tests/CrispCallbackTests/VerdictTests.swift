// What is said of failures: each code and each wording of the table, and of those who know nothing of either.

import CrispCallback
import Testing

/// The verdict on a failure as it comes: a payload with a message, and a code where there is one.
func verdict(_ message: String, code: UInt64? = nil) -> Verdict {
    VerdictTable.verdict(code: code, message: Array(message.utf8).span)
}

@Suite("the verdict on a failure")
struct VerdictTests {
    /// The classes that were asked for, code by code.
    private static let classes: [(FailureClass, [UInt64])] = [
        (.retryLater, [131049, 131000, 131016, 134101, 1, 2, 131057]),
        (.rateLimit, [131056, 130429, 80007, 131048, 4]),
        (.recipient, [131026, 130472, 131050, 131021, 131030]),
        (.template, [132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068, 132069]),
        (.request, [131047, 131051, 131053, 100, 131008, 131009, 135000]),
        (.account, [131031, 368, 190, 133010, 0, 3, 10, 33, 200, 201, 250, 299, 131005, 131037, 131045]),
        (.billing, [131042, 134011]),
    ]

    @Test("a code has its class, whatever the message says", arguments: classes)
    func codes(failureClass: FailureClass, codes: [UInt64]) {
        for code in codes {
            for message in ["", "nobody knows this", "Rate limit hit", "Template is paused"] {
                #expect(verdict(message, code: code).failureClass == failureClass, "\(code)")
            }
        }
    }

    @Test("a message that Meta chose not to deliver may go through after a day")
    func ecosystem() {
        let verdict = verdict("", code: 131049)
        #expect(verdict.isRetryable && verdict.retryAfterSeconds == 86_400)
        #expect(String(describing: verdict.advice).contains("at least a day"))
    }

    @Test(
        "a text without a code is known by its wording",
        arguments: [
            // As Crisp shows it.
            (
                "The message was not delivered because WhatsApp limited the number of marketing messages sent to this user, especially if they are less likely to engage with them. Please try again at a later time to send this message.",
                131049
            ),
            // As Meta's webhooks have it.
            ("This message was not delivered to maintain healthy ecosystem engagement.", 131049),
            ("In order to maintain a healthy ecosystem engagement, the message failed to be delivered.", 131049),
            ("User's number is part of an experiment", 130472),
            ("Failed to send message because this user’s phone number is part of an experiment", 130472),
            ("Message undeliverable", 131026), ("Message Undeliverable.", 131026), ("MESSAGE UNDELIVERABLE", 131026),
            ("Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp from your business", 131050),
            ("Message failed to send because there were one or more errors related to your payment method.", 131042),
            ("Business eligibility payment issue", 131042),
            ("Message failed to send because more than 24 hours have passed since the customer last replied to this number.", 131047),
            ("Spam Rate limit hit", 131048), ("Rate limit hit", 130429),
            ("(Business Account, Consumer Account) pair rate limit hit", 131056),
            ("Template name does not exist in the translation", 132001),
            ("Number of parameters does not match the expected number of params", 132000),
            ("Parameter format does not match format in the created template", 132012),
            ("Error validating access token: Session has expired on Friday", 190),
            ("Something went wrong", 131000), ("Service unavailable", 131016),
        ] as [(String, UInt64)])
    func wordings(message: String, code: UInt64) {
        let known = verdict("", code: code)
        let found = verdict(message)
        #expect(found.failureClass == known.failureClass && String(describing: found.advice) == String(describing: known.advice))
    }

    @Test("a code that no row knows leaves it to the wording")
    func unknownCode() {
        #expect(verdict("Template is paused", code: 987_654).failureClass == .template)
        #expect(verdict("Template is paused", code: 987_654_321_098_765_432).failureClass == .template)
    }

    @Test(
        "what no rule knows is unknown, not to be repeated, and to be read",
        arguments: ["", "nobody knows this", "corporate limit hits", "rate limit", "(#", "Vorlage pausiert", "\u{1F600}", "mediaupload error"])
    func unknown(message: String) {
        for code in [nil, 5, 32, 199, 300, 131_001, 132_017, UInt64.max] as [UInt64?] {
            let verdict = verdict(message, code: code)
            #expect(verdict.failureClass == .unknown && !verdict.isRetryable && verdict.retryAfterSeconds == nil)
            #expect(String(describing: verdict.advice).contains("read the message"))
        }
    }

    @Test(
        "a stored failure is judged by its code, its number in parentheses, its message; nothing else is judged",
        arguments: [
            (#"{"message":"no (#131049)"}"#, .retryLater), (#"{"message":"no","code":131026}"#, .recipient),
            (#"{"data":{"error":{"message":"Template is paused"}}}"#, .template), (#"{"error":"Template is paused"}"#, .template),
            (#"{"error":true,"reason":"Message undeliverable"}"#, .recipient), (#"{"error":true}"#, .unknown),
            (#"{"message":"Template is paused","code":190}"#, .account), (#"{"message":"Template is paused (#131049)"}"#, .retryLater),
            (#"{"message":"\u0054emplate \u0069s pau\u0073ed"}"#, .template), (#"{"message":"\ud800 Template is paused"}"#, .template),
            (#"{"whatsapp_message_id":"w"}"#, nil), (#"{}"#, nil),
        ] as [(String, FailureClass?)])
    func payloads(payload: String, failureClass: FailureClass?) throws {
        let payload = Array(payload.utf8)
        let reading = try CallbackReading(payload: payload.span)
        #expect(reading.verdict(payload.span)?.failureClass == failureClass)
    }
}
