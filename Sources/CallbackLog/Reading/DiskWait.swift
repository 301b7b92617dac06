// Whether somebody is waiting for a disk at this moment: inside a system call that may take as long as the disk likes.
//
// Promises: safe to ask from any thread; costs whoever waits two stores. One for each queue or loop: it says of that one
// that it is no fault of its own that it does not answer.
// Must not know: which call, which file.

import Synchronization

/// Says whether one queue or loop waits for the disk.
public final class DiskWait: Sendable {
    /// How many calls within each other.
    private let depth = Atomic<Int>(0)

    /// Of nobody that waits.
    public init() {}

    /// True while `during` runs.
    public var isWaiting: Bool { depth.load(ordering: .relaxed) > 0 }

    /// `body` waits for the disk.
    @inline(__always)
    public func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        depth.add(1, ordering: .relaxed)
        defer { depth.subtract(1, ordering: .relaxed) }
        return try body()
    }
}
