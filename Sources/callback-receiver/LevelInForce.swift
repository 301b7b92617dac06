// The level of log lines, which a reload may change while many hold the logger.
//
// Promises: what is set is in force for every logger at once. Costs one load for each line that is considered.
// Must not know: how a line is written.

import Logging
import Synchronization

final class LevelInForce: Sendable {
    private let level: Atomic<Int>

    init(_ level: Logger.Level) { self.level = Atomic(Self.index(level)) }

    var current: Logger.Level {
        get { Logger.Level.allCases[level.load(ordering: .relaxed)] }
        set { level.store(Self.index(newValue), ordering: .relaxed) }
    }

    private static func index(_ level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }
}

/// A handler whose level is the one in force.
struct LevelledHandler<Inner: LogHandler>: LogHandler {
    let level: LevelInForce
    var inner: Inner

    var logLevel: Logger.Level {
        get { level.current }
        set { level.current = newValue }
    }

    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { inner.metadataProvider }
        set { inner.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { inner.log(event: event) }
}
