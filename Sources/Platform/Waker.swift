// What one queue calls to wake another: set once, after both are made.
//
// Promises: a call costs the same however many came before it. A closure that stands by itself in a Mutex is wrapped once
// more each time that it is looked at, for ever; within a struct it stays as it is.
// Must not know: who is woken.

import Synchronization

/// Starts something that is set later than it is needed.
public final class Waker: Sendable {
    private struct Body {
        var run: @Sendable () -> Void = {}
    }
    private let body = Mutex(Body())

    /// Starts nothing yet.
    public init() {}

    /// From now on it starts `run`.
    public func set(_ run: @escaping @Sendable () -> Void) { body.withLock { $0.run = run } }

    /// Nothing before it is set.
    public func wake() { body.withLock { $0 }.run() }
}
