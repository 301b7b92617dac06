// A directory of the real file system whose disk can be held, made to fail, filled or taken away.
//
// Promises: all else goes through to the real one; whoever is held goes on when released, at the latest after a
// bounded time, so that a wrong test ends. Must not know: records.

import Dispatch
import Platform
import Synchronization

final class HeldDirectory: Directory {
    struct State {
        /// Waiting fdatasync calls pass when this is signalled; nil: nobody waits.
        var gate: DispatchSemaphore?
        var failureCode: Int32?
        var freeBytes: Int64?
        var isGone = false
        var waiting = 0
    }

    private static let patienceSeconds = 20
    let directory: SystemDirectory
    let state = Mutex(State())

    init(_ path: String) throws(SystemError) { directory = try SystemDirectory(creating: path) }

    // MARK: what a test does and sees

    /// From now on fdatasync waits for `release`.
    func hold() { state.withLock { $0.gate = DispatchSemaphore(value: 0) } }

    func release() {
        let gate = state.withLock { state in
            defer { state.gate = nil }
            return state.gate
        }
        gate?.signal()
    }

    /// True while an fdatasync waits.
    var isHolding: Bool { state.withLock { $0.waiting > 0 } }

    /// From now on creating, writing and synchronizing fail with this errno; nil: no longer.
    func fail(with code: Int32?) { state.withLock { $0.failureCode = code } }
    func setFreeBytes(_ bytes: Int64?) { state.withLock { $0.freeBytes = bytes } }
    func setGone(_ gone: Bool) { state.withLock { $0.isGone = gone } }

    fileprivate func pass() {
        let gate = state.withLock { state in
            if state.gate != nil { state.waiting += 1 }
            return state.gate
        }
        guard let gate else { return }
        // The next one in line passes, too.
        if gate.wait(timeout: .now() + .seconds(Self.patienceSeconds)) == .success { gate.signal() }
        state.withLock { $0.waiting -= 1 }
    }

    fileprivate func failWhereAsked(_ operation: String) throws(SystemError) {
        if let code = state.withLock({ $0.failureCode }) { throw SystemError(operation: operation, path: "held", code: code) }
    }

    // MARK: Directory

    var path: String { directory.path }
    func names() throws(SystemError) -> [String] { try directory.names() }
    func create(_ name: String) throws(SystemError) -> any File {
        try failWhereAsked("create")
        return HeldFile(try directory.create(name), self)
    }
    func open(_ name: String) throws(SystemError) -> any File { HeldFile(try directory.open(name), self) }
    func openToWrite(_ name: String) throws(SystemError) -> any File { HeldFile(try directory.openToWrite(name), self) }
    func size(of name: String) throws(SystemError) -> Int64 { try directory.size(of: name) }
    func rename(_ old: String, to new: String) throws(SystemError) { try directory.rename(old, to: new) }
    func remove(_ name: String) throws(SystemError) { try directory.remove(name) }
    func synchronize() throws(SystemError) { try directory.synchronize() }
    func isGone() throws(SystemError) -> Bool {
        if state.withLock({ $0.isGone }) { return true }
        return try directory.isGone()
    }
    func freeBytes() throws(SystemError) -> Int64 {
        if let bytes = state.withLock({ $0.freeBytes }) { return bytes }
        return try directory.freeBytes()
    }
}

private final class HeldFile: File {
    private let file: any File
    private let directory: HeldDirectory

    init(_ file: any File, _ directory: HeldDirectory) {
        self.file = file
        self.directory = directory
    }

    var name: String { file.name }
    func size() throws(SystemError) -> Int64 { try file.size() }
    func isLinked() throws(SystemError) -> Bool { try file.isLinked() }
    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        try file.read(at: offset, count: count, into: &buffer, from: start)
    }
    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        try directory.failWhereAsked("write")
        return try file.write(bytes, from: start, at: offset)
    }
    func synchronizeData() throws(SystemError) {
        directory.pass()
        try directory.failWhereAsked("fdatasync")
        try file.synchronizeData()
    }
    func truncate(to size: Int64) throws(SystemError) { try file.truncate(to: size) }
}
