// A configuration file: YAML in, assignments of texts to keys out, each with its line.
//
// Promises: whatever the bytes, the outcome is assignments and problems, never a trap; every problem names
// the line where there is one. Nothing is ignored: a key that is not in the table, a list where a value
// belongs, a key named twice, are problems. Values are never interpreted here (`010` stays `010`); the elements
// of a list become one text with commas, as it is written in the environment.
// Must not know: bounds and defaults (Setting), other sources (Resolution), how a file is opened.

struct ConfigurationFile {
    /// A text that the file gives to a key.
    struct Assignment: Equatable {
        let key: String
        let text: String
        let line: Int
    }

    /// A larger file is no configuration.
    static let bytesMax = 1_048_576
    /// More problems than these are not listed one by one.
    static let problemsMax = 100

    let path: String
    private(set) var assignments: [Assignment] = []
    private(set) var problems: [Problem] = []

    init(path: String, bytes: [UInt8]) {
        self.path = path
        guard bytes.count <= Self.bytesMax else {
            refuse(nil, nil, "is larger than \(Size.text(Int64(Self.bytesMax))), which no configuration is; name another file")
            return
        }
        guard let text = checkedText(bytes) else { return }
        do throws(YAMLFault) {
            guard let root = try YAMLDocument(Array(text.utf8)).root, !isEmpty(root) else { return }
            guard case .mapping(let members) = root.content else {
                refuse(root.line, nil, "does not hold keys and values; write for example \"callback:\" and indented below it \"path: /callback\"")
                return
            }
            read(members, section: "")
        } catch {
            refuse(error.line, nil, "is not YAML: \(error.problem); indent with spaces, write \"key: value\", and put a value with brackets, or with a colon at its end, in quotes")
        }
    }

    // MARK: Bytes

    /// The file as text, or nil after a problem. Lines are checked one by one so that a problem has its
    /// line; no byte of a longer UTF-8 sequence is a line feed.
    private mutating func checkedText(_ bytes: [UInt8]) -> String? {
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard String(validating: line, as: UTF8.self) != nil else {
                refuse(index + 1, nil, "is not UTF-8; save the file as UTF-8")
                return nil
            }
            if line.contains(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0D || $0 == 0x7F }) {
                refuse(index + 1, nil, "has a control character; remove it")
                return nil
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    // MARK: Nodes

    private mutating func read(_ members: [(key: YAMLNode, value: YAMLNode)], section: String) {
        var seen: Set<String> = []
        for (keyNode, value) in members {
            let line = keyNode.line
            guard case .scalar(let name, _) = keyNode.content else {
                refuse(line, section.isEmpty ? nil : section, "has a list or a mapping as a key; write \"key: value\"")
                continue
            }
            let key = section.isEmpty ? name : "\(section).\(name)"
            guard seen.insert(name).inserted else {
                refuse(line, key, "stands more than once in the same section; keep one")
                continue
            }
            if name.isEmpty {
                refuse(line, section.isEmpty ? nil : section, "has a value without a key; write \"key: value\"")
            } else if name.contains(".") {
                refuseDotted(line, key)
            } else if let setting = Setting.named(key) {
                assign(value, to: setting, line: line)
            } else if Setting.sections.contains(key) {
                if case .mapping(let inner) = value.content {
                    read(inner, section: key)
                } else if !isEmpty(value) {
                    refuse(line, key, "is a section; write its keys below it, indented")
                }
            } else {
                refuse(line, key, UnknownKey.text(key))
            }
        }
    }

    private mutating func assign(_ value: YAMLNode, to setting: Setting, line: Int) {
        let key = setting.key
        switch value.content {
        case .scalar(let text, _): assignments.append(Assignment(key: key, text: isEmpty(value) ? "" : text, line: line))
        case .sequence(let elements) where setting.isList: assign(elements, to: setting, line: line)
        case .sequence: refuse(line, key, "takes a single value, not a list")
        case .mapping: refuse(line, key, setting.isList ? "takes a list of values, not a section" : "takes a single value, not a section")
        }
    }

    private mutating func assign(_ elements: [YAMLNode], to setting: Setting, line: Int) {
        let key = setting.key
        var texts: [String] = []
        for element in elements {
            // Commas would make two of one.
            guard case .scalar(let text, _) = element.content, !isEmpty(element), !text.isEmpty, !text.contains(where: { $0 == "," || $0.isNewline })
            else {
                refuse(element.line, key, "has an element that is no single value; write each by itself, without commas")
                return
            }
            // By itself it would be read as that there is none, and let everybody in.
            guard !setting.isSecret || text != Setting.nothing else { return refuse(element.line, key, SecretList.nothingIsNoSecret) }
            texts.append(text)
        }
        assignments.append(Assignment(key: key, text: texts.isEmpty ? Setting.nothing : texts.joined(separator: ","), line: line))
    }

    /// The null of YAML 1.2 §10.3.2: nothing at all, `~` or `null`, unquoted.
    private func isEmpty(_ node: YAMLNode) -> Bool {
        guard case .scalar(let text, isPlain: true) = node.content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    // MARK: Problems

    private mutating func refuse(_ line: Int?, _ key: String?, _ text: @autoclosure () -> String) {
        guard problems.count <= Self.problemsMax else { return }
        let isLast = problems.count == Self.problemsMax
        problems.append(
            Problem(
                origin: .file(path: path, line: line), key: isLast ? nil : key.map(printable),
                text: isLast ? "has more than \(Self.problemsMax) problems, the rest is not listed; mend these first" : text()))
    }

    private mutating func refuseDotted(_ line: Int?, _ key: String) {
        guard Setting.named(key) != nil else {
            refuse(line, key, UnknownKey.text(key))
            return
        }
        let names = key.split(separator: ".").map { "\"\($0):\"" }
        refuse(line, key, "keys are nested at the dots; write \(names.joined(separator: ", below it ")), each indented further")
    }
}

/// What to say about a key that is not in the table.
enum UnknownKey {
    /// The keys that end like `key`, else the nearest one, are suggested.
    static func text(_ key: String) -> String {
        let names = Setting.all.map(\.key)
        if let suggestion = NearestName.of(key, among: names + Setting.sections.sorted()) {
            return "unknown key; did you mean \(suggestion)?"
        }
        let leaf = key.split(separator: ".").last.map(String.init) ?? key
        let alike = names.filter { $0.hasSuffix(".\(leaf)") }
        if !alike.isEmpty { return "unknown key; did you mean \(alike.joined(separator: " or "))?" }
        return "unknown key, or not supported by this version; remove it (config show prints every key there is)"
    }

    /// The same for a variable of the environment.
    static func text(environmentName name: String) -> String {
        let names = Setting.all.map(\.environmentName)
        if let suggestion = NearestName.of(name, among: names, sharing: Setting.environmentPrefix) {
            return "unknown variable; did you mean \(suggestion)?"
        }
        return "unknown variable, or not supported by this version; unset it (config show prints every key there is)"
    }
}
