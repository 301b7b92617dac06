// `callback-receiver log export`: every request with its present status, for other programs and spreadsheets.
//
// Promises: one request a line, as `GET /v1/export` has it: oldest first by its newest record, each once, also one that was
// only announced; its status derived by the present decoder. Bounded memory, however long the log (RequestInspection).
// Must not know: how a line looks (StatusAnswer, StatusRow).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import CrispCallback
import Platform

struct LogExport: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, csv }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print every request with its present status, one a line.",
        discussion: """
            One request a line, oldest first by its newest record, announced ones included: the same members as the \
            delivery-status API answers; with csv their values, but for advice, as columns behind a header row, request_id first (RFC \
            4180). --since and --until are about the newest record, as updated_at says; --status is the request's, as the \
            present decoder sees it, and --class the class of its failure, by the present table.

            Memory is bounded: the log is read in windows of 524288 records, and as a whole once for each of them, \
            since only that tells which record is the newest of its request. A log with fewer records is read twice, \
            one with ten million 20 times.

              callback-receiver log export --format csv > requests.csv
              callback-receiver log export --format jsonl --status failed | jq .failure
            """)

    @OptionGroup var location: LogLocation

    @Option(help: ArgumentHelp("jsonl or csv.", valueName: "FORMAT"))
    var format: Format

    @Option(help: ArgumentHelp("Requests with this status only: sent, failed, unrecognized, pending or overdue.", valueName: "STATUS"))
    var status: Word<RequestStatus>?

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("Failed requests of this class only: \(Word<FailureClass>.allValueStrings.joined(separator: ", ")).", valueName: "CLASS"))
    var failureClass: Word<FailureClass>?

    @OptionGroup var times: TimeOptions

    func run() throws {
        let log = try location.open()
        // Beside results on the same terminal a bar would only be in the way.
        let isShown = Terminal.isAtStandardError && !Terminal.isAtStandardOutput
        let bar = ProgressBar("export", bytes: RequestInspection.plannedBytes(of: log), isShown: isShown)
        var output = Output()
        var requests = RequestInspection(log, since: times.since, until: times.until) { bar.pass($0) }
        var refused = 0
        let (format, wanted, wantedClass) = (format, status?.value, failureClass?.value)
        if format == .csv { StatusRow.appendHeader(to: &output.bytes) }
        do throws(ScanFailure<OutputEnd>) {
            let report = try requests.forEach { (request, payload, members) throws(OutputEnd) in
                var state = RequestState()
                do throws(CallbackRejection) {
                    try state.note(request, payload: payload, members: members)
                } catch {
                    refused += 1
                    return
                }
                guard let status = state.status, wanted ?? status == status else { return }
                if let wantedClass, state.reading?.verdict(payload)?.failureClass != wantedClass { return }
                let requestID = request.requestID.span
                switch format {
                case .jsonl:
                    StatusAnswer.append(requestID: requestID, state, status: status, payload: payload, to: &output.bytes)
                    output.bytes.append(0x0A)
                case .csv:
                    StatusRow.append(requestID: requestID, state, status: status, payload: payload, to: &output.bytes)
                }
                try output.lineEnded()
            }
            bar.wipe()
            DamageNotice.say(report, of: log)
        } catch {
            bar.wipe()
            if let failure = error.failure { throw failure }
            return
        }
        try output.finish()
        // Another decoder took them.
        if refused > 0 {
            StandardStream.error(
                "callback-receiver: \(Counted.text(refused, "request")) left out whose payload the present decoder refuses; see callback-receiver log redecode\n")
        }
    }
}
