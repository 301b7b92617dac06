// A disk in memory that fails on request, lies like a real one, and loses power.
//
//     write ─▶ cached ──fdatasync──▶ stable          file content: `cached` is what reads see
//     create, rename, remove ─▶ names ──fsync──▶ stable names
//
// Promises: a power loss keeps what is stable and any part of the rest; a killed process keeps all. After a
// failed fdatasync the dirty pages count as clean and are not stable: a later success does not bring them
// (invariant 3). Every call is counted, kept in order, and may be made to fail (Fault.swift).
// Must not know: lines, records, what the log does with it.

import Glibc
import Platform
import Synchronization

final class MemoryDisk: Directory {
    struct Inode {
        var cached: [UInt8] = []
        var stable: [UInt8] = []
        /// Whole pages, written since the last fdatasync.
        var dirty: [Range<Int>] = []
    }

    struct State {
        var inodes: [Inode] = []
        var names: [String: Int] = [:]
        /// The stable names first; then the names after each change since.
        var history: [[String: Int]] = [[:]]
        var calls: [Call] = []
        var faults: [Fault] = []
        var hold: Hold?
        var isGone = false
        var freeBytes = Int64.max

        mutating func changeNames(_ change: (inout [String: Int]) -> Void) {
            change(&names)
            history.append(names)
        }

        mutating func makeStable(_ inode: Int) {
            var stable = inodes[inode].stable
            let cached = inodes[inode].cached
            if stable.count > cached.count { stable.removeSubrange(cached.count...) }
            stable.append(contentsOf: [UInt8](repeating: 0, count: cached.count - stable.count))
            for range in inodes[inode].dirty.map({ $0.clamped(to: 0..<cached.count) }) {
                stable.replaceSubrange(range, with: cached[range])
            }
            inodes[inode].stable = stable
            inodes[inode].dirty = []
        }
    }

    /// Small, so that many lines lie on two.
    static let pageBytes = 64
    static func pages(_ range: Range<Int>) -> Range<Int> {
        (range.lowerBound / pageBytes * pageBytes)..<((range.upperBound + pageBytes - 1) / pageBytes * pageBytes)
    }

    let path = "memory"
    let state = Mutex(State())

    /// A disk that holds these files, and an identity, all of it stable.
    init(_ files: [String: [UInt8]] = [:]) {
        state.withLock { state in
            for (name, bytes) in files.merging(["identity": Self.identity], uniquingKeysWith: { mine, _ in mine }) {
                state.names[name] = state.inodes.count
                state.inodes.append(Inode(cached: bytes, stable: bytes))
            }
            state.history = [state.names]
        }
    }

    // MARK: what a test sees and does

    /// The log's own, and what is foreign: not what is derived, the index files and the identity.
    var files: [String: [UInt8]] {
        state.withLock { state in
            state.names.filter { $0.key != "identity" && !$0.key.hasSuffix(".index") }.mapValues { state.inodes[$0].cached }
        }
    }
    var allFiles: [String: [UInt8]] { state.withLock { state in state.names.mapValues { state.inodes[$0].cached } } }
    var calls: [Call] { state.withLock { $0.calls } }
    func count(_ operation: Operation) -> Int { calls.count { $0.operation == operation } }
    subscript(_ name: String) -> [UInt8]? { files[name] }

    /// From now on these go wrong, counted from here.
    func inject(_ faults: Fault...) { state.withLock { $0.faults = faults } }
    func lift() { state.withLock { $0.faults = [] } }
    func setGone(_ gone: Bool) { state.withLock { $0.isGone = gone } }
    func setFreeBytes(_ bytes: Int64) { state.withLock { $0.freeBytes = bytes } }
    /// Somebody else deletes a file.
    func delete(_ name: String) { state.withLock { state in state.changeNames { $0[name] = nil } } }

    /// The next fdatasync waits until the hold is released.
    func holdSynchronization() -> Hold {
        let hold = Hold()
        state.withLock { $0.hold = hold }
        return hold
    }

    /// What is left when the process is killed now: all of it, what is only cached too.
    func afterKill() -> MemoryDisk {
        let old = state.withLock { $0 }
        let disk = MemoryDisk()
        disk.state.withLock {
            $0.inodes = old.inodes
            $0.names = old.names
            $0.history = old.history
        }
        return disk
    }

    /// What is left when the power goes now: what is stable, and of the rest what `choose` keeps;
    /// it is given a bound and answers with a number from 0 up to it.
    func afterPowerLoss(_ choose: (Int) -> Int = { _ in 0 }) -> MemoryDisk {
        let (history, inodes) = state.withLock { ($0.history, $0.inodes) }
        let names = history[choose(history.count - 1)]
        return MemoryDisk(
            names.mapValues { number in
                let inode = inodes[number]
                var bytes = inode.stable
                for range in inode.dirty.map({ $0.clamped(to: 0..<inode.cached.count) }) {
                    let kept = range.lowerBound..<(range.lowerBound + choose(range.count))
                    guard !kept.isEmpty else { continue }
                    if bytes.count < kept.upperBound { bytes.append(contentsOf: [UInt8](repeating: 0, count: kept.upperBound - bytes.count)) }
                    bytes.replaceSubrange(kept, with: inode.cached[kept])
                }
                return bytes
            })
    }

    // MARK: Directory

    /// One that is there before the log is opened, so that a test's calls and faults are about records.
    private static let identity = Array(
        "{\"log_id\":\"000102030405060708090a0b0c0d0e0f\",\"hash_key\":\"101112131415161718191a1b1c1d1e1f\"}\n".utf8)

    /// Counts a call; throws where a fault says that nothing of it happens. Returns the fault otherwise.
    func begin(_ operation: Operation, _ name: String, inode: Int? = nil, _ state: inout State) -> Fault.Effect? {
        if name == "identity" { return nil }
        var effect: Fault.Effect?
        for index in state.faults.indices where effect == nil && state.faults[index].hits(operation) {
            effect = state.faults[index].effect
        }
        let failed: Bool
        switch effect {
        case .fails, .failsThoughDone: failed = true
        case .writesOnly, nil: failed = false
        }
        state.calls.append(Call(operation: operation, name: name, inode: inode, failed: failed))
        return effect
    }

    private func perform<Result>(
        _ operation: Operation, _ name: String, _ body: (inout State) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try state.withLock { state throws(SystemError) in
            switch begin(operation, name, &state) {
            case .fails(let code): throw SystemError(operation: operation.rawValue, path: name, code: code)
            case .failsThoughDone(let code):
                _ = try body(&state)
                throw SystemError(operation: operation.rawValue, path: name, code: code)
            case .writesOnly, nil: return try body(&state)
            }
        }
    }

    func names() throws(SystemError) -> [String] { try perform(.names, "") { $0.names.keys.sorted() } }

    func create(_ name: String) throws(SystemError) -> any File {
        try perform(.create, name) { state throws(SystemError) in
            if state.names[name] != nil { throw SystemError(operation: "open", path: name, code: EEXIST) }
            state.inodes.append(Inode())
            let number = state.inodes.count - 1
            state.changeNames { $0[name] = number }
            return MemoryFile(name: name, inode: number, disk: self)
        }
    }

    func open(_ name: String) throws(SystemError) -> any File {
        try perform(.open, name) { state throws(SystemError) in
            guard let number = state.names[name] else { throw SystemError(operation: "open", path: name, code: ENOENT) }
            return MemoryFile(name: name, inode: number, disk: self)
        }
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try perform(.rename, old) { state throws(SystemError) in
            guard let number = state.names[old] else { throw SystemError(operation: "rename", path: old, code: ENOENT) }
            state.changeNames {
                $0[old] = nil
                $0[new] = number
            }
        }
    }

    func remove(_ name: String) throws(SystemError) {
        try perform(.remove, name) { state throws(SystemError) in
            guard state.names[name] != nil else { throw SystemError(operation: "unlink", path: name, code: ENOENT) }
            state.changeNames { $0[name] = nil }
        }
    }

    func synchronize() throws(SystemError) {
        try perform(.synchronizeDirectory, "") { $0.history = [$0.names] }
    }

    func isGone() throws(SystemError) -> Bool { try perform(.isGone, "") { $0.isGone } }

    func freeBytes() throws(SystemError) -> Int64 { try perform(.freeBytes, "") { $0.freeBytes } }
}
