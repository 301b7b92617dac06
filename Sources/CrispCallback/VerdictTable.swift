// What each failure that WhatsApp and Crisp are known to report means: the whole table, and nothing but it.
//
// Promises: one row for a code; where sources disagree, Meta's own page has decided. Each row names its source in front:
//     M  Meta, "WhatsApp error codes", as of 2026-06-18, with the title that it has there
//        https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
//     E  an earlier edition of that page (…/docs/whatsapp/cloud-api/support/error-codes); the codes still come
//     L  Meta, "Per-user marketing template message limits", as of 2026-04-29 (…/templates/marketing-templates/per-user-limits)
//     G  Meta, "Handle Errors" of the Graph API, on which the Cloud API is built
//        https://developers.facebook.com/docs/graph-api/guides/error-handling
//     C  Crisp: what it showed in place of Meta's text
// A wait is Meta's own where the row says so; else it is ours: five minutes for what is down, an hour for a limit by the
// hour, a day for a limit whose end Meta does not tell.
// Must not know: payloads. How a failure finds its row is in `VerdictLookUp.swift`.

/// The verdicts.
public enum VerdictTable {
    /// Raised with every change of a row or a wording, so that what was derived under another version is derived anew
    /// (DESIGN invariant 6). A test knows the table of each version.
    public static let version: UInt32 = 1

    /// A row of the table: one code, or neighbours that Meta describes as one.
    struct Row: Sendable {
        let codes: ClosedRange<UInt64>
        let verdict: Verdict

        init(_ code: UInt64, _ verdict: Verdict) { self.init(code...code, verdict) }

        init(_ codes: ClosedRange<UInt64>, _ verdict: Verdict) {
            self.codes = codes
            self.verdict = verdict
        }
    }

    /// A text that names a failure without its code: whoever says this means that code.
    struct Wording: Sendable {
        /// In lower case. It is found where one of its words begins, in letters of either case.
        let text: StaticString
        let code: UInt64

        init(_ text: StaticString, _ code: UInt64) {
            self.text = text
            self.code = code
        }
    }

    /// Of a failure that no row knows.
    static let unknown = Verdict(
        .unknown, "This failure is not known here: read the message, and ask Crisp's support if it does not say what to do.")

    /// In ascending order; no code is in two.
    static let rows: [Row] = [
        // M: AuthException
        Row(0, Verdict(.account, "WhatsApp does not accept Crisp's access to the account any more: connect WhatsApp anew in Crisp.")),
        // M: API Unknown. "Invalid request or possible server error"
        Row(1, Verdict(.retryLater, after: 300, "WhatsApp failed without saying why: try again in some minutes, and if it goes on, show the message to whoever wrote the program that sends.")),
        // M: API Service
        Row(2, Verdict(.retryLater, after: 300, "WhatsApp is down or overloaded for the moment: try again in some minutes.")),
        // M: API Method
        Row(3, Verdict(.account, "WhatsApp says that a permission is missing: connect WhatsApp anew in Crisp and grant all that is asked for.")),
        // M: API Too Many Calls; limits of the Graph API are by the hour
        Row(4, Verdict(.rateLimit, after: 3_600, "Too much was asked of WhatsApp within an hour: wait an hour, and send more slowly.")),
        // M: Permission Denied
        Row(10, Verdict(.account, "WhatsApp says that a permission is missing or was taken away: connect WhatsApp anew in Crisp and grant all that is asked for.")),
        // G: API User Too Many Calls
        Row(17, Verdict(.rateLimit, after: 3_600, "Too much was asked of WhatsApp within an hour: wait an hour, and send more slowly.")),
        // M: Parameter value is not valid. "The business phone number has been deleted"
        Row(33, Verdict(.account, "The business's own number does not exist at WhatsApp any more: connect one that does in Crisp.")),
        // M: Invalid parameter
        Row(100, Verdict(.request, "WhatsApp did not understand the request: show the message to whoever wrote the program that sends.")),
        // G: API Session
        Row(102, Verdict(.account, "Crisp's access to the WhatsApp account has ended: connect WhatsApp anew in Crisp.")),
        // M: Access token has expired
        Row(190, Verdict(.account, "Crisp's access to the WhatsApp account has expired: connect WhatsApp anew in Crisp.")),
        // M: API Permission, 200 to 299
        Row(200...299, Verdict(.account, "WhatsApp says that a permission is missing or was taken away: connect WhatsApp anew in Crisp and grant all that is asked for.")),
        // G: Application limit reached
        Row(341, Verdict(.rateLimit, after: 3_600, "Too much was asked of WhatsApp within an hour: wait an hour, and send more slowly.")),
        // M: Temporarily blocked for policies violations
        Row(368, Verdict(.account, "WhatsApp has restricted the business account for breaking a rule: look in WhatsApp Manager which one, and ask for a review there.")),
        // M: Rate limit issues; limits of a business account are by the hour
        Row(80007, Verdict(.rateLimit, after: 3_600, "The WhatsApp account has used up what it may send in an hour: wait an hour, and send more slowly.")),
        // G: too many calls to this WhatsApp Business account
        Row(80008, Verdict(.rateLimit, after: 3_600, "The WhatsApp account has used up what it may ask in an hour: wait an hour, and send more slowly.")),
        // M: Rate limit hit; throughput is by the second
        Row(130429, Verdict(.rateLimit, after: 60, "Messages were sent faster than WhatsApp takes them: try again in a minute, and send more slowly.")),
        // M: User's number is part of an experiment. Its edition for On-Premises: "Skip sending messages to this user"
        Row(130472, Verdict(.recipient, "WhatsApp keeps marketing messages from this person as an experiment: sending again changes nothing, so reach the person another way or wait to be written to.")),
        // M: Business account is restricted from messaging users in this country
        Row(130497, Verdict(.account, "WhatsApp does not let this business write to people in that country: reach the person another way.")),
        // M: Something went wrong
        Row(131000, Verdict(.retryLater, after: 300, "WhatsApp failed without saying why: try again in some minutes.")),
        // M: Access denied
        Row(131005, Verdict(.account, "WhatsApp says that a permission is missing or was taken away: connect WhatsApp anew in Crisp and grant all that is asked for.")),
        // M: Required parameter is missing
        Row(131008, Verdict(.request, "The request lacks something that WhatsApp needs: show the message to whoever wrote the program that sends.")),
        // M: Parameter value is not valid
        Row(131009, Verdict(.request, "A value in the request is not allowed, which may be the phone number: check the number, then show the message to whoever wrote the program that sends.")),
        // M: Service unavailable
        Row(131016, Verdict(.retryLater, after: 300, "WhatsApp is out of service for the moment: try again in some minutes.")),
        // M: Recipient cannot be sender
        Row(131021, Verdict(.recipient, "The message was addressed to the business's own number: use the customer's.")),
        // M: Message undeliverable
        Row(131026, Verdict(.recipient, "WhatsApp cannot reach this number, which may not be on WhatsApp, be without its newest terms or have an old version: check the number, or reach the person another way.")),
        // E: Recipient phone number not in allowed list
        Row(131030, Verdict(.recipient, "The sending number is a test number and may write only to numbers on its list: add this one there, or send from the real number.")),
        // M: Account has been locked
        Row(131031, Verdict(.account, "WhatsApp has locked the business account: look in WhatsApp Manager for the reason and for what to do.")),
        // M: WhatsApp provided number needs display name approval before message can be sent
        Row(131037, Verdict(.account, "The business number's display name is not approved yet: see to it in WhatsApp Manager.")),
        // M: Business eligibility payment issue
        Row(131042, Verdict(.billing, "WhatsApp could not charge for the message: mend the payment method of the WhatsApp account in Meta's business settings, then send again.")),
        // M: Incorrect certificate. "Phone number registration error"
        Row(131045, Verdict(.account, "The business's number is not registered at WhatsApp as it should be: register it anew, then send again.")),
        // M: Re-engagement message
        Row(131047, Verdict(.request, "This person has not written for more than 24 hours, so that only a template may be sent: send one.")),
        // M: Spam rate limit hit. "Check your quality status"
        Row(131048, Verdict(.rateLimit, after: 86_400, "Too many people blocked or reported this number's messages, so that WhatsApp lets it send less: look at its quality in WhatsApp Manager, and send less for at least a day.")),
        // M, L: Meta chose not to deliver. "Wait at least 24 hours before resending"
        Row(131049, Verdict(.retryLater, after: 86_400, "WhatsApp spares this person further marketing messages for now: wait at least a day before sending it again.")),
        // M: User has stopped marketing messages. "Do not retry"
        Row(131050, Verdict(.recipient, "This person does not want marketing messages from the business: send none any more.")),
        // M: Unsupported message type
        Row(131051, Verdict(.request, "WhatsApp does not know this kind of message: show the message to whoever wrote the program that sends.")),
        // M: Media download error; it concerns a file that the customer sent
        Row(131052, Verdict(.request, "WhatsApp could not fetch the file that the customer sent: ask for it another way.")),
        // M: Media upload error
        Row(131053, Verdict(.request, "WhatsApp could not take the picture, video or document of the message: check that its address opens for everybody and that WhatsApp allows its type and size.")),
        // M: Method not allowed. "Only marketing template messages are supported"
        Row(131055, Verdict(.request, "Only marketing templates may be sent this way: show the message to whoever wrote the program that sends.")),
        // M: (Business Account, Consumer Account) pair rate limit hit
        Row(131056, Verdict(.rateLimit, after: 300, "Too many messages went to this one person in a short time: wait some minutes before the next; other people are not affected.")),
        // M: Business Account is in maintenance mode
        Row(131057, Verdict(.retryLater, after: 300, "WhatsApp is working on the business account: try again in some minutes.")),
        // M: marketing templates are turned off for the Cloud API
        Row(131063, Verdict(.account, "The WhatsApp account is set not to send marketing templates this way: change that setting, or ask Crisp's support.")),
        // M: message limit reached for template classification violations; it ends by itself
        Row(131064, Verdict(.rateLimit, after: 86_400, "WhatsApp lets this account send less since templates are in a wrong category: correct their categories, and send less until the limit ends.")),
        // M: Template Param Count Mismatch
        Row(132000, Verdict(.template, "The message has more or fewer values than the template has places: compare it with the template in WhatsApp Manager.")),
        // M: Template does not exist
        Row(132001, Verdict(.template, "There is no approved template of that name in that language: compare name and language with WhatsApp Manager.")),
        // M: Template Hydrated Text Too Long
        Row(132005, Verdict(.template, "With its values the text is too long: shorten the values, or the template in that language.")),
        // M: Template Format Character Policy Violated
        Row(132007, Verdict(.template, "The template's content breaks a rule of WhatsApp's: change it, and have it approved again.")),
        // M: Template Parameter Format Mismatch
        Row(132012, Verdict(.template, "A value is not of the kind that the template has in that place, such as text, picture or link: compare it with the template in WhatsApp Manager.")),
        // M: Template is Paused. "Edit the template … and try again once it is approved"
        Row(132015, Verdict(.template, "WhatsApp has paused the template since people did not like it: improve it in WhatsApp Manager, and send again once it is approved.")),
        // M: Template is Disabled
        Row(132016, Verdict(.template, "WhatsApp has turned the template off for good since people did not like it: make a new one with other content.")),
        // M: Template validation error
        Row(132018, Verdict(.template, "Something is wrong with the template's values: read the message, and compare them with the template in WhatsApp Manager.")),
        // M: Flow is blocked. "Correct the Flow"
        Row(132068, Verdict(.template, "WhatsApp has blocked the Flow behind the template's button: correct the Flow.")),
        // M: Flow is throttled. "10 messages using this flow were already sent in the last hour"
        Row(132069, Verdict(.template, after: 3_600, "WhatsApp lets only ten messages an hour use the Flow behind the template's button since it often fails: correct the Flow, or wait an hour.")),
        // M: Incomplete Deregistration
        Row(133000, Verdict(.account, "The business's number was not deregistered completely: deregister it again, then register it.")),
        // M: Server Temporarily Unavailable
        Row(133004, Verdict(.retryLater, after: 300, "WhatsApp is out of service for the moment: try again in some minutes.")),
        // M: Two step verification PIN Mismatch
        Row(133005, Verdict(.account, "The PIN of the business's number is wrong: set a new one in WhatsApp Manager.")),
        // M: Phone number Verification Needed
        Row(133006, Verdict(.account, "The business's number is not verified: verify and register it in WhatsApp Manager.")),
        // M: Too many two step verification PIN guesses
        Row(133008, Verdict(.account, "The PIN of the business's number was guessed too often: wait as long as the message says.")),
        // M: Two step verification PIN Guessed Too Fast
        Row(133009, Verdict(.account, "The PIN of the business's number was entered too fast: wait as long as the message says.")),
        // M: Phone number Not Registered
        Row(133010, Verdict(.account, "The business's number is not registered at WhatsApp: register it, then send again.")),
        // M: Please wait a few minutes before attempting to register this phone number. "Wait 5 minutes"
        Row(133015, Verdict(.account, after: 300, "The business's number was deleted a moment ago: wait five minutes before it is registered again.")),
        // M: Account register deregister rate limit exceeded; its page on registration counts over 72 hours
        Row(133016, Verdict(.rateLimit, after: 259_200, "The business's number was registered and deregistered too often: wait three days.")),
        // M: WhatsApp Payments terms of service has not been accepted
        Row(134011, Verdict(.billing, "The terms of WhatsApp Payments are not accepted for this account: accept them through the link in the message, then send again.")),
        // M: only marketing messages are supported
        Row(134100, Verdict(.request, "Only marketing templates may be sent this way: show the message to whoever wrote the program that sends.")),
        // M: template is still syncing. "Up to 10 minutes"
        Row(134101, Verdict(.retryLater, after: 600, "The template is new and not ready everywhere yet: try again in ten minutes.")),
        // M: template unavailable for use
        Row(134102, Verdict(.template, "WhatsApp could not make the template ready for marketing messages: ask Crisp's support whether the account may send them.")),
        // M: Generic user error. "Unknown error with the request parameters"
        Row(135000, Verdict(.request, "Something in the request is wrong, and WhatsApp does not say what: show the message to whoever wrote the program that sends.")),
        // M: the business phone number is in maintenance mode. "Try again in a few minutes"
        Row(2_494_100, Verdict(.retryLater, after: 300, "WhatsApp is working on the business's number: try again in some minutes.")),
    ]

    /// Where several stand in one text, the first of this list counts: what is special stands before what is general.
    static let wordings: [Wording] = [
        // C: "The message was not delivered because WhatsApp limited the number of marketing messages sent to this user,
        // especially if they are less likely to engage with them. Please try again at a later time to send this message."
        Wording("limited the number of marketing messages sent to this user", 131049),
        // M, titles and details, as its webhooks have them.
        Wording("maintain healthy ecosystem engagement", 131049),
        Wording("maintain a healthy ecosystem engagement", 131049),
        Wording("number is part of an experiment", 130472),
        Wording("stop receiving marketing messages", 131050),
        Wording("stopped marketing messages", 131050),
        Wording("spam rate limit hit", 131048),
        Wording("restrictions on how many messages can be sent from this phone number", 131048),
        Wording("pair rate limit hit", 131056),
        Wording("rate limit hit", 130429),
        Wording("message throughput has been reached", 130429),
        Wording("rate limit issues", 80007),
        Wording("application request limit reached", 4),
        Wording("re-engagement message", 131047),
        Wording("more than 24 hours have passed since", 131047),
        Wording("recipient phone number not in allowed list", 131030),
        Wording("recipient cannot be sender", 131021),
        Wording("message undeliverable", 131026),
        Wording("receiver is incapable of receiving this message", 131026),
        Wording("recipient is not a valid whatsapp user", 131026),
        Wording("eligibility payment issue", 131042),
        Wording("errors related to your payment method", 131042),
        Wording("payments terms of service", 134011),
        Wording("restricted from messaging users in this country", 130497),
        Wording("temporarily blocked for policies violations", 368),
        Wording("account has been locked", 131031),
        Wording("business account locked", 131031),
        Wording("error validating access token", 190),
        Wording("access token has expired", 190),
        Wording("invalid oauth access token", 190),
        Wording("needs display name approval", 131037),
        Wording("phone number registration error", 131045),
        Wording("incorrect certificate", 131045),
        Wording("phone number not registered", 133010),
        Wording("account not registered", 133010),
        Wording("in maintenance mode", 131057),
        Wording("number of parameters does not match", 132000),
        Wording("template name does not exist", 132001),
        Wording("translated text too long", 132005),
        Wording("template format character policy violated", 132007),
        Wording("parameter format does not match", 132012),
        Wording("template is paused", 132015),
        Wording("template is disabled", 132016),
        Wording("flow is blocked", 132068),
        Wording("flow is throttled", 132069),
        Wording("template syncing process", 134101),
        Wording("unsupported message type", 131051),
        Wording("message type is not currently supported", 131051),
        Wording("media download error", 131052),
        Wording("media upload error", 131053),
        Wording("required parameter is missing", 131008),
        Wording("parameter value is not valid", 131009),
        Wording("access denied", 131005),
        Wording("invalid parameter", 100),
        Wording("generic user error", 135000),
        Wording("server temporarily unavailable", 133004),
        Wording("service unavailable", 131016),
        Wording("something went wrong", 131000),
    ]
}
