// `callback-receiver log repair`: what is sound of a damaged log, copied to a new directory.
//
// Promises: the log itself is only read. What was lost is listed, one line a place, and the copy is verified before
// the command says that it is done. Must not know: how the copy is written (LogCopy).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import Platform

struct LogRepair: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Copy what is sound to a new directory, and list what was lost.",
        discussion: """
            Never in place: the log is only read. The copy holds every sound record as it is, in files of the same names; \
            in the place of each lost one a record of the kind "lost", since sequences are dense and a missing one would be \
            damage again: a server opens the copy without complaint, and verify finds nothing. What a crash tore off the end was \
            never acknowledged and is no part of it. The log's identity is copied, so that ids of events stay what they are, and \
            so are the API's tokens, what was refused (quarantine) and torn off (….torn); index files are not (the server builds \
            them again), nor is anything else in the directory: it is named.

            Stop the server first: what arrives after this began is not in the copy. Then put the copy in the place of the \
            old directory, keep that one, and start the server.

              callback-receiver log repair --to ./callback-data.sound
            """)

    @OptionGroup var location: LogLocation

    @Option(help: ArgumentHelp("The directory of the copy: a new one, or an empty one.", valueName: "NEW_DIRECTORY"))
    var to: String

    func validate() throws {
        do throws(Refusal) {
            guard !to.isEmpty else { throw Refusal("has no value; write for example ./callback-data.sound") }
            try DirectoryPath.check(to)
        } catch {
            throw ValidationError("--to: \(error.text)")
        }
    }

    func run() throws {
        let log = try location.open()
        // The log is read twice, the copy once.
        let bar = ProgressBar("survey", bytes: 3 * log.bytes)
        defer { bar.wipe() }
        var output = Output(goesOnUnread: true)
        do {
            let survey = try Verification.run(log, withIndexes: false, bar, &output).report
            bar.label("copy")
            let copy: LogCopy
            do throws(LogCopyFailure) {
                copy = try LogCopy.make(of: log, survey: survey, to: to) { bar.pass($0) }
            } catch {
                throw CommandFailure.general("\(error)")
            }
            bar.label("verify")
            try check(bar, &output)
            bar.wipe()
            let copied = try copyBesides(log)
            for name in log.others where !LogCopy.isTaken(name) { try output.say("\(name): \(copied.contains(name) ? "copied" : "left behind")") }
            try output.say(
                "\(to): \(Counted.text(copy.segments, "file")), \(Counted.text(copy.records, "record")) copied, "
                    + "\(Counted.text(copy.lost, "record")) marked as lost; synchronized and verified")
            try output.flush()
        } catch let end as OutputEnd {
            if let failure = end.failure { throw failure }
        }
    }

    /// What is no log, and yet would be missed: without the tokens the API would be open again.
    private func copyBesides(_ log: LogInspection) throws -> Set<String> {
        do throws(SystemError) {
            var copied = Set(try TokenKeeper.copy(from: log.path, to: to))
            let (source, target) = (try SystemDirectory(reading: log.path), try SystemDirectory(reading: to))
            for name in log.tornNames where try source.copy(name, to: target) { copied.insert(name) }
            let quarantine = Quarantine.directoryName
            if log.others.contains(quarantine), let refused = try Self.refused(in: log.path + "/" + quarantine) {
                let kept = try target.directory(creating: quarantine)
                for name in try refused.names() { _ = try refused.copy(name, to: kept) }
                try kept.synchronize()
                copied.insert(quarantine)
            }
            try target.synchronize()
            return copied
        } catch {
            throw CommandFailure.general("\(to) is not complete: \(error); remove it and try again")
        }
    }

    /// The directory of refused bodies; nil where something else is called so, which is left behind. Throws where it is one and
    /// cannot be read, since a copy without it would not be whole.
    private static func refused(in path: String) throws(SystemError) -> SystemDirectory? {
        do throws(SystemError) {
            return try SystemDirectory(reading: path)
        } catch {
            guard error.isNotDirectory || error.isMissing else { throw error }
            return nil
        }
    }

    /// The copy as any other log.
    private func check(_ bar: ProgressBar, _ output: inout Output) throws {
        let copy: LogInspection
        do throws(InspectionFailure) {
            copy = try LogInspection(path: to)
        } catch {
            throw CommandFailure.general("\(error)")
        }
        let verdict = try Verification.run(copy, withIndexes: false, bar, &output)
        if let failure = verdict.failure(in: to) { throw failure }
    }
}

extension SystemDirectory {
    /// How much is read at once.
    private static let pieceBytes = 1 << 20

    /// Copies a file, durably but for its name. False where it is no regular file, and so none of a server's; throws where it
    /// is one and cannot be read, since a copy without it would not be whole.
    fileprivate func copy(_ name: String, to target: SystemDirectory) throws(SystemError) -> Bool {
        guard let size = try? size(of: name) else { return false }
        let file = try open(name)
        let copy = try target.create(name)
        var piece = [UInt8](repeating: 0, count: Int(min(Int64(Self.pieceBytes), size)))
        var position: Int64 = 0
        while position < size {
            let got = try file.read(at: position, count: piece.count, into: &piece, from: 0)
            if got == 0 { break }
            position += try copy.writeWhole(Array(piece[..<got]), at: position)
        }
        try copy.synchronizeData()
        return true
    }
}
