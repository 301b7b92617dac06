// `callback-receiver log cat`: the log's lines as they are, those that one wants to see.
//
// Promises: each sound record is one line on standard output, byte for byte as it stands in the log; nothing else
// is printed there; what is passed over is told on standard error. Following ends quietly when the reader leaves, or with SIGINT.
// Must not know: where lines begin and end (CallbackLog).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import Platform

struct LogCat: ParsableCommand {
    /// How often the log is looked at again.
    private static let followMilliseconds: Int32 = 250

    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print the log's records, line by line as they are.",
        discussion: """
            Records in the order of the log, JSON Lines as in its files; checkpoints are left out. Filters are about \
            what the log recorded: --status is the status as it was decoded on arrival. The newest lines may not have \
            been acknowledged yet. Damaged lines are passed over, and standard error says how many places there are.

            With -f it goes on with what comes, also in new files, until the reader of the pipe leaves (exit status 0) \
            or SIGINT ends it (130 in the shell).

              callback-receiver log cat --request-id 6ea55176 | jq .payload
              callback-receiver log cat --status failed --since 2026-05-20
              callback-receiver log cat -f --since 2026-05-20T18:00:00Z | jq .status
            """)

    @OptionGroup var location: LogLocation

    @Option(help: ArgumentHelp("Records of this request only.", valueName: "ID"))
    var requestId: String?

    @Option(help: ArgumentHelp("Callbacks that had this status on arrival: sent, failed or unrecognized.", valueName: "STATUS"))
    var status: Word<RecordedStatus>?

    @Option(help: ArgumentHelp("Records of this kind: callback, announcement or overdue.", valueName: "KIND"))
    var kind: KindArgument?

    @OptionGroup var times: TimeOptions

    @Flag(name: [.short, .long], help: "Go on with what comes.")
    var follow = false

    private var filter: RecordFilter {
        var filter = RecordFilter()
        filter.requestID = requestId.map { Array($0.utf8) }
        filter.status = status?.value
        filter.kind = kind?.kind
        filter.since = times.since
        filter.until = times.until
        return filter
    }

    func run() throws {
        let log = try location.open()
        var output = Output()
        var damageCount = 0
        do throws(ScanFailure<OutputEnd>) {
            try print(log, to: &output, damageCount: &damageCount)
        } catch {
            if case .visitor(.done) = error {
                try output.finish()
            } else if let failure = error.failure {
                throw failure
            }
        }
        Self.tell(&damageCount)
    }

    /// Says what was passed over and not told yet.
    private static func tell(_ damageCount: inout Int) {
        guard damageCount > 0 else { return }
        StandardStream.error("callback-receiver: \(Counted.text(damageCount, "damaged place")) passed over; see callback-receiver log verify\n")
        damageCount = 0
    }

    private func print(_ log: LogInspection, to output: inout Output, damageCount: inout Int) throws(ScanFailure<OutputEnd>) {
        let filter = filter
        func show(_ record: InspectedRecord, _ bytes: Span<UInt8>, _ output: inout Output) throws(OutputEnd) {
            if filter.isPast(record) { throw .done }
            guard filter.takes(record, bytes) else { return }
            output.bytes.append(bytes)
            output.bytes.append(0x0A)
            try output.lineEnded()
        }
        let wanted = filter.since.map { log.since($0) } ?? log
        var scan = LogScan(follow ? wanted.sealed : wanted)
        while try scan.scanSegment(visit: { (record, bytes) throws(OutputEnd) in try show(record, bytes, &output) }) != nil {}
        damageCount = scan.report.damageCount
        do throws(OutputEnd) { try output.flush() } catch { throw .visitor(error) }
        guard follow else { return }
        var tail = LogTail(log)
        repeat {
            // As it comes: who ends this with SIGINT would not be told.
            Self.tell(&damageCount)
            let before = tail.unsoundCount
            defer { damageCount += tail.unsoundCount - before }
            try tail.advance { (record, bytes) throws(OutputEnd) in try show(record, bytes, &output) }
            do throws(OutputEnd) { try output.flush() } catch { throw .visitor(error) }
        } while !StandardOutput.waitForReaderToLeave(milliseconds: Self.followMilliseconds)
    }
}
