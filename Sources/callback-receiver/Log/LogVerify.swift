// `callback-receiver log verify`: is the log what it should be?
//
// Promises: every line is read and its checksum computed, every sequence counted. Damage is one line each on
// standard output and exit status 1; what a crash tore off the end, or is just being written, is said and is no
// damage. Must not know: what is sound (CallbackLog).

import ArgumentParser
import CallbackLog
import Platform

struct LogVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every line, every sequence and every index file of the log.",
        discussion: """
            Each damaged place is one line on standard output, with file, offset in bytes and the records that are \
            lost; the exit status is then 1. The end of the newest file may be torn (after a crash, until the server \
            starts again) or half written (while it runs): that is said, and is no damage, since nothing from there on \
            was acknowledged.

              callback-receiver log verify --data-directory /var/lib/callback-receiver
              callback-receiver log verify > report.txt || mail -s "the log is damaged" ops@example.com < report.txt
            """)

    @OptionGroup var location: LogLocation

    func run() throws {
        let log = try location.open()
        let bar = ProgressBar("verify", bytes: log.bytes)
        defer { bar.wipe() }
        var output = Output(goesOnUnread: true)
        do {
            let verdict = try Verification.run(log, bar, &output)
            bar.wipe()
            try output.say(verdict.report.summary)
            try output.flush()
            if let failure = verdict.failure(in: log.path) { throw failure }
        } catch let end as OutputEnd {
            if let failure = end.failure { throw failure }
        }
    }
}

/// What a run over a log has found.
struct Verification {
    let report: ScanReport
    private let firstDamage: LogDamage?

    /// Reads all of `log` and says each thing that it finds.
    static func run(_ log: LogInspection, _ bar: ProgressBar, _ output: inout Output) throws -> Verification {
        var scan = LogScan(log) { bar.pass($0) }
        var first: LogDamage?
        var listed = 0
        do {
            while let damages = try scan.scanSegment() as [LogDamage]? {
                first = first ?? damages.first
                listed += damages.count
                if !damages.isEmpty { bar.wipe() }
                for damage in damages { try output.say(damage.line) }
                try output.flush()
            }
        } catch let error as SystemError {
            throw CommandFailure.unreadable(error)
        }
        let report = scan.report
        if report.damageCount > listed { try output.say("\(report.damageCount - listed) damaged places more") }
        if let tear = report.tear {
            try output.say(
                "\(tear.segment): byte \(tear.offset): torn by a crash, or being written just now; no damage: nothing from here on was acknowledged")
        }
        for name in log.tornNames { try output.say("\(name): kept from the tear of an earlier crash; no damage") }
        return Verification(report: report, firstDamage: first)
    }

    func failure(in path: String) -> CommandFailure? {
        guard let firstDamage else { return nil }
        let more = report.damageCount > 1 ? ", and \(report.damageCount - 1) more" : ""
        return .general(
            "\(path) is damaged: \(firstDamage.line)\(more); a server serves the rest. For a log without damage see callback-receiver log repair --help")
    }
}

extension LogDamage {
    /// File, offset, and what is lost: one line.
    var line: String {
        let place = "\(self.place.segment): byte \(self.place.offset): damaged"
        guard let lost else { return "\(place); no record is lost" }
        return lost.count == 1 ? "\(place), record \(lost.lowerBound) is lost" : "\(place), records \(lost.lowerBound) to \(lost.upperBound) are lost"
    }
}

extension ScanReport {
    /// `3 files, 1000 records (1 to 1002), 1 damaged place, 2 records lost`
    var summary: String {
        var text = "\(Counted.text(segments, "file")), \(Counted.text(records, "record"))"
        if let first, let last { text += " (\(first) to \(last))" }
        if damageCount == 0 { return text + ", no damage" }
        return text + ", \(Counted.text(damageCount, "damaged place")), \(Counted.text(Int(clamping: lostCount), "record")) lost"
    }
}
