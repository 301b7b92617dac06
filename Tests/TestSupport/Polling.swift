// Waiting for a state without guessing how long it takes.
//
// Promises: a wait ends as soon as its condition holds, and never later than its deadline.
// Must not know: what is waited for. Tests never assert how long a wait took, save as a lower bound.

import Glibc

/// What a test could not go on without.
public enum TestFailure: Error, CustomStringConvertible {
    /// A deadline passed; the text says what was waited for.
    case timeout(String)
    /// A system call failed.
    case system(operation: String, errorNumber: Int32)
    /// The other side said something that cannot be read; the text says what.
    case unreadable(String)

    public var description: String {
        switch self {
        case .timeout(let text): "timed out: \(text)"
        case .system(let operation, let errorNumber): "\(operation): errno \(errorNumber)"
        case .unreadable(let text): "unreadable: \(text)"
        }
    }
}

/// A point on the monotonic clock by which something must have happened.
public struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    public init(seconds: Double) {
        instant = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
    }

    /// What is left in milliseconds, zero when it has passed.
    public var millisecondsLeft: Int32 {
        let left = instant - ContinuousClock.now
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    public var hasPassed: Bool { millisecondsLeft == 0 }
}

/// Polls until the condition gives a value.
/// - Throws: `TestFailure.timeout` naming `what` when the deadline passes first, or what the condition throws.
public func eventually<Value>(
    _ what: String, withinSeconds seconds: Double = 15, _ condition: () throws -> Value?
) throws -> Value {
    let deadline = Deadline(seconds: seconds)
    while true {
        if let value = try condition() { return value }
        if deadline.hasPassed { throw TestFailure.timeout(what) }
        waitBetweenPolls()
    }
}

/// Polls until the condition holds.
public func eventually(
    _ what: String, withinSeconds seconds: Double = 15, holds condition: () throws -> Bool
) throws {
    let _: Bool = try eventually(what, withinSeconds: seconds) { try condition() ? true : nil }
}

/// The distance between two polls: five milliseconds.
func waitBetweenPolls() { _ = poll(nil, 0, 5) }
