// A token of the API as a user makes it: with the command, beside a running server or before it starts.
//
// Promises: identifier and key are what the command printed, in that order.
// Must not know: where tokens are kept.

import Foundation
import TestSupport

struct Token {
    let identifier: String
    let key: String

    /// The field that proves it (RFC 7617 §2).
    var field: String { Self.field(identifier, key) }

    static func field(_ identifier: String, _ key: String) -> String {
        "Authorization: Basic " + Data("\(identifier):\(key)".utf8).base64EncodedString()
    }

    /// `token create`.
    static func create(in directory: TemporaryDirectory, name: String = "test", scope: String? = nil) throws -> Token {
        let run = try command(["create", "--name", name] + (scope.map { ["--scope", $0] } ?? []), in: directory)
        let words = run.output.split { $0.isWhitespace }.filter { $0.count >= 16 }
        guard run.status == .exited(0), words.count == 2 else { throw TestFailure.unreadable("token create: \(run)") }
        return Token(identifier: String(words[0]), key: String(words[1]))
    }

    /// `token` with these arguments.
    static func command(_ arguments: [String], in directory: TemporaryDirectory) throws -> (status: ExitStatus, output: String, error: String) {
        try runToExit(["token"] + arguments + ["--data-directory", directory.path])
    }
}

extension ServerProcess {
    /// GET with a token.
    func get(_ target: String, _ token: Token) throws -> Answer { try exchange(requestBytes("GET", target, fields: [token.field])) }
}
