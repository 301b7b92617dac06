// The command `callback-receiver`: its subcommands, its exit status, and how it says what went wrong.
//
// Promises: exit 0 after success, 64 for wrong usage, 78 for a wrong configuration (sysexits.h: EX_USAGE,
// EX_CONFIG), 1 for anything else; each problem one line on standard error, saying what to do.
// Must not know: what a subcommand does.

import ArgumentParser
import CallbackReceiver
import Platform

@main
struct Command: ParsableCommand {
    static let version = BuildInformation.version

    static let configuration = CommandConfiguration(
        commandName: "callback-receiver",
        abstract: "Keeps every delivery callback of Crisp's WhatsApp plugin and answers whether a message was sent.",
        discussion: """
            Every callback is on stable storage before it is acknowledged. Try it without any configuration:

              callback-receiver serve --listen 127.0.0.1:8080 --data-directory ./callback-data

            A flag wins over the environment (CALLBACK_RECEIVER_CALLBACK_LISTEN for callback.listen), that over \
            the configuration file, that over the default. "callback-receiver config show" prints every key with \
            its value and where it comes from.

            Exit status: 0 success, 64 wrong usage, 78 wrong configuration, 1 anything else.
            """,
        version: version,
        subcommands: [Serve.self, Config.self, Status.self, Follow.self, TokenCommand.self, Log.self])

    func run() throws {
        throw ValidationError("no command is given; write callback-receiver serve, or config check, or log verify")
    }

    /// The command or subcommand that arguments name, as it is typed.
    private static func named(by arguments: ArraySlice<String>) -> String {
        var (names, subcommands) = (["callback-receiver"], configuration.subcommands)
        for argument in arguments {
            guard let next = subcommands.first(where: { $0.configuration.commandName == argument }) else { break }
            names.append(argument)
            subcommands = next.configuration.subcommands
        }
        return names.joined(separator: " ")
    }

    /// There is one option of one letter, `-h`. The library takes `-dash` for `-d -a -s -h` and prints help, with an exit status
    /// that means success: of a request, that it was sent.
    private static func refuseClusters(_ arguments: ArraySlice<String>) throws {
        for argument in arguments {
            if argument == "--" { return }
            guard argument.hasPrefix("-"), !argument.hasPrefix("--"), argument.count > 2 else { continue }
            throw ValidationError("there is no option \(printable(argument)); write what begins with a dash behind --, as in status -- -ID")
        }
    }

    /// The library answers `help` for a command that there is not with help for what stands before it, as if that were meant.
    private static func refuseUnknownHelp(_ arguments: ArraySlice<String>) throws {
        guard arguments.first == "help" else { return }
        var subcommands = configuration.subcommands
        for argument in arguments.dropFirst() where !argument.hasPrefix("-") {
            guard let next = subcommands.first(where: { $0.configuration.commandName == argument }) else {
                throw ValidationError("there is no command \(printable(argument))")
            }
            subcommands = next.configuration.subcommands
        }
    }

    static func main() {
        do {
            try refuseClusters(CommandLine.arguments.dropFirst())
            try refuseUnknownHelp(CommandLine.arguments.dropFirst())
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            if !failure.lines.isEmpty { StandardStream.error(failure.lines.map { $0 + "\n" }.joined()) }
            exit(withError: ExitCode(failure.status))
        } catch {
            let code = exitCode(for: error)
            // Help and version: the library prints them on standard output.
            if code == .success { exit(withError: error) }
            let text = ErrorText.line(message(for: error))
            let remedy = code == .validationFailure ? "; see \(named(by: CommandLine.arguments.dropFirst())) --help" : ""
            // What is wrong with the arguments of `serve` stands in a unit, and nobody but the journal hears of it.
            let priority = CommandLine.arguments.dropFirst().first == Serve.configuration.commandName ? Serve.errorPriority : ""
            StandardStream.error("\(priority)callback-receiver: \(text)\(remedy)\n")
            exit(withError: code)
        }
    }
}

/// An end of the command that is not success.
struct CommandFailure: Error {
    /// EX_CONFIG of sysexits.h: something was found in an unconfigured or misconfigured state.
    static let configurationStatus: Int32 = 78
    static let generalStatus: Int32 = 1

    let status: Int32
    /// One line for each problem, without line feeds; none where they are said already.
    let lines: [String]

    /// The same with `prefix` before each line.
    func prefixed(_ prefix: String) -> CommandFailure { CommandFailure(status: status, lines: lines.map { prefix + $0 }) }

    static func configuration(_ problems: [Problem]) -> CommandFailure {
        CommandFailure(status: configurationStatus, lines: problems.map(\.line))
    }
}

enum ErrorText {
    /// The longest message that is repeated, in characters.
    private static let charactersMax = 400

    /// A message of others in one line that no terminal obeys.
    static func line(_ message: String) -> String {
        let words = message.split(whereSeparator: { $0.isNewline }).joined(separator: " ")
        return printable(String(words.prefix(charactersMax)))
    }
}
