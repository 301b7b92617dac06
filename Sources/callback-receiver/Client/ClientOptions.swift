// Which server `status` and `follow` ask, and as whom.
//
// Promises: found as the server finds its own configuration: environment, then file, then default; no flag takes a secret.
// Must not know: what is asked.

import ArgumentParser
import Platform

/// What the keys below `client` decide.
struct ClientConfiguration: Sendable, Equatable {
    /// Nil: the server that the same configuration describes.
    var url: ServerURL?
    var tokenFile: String?
}

struct ClientOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file (YAML). Without it \(ConfigurationOptions.standardPath) is read where it exists.", valueName: "FILE"))
    var file: String?

    /// What they have in common, for their help.
    static let discussion = """
        It asks a running server through its API: client.url, else http:// and api.listen, with the token in the file that \
        client.token-file names, as "callback-receiver token create" prints it.
        """

    func client(_ interruption: Interruption) throws -> Client { try Self.client(file: file, interruption) }

    /// The server that the configuration names.
    static func client(file: String?, _ interruption: Interruption) throws -> Client {
        let configuration = try ConfigurationOptions.resolve(file: file, flags: []).resolution.configuration
        guard let url = configuration.client.url ?? ServerURL(listening: configuration.server.apiListen) else {
            throw CommandFailure.general("api.listen does not say which port the server has: it takes a free one, or systemd's; set client.url")
        }
        guard let path = configuration.client.tokenFile else { return Client(url: url, authorization: nil, interruption: interruption) }
        do throws(Refusal) {
            return Client(url: url, authorization: try ClientToken(path: path).authorization, interruption: interruption)
        } catch {
            throw CommandFailure.general("client.token-file: \(path) \(error.text)")
        }
    }
}

extension CommandFailure {
    /// What the server answered in place of what was asked for.
    static func refused(_ answer: ClientAnswer, by url: ServerURL) -> CommandFailure {
        let remedy =
            switch answer.status {
            case 401: "; name a file with a token of it in client.token-file"
            case 300..<400: "; set client.url to where the server itself is"
            default: ""
            }
        // A detail is a sentence, or some.
        let problem = remedy.isEmpty || !answer.problem.hasSuffix(".") ? answer.problem[...] : answer.problem.dropLast()
        return general("\(url.text) \(problem)\(remedy)")
    }

    static func unanswered(_ failure: ClientFailure, by url: ServerURL) -> CommandFailure {
        guard case .unanswered(let text) = failure else { return general("\(url.text): stopped") }
        return general("\(url.text) \(text); is callback-receiver serve running there? client.url says where to ask")
    }
}
