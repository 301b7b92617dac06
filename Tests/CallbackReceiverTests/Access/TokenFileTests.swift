// The file of tokens: what it says is read back, anything else is refused, and whoever changes it leaves it whole.

import CallbackLog
import CrispCallback
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("The file of tokens")
struct TokenFileTests {
    private static let tokens = [
        Token(0, key: "k", scope: .read), Token(.max, key: "l", scope: .write),
        Token(
            number: 0x1F0C_77AA_90E3_B2D4, name: "Überwachung: {a,b}", scope: .metrics, created: Timestamp(milliseconds: 1_779_301_225_031),
            digest: SHA256.digest(Array("m".utf8).span)),
    ]

    @Test("says each token in one line, and is read back as it was written")
    func roundTrip() throws {
        let text = TokenFile.text(of: Self.tokens)
        #expect(
            String(decoding: text, as: UTF8.self).split(separator: "\n").last.map(String.init)
                == #"{"id":"1f0c77aa90e3b2d4","name":"Überwachung: {a,b}","scope":"metrics","created":"2026-05-20T18:20:25.031Z","sha256":"62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"}"#)
        #expect(try TokenFile.parse(text.span) == Self.tokens)
        #expect(try TokenFile.parse([UInt8]().span) == [])
    }

    @Test("cut short anywhere but behind a line it is refused")
    func truncated() throws {
        let text = TokenFile.text(of: Self.tokens)
        for count in 0..<text.count {
            let lines = text[..<count].split(separator: 0x0A, omittingEmptySubsequences: false)
            if lines.last?.isEmpty == true {
                #expect(try TokenFile.parse(text.span.extracting(0..<count)) == Array(Self.tokens.prefix(lines.count - 1)))
            } else {
                #expect(throws: TokenFileFault(description: "line \(lines.count) is not one that callback-receiver token writes")) {
                    try TokenFile.parse(text.span.extracting(0..<count))
                }
            }
        }
    }

    @Test("with any byte changed it is refused, or says other tokens than before in the same strict form")
    func changed() throws {
        let text = TokenFile.text(of: Self.tokens)
        for index in text.indices {
            for bit in 0..<8 {
                var changed = text
                changed[index] ^= 1 << UInt8(bit)
                guard let tokens = try? TokenFile.parse(changed.span) else { continue }
                #expect(TokenFile.text(of: tokens) == changed)
                #expect(tokens != Self.tokens)
            }
        }
    }

    @Test("with one identifier twice, or more lines than there may be, it is refused")
    func bounds() throws {
        let twice = TokenFile.text(of: [Self.tokens[0], Self.tokens[0]])
        #expect(throws: TokenFileFault(description: "line 2 has an identifier that stands above it already")) { try TokenFile.parse(twice.span) }
        let many = (0...UInt64(TokenFile.tokensMax)).map { Token($0, key: "k", scope: .read) }
        #expect(try TokenFile.parse(TokenFile.text(of: Array(many.dropLast())).span).count == TokenFile.tokensMax)
        #expect(throws: TokenFileFault(description: "has more than 256 lines")) { try TokenFile.parse(TokenFile.text(of: many).span) }
        let long = [UInt8](repeating: 0x20, count: TokenFile.bytesMax + 1)
        #expect(throws: TokenFileFault.self) { try TokenFile.parse(long.span) }
    }

    @Test("takes names that need no escape, and no others")
    func names() {
        for name in ["a", "support desk", "Überwachung", String(repeating: "x", count: 64), "{\u{27}:,}", "日本"] { #expect(Token.isName(name)) }
        for name in ["", String(repeating: "x", count: 65), "a\"b", "a\\b", "a\nb", "\u{7F}", "\u{85}", "\u{202E}", "\u{2028}", "\u{0}"] {
            #expect(!Token.isName(name))
        }
    }
}

@Suite("Whoever keeps tokens")
struct TokenKeeperTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func keeper() throws -> TokenKeeper { try TokenKeeper(directory.path, isCreating: false) }

    @Test("creates tokens that can be looked up with their key alone, lists and revokes them")
    func life() throws {
        let first = try keeper().create(name: "first", scope: .read, nowMilliseconds: 5)
        let second = try keeper().create(name: "second", scope: .write, nowMilliseconds: 6)
        #expect(first.identifier.count == Token.identifierDigits && first.key.count == Token.keyDigits)
        #expect(first.identifier != second.identifier && first.key != second.key)
        let tokens = try keeper().tokens()
        #expect(tokens.map(\.name) == ["first", "second"] && tokens.map(\.created.milliseconds) == [5, 6])
        let table = TokenTable(tokens)
        func found(_ identifier: String, _ key: String) -> Token? {
            table.token(identifier: Array(identifier.utf8)[...], key: Array(key.utf8)[...])
        }
        #expect(found(first.identifier, first.key) == tokens[0])
        #expect(found(second.identifier, second.key)?.scope == .write)
        #expect(found(first.identifier, second.key) == nil)
        let kept = try String(contentsOfFile: directory.path(of: TokenFile.name), encoding: .utf8)
        #expect(!kept.contains(first.key) && !kept.contains(second.key))

        #expect(try keeper().revoke("0000") == nil)
        #expect(try keeper().revoke(first.identifier)?.name == "first")
        #expect(try keeper().revoke(first.identifier) == nil)
        #expect(try keeper().revoke(second.identifier)?.name == "second")
        #expect(try keeper().tokens() == [])
        #expect(directory.entries == [TokenFile.name, TokenFile.markName].sorted())
    }

    @Test("leaves no trace where nothing was ever created")
    func nothing() throws {
        #expect(try keeper().tokens() == [])
        #expect(try keeper().revoke("0000000000000000") == nil)
        #expect(directory.entries == [])
        #expect(throws: TokenFailure.self) { _ = try TokenKeeper(directory.path(of: "missing"), isCreating: false) }
        _ = try TokenKeeper(directory.path(of: "missing"), isCreating: true)
        #expect(directory.entries == ["missing"])
    }

    @Test("never replaces what it cannot read")
    func damaged() throws {
        _ = try keeper().create(name: "first", scope: .read, nowMilliseconds: 0)
        try directory.write("{\"secret\":\"hunter2\"}\n", to: TokenFile.name)
        for attempt in [
            { _ = try self.keeper().tokens() }, { _ = try self.keeper().create(name: "x", scope: .read, nowMilliseconds: 0) }, { _ = try self.keeper().revoke("x") },
        ] as [() throws -> Void] {
            do {
                try attempt()
                Issue.record("it was taken")
            } catch let failure as TokenFailure {
                #expect(failure.description.contains("line 1 is not one") && !failure.description.contains("hunter2"))
            }
        }
        #expect(try String(contentsOfFile: directory.path(of: TokenFile.name), encoding: .utf8).contains("hunter2"))
    }

    @Test("loses no token to another who creates one at the same time")
    func concurrent() throws {
        let created = Mutex<Set<String>>([])
        let path = directory.path
        DispatchQueue.concurrentPerform(iterations: 24) { number in
            let credentials = try? TokenKeeper(path, isCreating: false).create(name: "n\(number)", scope: .read, nowMilliseconds: 0)
            if let credentials { created.withLock { _ = $0.insert(credentials.identifier) } }
        }
        let all = created.withLock { $0 }
        #expect(all.count == 24)
        #expect(try Set(keeper().tokens().map(\.identifier)) == all)
    }

    @Test("takes no more than there may be")
    func bound() throws {
        let many = (0..<UInt64(TokenFile.tokensMax)).map { Token($0, key: "k", scope: .read) }
        try directory.write(String(decoding: TokenFile.text(of: many), as: UTF8.self), to: TokenFile.name)
        #expect(throws: TokenFailure.self) { _ = try keeper().create(name: "x", scope: .read, nowMilliseconds: 0) }
        #expect(try keeper().tokens().count == TokenFile.tokensMax)
    }
}
