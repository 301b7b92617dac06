// Honest queue confinement: a value that only one serial Dispatch queue may touch.
//
// Promises: every access checks, in release too, that it runs on the owning queue; what is inside
// needs no lock. The one `@unchecked Sendable` of the project (with the reason here): the check makes
// it true. Costs about 7 ns an access, so a loop's block opens it once and stays inside.
// Must not know: what it holds.

import Dispatch

/// A value moved into a queue's ownership.
public final class Confined<Value>: @unchecked Sendable {
    /// The owner. Serial, or the confinement means nothing.
    public let queue: DispatchQueue
    private let value: Value

    /// `value` must not be reachable from anywhere else once it is in here.
    public init(_ value: sending Value, to queue: DispatchQueue) {
        self.value = value
        self.queue = queue
    }

    /// The value (a class, or what needs no change), on its queue only; elsewhere the process stops.
    public func withValue<Result>(_ body: (Value) throws -> Result) rethrows -> Result {
        dispatchPrecondition(condition: .onQueue(queue))
        return try body(value)
    }
}
