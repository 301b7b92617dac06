// One configuration key: its name, its kind with bounds, its default, and what it means.
//
// Promises: the only description of a key. The file's reader, the environment's names, the flags' values,
// `config show`, `config check` and the test of the sample file all follow it; `Setting.all` (Settings.swift)
// is the table. `apply` accepts what is within the bounds and refuses everything else with the remedy.
// Must not know: where a text was found, or what two keys mean together (ConfigurationRules).

import CallbackReceiver
import Platform

/// A configuration key.
struct Setting: Sendable {
    /// Stores a checked value where it acts.
    typealias Store<Value> = @Sendable (inout Configuration, Value) -> Void

    /// What a key takes. Bounds are inclusive.
    enum Kind: Sendable {
        /// `HOST:PORT`, `[::1]:8080`, `systemd:NAME`.
        case listen(Store<ServerConfiguration.Listen>)
        /// The path of a URL.
        case path(Store<String>)
        /// A directory of this machine.
        case directory(Store<String>)
        /// `http://HOST[:PORT]`, or the word for nil.
        case url(or: String, Store<ServerURL?>)
        /// A file of this machine, or `none`.
        case file(Store<String?>)
        /// Bytes, plain or in KiB, MiB, GiB.
        case size(ClosedRange<Int64>, Store<Int64>)
        /// Likewise, or `none`.
        case sizeLimit(ClosedRange<Int64>, Store<Int64?>)
        /// A whole number of seconds.
        case seconds(ClosedRange<Int>, Store<Int>)
        /// A whole number, or the word for nil.
        case count(ClosedRange<Int>, or: String, Store<Int?>)
        /// Addresses and networks: a list in YAML, with commas elsewhere; or `none`.
        case networks(countMax: Int, Store<[IPNetwork]>)
        /// Secrets: a list in YAML, with commas or line feeds elsewhere; or `none`.
        case secrets(SecretForm, Store<[Secret]>)
        /// One of a few words.
        case choice([String], Store<String>)
    }

    /// With dots, as it is nested in YAML: `server.timeouts.idle-seconds`.
    let key: String
    let kind: Kind
    /// The default, as one would write it.
    let standard: String
    /// One line for people.
    let meaning: String

    /// Dots and dashes become underscores: `CALLBACK_RECEIVER_SERVER_TIMEOUTS_IDLE_SECONDS`.
    var environmentName: String {
        Setting.environmentPrefix
            + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    static let environmentPrefix = "CALLBACK_RECEIVER_"

    /// What Kubernetes tells every container of a Service that is called callback-receiver: nothing that anybody wrote.
    static func isOfKubernetes(_ name: String) -> Bool {
        let rest = name.dropFirst(environmentPrefix.count)
        return rest == "SERVICE_HOST" || rest == "SERVICE_PORT" || rest.hasPrefix("SERVICE_PORT_") || rest == "PORT" || rest.hasPrefix("PORT_")
    }

    /// What one may write, for the documentation: `1KiB to 16MiB`.
    var bounds: String {
        switch kind {
        case .listen: "HOST:PORT, or systemd:NAME"
        case .path: "a path"
        case .directory: "a directory"
        case .url(let word, _): "\(word), or http://HOST:PORT"
        case .file: "\(Setting.nothing), or a file"
        case .size(let range, _): "\(Size.text(range.lowerBound)) to \(Size.text(range.upperBound))"
        case .sizeLimit(let range, _): "\(Setting.nothing), or \(Size.text(range.lowerBound)) to \(Size.text(range.upperBound))"
        case .seconds(let range, _): "\(range.lowerBound) to \(range.upperBound)"
        case .count(let range, let word, _): "\(word), or \(range.lowerBound) to \(range.upperBound)"
        case .networks(let countMax, _): "none, or a list of addresses and networks, at most \(countMax)"
        case .secrets(let form, _):
            "\(Setting.nothing), or a list of \(form == .plain ? "secrets" : "user:password"), at most \(ServerConfiguration.secretsMax)"
        case .choice(let words, _): words.joined(separator: ", ")
        }
    }

    /// The key as `callback-receiver help config` describes it.
    var documentation: String { "\(key): \(bounds); default \(standard)\n  \(meaning)\n" }

    /// Reads `text` and stores its value; returns the value as `config show` prints it.
    func apply(_ text: String, to configuration: inout Configuration) throws(Refusal) -> String {
        guard !text.isEmpty else { throw Refusal("has no value; write for example \(standard)") }
        switch kind {
        case .listen(let store):
            let listen = try Listen.parse(text)
            store(&configuration, listen)
            return listen.text
        case .path(let store):
            let path = try CallbackPath.parse(text)
            store(&configuration, path)
            return path
        case .directory(let store):
            try DirectoryPath.check(text)
            store(&configuration, text)
            return text
        case .url(let word, let store):
            if text == word {
                store(&configuration, nil)
                return text
            }
            let url = try ServerURL(parsing: text)
            store(&configuration, url)
            return url.text
        case .file(let store):
            if text == Self.nothing {
                store(&configuration, nil)
                return text
            }
            try DirectoryPath.check(text)
            store(&configuration, text)
            return text
        case .size(let range, let store):
            let bytes = try Self.bytes(text, in: range, else: "write for example \(standard)")
            store(&configuration, bytes)
            return Size.text(bytes)
        case .sizeLimit(let range, let store):
            if text == Self.nothing {
                store(&configuration, nil)
                return text
            }
            let bytes = try Self.bytes(text, in: range, else: "write \(bounds)")
            store(&configuration, bytes)
            return Size.text(bytes)
        case .seconds(let range, let store):
            guard let seconds = WholeNumber.parse(text) else {
                throw Refusal("\(quoted(text)) is no number of seconds; write for example \(standard)")
            }
            try Self.check(seconds, in: Int64(range.lowerBound)...Int64(range.upperBound), shown: { "\($0)" })
            store(&configuration, Int(seconds))
            return "\(seconds)"
        case .networks(let countMax, let store):
            let networks = try NetworkList.parse(text, countMax: countMax)
            store(&configuration, networks)
            return NetworkList.text(networks)
        case .count(let range, let word, let store):
            if text == word {
                store(&configuration, nil)
                return text
            }
            guard let count = WholeNumber.parse(text) else {
                throw Refusal("\(quoted(text)) is no number; write \(bounds)")
            }
            try Self.check(count, in: Int64(range.lowerBound)...Int64(range.upperBound), shown: { "\($0)" })
            store(&configuration, Int(count))
            return "\(count)"
        case .secrets(let form, let store):
            let secrets = try SecretList.parse(text, form: form)
            store(&configuration, secrets)
            return SecretList.shown(secrets)
        case .choice(let words, let store):
            guard words.contains(text) else {
                throw Refusal("\(quoted(text)) is not possible; write one of: \(bounds)")
            }
            store(&configuration, text)
            return text
        }
    }

    /// The word for "what suits this machine".
    static let automatic = "auto"
    /// The word for "no limit", "no such thing".
    static let nothing = "none"

    /// True where YAML may hold a list of values.
    var isList: Bool {
        switch kind {
        case .networks, .secrets: true
        default: false
        }
    }

    /// True where the value is shown to nobody.
    var isSecret: Bool { if case .secrets = kind { true } else { false } }

    private static func bytes(_ text: String, in range: ClosedRange<Int64>, else remedy: String) throws(Refusal) -> Int64 {
        guard let bytes = Size.parse(text) else { throw Refusal("\(quoted(text)) is no size; \(remedy)") }
        try check(bytes, in: range, shown: Size.text)
        return bytes
    }

    private static func check(
        _ value: Int64, in range: ClosedRange<Int64>, shown: (Int64) -> String
    ) throws(Refusal) {
        if value < range.lowerBound {
            throw Refusal("\(shown(value)) is too small; the least is \(shown(range.lowerBound))")
        }
        if value > range.upperBound {
            throw Refusal("\(shown(value)) is too large; the most is \(shown(range.upperBound))")
        }
    }
}
