// `config show`: every key with its value and origin, as YAML that is a configuration file itself.
//
// Promises: what it prints can be saved and loaded, and yields the same configuration; the origin stands in a
// comment, aligned. Of secrets it prints how many there are, which is refused when it is loaded. Must not know: where values come from beyond their Origin.

enum ConfigurationListing {
    /// The widest column of values that comments are aligned behind, in characters.
    private static let columnMax = 60

    static func text(of entries: [Resolution.Entry]) -> String {
        var rows: [(value: String, comment: String?)] = []
        var open: [Substring] = []
        for entry in entries {
            let parts = entry.key.split(separator: ".")
            let sections = parts.dropLast()
            var depth = zip(open, sections).prefix { $0 == $1 }.count
            for name in sections.dropFirst(depth) {
                rows.append((indentation(depth) + name + ":", nil))
                depth += 1
            }
            open = Array(sections)
            let name = parts.last ?? ""
            rows.append((indentation(depth) + "\(name): \(value(of: entry))", comment(entry.origin)))
        }
        let column = min(columnMax, rows.map(\.value.count).max() ?? 0)
        return rows.map { row in
            guard let comment = row.comment else { return row.value + "\n" }
            let padding = String(repeating: " ", count: max(0, column - row.value.count))
            return "\(row.value)\(padding)  # \(comment)\n"
        }.joined()
    }

    private static func indentation(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    private static func comment(_ origin: Origin) -> String {
        switch origin {
        case .standard: "default"
        case .file(let path, let line?): "\(printable(path)):\(line)"
        case .file(let path, nil): printable(path)
        case .environment(let name): "environment \(name)"
        case .flag(let name): "flag \(name)"
        }
    }

    private static func value(of entry: Resolution.Entry) -> String {
        // YAML reads it back as this text, whatever stands in it: it is made here (SecretList.shown).
        if Setting.named(entry.key)?.isSecret == true { return entry.text }
        guard entry.text != Setting.nothing, Setting.named(entry.key)?.isList == true else { return scalar(entry.text) }
        let elements = entry.text.split(separator: ", ").map { element in
            // Within brackets a colon may also end a key (YAML 1.2 §7.4.2).
            element.contains(":") ? "\"\(element)\"" : scalar(String(element))
        }
        return "[\(elements.joined(separator: ", "))]"
    }

    /// Plain where YAML reads it back as the same text, else in double quotes (YAML 1.2 §7.3.1, §7.3.3).
    private static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x2D...0x3A).contains(byte) || byte == UInt8(ascii: "_")
            } && text.utf8.first != UInt8(ascii: "-") && text.utf8.first != UInt8(ascii: ":")
            && text.utf8.last != UInt8(ascii: ":") && !["", "null", "Null", "NULL"].contains(text)
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where LineEscape.isUnsafe(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
