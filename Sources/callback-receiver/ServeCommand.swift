// `callback-receiver serve`: from a checked configuration to a running server.
//
// Promises: nothing is opened or created before the whole configuration is found right. Standard output
// belongs to the server's "listening on" lines; all else goes to the log on standard error.
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
        let (resolution, filePath) = try options.resolve()
        let configuration = resolution.configuration
        let threshold = LogThreshold(configuration.logLevel)
        // systemd.exec(5): the journal takes an event's level from its line.
        let isJournal = StandardStream.isErrorJournal(Surroundings.environment["JOURNAL_STREAM"])
        LoggingSystem.bootstrap { _ in LineHandler(threshold: threshold, format: configuration.logFormat, hasPriority: isJournal) }
        let log = Logger(label: "callback-receiver")
        for warning in resolution.warnings { log.warning("\(warning)") }
        if filePath == nil { Self.sayDefaults(configuration.server, to: log) }
        try Server.run(configuration.server, logger: log)
    }

    /// Whoever tries it out must know where it listens and where the callbacks go.
    private static func sayDefaults(_ server: ServerConfiguration, to log: Logger) {
        log.notice(
            "no configuration file; running with defaults",
            metadata: [
                "callback.listen": "\(Listen.text(server.callbackListen))",
                "api.listen": "\(Listen.text(server.apiListen))",
                "log.directory": "\(server.logDirectory)",
            ])
    }
}
