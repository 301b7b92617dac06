// Log lines that a stranger can cause, held to a pace.
//
// Promises: at most `linesPerSecondMax` a second; what was left out is counted in the next line, so that a
// flood is seen and costs nothing. Must not know: what it reports. Owned by one loop.

import Logging

struct RateLimitedLog {
    static let linesPerSecondMax = 10

    private let logger: Logger
    private var second: Int64 = 0
    private var lines = 0
    private var leftOut = 0

    init(_ logger: Logger) { self.logger = logger }

    /// `now` in monotonic milliseconds.
    mutating func warning(_ message: Logger.Message, _ metadata: @autoclosure () -> Logger.Metadata, now: Int64) {
        if now / 1_000 != second {
            second = now / 1_000
            lines = 0
        }
        guard lines < Self.linesPerSecondMax else {
            leftOut += 1
            return
        }
        lines += 1
        var metadata = metadata()
        if leftOut > 0 { metadata["left-out"] = .stringConvertible(leftOut) }
        leftOut = 0
        logger.warning(message, metadata: metadata)
    }
}
