// Secrets as texts: several in one value, one a line in a file.
//
// Promises: no error repeats a secret, nor any part of one (invariant 9); bounds have names. What `config show` prints in
// the place of secrets is refused as a value: it would be a secret that everybody knows.
// Must not know: keys, files, what a secret proves.

import CallbackReceiver

/// What a secret of a kind looks like.
enum SecretForm: Sendable {
    case plain
    /// `user:password`: RFC 7617 §2.
    case credentials
}

enum SecretList {
    /// Longer is no secret but a wrong file.
    static let secretBytesMax = 1_024

    /// Secrets with commas or line feeds between them, as the environment has them; or `none`.
    static func parse(_ text: String, form: SecretForm) throws(Refusal) -> [Secret] {
        if text == Setting.nothing { return [] }
        guard !text.hasPrefix(hiddenBegin) else {
            throw Refusal("is what config show prints in the place of secrets; write the secrets themselves")
        }
        guard !(text.hasPrefix("[") && text.hasSuffix("]")) else {
            throw Refusal("is a list in brackets, as a file has it; write the secrets alone, with commas between them")
        }
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "," || $0.isNewline }
        try check(parts.count)
        var secrets: [Secret] = []
        for part in parts {
            let trimmed = part.trimmingPrefix { $0 == " " }
            let end = trimmed.lastIndex { $0 != " " }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
            secrets.append(try secret(Array(trimmed[..<end].utf8), form: form))
        }
        return secrets
    }

    /// What an editor may write before the first line: U+FEFF in UTF-8.
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// A file with one secret a line; empty lines are none, and white space around a secret is no part of it. What is wrong has
    /// the line's number.
    static func parse(file bytes: [UInt8], form: SecretForm) throws(SecretFileFault) -> [Secret] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var secrets: [Secret] = []
        let text = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(byteOrderMark.count) : bytes[...]
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = line.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
            guard !text.isEmpty else { continue }
            do throws(Refusal) {
                secrets.append(try secret(Array(text), form: form))
                try check(secrets.count)
            } catch {
                throw SecretFileFault(line: index + 1, refusal: error)
            }
        }
        // Fails closed: who names a file means to have a proof.
        guard !secrets.isEmpty else { throw SecretFileFault(line: nil, refusal: Refusal("holds no secret; write one a line")) }
        return secrets
    }

    private static let hiddenBegin = "(hidden"

    /// How many there are, for `config show`.
    static func shown(_ secrets: [Secret]) -> String { secrets.isEmpty ? Setting.nothing : "\(hiddenBegin), \(secrets.count))" }

    private static func check(_ count: Int) throws(Refusal) {
        guard count <= ServerConfiguration.secretsMax else {
            throw Refusal("has more than \(ServerConfiguration.secretsMax) secrets; remove those that nobody uses")
        }
    }

    static let nothingIsNoSecret = "has \(Setting.nothing) among its secrets, which is the word for that there are none; use another"

    private static func secret(_ bytes: [UInt8], form: SecretForm) throws(Refusal) -> Secret {
        guard !bytes.elementsEqual(Setting.nothing.utf8) else { throw Refusal(nothingIsNoSecret) }
        guard !bytes.isEmpty else { throw Refusal("has an empty secret; remove the comma too many, or write the secret") }
        guard bytes.count <= secretBytesMax else { throw Refusal("has a secret of more than \(secretBytesMax) bytes; use a shorter one") }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw Refusal("has a secret with control characters; use another") }
        if form == .credentials {
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count else {
                throw Refusal("has an entry that is not user:password; write both, with a colon between them")
            }
        }
        return Secret(bytes)
    }
}

/// What is wrong with a file of secrets.
struct SecretFileFault: Error, Equatable {
    /// From 1; nil where the whole file is meant.
    let line: Int?
    let refusal: Refusal
}
