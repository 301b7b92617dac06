// `callback-receiver status`: what became of a request, asked of a running server.
//
// Promises: the exit status says it (API.md §2), standard output says it to a person or, with --json, is the answer as it
// came. What it waits for is bounded by --wait; a server that is gone meanwhile is asked again.
// Must not know: how the server knows.

import ArgumentParser
import CallbackReceiver
import CrispCallback
import Platform

struct Status: ParsableCommand {
    /// A day: longer is a matter for `follow`.
    private static let waitSecondsMax = 86_400
    /// Between two questions where the first came back early.
    private static let pauseMilliseconds = 1_000

    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Ask a running server what became of a request.",
        discussion: """
            \(ClientOptions.discussion)

              callback-receiver status 6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e
              callback-receiver status --wait 60 --json 6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e | jq .failure.advice

            Exit status: 0 sent, 2 failed, 3 pending or overdue, 4 nothing is known of that id, 5 unrecognized, 1 no answer, \
            64 wrong usage, 78 wrong configuration.
            """)

    @Argument(help: ArgumentHelp("The request_id that Crisp answered the send with.", valueName: "REQUEST_ID"))
    var requestID: String

    @Option(help: ArgumentHelp("Wait so long for it to be sent, failed or unrecognized.", valueName: "SECONDS"))
    var wait = 0

    @Flag(help: "Print the server's answer, one line of JSON.")
    var json = false

    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard 1...CallbackBounds.requestIDBytesMax ~= requestID.utf8.count, requestID.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            throw ValidationError("REQUEST_ID is 1 to \(CallbackBounds.requestIDBytesMax) visible ASCII characters; write it as Crisp gave it")
        }
        guard 0...Self.waitSecondsMax ~= wait else {
            throw ValidationError("--wait is a number of seconds from 0 to \(Self.waitSecondsMax)")
        }
    }

    func run() throws {
        let client = try options.client(.none)
        let end = Clock.monotonicNanoseconds() + Int64(wait) * 1_000_000_000
        while true {
            let secondsLeft = Int(clamping: (end - Clock.monotonicNanoseconds() + 999_999_999) / 1_000_000_000)
            let outcome = ask(client, waitSeconds: min(max(0, secondsLeft), Parameters.waitMillisecondsMax / 1_000))
            guard end > Clock.monotonicNanoseconds(), outcome.mayChange else { return try finish(outcome, client) }
            let millisecondsLeft = Int(clamping: (end - Clock.monotonicNanoseconds()) / 1_000_000)
            _ = Interruption.none.sleep(milliseconds: min(Self.pauseMilliseconds, max(0, millisecondsLeft)))
        }
    }

    // MARK: One question

    private enum Outcome {
        case known(RequestStatus, AnswerObject, [UInt8])
        case nothingKnown
        case refused(ClientAnswer)
        case failed(ClientFailure)

        /// Whether it is worth asking again while there is time.
        var mayChange: Bool {
            switch self {
            case .known(let status, _, _): !status.isFinal
            case .nothingKnown, .failed: true
            case .refused(let answer): answer.status >= 500 || answer.status == 429
            }
        }
    }

    private func ask(_ client: Client, waitSeconds: Int) -> Outcome {
        let target = "/v1/requests/" + PercentEncoded.text(requestID) + (waitSeconds > 0 ? "?wait=\(waitSeconds)" : "")
        do throws(ClientFailure) {
            let answer = try client.get(target, milliseconds: waitSeconds * 1_000 + Client.answerMilliseconds)
            if answer.status == 404, answer.isAboutRequest { return .nothingKnown }
            guard answer.status == 200 else { return .refused(answer) }
            guard let object = AnswerObject(answer.body), let status = object.string("status").flatMap({ RequestStatus(name: $0.utf8) }) else {
                return .failed(.unanswered("answers what is no status of a request"))
            }
            return .known(status, object, answer.body)
        } catch {
            return .failed(error)
        }
    }

    private func finish(_ outcome: Outcome, _ client: Client) throws {
        switch outcome {
        case .known(let status, let object, let body):
            var output = Output()
            if json { output.bytes += body.filter { $0 != 0x0A } + [0x0A] }
            else { output.bytes += StatusText.text(of: object, status).utf8 }
            try output.finish()
            guard status.exitStatus == 0 else { throw CommandFailure(status: status.exitStatus, lines: []) }
        case .nothingKnown:
            throw CommandFailure(
                status: RequestStatus.nothingKnown, lines: ["callback-receiver: nothing is known of \(requestID) at \(client.url.text)"])
        case .refused(let answer): throw CommandFailure.refused(answer, by: client.url)
        case .failed(let failure): throw CommandFailure.unanswered(failure, by: client.url)
        }
    }
}

/// What the command ends with for each status of a request (API.md §2, §4).
extension RequestStatus {
    fileprivate static let nothingKnown: Int32 = 4

    fileprivate var exitStatus: Int32 {
        switch self {
        case .sent: 0
        case .failed: 2
        case .pending, .overdue: 3
        case .unrecognized: 5
        }
    }
}

/// RFC 3986 §2.3: what is not unreserved is written as `%XX`.
enum PercentEncoded {
    static func text(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
