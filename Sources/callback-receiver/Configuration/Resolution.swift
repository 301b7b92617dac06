// From all sources to one configuration: flag before environment before file before default.
//
// Promises: every key has a value and an origin, and every problem of every source is found, also in a value
// that a stronger source overrides. Without problems the configuration is complete and within its bounds.
// Pure: the sources are handed in as values. Must not know: files, the process, how anything is printed.

import CallbackReceiver

/// What the command line gives to a key.
struct FlagValue: Equatable {
    let key: String
    /// With its dashes: `--listen`.
    let name: String
    let text: String
}

/// The sources and what came of them.
struct Resolution {
    /// A key with the value in force and where it comes from.
    struct Entry: Equatable {
        let key: String
        let text: String
        let origin: Origin
    }

    var configuration = Configuration()
    /// One for each key, in the order of the table.
    private(set) var entries: [Entry] = []
    /// In the order file, environment, flags, rules between keys.
    var problems: [Problem] = []
    /// What is no mistake, and yet to be told: one line each.
    var warnings: [String] = []
    /// Secrets that no key names, one line for each kind.
    var unnamed: [String] = []

    /// The configuration file, where secrets in force stand in it.
    private(set) var holdsSecrets: String?

    /// True where the configuration file says something that is in force.
    var goesByFile: Bool { entries.contains { $0.origin.isFile } }

    /// Where each key's value comes from.
    var origins: [String: Origin] { Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.origin) }) }

    /// - Parameters:
    ///   - file: the configuration file, nil where there is none.
    ///   - environment: all variables of the process; those of other programs are passed over.
    ///   - flags: what the command line says.
    init(file: ConfigurationFile?, environment: [String: String], flags: [FlagValue]) {
        var current: [String: Entry] = [:]
        var failed: Set<String> = []

        func assign(_ text: String, to setting: Setting, from origin: Origin) {
            do throws(Refusal) {
                let shown = try setting.apply(text, to: &configuration)
                current[setting.key] = Entry(key: setting.key, text: shown, origin: origin)
            } catch {
                failed.insert(setting.key)
                problems.append(Problem(origin: origin, key: setting.key, text: error.text))
            }
        }

        for setting in Setting.all { assign(setting.standard, to: setting, from: .standard) }

        for assignment in file?.assignments ?? [] {
            guard let setting = Setting.named(assignment.key), let file else { continue }
            assign(assignment.text, to: setting, from: .file(path: file.path, line: assignment.line))
        }
        // Values are refused here, structure by the file: said together, from top to bottom.
        problems = ((file?.problems ?? []) + problems).sorted { $0.origin.lineNumber < $1.origin.lineNumber }

        // Sorted, so that the same mistakes are always said in the same order.
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(Setting.environmentPrefix) {
            if let setting = Setting.all.first(where: { $0.environmentName == name }) {
                assign(text, to: setting, from: .environment(name: name))
            } else if !Setting.isOfKubernetes(name) {
                let text = UnknownKey.text(environmentName: name)
                problems.append(Problem(origin: .environment(name: name), key: nil, text: text))
            }
        }

        for flag in flags {
            guard let setting = Setting.named(flag.key) else { continue }
            assign(flag.text, to: setting, from: .flag(name: flag.name))
        }

        entries = Setting.all.compactMap { current[$0.key] }
        let areInFile = entries.contains { $0.origin.isFile && $0.text != Setting.nothing && Setting.named($0.key)?.isSecret == true }
        if areInFile { holdsSecrets = file?.path }
        problems += ConfigurationRules.problems(
            of: configuration, origins: current.mapValues(\.origin), unreadable: failed)
    }
}
