// `callback-receiver follow`: each new event of a running server as one line of JSON.
//
// Promises: each event once, in order, written whole before the next is read; a connection that breaks is made again, with
// growing pauses, and goes on behind the last event that was written. Ends with 0 on SIGINT, SIGTERM, or when the reader of
// standard output leaves; with 1 where asking again cannot help. Trouble is told on standard error, once for each time.
// Must not know: what an event says.

import ArgumentParser
import Dispatch
import Platform

struct Follow: ParsableCommand {
    /// Pauses between attempts double from the first to the last.
    private static let pauseMillisecondsMin = 250
    private static let pauseMillisecondsMax = 15_000
    /// The server says something every 15 seconds (API.md §4): after three of them it is gone.
    private static let silenceMilliseconds = 45_000

    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Print each new event of a running server as one line of JSON.",
        discussion: """
            \(ClientOptions.discussion)

            A line is the request as of that record, as the API answers it; its sequence is the record's. Without --after it \
            begins with the next record. It reconnects by itself and goes on where it was; what is not there any more is said \
            on standard error.

              callback-receiver follow | jq -r 'select(.status == "failed") | [.request_id, .failure.class] | @tsv'
              callback-receiver follow --after 42

            It ends with SIGINT, SIGTERM, or when the reader of the pipe leaves. Exit status: 0 then, 1 where the server \
            refuses, 64 wrong usage, 78 wrong configuration.
            """)

    @Option(help: ArgumentHelp("Begin behind this event: its id, or a sequence.", valueName: "ID"))
    var after: String?

    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard let after else { return }
        guard UInt64(after) != nil || StreamPosition.ID(after) != nil else {
            throw ValidationError("--after is an event's id or a sequence; write for example 42, or 0 for all there is")
        }
    }

    func run() throws {
        let stop = try Wakeup()
        let signals = SignalListener(SignalListener.terminationSignals, queue: DispatchQueue(label: "signals")) { _ in stop.signal() }
        defer { withExtendedLifetime(signals) {} }
        let interruption = Interruption(wakeup: stop, watchesOutput: true)
        let client = try options.client(interruption)
        var output = Output()
        var position = StreamPosition()
        var pause = Self.pauseMillisecondsMin
        var isInTrouble = false
        while true {
            let end = follow(client, &position, &output) {
                if isInTrouble { Self.say("\(client.url.text) answers again") }
                isInTrouble = false
                pause = Self.pauseMillisecondsMin
            }
            var trouble: String
            var pauseAsked = 0
            switch end {
            case .stopped: return
            case .output(let end):
                if let failure = end.failure { throw failure }
                return
            case .refused(let answer):
                guard answer.status >= 500 || answer.status == 429 || answer.status == 408 else {
                    throw CommandFailure.refused(answer, by: client.url)
                }
                trouble = answer.problem
                pauseAsked = (answer.retryAfterSeconds ?? 0) * 1_000
            case .broken(let text): trouble = text
            }
            if !isInTrouble { Self.say("\(client.url.text) \(trouble); trying again until it answers") }
            isInTrouble = true
            if interruption.sleep(milliseconds: max(pause, pauseAsked)) { return }
            pause = min(2 * pause, Self.pauseMillisecondsMax)
        }
    }

    /// What a connection ended with.
    private enum End {
        case stopped
        case output(OutputEnd)
        case refused(ClientAnswer)
        /// The end of a sentence that begins with the server's URL.
        case broken(String)
    }

    private func follow(_ client: Client, _ position: inout StreamPosition, _ output: inout Output, whenHeard: () -> Void) -> End {
        do throws(ClientFailure) {
            return try read(client, &position, &output, whenHeard: whenHeard)
        } catch {
            if case .unanswered(let text) = error { return .broken(text) }
            return .stopped
        }
    }

    private func read(
        _ client: Client, _ position: inout StreamPosition, _ output: inout Output, whenHeard: () -> Void
    ) throws(ClientFailure) -> End {
        let target = position.lastID == nil ? after.map { "?after=" + PercentEncoded.text($0) } ?? "" : ""
        let stream = try client.open(
            "/v1/events" + target, accept: "text/event-stream", fields: position.lastID.map { [("Last-Event-ID", $0)] } ?? [],
            milliseconds: Client.answerMilliseconds)
        guard stream.status == 200 else { return .refused(try stream.whole(milliseconds: Client.answerMilliseconds)) }
        var events = EventReader()
        while true {
            let bytes = stream.takeBody()
            if !bytes.isEmpty { whenHeard() }
            if let end = show(bytes, &events, &position, &output) { return end }
            position.begin(at: events.lastID)
            if stream.isDone { return .broken("ends the stream") }
            try stream.advance(milliseconds: Self.silenceMilliseconds)
        }
    }

    /// Writes the events that `bytes` ends, all of them before more is read.
    private func show(_ bytes: [UInt8], _ events: inout EventReader, _ position: inout StreamPosition, _ output: inout Output) -> End? {
        do throws(EventFailure<OutputEnd>) {
            try events.take(bytes) { (event) throws(OutputEnd) in
                switch position.take(event) {
                case .show(let line):
                    output.bytes += line
                    output.bytes.append(0x0A)
                    try output.lineEnded()
                case .tell(let text): Self.say(text)
                case .nothing: break
                }
            }
        } catch {
            switch error {
            case .tooLong: return .broken("sends an event that is too long")
            case .visitor(let end): return .output(end)
            }
        }
        do throws(OutputEnd) { try output.flush() } catch { return .output(error) }
        return nil
    }

    private static func say(_ text: String) { StandardStream.error("callback-receiver: \(printable(text))\n") }
}
