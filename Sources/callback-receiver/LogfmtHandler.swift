// Log events as logfmt on standard error: one line, one write.
//
//     time=2026-05-20T18:20:25.031Z level=info event="segment sealed" segment=42 path="./callback data"
//
// Promises: an event is one line whatever its texts hold: control characters, line separators and characters
// that reorder text are escaped, so nobody who sends us text can forge a line. Metadata is sorted by name.
// A line is at most `lineBytesMax` long; what does not fit is left out and `cut=true` says so.
// Must not know: what is logged. Secrets and payloads must not be handed to it in the first place.

import Logging
import Platform

struct LogfmtHandler: LogHandler {
    /// PIPE_BUF on Linux (pipe(7)): a line up to this length is never torn apart by another writer.
    static let lineBytesMax = 4_096
    /// The longest single value; more is cut, and ends in "…".
    static let valueBytesMax = 1_024
    /// Kept free at the end of a line for ` cut=true` and the line feed.
    private static let tailBytes = 10

    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let now: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - now: milliseconds since 1970, UTC.
    ///   - write: takes each line whole, with its line feed.
    init(
        level: Logger.Level,
        now: @escaping @Sendable () -> Int64 = Clock.wallMilliseconds,
        write: @escaping @Sendable (String) -> Void = StandardStream.error
    ) {
        self.logLevel = level
        self.now = now
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // The nearer wins: of the event, of what surrounds it, of the logger.
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }

        var line = "time=\(Timestamp.text(milliseconds: now())) level=\(event.level.rawValue)"
        line += " event=\(LogfmtEscape.quoted(event.message.description, bytesMax: Self.valueBytesMax))"
        var isCut = false
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            let field = " \(LogfmtEscape.name(key))=\(LogfmtEscape.value(value.description, bytesMax: Self.valueBytesMax))"
            if line.utf8.count + field.utf8.count + Self.tailBytes <= Self.lineBytesMax {
                line += field
            } else {
                isCut = true
            }
        }
        write(line + (isCut ? " cut=true\n" : "\n"))
    }
}

/// The rules of writing a logfmt field.
enum LogfmtEscape {
    /// Names longer than this are cut.
    static let nameBytesMax = 64
    /// The names that every line begins with; metadata of the same name gets an underscore behind it.
    private static let reserved: Set<String> = ["time", "level", "event", "cut"]

    /// Letters, digits, `_`, `-`, `.`; anything else becomes `_`.
    static func name(_ text: String) -> String {
        let safe = text.utf8.prefix(nameBytesMax).map { byte -> Character in
            let isSafe =
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            return isSafe ? Character(UnicodeScalar(byte)) : "_"
        }
        let name = safe.isEmpty ? "_" : String(safe)
        return reserved.contains(name) ? name + "_" : name
    }

    /// In quotation marks only where it would not read as one word.
    static func value(_ text: String, bytesMax: Int) -> String {
        let isWord =
            !text.isEmpty && text.utf8.count <= bytesMax
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C }
        return isWord ? text : quoted(text, bytesMax: bytesMax)
    }

    /// In quotation marks; `bytesMax` bounds what stands between them.
    static func quoted(_ text: String, bytesMax: Int) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let piece =
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "\n": "\\n"
                case "\r": "\\r"
                case "\t": "\\t"
                case _ where isUnsafe(scalar): "\\u{\(String(scalar.value, radix: 16))}"
                default: String(scalar)
                }
            if result.utf8.count + piece.utf8.count > bytesMax - 3 {
                return "\"\(result)…\""
            }
            result += piece
        }
        return "\"\(result)\""
    }

    /// True for what could end a line, steer a terminal or reorder what is read: C0, DEL, C1, line and
    /// paragraph separators, bidirectional controls (Unicode Annex 9 §2), byte order mark.
    static func isUnsafe(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
