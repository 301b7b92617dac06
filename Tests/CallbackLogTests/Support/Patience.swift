// Waits that end: a log that hangs is a failed test, not a test run that hangs.
//
// Must not know: what is waited for.

import Dispatch
import Testing

/// Runs `body` on `queue` and returns when it is done; records an issue, and returns, where that takes too long.
func expectToRun(on queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    queue.async {
        body()
        done.signal()
    }
    if done.wait(timeout: .now() + .seconds(20)) != .success { Issue.record("\(queue.label) hangs") }
}
