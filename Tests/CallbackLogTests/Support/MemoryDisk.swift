// A disk in memory that fails on request, lies like a real one, and loses power.
//
//     write ─▶ cached ──fdatasync──▶ stable          file content: `cached` is what reads see (StoredFile.swift)
//     create, rename, remove ─▶ names ──fsync──▶ stable names
//
// Promises: a power loss keeps what is stable and any part of the rest; a killed process keeps all. Every call is
// counted, kept in order, and may be made to fail (Fault.swift). While it records, it keeps what was there after
// each change.
// Must not know: lines, records, what the log does with it.

import Glibc
import Platform
import Synchronization

/// What is on a disk, and what of it is stable.
struct DiskContents {
    var files: [StoredFile] = []
    var names = StoredNames()

    /// What a power loss leaves. `choose` is given a bound and answers with a number from 0 up to it: always 0 keeps
    /// nothing but what is stable, always the bound all that was written.
    func afterPowerLoss(_ choose: (Int) -> Int = { _ in 0 }) -> [String: [UInt8]] {
        var left: [String: [UInt8]] = [:]
        for (name, number) in names.afterPowerLoss(choose).sorted(by: { $0.key < $1.key }) { left[name] = files[number].afterPowerLoss(choose) }
        return left
    }

    /// True where a failed fdatasync has left something that reads see and the disk perhaps never got.
    var hasLost: Bool { files.contains { $0.hasLost } }

    /// With the memory of that needed for something else: reads see what the disk has.
    func evicted(_ choose: (Int) -> Int) -> DiskContents {
        var contents = self
        for number in files.indices { contents.files[number].evict(choose) }
        return contents
    }
}

final class MemoryDisk: Directory {
    struct State {
        var contents = DiskContents()
        var calls: [Call] = []
        /// After each call that changed something; nil while nobody wants to know.
        var recorded: [(call: Call, contents: DiskContents)]?
        var faults: [Fault] = []
        var hold: Hold?
        /// A file from which one read waits, after so many that pass.
        var heldRead: (name: String, passing: Int, hold: Hold)?
        var isGone = false
        var isDeleted = false
        /// How many calls a fault has hit.
        var hitCount = 0
        var freeBytes = Int64.max
        /// No file grows any more.
        var isFull = false
        /// Called after each renaming.
        var renamed: (@Sendable () -> Void)?
        /// A file that cannot be opened, and why.
        var refused: (name: String, code: Int32)?

        mutating func hit(by effect: Fault.Effect) {
            hitCount += 1
            switch effect {
            case .fails, .failsThoughDone, .writesOnly: break
            case .movesDirectory: isGone = true
            case .deletesDirectory:
                isGone = true
                isDeleted = true
                contents.names.change(contents.names.now.mapValues { _ in nil })
            }
        }
    }

    let path = "memory"
    let sectorBytes: Int
    /// Whether the file `identity` is there from the beginning and no fault hits it, so that a test's calls are about
    /// records.
    let hasFixedIdentity: Bool
    let state = Mutex(State())

    private static let identity = Array(
        "{\"log_id\":\"000102030405060708090a0b0c0d0e0f\",\"hash_key\":\"101112131415161718191a1b1c1d1e1f\"}\n".utf8)

    /// A disk that holds these files, all of it stable.
    init(_ files: [String: [UInt8]] = [:], sectorBytes: Int = StoredFile.sectorBytes, hasFixedIdentity: Bool = true) {
        self.sectorBytes = sectorBytes
        self.hasFixedIdentity = hasFixedIdentity
        let files = hasFixedIdentity ? files.merging(["identity": Self.identity], uniquingKeysWith: { mine, _ in mine }) : files
        state.withLock { state in
            var numbers: [String: Int] = [:]
            for (name, bytes) in files {
                numbers[name] = state.contents.files.count
                state.contents.files.append(StoredFile(bytes, sectorBytes: sectorBytes))
            }
            state.contents.names = StoredNames(numbers)
        }
    }

    /// A disk that holds all of this, stable or not: what a killed process leaves.
    init(_ contents: DiskContents, sectorBytes: Int = StoredFile.sectorBytes, hasFixedIdentity: Bool = true) {
        self.sectorBytes = sectorBytes
        self.hasFixedIdentity = hasFixedIdentity
        state.withLock { $0.contents = contents }
    }

    // MARK: what a test sees and does

    var contents: DiskContents { state.withLock { $0.contents } }
    var allFiles: [String: [UInt8]] {
        let contents = contents
        return contents.names.now.mapValues { contents.files[$0].cached }
    }
    /// The log's own, and what is foreign: not what is derived, the index files among it, and the identity.
    var files: [String: [UInt8]] { allFiles.filter { !["identity", "superseded"].contains($0.key) && !$0.key.hasSuffix(".index") } }
    var calls: [Call] { state.withLock { $0.calls } }
    func count(_ operation: Operation) -> Int { calls.count { $0.operation == operation } }
    subscript(_ name: String) -> [UInt8]? { files[name] }

    /// From now on these go wrong, counted from here.
    func inject(_ faults: Fault...) { state.withLock { $0.faults = faults } }
    func lift() { state.withLock { $0.faults = [] } }
    func setGone(_ gone: Bool) { state.withLock { $0.isGone = gone } }
    var hitCount: Int { state.withLock { $0.hitCount } }
    var isDeleted: Bool { state.withLock { $0.isDeleted } }
    /// From now on this is called after each renaming, before whoever renamed goes on.
    func whenRenamed(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.renamed = body } }
    /// From now on this file cannot be opened; nil: every file can be.
    func refuse(_ name: String?, _ code: Int32 = 0) { state.withLock { $0.refused = name.map { ($0, code) } } }
    func setFreeBytes(_ bytes: Int64) { state.withLock { $0.freeBytes = bytes } }
    /// As long as it is full nothing is written beyond the end of a file; what is within, and names, have their room.
    func setFull(_ full: Bool) { state.withLock { $0.isFull = full } }
    /// Somebody else cuts a file short.
    func cut(_ name: String, to size: Int) {
        state.withLock { state in
            if let number = state.contents.names.now[name] { state.contents.files[number].truncate(to: size) }
        }
    }
    /// Somebody else deletes a file.
    func delete(_ name: String) { state.withLock { $0.contents.names.change([name: nil]) } }
    /// Somebody else changes a byte of a file.
    func flip(_ name: String, _ offset: Int) {
        state.withLock { state in
            if let number = state.contents.names.now[name] { state.contents.files[number].flip(offset) }
        }
    }

    /// From now on what is there after each change is kept.
    func record() { state.withLock { $0.recorded = [] } }
    /// What was kept since the last time.
    func takeRecorded() -> [(call: Call, contents: DiskContents)] {
        state.withLock { state in
            guard let recorded = state.recorded else { return [] }
            state.recorded = []
            return recorded
        }
    }

    /// The next fdatasync waits until the hold is released.
    func holdSynchronization() -> Hold {
        let hold = Hold()
        state.withLock { $0.hold = hold }
        return hold
    }

    /// One read from this file waits until the hold is released, after so many that pass.
    func holdRead(of name: String, after passing: Int) -> Hold {
        let hold = Hold()
        state.withLock { $0.heldRead = (name, passing, hold) }
        return hold
    }

    /// Where a read from this file is to wait.
    func takeHeldRead(of name: String) -> Hold? {
        state.withLock { state in
            guard let held = state.heldRead, held.name == name else { return nil }
            guard held.passing == 0 else {
                state.heldRead?.passing -= 1
                return nil
            }
            state.heldRead = nil
            return held.hold
        }
    }

    /// What is left when the process is killed now: all of it, what is only cached too.
    func afterKill() -> MemoryDisk { MemoryDisk(contents, sectorBytes: sectorBytes, hasFixedIdentity: hasFixedIdentity) }

    /// What is left when the power goes now; `choose` as in `DiskContents`.
    func afterPowerLoss(_ choose: (Int) -> Int = { _ in 0 }) -> MemoryDisk {
        MemoryDisk(contents.afterPowerLoss(choose), sectorBytes: sectorBytes, hasFixedIdentity: hasFixedIdentity)
    }

    // MARK: Directory

    /// Does a call: counts it, and throws where a fault says so. `body` is told what else the fault says.
    func perform<Result>(
        _ operation: Operation, _ name: String, inode: Int? = nil, isPadding: Bool = false, _ body: (inout State, Fault.Effect?) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try state.withLock { state throws(SystemError) in
            if hasFixedIdentity, name == "identity" { return try body(&state, nil) }
            var effect: Fault.Effect?
            for index in state.faults.indices where effect == nil && state.faults[index].hits(operation) {
                effect = state.faults[index].effect
            }
            if let effect { state.hit(by: effect) }
            let failure = effect?.code.map { SystemError(operation: operation.rawValue, path: name, code: $0) }
            let call = Call(operation: operation, name: name, inode: inode, failed: failure != nil, isPadding: isPadding)
            state.calls.append(call)
            defer { if Operation.changing.contains(operation) { state.recorded?.append((call, state.contents)) } }
            if let failure, effect?.isUndone ?? true, !operation.failsInHalves { throw failure }
            let result = try body(&state, effect)
            if let failure { throw failure }
            return result
        }
    }

    func names() throws(SystemError) -> [String] { try perform(.names, "") { state, _ in state.contents.names.now.keys.sorted() } }

    func create(_ name: String) throws(SystemError) -> any File {
        try perform(.create, name) { state, _ throws(SystemError) in
            if state.isDeleted { throw SystemError(operation: "open", path: name, code: ENOENT) }
            if state.contents.names.now[name] != nil { throw SystemError(operation: "open", path: name, code: EEXIST) }
            state.contents.files.append(StoredFile(sectorBytes: sectorBytes))
            let number = state.contents.files.count - 1
            state.contents.names.change([name: number])
            return MemoryFile(name: name, inode: number, disk: self, isWritable: true)
        }
    }

    func open(_ name: String) throws(SystemError) -> any File { try open(name, isWritable: false) }

    func openToWrite(_ name: String) throws(SystemError) -> any File { try open(name, isWritable: true) }

    private func open(_ name: String, isWritable: Bool) throws(SystemError) -> any File {
        try perform(.open, name) { state, _ throws(SystemError) in
            if let refused = state.refused, refused.name == name { throw SystemError(operation: "open", path: name, code: refused.code) }
            guard let number = state.contents.names.now[name] else { throw SystemError(operation: "open", path: name, code: ENOENT) }
            return MemoryFile(name: name, inode: number, disk: self, isWritable: isWritable)
        }
    }

    func size(of name: String) throws(SystemError) -> Int64 {
        try perform(.size, name) { state, _ throws(SystemError) in
            guard let number = state.contents.names.now[name] else { throw SystemError(operation: "fstatat", path: name, code: ENOENT) }
            return Int64(state.contents.files[number].cached.count)
        }
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try perform(.rename, old) { state, _ throws(SystemError) in
            guard let number = state.contents.names.now[old] else { throw SystemError(operation: "rename", path: old, code: ENOENT) }
            state.contents.names.change([old: nil, new: number])
        }
        state.withLock { $0.renamed }?()
    }

    func remove(_ name: String) throws(SystemError) {
        try perform(.remove, name) { state, _ throws(SystemError) in
            guard state.contents.names.now[name] != nil else { throw SystemError(operation: "unlink", path: name, code: ENOENT) }
            state.contents.names.change([name: nil])
        }
    }

    func synchronize() throws(SystemError) {
        try perform(.synchronizeDirectory, "") { state, _ in state.contents.names.synchronize() }
    }

    func isGone() throws(SystemError) -> Bool { try perform(.isGone, "") { state, _ in state.isGone } }

    func freeBytes() throws(SystemError) -> Int64 { try perform(.freeBytes, "") { state, _ in state.freeBytes } }
}
