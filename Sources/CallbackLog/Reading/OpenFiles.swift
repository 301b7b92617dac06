// The files of sealed segments and their indexes, opened when they are needed and kept open while they are in use.
//
// Promises: at most `countMax` are kept (invariant 7); one more takes the place of that which was asked for longest
// ago, and where the process has no descriptor left all are let go: reading must not keep others from theirs. A
// file stays readable for whoever holds it. An index made anew has the name of the one before: whoever asks for
// either gets that one or none. No system call happens under the lock: what is let go of is closed outside it.
// Must not know: what is in them.

import Platform
import Synchronization

final class OpenFiles: Sendable {
    /// Descriptors that a log keeps for reading, at most, unless its options say less.
    static let countMax = 512

    private struct Key: Hashable {
        /// Of the segment.
        let first: UInt64
        /// The number of its index; 0 for the segment itself.
        let index: UInt64
    }

    private struct Entry {
        let file: any File
        var used: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var clock: UInt64 = 0
        /// How often something was forgotten: what was opened before that is not kept.
        var forgotten: UInt64 = 0
    }

    private let directory: any Directory
    private let countMax: Int
    private let state = Mutex(State())

    init(_ directory: any Directory, countMax: Int = countMax) {
        self.directory = directory
        self.countMax = max(1, countMax)
    }

    /// The file of the segment that begins with `first`.
    func segment(_ first: UInt64) throws(SystemError) -> any File {
        let key = Key(first: first, index: 0)
        let (known, forgotten) = kept(key)
        if let known { return known }
        let file = try open(SegmentName.name(first: first))
        keep(file, key, forgotten)
        return file
    }

    /// The file of `index`. Where its name leads to another by now, no page of that is taken for one of `index`.
    func file(of index: IndexFile) throws(IndexFault) -> any File {
        let key = Key(first: index.summary.first, index: index.number)
        let (known, forgotten) = kept(key)
        if let known { return known }
        let file: any File
        do throws(SystemError) {
            file = try open(SegmentName.index(first: key.first))
        } catch {
            throw .system(error)
        }
        keep(file, key, forgotten)
        return file
    }

    private func open(_ name: String) throws(SystemError) -> any File {
        do throws(SystemError) {
            return try directory.open(name)
        } catch {
            guard error.isOutOfDescriptors else { throw error }
            _ = state.withLock { state in
                defer { state.entries = [:] }
                return state.entries
            }
            return try directory.open(name)
        }
    }

    private func kept(_ key: Key) -> (file: (any File)?, forgotten: UInt64) {
        state.withLock { state in
            state.clock += 1
            let clock = state.clock
            guard let file = state.entries[key]?.file else { return (nil, state.forgotten) }
            state.entries[key]?.used = clock
            return (file, state.forgotten)
        }
    }

    private func keep(_ file: any File, _ key: Key, _ forgotten: UInt64) {
        _ = state.withLock { state -> (any File)? in
            guard state.forgotten == forgotten else { return nil }
            var replaced: (any File)?
            if state.entries.count >= countMax, let oldest = state.entries.min(by: { $0.value.used < $1.value.used }) {
                replaced = state.entries.removeValue(forKey: oldest.key)?.file
            }
            state.entries[key] = Entry(file: file, used: state.clock)
            return replaced
        }
    }

    /// The names of the segment that begins with `first` lead to other files from now on, or to none.
    func forget(_ first: UInt64) {
        _ = state.withLock { state -> [Key: Entry] in
            state.forgotten += 1
            let entries = state.entries
            state.entries = entries.filter { $0.key.first != first }
            return entries
        }
    }
}
