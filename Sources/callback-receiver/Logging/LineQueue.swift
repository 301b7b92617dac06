// The way of a log line to standard error: into a queue at once, and from there whenever whoever reads it is ready.
//
//     append ─▶ waiting, at most `waitingBytesMax` ─▶ one write after the other, on a queue of its own ─▶ standard error
//        └─ no room: dropped and counted, with all that follow, until what waits is written; then a line says how many
//
// Promises: nobody who logs waits for whoever reads, who may have stopped: a loop or the writer of the log would be held by it.
// Lines keep their order, and the line that tells of dropped ones stands where they are missing. Before the process ends `flush`
// waits for what is on its way, for a bounded time. Safe from any thread.
// Must not know: what a line says, what standard error is. It is not made non-blocking: that would be so for all who share it.

import Dispatch
import Synchronization

final class LineQueue: Sendable {
    /// Lines that wait: thousands of them, and more than a reader who is only slow leaves lying.
    static let waitingBytesMax = 1_024 * 1_024
    /// The end of the process waits so long for a reader.
    static let flushMilliseconds = 2_000

    private struct State {
        var waiting: [String] = []
        /// Of those that wait and those that are being written.
        var bytes = 0
        /// Since the last line that told of it.
        var dropped = 0
        /// There is somebody who writes.
        var isWriting = false

        /// What waits; when nothing does any more, how many were dropped behind it; when none, nil.
        mutating func takeNext() -> (lines: [String], dropped: Int)? {
            var next: (lines: [String], dropped: Int) = ([], 0)
            if waiting.isEmpty { swap(&dropped, &next.dropped) } else { swap(&waiting, &next.lines) }
            isWriting = !next.lines.isEmpty || next.dropped > 0
            return isWriting ? next : nil
        }
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log.lines")
    private let write: @Sendable (String) -> Void
    private let dropNotice: @Sendable (Int) -> String

    /// - Parameters:
    ///   - write: writes a line, and waits as long as that takes.
    ///   - dropNotice: the line that says how many are missing.
    init(write: @escaping @Sendable (String) -> Void, dropNotice: @escaping @Sendable (Int) -> String) {
        self.write = write
        self.dropNotice = dropNotice
    }

    /// Takes a line, with its line feed, or counts it as dropped.
    func append(_ line: String) {
        let isFirst = state.withLock { state in
            guard state.dropped == 0, state.bytes + line.utf8.count <= Self.waitingBytesMax else {
                state.dropped += 1
                return false
            }
            state.bytes += line.utf8.count
            state.waiting.append(line)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isFirst { queue.async { self.drain() } }
    }

    /// Waits until all that was appended is written, or so long.
    func flush(milliseconds: Int = LineQueue.flushMilliseconds) {
        let written = DispatchSemaphore(value: 0)
        queue.async { written.signal() }
        _ = written.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    // MARK: on the queue

    private func drain() {
        while let next = state.withLock({ $0.takeNext() }) {
            if next.dropped > 0 { write(dropNotice(next.dropped)) }
            for line in next.lines {
                write(line)
                state.withLock { $0.bytes -= line.utf8.count }
            }
        }
    }
}
