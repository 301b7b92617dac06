// `callback-receiver serve`: from a checked configuration to a running server.
//
// Promises: nothing is opened or created before the whole configuration is found right. Standard output
// belongs to the server's "listening on" lines; all else goes to the log on standard error, and nobody waits for whoever reads it
// (LineQueue). Why there is no server, the service manager is told as well, and the journal takes it for an error.
// Must not know: how the server works.

import ArgumentParser
import CallbackReceiver
import Logging
import Platform

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Receive callbacks and answer the delivery-status API.",
        discussion: """
            Without a configuration file it listens on 127.0.0.1:8080 and keeps its log in ./callback-data.
            Every address it listens on is one line on standard output; the log goes to standard error.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        // Before there are threads.
        let environment = ServiceEnvironment.take()
        SignalListener.block(Server.signals)
        let (resolution, filePath) = try resolve(environment)
        let configuration = resolution.configuration
        let threshold = LogThreshold(configuration.logLevel)
        let handler = LineHandler(threshold: threshold, format: configuration.logFormat, hasPriority: Self.isJournal, write: StandardStream.error)
        let lines = LineQueue(write: StandardStream.error) { count in
            handler.line(.warning, "lines are missing here: nobody read standard error", ["lines": .stringConvertible(count)])
        }
        defer { lines.flush() }
        LoggingSystem.bootstrap { _ in handler.writing(to: lines.append) }
        let log = Logger(label: "callback-receiver")
        for warning in resolution.warnings { log.warning("\(warning)") }
        if filePath == nil { Self.sayDefaults(configuration.server, to: log) }
        let service = ServiceManager(environment, logger: log)
        defer { service.end() }
        do throws(ServerFailure) {
            try Server.run(configuration.server, in: environment, service: service, logger: log) { [options] () throws(RereadFailure) in
                try Self.reread(options, Reloading(started: resolution), threshold, log)
            }
        } catch {
            service.failed(error.description)
            // Behind what was logged, and as patient as that.
            lines.append("\(Self.errorPriority)callback-receiver: \(ErrorText.line(error.description))\n")
            throw CommandFailure(status: error.isAboutConfiguration ? CommandFailure.configurationStatus : CommandFailure.generalStatus, lines: [])
        }
    }

    /// systemd.exec(5): the journal takes a line's level from the line.
    private static var isJournal: Bool { StandardStream.isErrorJournal(Surroundings.environment["JOURNAL_STREAM"]) }

    /// Before a line that says why there is no server: `journalctl -p err` is where an operator looks when a service restarts
    /// again and again. Empty where something else reads standard error.
    static var errorPriority: String { isJournal ? "<\(Logger.Level.error.priority)>" : "" }

    /// The configuration; where it is wrong, the service manager hears of the first problem before this throws.
    private func resolve(_ environment: ServiceEnvironment) throws -> (resolution: Resolution, filePath: String?) {
        do {
            return try options.resolve()
        } catch let failure as CommandFailure {
            // How lines of the log are written is not known.
            let service = ServiceManager(environment, logger: Logger(label: "callback-receiver") { _ in SwiftLogNoOpLogHandler() })
            let others = failure.lines.count > 1 ? " (and \(failure.lines.count - 1) more)" : ""
            service.failed("the configuration is wrong: " + ErrorText.line(failure.lines.first ?? "") + others)
            service.end()
            throw failure.prefixed(Self.errorPriority)
        }
    }

    private static func reread(
        _ options: ConfigurationOptions, _ reloading: Reloading, _ threshold: LogThreshold, _ log: Logger
    ) throws(RereadFailure) -> RereadConfiguration {
        let fresh: Resolution
        do {
            fresh = try options.resolve().resolution
        } catch let failure as CommandFailure {
            throw RereadFailure(problems: failure.lines)
        } catch {
            throw RereadFailure(problems: ["\(error)"])
        }
        let (configuration, keys) = try reloading.effective(fresh)
        return RereadConfiguration(server: configuration.server, keysForRestart: keys) {
            threshold.level = configuration.logLevel
            for warning in fresh.warnings { log.warning("\(warning)") }
        }
    }

    /// Whoever tries it out must know where it listens and where the callbacks go.
    private static func sayDefaults(_ server: ServerConfiguration, to log: Logger) {
        log.notice(
            "no configuration file; running with defaults",
            metadata: [
                "callback.listen": "\(server.callbackListen.text)",
                "api.listen": "\(server.apiListen.text)",
                "log.directory": "\(server.logDirectory)",
            ])
    }
}
