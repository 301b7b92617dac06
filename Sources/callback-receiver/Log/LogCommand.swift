// `callback-receiver log`: the log looked at, checked, exported and rescued, without the server.
//
// Promises: all of it but requeue only reads the log, also while a server writes it; what has no end or a broken pipe ends
// quietly; a log that is not there or cannot be read is one line that says what to do.
// Must not know: what a line of the log looks like (CallbackLog).

import ArgumentParser
import CallbackLog
import CallbackReceiver
import Platform

struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Look at the log, check it, export it, rescue what is sound of it.",
        discussion: """
            All of these but requeue only read, beside a running server too, which does not notice. A record that was being written \
            at that moment may be missing. They find the log as serve does: --data-directory, else log.directory of \
            the configuration, else ./callback-data.
            """,
        subcommands: [LogVerify.self, LogCat.self, LogExport.self, LogRepair.self, LogRedecode.self, LogRequeue.self])

    func run() throws {
        throw ValidationError("log needs to know what to do; write log verify, cat, export, repair, redecode or requeue")
    }
}

/// Where the log is: the flags of serve that say so.
struct LogLocation: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file (YAML). Without it \(ConfigurationOptions.standardPath) is read where it exists.", valueName: "FILE"))
    var file: String?

    @Option(help: ArgumentHelp("Where the log of callbacks is kept. Default: ./callback-data.", valueName: "DIR"))
    var dataDirectory: String?

    private var flags: [FlagValue] {
        dataDirectory.map { [FlagValue(key: "log.directory", name: "--data-directory", text: $0)] } ?? []
    }

    func validate() throws { try ConfigurationOptions.check(flags) }

    /// What a server of this configuration would be told.
    func server() throws -> ServerConfiguration { try ConfigurationOptions.resolve(file: file, flags: flags).resolution.configuration.server }

    /// Looks at the log that the configuration names.
    func open() throws -> LogInspection {
        let path = try server().logDirectory
        do throws(InspectionFailure) {
            return try LogInspection(path: path)
        } catch {
            throw CommandFailure.general("\(error)")
        }
    }
}

extension CommandFailure {
    /// One line, exit status 1.
    static func general(_ text: String) -> CommandFailure {
        CommandFailure(status: generalStatus, lines: ["callback-receiver: \(printable(text))"])
    }

    static func unreadable(_ error: SystemError) -> CommandFailure { general("\(InspectionFailure.system(error))") }
}

extension ScanFailure<OutputEnd> {
    /// What ends the command; nil where only the reader went away.
    var failure: CommandFailure? {
        switch self {
        case .system(let error): .unreadable(error)
        case .visitor(let end): end.failure
        }
    }
}

/// The part of a log that `export` and `redecode` could not read, on standard error: verify names it.
enum DamageNotice {
    static func say(_ report: ScanReport, of log: LogInspection) {
        guard report.damageCount > 0 else { return }
        let places = Counted.text(report.damageCount, "damaged place")
        StandardStream.error(
            "callback-receiver: \(places) in \(printable(log.path)) passed over, \(Counted.text(report.lostCount, "record")) lost; see callback-receiver log verify\n")
    }
}
