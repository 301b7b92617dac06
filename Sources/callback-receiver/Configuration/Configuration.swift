// Everything that the configuration keys decide, and what can be wrong with them.
//
// Promises: plain values. A problem names where it stands and what to do about it, in one line; it never
// repeats a value that may hold a secret (see `quoted`).
// Must not know: where values come from, or how they are read; that is ConfigurationFile and Resolution.

import CallbackReceiver
import Logging

/// The outcome of reading all sources: what the server takes, and what the command keeps for itself.
struct Configuration: Sendable, Equatable {
    var server = ServerConfiguration()
    /// What status and follow ask.
    var client = ClientConfiguration()
    /// The files that hold more secrets: see SecretFiles.
    var secretFiles = SecretFilePaths()
    /// The least severe event that is still logged.
    var logLevel = Logger.Level.info
    /// How log lines are written.
    var logFormat = LineFormat.logfmt
}

/// Where a value comes from, weakest first.
enum Origin: Sendable, Equatable {
    case standard
    /// `line` is nil where the whole file is meant.
    case file(path: String, line: Int?)
    case environment(name: String)
    /// With its dashes: `--listen`.
    case flag(name: String)

    var isFile: Bool { if case .file = self { true } else { false } }

    /// The line in the file; 0 where there is none.
    var lineNumber: Int {
        if case .file(_, let line?) = self { line } else { 0 }
    }
}

/// Why a text is no value for its key, and the remedy. For people; nothing branches on it.
struct Refusal: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
}

/// One thing that is wrong with a configuration.
struct Problem: Sendable, Equatable {
    let origin: Origin
    /// The key with its dots; nil where no single key is meant.
    let key: String?
    let text: String

    /// The one line an operator sees: place, key, what is wrong, what to do.
    var line: String {
        let keyed = key.map { "\($0): \(text)" } ?? text
        return switch origin {
        case .standard: keyed
        case .file(let path, let line?): "\(printable(path)):\(line): \(keyed)"
        case .file(let path, nil): "\(printable(path)): \(keyed)"
        case .environment(let name): "\(printable(name)): \(text)"
        case .flag(let name): "\(name): \(text)"
        }
    }
}

/// The longest excerpt of a refused text that an error repeats, in characters.
let excerptCharactersMax = 64

/// `text` in quotation marks for an error; left out where it may carry a secret: the query of a URL, or
/// the user and password before its host.
func quoted(_ text: String) -> String {
    if text.contains(where: { $0 == "?" || $0 == "@" || $0 == "=" }) { return "the value (not shown)" }
    let excerpt = text.count > excerptCharactersMax ? text.prefix(excerptCharactersMax) + "…" : text[...]
    return "\"\(printable(String(excerpt)))\""
}

/// `text` without anything that could end a line or steer a terminal.
func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        if LineEscape.isUnsafe(scalar) {
            result += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
