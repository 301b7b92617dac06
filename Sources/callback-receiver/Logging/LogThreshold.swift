// The least severe level that is logged, for all loggers of the program, so that it can be changed while it runs.
//
// Promises: safe from any thread; read for each event. Must not know: who changes it.

import Logging
import Synchronization

final class LogThreshold: Sendable {
    private static let levels = Logger.Level.allCases
    private let index: Atomic<Int>

    init(_ level: Logger.Level) { index = Atomic(Self.index(level)) }

    var level: Logger.Level {
        get { Self.levels[index.load(ordering: .relaxed)] }
        set { index.store(Self.index(newValue), ordering: .relaxed) }
    }

    private static func index(_ level: Logger.Level) -> Int { levels.firstIndex(of: level) ?? 0 }
}
