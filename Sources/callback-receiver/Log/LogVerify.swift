// `callback-receiver log verify`: is the log what it should be?
//
// Promises: every line is read and its checksum computed, every sequence counted. Damage is one line each on
// standard output and exit status 1; what a crash tore off the end, or is just being written, is said and is no
// damage. Must not know: what is sound (CallbackLog).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import Platform

struct LogVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every line, every sequence and every index file of the log.",
        discussion: """
            Each damaged place is one line on standard output, with file, offset in bytes and the records that are \
            lost; the exit status is then 1. The end of the newest file may be torn (after a crash, until the server \
            starts again) or half written (while it runs): that is said, and is no damage, since nothing from there on \
            was acknowledged. An index file that is damaged is named likewise, with exit status 1; nothing is lost by it: \
            delete it, and the server makes it anew. How many are missing or outdated is said, and is no damage.

              callback-receiver log verify --data-directory ./callback-data
              callback-receiver log verify > report.txt || mail ops@example.com < report.txt
            """)

    @OptionGroup var location: LogLocation

    func run() throws {
        let log = try location.open()
        let bar = ProgressBar("verify", bytes: log.bytes)
        defer { bar.wipe() }
        var output = Output(goesOnUnread: true)
        do {
            let verdict = try Verification.run(log, withIndexes: true, bar, &output)
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
    private(set) var report = ScanReport()
    private var firstDamage: LogDamage?
    private var firstFinding: IndexFinding?
    /// Index files that are missing or outdated.
    private var outdated: IndexFinding?
    private var outdatedCount = 0

    /// Reads all of `log` and says each thing that it finds.
    static func run(_ log: LogInspection, withIndexes: Bool, _ bar: ProgressBar, _ output: inout Output) throws -> Verification {
        var verification = Verification()
        var scan = LogScan(log) { bar.pass($0) }
        var indexes = withIndexes ? IndexInspection(log) : nil
        var listed = 0
        do {
            for segment in log.segments {
                guard let damages = try scan.scanSegment(visit: { indexes?.note($0, $1) }) else { break }
                bar.wipe()
                for damage in damages { try output.say(damage.line) }
                listed += damages.count
                verification.firstDamage = verification.firstDamage ?? damages.first
                if scan.report.removed.last != segment.name {
                    try verification.say(indexes?.finding(on: segment, isDamaged: scan.isUnsound), to: &output)
                }
                try output.flush()
            }
            _ = try scan.scanSegment(visit: { _, _ in })
        } catch let failure as ScanFailure<Never> {
            throw failure.failure
        }
        verification.report = scan.report
        try verification.sayEnd(of: log, listed: listed, to: &output)
        return verification
    }

    private mutating func say(_ finding: IndexFinding?, to output: inout Output) throws {
        guard let finding else { return }
        guard finding.isDamage else {
            outdated = outdated ?? finding
            return outdatedCount += 1
        }
        firstFinding = firstFinding ?? finding
        try output.say(finding.line)
    }

    private func sayEnd(of log: LogInspection, listed: Int, to output: inout Output) throws {
        if report.damageCount > listed { try output.say("\(report.damageCount - listed) damaged places more") }
        if let outdated { try output.say(outdated.line + (outdatedCount > 1 ? "; and \(outdatedCount - 1) more like it" : "")) }
        if let tear = report.tear {
            try output.say(
                "\(tear.segment): byte \(tear.offset): torn by a crash, or being written just now; no damage: nothing from here on was acknowledged")
        }
        for name in log.tornNames { try output.say("\(name): kept from the tear of an earlier crash; no damage") }
    }

    /// What the command ends with, where the log is not what it should be.
    func failure(in path: String) -> CommandFailure? {
        if let firstDamage {
            let more = report.damageCount > 1 ? ", and \(report.damageCount - 1) more" : ""
            return .general(
                "\(path) is damaged: \(firstDamage.line)\(more); a server serves the rest. For a log without damage see callback-receiver log repair --help")
        }
        return firstFinding.map { .general("\(path): every record is sound, but \($0.line)") }
    }
}

extension ScanFailure<Never> {
    var failure: CommandFailure {
        switch self {
        case .system(let error): .unreadable(error)
        }
    }
}

extension IndexFinding {
    /// File, offset, and the remedy: one line.
    var line: String {
        switch fault {
        case .damaged(let offset?): "\(name): byte \(offset): damaged; delete it, the server makes it anew from the log"
        case .damaged(nil): "\(name): damaged: its records are not those of its segment; delete it, the server makes it anew from the log"
        case .unreadable(let error): "\(name): cannot be read: \(error.reason); delete it, the server makes it anew from the log"
        case .stale: "\(name): not of its segment as it is now; no damage: the server makes it anew"
        case .missing: "\(name): not there; no damage: the server makes it anew"
        }
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
