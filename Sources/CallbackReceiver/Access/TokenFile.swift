// The file of tokens in the log directory: what stands in it, and nothing that asks for it.
//
// JSON Lines, one token a line, each exactly so, in the order in which they were created:
//
//     {"id":"1f0c77aa90e3b2d4","name":"support","scope":"read","created":"2026-05-20T18:20:25.031Z","sha256":"9f86d081…"}
//
//     id       16 lower-case hexadecimal digits
//     name     Token.isName: nothing in it needs an escape
//     scope    read, write or metrics
//     created  RFC 3339 in UTC with milliseconds, 24 bytes
//     sha256   of the key's digits, 64 lower-case hexadecimal digits
//
// Valid: every line ends with a line feed, every byte is as above, no id stands there twice, there are at most `tokensMax`
// lines. A revoked token's line is gone; the file stays, perhaps empty. Beside it stands, from before the first token on and
// for ever, the mark `tokens-required`: without a tokens file it still says that there was one, so that tokens are needed.
//
// Promises: parsing is strict, since whoever can read a line in another way can have another token; a fault names the line,
// never what is in it. Must not know: how files are read and replaced (OwnedDirectory), who looks tokens up.

import CallbackLog
import Platform

/// What is wrong with a file of tokens.
struct TokenFileFault: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
}

enum TokenFile {
    static let name = "tokens"
    /// The name under which a new one is written.
    static let unfinishedName = "tokens.new"
    /// The mark; whoever changes tokens holds its lock, too.
    static let markName = "tokens-required"
    static let markText = "A token for the API was created here once. As long as this file is here, the API asks for one.\n"

    /// More programs than this do not ask one server; a look-up does not care.
    static let tokensMax = 256
    /// What the longest lines come to.
    static let bytesMax = tokensMax * 512

    static func text(of tokens: [Token]) -> [UInt8] {
        var text: [UInt8] = []
        for token in tokens {
            text += Piece.id + Array(token.identifier.utf8) + Piece.name + Array(token.name.utf8) + Piece.scope + Array(token.scope.rawValue.utf8)
            text += Piece.created
            token.created.append(to: &text)
            text += Piece.digest
            Hexadecimal.append(token.digest, to: &text)
            text += Piece.end
        }
        return text
    }

    static func parse(_ text: Span<UInt8>) throws(TokenFileFault) -> [Token] {
        guard text.count <= bytesMax else { throw TokenFileFault(description: "is larger than \(bytesMax) bytes") }
        var tokens: [Token] = []
        var numbers: Set<UInt64> = []
        var position = 0
        while position < text.count {
            let line = tokens.count + 1
            guard line <= tokensMax else { throw TokenFileFault(description: "has more than \(tokensMax) lines") }
            guard let token = token(in: text, at: &position) else {
                throw TokenFileFault(description: "line \(line) is not one that callback-receiver token writes")
            }
            guard numbers.insert(token.number).inserted else {
                throw TokenFileFault(description: "line \(line) has an identifier that stands above it already")
            }
            tokens.append(token)
        }
        return tokens
    }

    // MARK: a line

    /// What stands between the values.
    private enum Piece {
        static let id = Array(#"{"id":""#.utf8)
        static let name = Array(#"","name":""#.utf8)
        static let scope = Array(#"","scope":""#.utf8)
        static let created = Array(#"","created":""#.utf8)
        static let digest = Array(#"","sha256":""#.utf8)
        static let end = Array("\"}\n".utf8)
    }

    /// The token of the line at `position`, which is then behind it; nil where it is none.
    private static func token(in text: Span<UInt8>, at position: inout Int) -> Token? {
        guard pass(Piece.id, in: text, at: &position), let id = value(in: text, at: &position),
            pass(Piece.name, in: text, at: &position), let name = value(in: text, at: &position),
            pass(Piece.scope, in: text, at: &position), let scope = value(in: text, at: &position),
            pass(Piece.created, in: text, at: &position), let created = value(in: text, at: &position),
            pass(Piece.digest, in: text, at: &position), let digest = value(in: text, at: &position),
            pass(Piece.end, in: text, at: &position),
            let number = Token.number(identifier: id.span), let moment = Timestamp(parsing: created.span),
            let knownScope = TokenScope.allCases.first(where: { $0.rawValue.utf8.elementsEqual(scope) }),
            let plainName = String(validating: name, as: UTF8.self), Token.isName(plainName),
            digest.count == 64, let bytes = Hexadecimal.bytes(digest.span)
        else { return nil }
        return Token(number: number, name: plainName, scope: knownScope, created: moment, digest: bytes)
    }

    private static func pass(_ piece: [UInt8], in text: Span<UInt8>, at position: inout Int) -> Bool {
        guard text.count - position >= piece.count else { return false }
        for index in piece.indices where text[position + index] != piece[index] { return false }
        position += piece.count
        return true
    }

    /// The bytes up to the next quotation mark, no more than the longest value has.
    private static func value(in text: Span<UInt8>, at position: inout Int) -> [UInt8]? {
        var value: [UInt8] = []
        while position < text.count, text[position] != UInt8(ascii: "\"") {
            guard value.count < Token.nameBytesMax else { return nil }
            value.append(text[position])
            position += 1
        }
        return position < text.count ? value : nil
    }
}
