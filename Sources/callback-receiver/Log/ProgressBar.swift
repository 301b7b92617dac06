// How far a command is, on the terminal at standard error.
//
// Promises: nothing where standard error is no terminal. One row, drawn at most ten times a second, wiped away
// at the end and before anything else is printed. Must not know: what is being done.

import Platform
import Synchronization

final class ProgressBar: Sendable {
    private struct State {
        var label: String
        var passed: Int64 = 0
        var total: Int64
        var drawnAt: Int64 = 0
        var isDrawn = false
    }
    private static let intervalNanoseconds: Int64 = 100_000_000
    /// The least time after which a rate says anything.
    private static let rateNanoseconds: Int64 = 500_000_000

    private let isShown: Bool
    private let columns: Int
    private let startedAt: Int64
    private let now: @Sendable () -> Int64
    private let draw: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - bytes: what is to pass in all.
    ///   - now: monotonic nanoseconds.
    init(
        _ label: String, bytes: Int64, isShown: Bool = Terminal.isAtStandardError, columns: Int = Terminal.columns,
        now: @escaping @Sendable () -> Int64 = Clock.monotonicNanoseconds, draw: @escaping @Sendable (String) -> Void = StandardStream.error
    ) {
        self.isShown = isShown
        self.columns = columns
        self.now = now
        self.draw = draw
        startedAt = now()
        state = Mutex(State(label: label, total: max(1, bytes)))
    }

    /// So many bytes more are done.
    func pass(_ bytes: Int) {
        guard isShown else { return }
        state.withLock { state in
            state.passed += Int64(bytes)
            let time = now()
            guard !state.isDrawn || time - state.drawnAt >= Self.intervalNanoseconds else { return }
            state.drawnAt = time
            state.isDrawn = true
            draw("\r" + Self.row(state.label, passed: state.passed, total: state.total, nanoseconds: time - startedAt, columns: columns) + "\u{1B}[K")
        }
    }

    /// From now on it is this that is done.
    func label(_ label: String) { state.withLock { $0.label = label } }

    /// Wipes the row, so that something can be printed in its place.
    func wipe() {
        guard isShown else { return }
        state.withLock { state in
            if state.isDrawn { draw("\r\u{1B}[K") }
            state.isDrawn = false
        }
    }

    /// `verify  42 % [========>           ] 512 MiB/s, 4 s left`
    static func row(_ label: String, passed: Int64, total: Int64, nanoseconds: Int64, columns: Int) -> String {
        let done = min(1, Double(passed) / Double(total))
        let percent = String(Int(done * 100))
        let head = "\(label) " + String(repeating: " ", count: max(0, 3 - percent.count)) + percent + " % "
        var tail = ""
        if nanoseconds >= rateNanoseconds, passed > 0 {
            let seconds = Double(nanoseconds) / 1e9
            tail = " \(rate(Double(passed) / seconds)), \(time(seconds * (1 - done) / max(done, 1e-9))) left"
        }
        // One column stays free: a terminal may go to the next row when the last one is written.
        let width = min(40, columns - 1 - head.count - tail.count - 2)
        guard width >= 4 else { return String((head + tail).prefix(max(0, columns - 1))) }
        let filled = Int(done * Double(width))
        let bar = String(repeating: "=", count: filled) + (filled < width ? ">" : "")
        return head + "[" + bar + String(repeating: " ", count: width - bar.count) + "]" + tail
    }

    private static func rate(_ bytesPerSecond: Double) -> String {
        bytesPerSecond >= 1_048_576 ? "\(Int(bytesPerSecond / 1_048_576)) MiB/s" : "\(Int(bytesPerSecond / 1_024)) KiB/s"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 359_999))
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3_600) h \(whole / 60 % 60) min"
    }
}
