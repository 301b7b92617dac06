// The files of sealed segments and their indexes, opened when they are needed and kept open while they are in use.
//
// Promises: at most `countMax` are kept (invariant 7); one more takes the place of that which was asked for longest
// ago. A file stays readable for whoever holds it. No system call happens under the lock.
// Must not know: what is in them.

import Platform
import Synchronization

final class OpenFiles: Sendable {
    /// Descriptors that a log keeps for reading, at most.
    static let countMax = 512

    enum Role: UInt64 { case segment, index }

    private struct Entry {
        let file: any File
        var used: UInt64
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let directory: any Directory
    private let state = Mutex(State())

    init(_ directory: any Directory) { self.directory = directory }

    /// The file of the segment that begins with `first`, or of its index.
    func file(_ role: Role, of first: UInt64) throws(SystemError) -> any File {
        // A sequence has 60 bits at most.
        let key = first << 1 | role.rawValue
        let known = state.withLock { state -> (any File)? in
            state.clock += 1
            let clock = state.clock
            guard let file = state.entries[key]?.file else { return nil }
            state.entries[key]?.used = clock
            return file
        }
        if let known { return known }
        let file = try directory.open(role == .segment ? SegmentName.name(first: first) : SegmentName.index(first: first))
        state.withLock { state in
            if state.entries.count >= Self.countMax, let oldest = state.entries.min(by: { $0.value.used < $1.value.used }) {
                state.entries[oldest.key] = nil
            }
            state.entries[key] = Entry(file: file, used: state.clock)
        }
        return file
    }

    /// The name leads to another file from now on, or to none.
    func forget(_ role: Role, of first: UInt64) { state.withLock { $0.entries[first << 1 | role.rawValue] = nil } }
}
