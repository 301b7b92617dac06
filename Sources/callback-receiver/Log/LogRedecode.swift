// `callback-receiver log redecode`: which callbacks the present decoder sees otherwise than the one on arrival did.
//
// Promises: one JSON line each; exit 0 whether there are any or none. Nothing is changed: answers are derived by
// the present decoder anyhow. Must not know: what a payload means (CrispCallback).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import CrispCallback
import Platform

struct LogRedecode: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redecode", abstract: "List the callbacks whose status the present decoder sees otherwise than on arrival.",
        discussion: """
            One JSON line each on standard output: where the record stands, "recorded" as decoded on arrival, "present" as \
            the present decoder (version \(CallbackDecoder.version)) has it, null where it would refuse the payload. A summary goes to standard \
            error. The exit status is 0 whether there are any or none: the delivery-status API always answers with the \
            present status.

              callback-receiver log redecode | jq -r '.request_id + " " + .present'
            """)

    @OptionGroup var location: LogLocation

    func run() throws {
        let log = try location.open()
        let bar = ProgressBar("redecode", bytes: log.bytes, isShown: Terminal.isAtStandardError && !Terminal.isAtStandardOutput)
        var output = Output()
        var scan = LogScan(log) { bar.pass($0) }
        var (callbacks, differing) = (0, 0)
        do throws(ScanFailure<OutputEnd>) {
            while try scan.scanSegment(visit: { (record, bytes) throws(OutputEnd) in
                guard let recorded = record.status else { return }
                callbacks += 1
                let present = (try? CallbackReading(payload: bytes.extracting(record.payload)))?.status.name
                guard present != recorded.name else { return }
                differing += 1
                Self.append(record, bytes, recorded: recorded.name, present: present, to: &output.bytes)
                try output.lineEnded()
            }) != nil {}
        } catch {
            bar.wipe()
            if let failure = error.failure { throw failure }
            return
        }
        bar.wipe()
        try output.finish()
        DamageNotice.say(scan.report, of: log)
        StandardStream.error(
            "\(Counted.text(callbacks, "callback")), \(differing) seen otherwise by decoder version \(CallbackDecoder.version)\n")
    }

    private static func append(_ record: InspectedRecord, _ bytes: Span<UInt8>, recorded: String, present: String?, to line: inout [UInt8]) {
        var requestID: [UInt8] = []
        record.appendRequestID(of: bytes, to: &requestID)
        line.append(contentsOf: "{\"segment\":\"\(record.segment)\",\"offset\":\(record.offset),\"sequence\":\(record.sequence),\"received_at\":\"".utf8)
        record.receivedAt.append(to: &line)
        line.append(contentsOf: "\",\"request_id\":".utf8)
        JSONString.append(utf8: requestID.span, to: &line)
        line.append(contentsOf: ",\"recorded\":\"\(recorded)\",\"present\":\(present.map { "\"\($0)\"" } ?? "null")}\n".utf8)
    }
}
