// Log events as lines: one event is one line.
//
//     logfmt   time=2026-05-20T18:20:25.031Z level=info event="segment sealed" segment=42 path="./callback data"
//     JSON     {"time":"2026-05-20T18:20:25.031Z","level":"info","event":"segment sealed","segment":42,"path":"./callback data"}
//     journal  the same, with <6> before it: what sd-daemon(3) has for the event's level
//
// Promises: an event is one line whatever its texts hold, so that nobody who sends us text can forge one (LineEscape).
// Metadata is sorted by name. A line is at most `lineBytesMax` long; what does not fit is left out, and `cut` says so.
// Must not know: what is logged, who writes the lines (LineQueue). Secrets and payloads must not be handed to it in the first place.

import CallbackLog
import Logging
import Platform

/// How a line is written.
enum LineFormat: String, Sendable, CaseIterable {
    case logfmt, json
}

struct LineHandler: LogHandler {
    /// PIPE_BUF on Linux (pipe(7)): a line up to this length is never torn apart by another writer.
    static let lineBytesMax = 4_096
    /// The longest single value; more is cut, and ends in "…".
    static let valueBytesMax = 1_024
    /// Kept free at the end of a line for `,"cut":true}` and the line feed.
    private static let tailBytes = 13
    /// The names that every line begins with; metadata of the same name gets an underscore behind it.
    private static let reserved: Set<String> = ["time", "level", "event", "cut"]

    private let threshold: LogThreshold
    private let format: LineFormat
    private let hasPriority: Bool
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let now: @Sendable () -> Int64
    private var write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - hasPriority: true where the journal reads the lines, and takes their level from `<N>`.
    ///   - now: milliseconds since 1970, UTC.
    ///   - write: takes each line whole, with its line feed.
    init(
        threshold: LogThreshold,
        format: LineFormat,
        hasPriority: Bool = false,
        now: @escaping @Sendable () -> Int64 = Clock.wallMilliseconds,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.threshold = threshold
        self.format = format
        self.hasPriority = hasPriority
        self.now = now
        self.write = write
    }

    /// The same with another way for its lines.
    func writing(to write: @escaping @Sendable (String) -> Void) -> LineHandler {
        var handler = self
        handler.write = write
        return handler
    }

    /// One for the whole program: there is one configuration.
    var logLevel: Logger.Level {
        get { threshold.level }
        set { threshold.level = newValue }
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
        write(line(event.level, event.message.description, all))
    }

    /// The line of an event, with its line feed.
    func line(_ level: Logger.Level, _ message: String, _ all: Logger.Metadata) -> String {
        var line = hasPriority ? "<\(level.priority)>" : ""
        if format == .json { line += "{" }
        line += field("time", Timestamp(milliseconds: now()).text)
        line += separator + field("level", level.rawValue)
        line += separator + (format == .json ? field("event", message) : "event=\(LineEscape.logfmtQuoted(message, bytesMax: Self.valueBytesMax))")
        var isCut = false
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            let next = separator + field(name(key), value.description, isNumber: value.isNumber)
            if line.utf8.count + next.utf8.count + Self.tailBytes <= Self.lineBytesMax {
                line += next
            } else {
                isCut = true
            }
        }
        if isCut { line += separator + field("cut", "true", isNumber: true) }
        return line + (format == .json ? "}\n" : "\n")
    }

    private var separator: String { format == .json ? "," : " " }

    private func field(_ name: String, _ value: String, isNumber: Bool = false) -> String {
        switch format {
        case .logfmt: "\(name)=\(LineEscape.logfmt(value, bytesMax: Self.valueBytesMax))"
        case .json: "\"\(name)\":\(isNumber ? value : LineEscape.json(value, bytesMax: Self.valueBytesMax))"
        }
    }

    private func name(_ key: String) -> String {
        let name = LineEscape.name(key)
        return Self.reserved.contains(name) ? name + "_" : name
    }
}

extension Logger.MetadataValue {
    /// True where it was given as a number, and not as a text.
    fileprivate var isNumber: Bool {
        guard case .stringConvertible(let value) = self else { return false }
        return value is any FixedWidthInteger || (value as? Double)?.isFinite ?? false
    }
}

extension Logger.Level {
    /// syslog's severity (RFC 5424 §6.2.1), as sd-daemon(3) takes it.
    var priority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
