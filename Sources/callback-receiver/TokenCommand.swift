// `callback-receiver token`: who may ask the API; created, listed and revoked beside a running server or without one.
//
// Promises: a key stands on standard output once, when its token is created, and nowhere else. A running server takes up
// what is changed within a second. Must not know: how tokens are kept (TokenKeeper).

import ArgumentParser
import CallbackReceiver
import Platform

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Create, list and revoke tokens for the API.",
        discussion: """
            A program shows its token as HTTP Basic: the identifier is the user, the key the password. Until the first one is \
            created, the API answers this machine alone, without any; from then on it asks for one for ever. Tokens are kept \
            in the directory of the log, their keys as SHA-256 alone. It is found as serve does: --data-directory, else \
            log.directory of the configuration, else ./callback-data.
            """,
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self])

    func run() throws {
        throw ValidationError("token needs to know what to do; write token create, list or revoke")
    }
}

struct TokenCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a token: prints its identifier and, this once, its key, a line each.")

    @Option(help: ArgumentHelp("What it is for: up to 64 bytes, to know it by.", valueName: "NAME"))
    var name: String

    @Option(help: ArgumentHelp("read: ask. write: ask and announce. metrics: the metrics alone.", valueName: "read|write|metrics"))
    var scope = TokenScope.read

    @OptionGroup var location: LogLocation

    func validate() throws {
        guard Token.isName(name) else {
            throw ValidationError(
                "--name: is 1 to \(Token.nameBytesMax) bytes without quotation marks, backslashes and control characters")
        }
    }

    func run() throws {
        let path = try location.server().logDirectory
        let isNew = !WholeFile.exists(path)
        let credentials = try location.tokens(isCreating: true) { keeper throws(TokenFailure) in
            try keeper.create(name: name, scope: scope, nowMilliseconds: Clock.wallMilliseconds())
        }
        StandardStream.output("\(credentials.identifier)\n\(credentials.key)\n")
        let elsewhere = isNew ? "; \(printable(path)) was not there before: a server with another log.directory does not know this token" : ""
        StandardStream.error("callback-receiver: identifier and key of the token; the key is shown this once, so keep it now\(elsewhere)\n")
    }
}

struct TokenList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tokens: identifier, scope, when it was created, name.")

    @OptionGroup var location: LogLocation

    func run() throws {
        let tokens = try location.tokens(isCreating: false) { keeper throws(TokenFailure) in try keeper.tokens() }
        StandardStream.output(tokens.map(Self.line).joined())
        if tokens.isEmpty { StandardStream.error("callback-receiver: there is no token\n") }
    }

    private static func line(_ token: Token) -> String {
        let scope = token.scope.rawValue
        let padding = String(repeating: " ", count: max(0, 8 - scope.count))
        return "\(token.identifier)  \(scope)\(padding)\(token.created.text)  \(printable(token.name))\n"
    }
}

struct TokenRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a token. After the last one, the API answers nobody until another is created.")

    @Argument(help: ArgumentHelp("As token list shows it.", valueName: "IDENTIFIER"))
    var identifier: String

    @OptionGroup var location: LogLocation

    func run() throws {
        let revoked = try location.tokens(isCreating: false) { keeper throws(TokenFailure) in try keeper.revoke(identifier) }
        guard let revoked else {
            throw CommandFailure.general("no token has this identifier; callback-receiver token list shows those there are")
        }
        StandardStream.error("callback-receiver: the token \(printable(revoked.name)) is revoked\n")
    }
}

extension TokenScope: ExpressibleByArgument {}

extension LogLocation {
    /// What `body` makes of the tokens of the log that the configuration names.
    fileprivate func tokens<Value>(isCreating: Bool, _ body: (TokenKeeper) throws(TokenFailure) -> Value) throws -> Value {
        let path = try server().logDirectory
        do throws(TokenFailure) {
            return try body(try TokenKeeper(path, isCreating: isCreating))
        } catch {
            throw CommandFailure.general(error.description)
        }
    }
}
