// What a test makes go wrong on the MemoryDisk, and what it sees of the calls.
//
// Promises: a fault hits the calls that it names, by number, and no others.
// Must not know: what the calls are for.

import Dispatch

/// The calls of Platform's Directory and File.
enum Operation: String, CaseIterable, Sendable {
    case names, create, open, rename, remove, synchronizeDirectory, isGone, freeBytes
    case size, isLinked, read, write, synchronizeData, truncate

    /// Those that change the disk, or what of it is stable.
    static let changing: Set<Operation> = [.create, .rename, .remove, .synchronizeDirectory, .write, .synchronizeData, .truncate]

    /// True for what has done something also where it fails.
    var failsInHalves: Bool { self == .write || self == .synchronizeData }
}

/// One call, in the order in which they came.
struct Call: Equatable, Sendable, CustomStringConvertible {
    let operation: Operation
    /// Of the file; empty for the directory.
    let name: String
    /// Of the file; a name may be given again, a number is not. Nil for the directory's calls.
    let inode: Int?
    let failed: Bool
    /// A write of line feeds only: padding, of which nobody is told anything.
    var isPadding = false
    var description: String { name.isEmpty ? operation.rawValue : "\(operation.rawValue) \(name)" }
}

struct Fault: Sendable {
    enum Effect: Sendable {
        /// The call fails and has done nothing, or (write) half.
        case fails(Int32)
        /// The call fails, and yet it was done.
        case failsThoughDone(Int32)
        /// A write takes only so many bytes.
        case writesOnly(Int)
        /// Somebody moves the directory away, just before the call.
        case movesDirectory
        /// Somebody deletes the directory and all that is in it, just before the call.
        case deletesDirectory

        /// errno of a call that fails.
        var code: Int32? {
            switch self {
            case .fails(let code), .failsThoughDone(let code): code
            case .writesOnly, .movesDirectory, .deletesDirectory: nil
            }
        }
        var isUndone: Bool { if case .fails = self { true } else { false } }
    }

    let operations: Set<Operation>
    let effect: Effect
    /// How many of these calls pass first.
    private var passing: Int
    /// How many then are hit.
    private var hitting: Int

    init(_ effect: Effect, on operations: Set<Operation> = Set(Operation.allCases), after passing: Int = 0, times hitting: Int = .max) {
        self.operations = operations
        self.effect = effect
        self.passing = passing
        self.hitting = hitting
    }

    mutating func hits(_ operation: Operation) -> Bool {
        guard operations.contains(operation) else { return false }
        if passing > 0 {
            passing -= 1
            return false
        }
        guard hitting > 0 else { return false }
        if hitting != .max { hitting -= 1 }
        return true
    }
}

/// Stops whoever passes until released; both sides wait a bounded time, so that a wrong test ends.
final class Hold: Sendable {
    private let arrived = DispatchSemaphore(value: 0)
    private let opened = DispatchSemaphore(value: 0)
    private static let patienceSeconds = 20

    func pass() {
        arrive()
        if opened.wait(timeout: .now() + .seconds(Self.patienceSeconds)) == .success { opened.signal() }
    }

    /// Ends the wait for somebody, whether or not one stands here.
    func arrive() { arrived.signal() }
    /// Waits until somebody stands at the hold; false when nobody came.
    func wait() -> Bool { arrived.wait(timeout: .now() + .seconds(Self.patienceSeconds)) == .success }
    /// From now on everybody passes.
    func release() { opened.signal() }
}
