// `callback-receiver config`: check a configuration, or show the one in force.
//
// Promises: both read exactly what `serve` with the same flags would read, and start nothing.
// Must not know: how a configuration is found (ConfigurationOptions) or printed (ConfigurationListing).

import ArgumentParser
import Platform

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check or show the configuration.",
        discussion: "Keys, nested in YAML at the dots:\n\n" + Setting.all.map(\.documentation).joined(separator: "\n"),
        subcommands: [ConfigCheck.self, ConfigShow.self])

    func run() throws {
        throw ValidationError("config needs to know what to do; write config check, or config show")
    }
}

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say every problem of the configuration; exit 0 where there is none.")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let (resolution, filePath) = try options.resolve()
        for warning in resolution.warnings { StandardStream.error("callback-receiver: \(warning)\n") }
        StandardStream.output(filePath.map { "\(printable($0)): ok\n" } ?? "no configuration file: defaults\n")
    }
}

struct ConfigShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print every key, its value and where it comes from; what it prints is a configuration file, but for secrets.")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let (resolution, _) = try options.resolve()
        StandardStream.output(ConfigurationListing.text(of: resolution.entries) + resolution.unnamed.map { "# \($0)\n" }.joined())
    }
}
