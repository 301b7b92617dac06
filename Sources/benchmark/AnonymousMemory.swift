// How much anonymous memory a process has at most while something goes on: the kernel keeps no such mark, so it is asked
// again and again.
//
// Promises: asks every 2 ms; what comes and goes between two questions is not seen. Asking costs the process nothing, and
// the machine about a hundredth of a processor. Must not know: what goes on.

import Dispatch
import Synchronization

final class AnonymousMemory: Sendable {
    /// Of /proc/PID/status (proc(5)): what the process itself holds, without code, libraries and mapped files.
    static let key = "RssAnon"
    private static let pause = DispatchTimeInterval.milliseconds(2)

    private let peak = Mutex(0.0)
    private let stopping = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    /// Begins to look at the process with this id.
    init(of process: Int32) {
        DispatchQueue(label: "anonymous memory").async {
            repeat {
                // Gone, when it cannot be read: then the peak stands.
                let bytes = (try? Subject.memoryBytes(Self.key, of: process)) ?? 0
                self.peak.withLock { $0 = max($0, bytes) }
            } while self.stopping.wait(timeout: .now() + Self.pause) == .timedOut
            self.done.signal()
        }
    }

    /// Ends it. The most that was seen, in bytes.
    func stop() -> Double {
        stopping.signal()
        done.wait()
        return peak.withLock { $0 }
    }
}
