// The tokens of a log directory, created, listed and revoked: beside a running server, and without one.
//
//     create, revoke:  mark ─▶ lock ─▶ read ─▶ write whole, sync, rename, sync
//
// Promises: two at once wait for each other; a crash leaves the old tokens or the new ones; what cannot be read is never
// replaced. Files belong to the directory's owner, or nothing is written: a server that could not read them would let
// nobody in. A key leaves this file once, in what `create` returns.
// Must not know: arguments, servers. The log's own lock is the server's; this takes another.

import CallbackLog
import CrispCallback
import Platform

/// Why tokens could not be read or changed. The text says what to do.
public struct TokenFailure: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do, for people.
    public let description: String
}

/// What a new token's owner needs.
public struct TokenCredentials: Sendable {
    /// The user of HTTP Basic.
    public let identifier: String
    /// Its password: shown once, kept nowhere.
    public let key: String
}

/// Reads and changes the file of tokens.
public struct TokenKeeper: Sendable {
    private let directory: OwnedDirectory

    /// Those of the log in `path`, where there may be none yet.
    /// - Parameter isCreating: makes the directory where it is missing.
    public init(_ path: String, isCreating: Bool) throws(TokenFailure) {
        do throws(SystemError) {
            if isCreating { _ = try SystemDirectory(creating: path) }
            directory = try OwnedDirectory(path)
        } catch {
            guard !error.isPermission else {
                throw TokenFailure(description: "\(error); run this as root, or as the user of the server")
            }
            throw TokenFailure(
                description: "\(error); name the directory of the log with --data-directory, or in the configuration as log.directory")
        }
    }

    /// Copies what says who may ask to another log's directory, which has nothing of it: tokens are needed for ever (API.md §4).
    /// - Returns: the names of what was copied.
    public static func copy(from source: String, to target: String) throws(SystemError) -> [String] {
        let (from, to) = (try OwnedDirectory(source), try OwnedDirectory(target))
        var copied: [String] = []
        // The mark first: without it a copy that was cut short would open the door.
        for name in [TokenFile.markName, TokenFile.name] where try from.contains(name) {
            try to.createIfMissing(name, holding: try from.read(name, bytesMax: TokenFile.bytesMax))
            copied.append(name)
        }
        return copied
    }

    /// In the order in which they were created.
    public func tokens() throws(TokenFailure) -> [Token] { try attempt { () throws(SystemError) in try read() } }

    /// Makes a token, durably. The key is in what comes back and nowhere else.
    /// - Parameter name: one that `Token.isName`.
    /// - Throws: where the directory is not the caller's, has no room for one more token, or cannot be written.
    public func create(name: String, scope: TokenScope, nowMilliseconds: Int64) throws(TokenFailure) -> TokenCredentials {
        precondition(Token.isName(name), "the caller has checked the name")
        try checkOwner()
        return try attempt { () throws(SystemError) in
            try directory.createIfMissing(TokenFile.markName, holding: Array(TokenFile.markText.utf8))
            let lock = try directory.lock(TokenFile.markName)
            defer { withExtendedLifetime(lock) {} }
            let outcome = try read()
            guard case .success(var tokens) = outcome else { return outcome.map { _ in TokenCredentials(identifier: "", key: "") } }
            guard tokens.count < TokenFile.tokensMax else {
                return .failure(
                    TokenFailure(description: "there are \(tokens.count) tokens, and no more than that; callback-receiver token revoke those that nobody uses"))
            }
            var generator = SystemRandomNumberGenerator()
            var number: UInt64
            repeat { number = generator.next() } while tokens.contains { $0.number == number }
            let key = Self.key(&generator)
            let token = Token(number: number, name: name, scope: scope, created: Timestamp(milliseconds: nowMilliseconds), digest: SHA256.digest(key.span))
            tokens.append(token)
            try directory.replace(TokenFile.name, with: TokenFile.text(of: tokens), unfinished: TokenFile.unfinishedName)
            return .success(TokenCredentials(identifier: token.identifier, key: String(decoding: key, as: UTF8.self)))
        }
    }

    /// - Returns: the token that is no more; nil where none has this identifier.
    public func revoke(_ identifier: String) throws(TokenFailure) -> Token? {
        try checkOwner()
        return try attempt { () throws(SystemError) in
            // Without a file there is nothing to revoke, and no mark to be made.
            guard try directory.contains(TokenFile.name) else { return .success(nil) }
            try directory.createIfMissing(TokenFile.markName, holding: Array(TokenFile.markText.utf8))
            let lock = try directory.lock(TokenFile.markName)
            defer { withExtendedLifetime(lock) {} }
            let outcome = try read()
            guard case .success(var tokens) = outcome else { return outcome.map { _ in nil } }
            guard let index = tokens.firstIndex(where: { $0.identifier == identifier }) else { return .success(nil) }
            let token = tokens.remove(at: index)
            try directory.replace(TokenFile.name, with: TokenFile.text(of: tokens), unfinished: TokenFile.unfinishedName)
            return .success(token)
        }
    }

    /// 128 random bits as hexadecimal digits.
    private static func key(_ generator: inout SystemRandomNumberGenerator) -> [UInt8] {
        var key: [UInt8] = []
        Hexadecimal.append((0..<Token.keyDigits / 2).map { _ in UInt8.random(in: 0...255, using: &generator) }, to: &key)
        return key
    }

    private func read() throws(SystemError) -> Result<[Token], TokenFailure> {
        guard try directory.contains(TokenFile.name) else { return .success([]) }
        let bytes = try directory.read(TokenFile.name, bytesMax: TokenFile.bytesMax + 1)
        do throws(TokenFileFault) {
            return .success(try TokenFile.parse(bytes.span))
        } catch {
            return .failure(
                TokenFailure(
                    description: "\(directory.path)/\(TokenFile.name) \(error); nobody is let in until it is put back from a copy, "
                        + "or removed and tokens are created anew"))
        }
    }

    private func checkOwner() throws(TokenFailure) {
        guard !directory.canGiveFiles else { return }
        throw TokenFailure(
            description: "\(directory.path) belongs to another user, whose server could not read the tokens; run this as that user or as root")
    }

    private func attempt<Value>(_ body: () throws(SystemError) -> Result<Value, TokenFailure>) throws(TokenFailure) -> Value {
        let outcome: Result<Value, TokenFailure>
        do throws(SystemError) {
            outcome = try body()
        } catch {
            let remedy = error.isOutOfSpace ? "make room on its disk" : "check the permissions of \(directory.path)"
            throw TokenFailure(description: "the tokens in \(directory.path) cannot be read or changed: \(error); \(remedy)")
        }
        return try outcome.get()
    }
}
