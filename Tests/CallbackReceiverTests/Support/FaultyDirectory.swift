// A directory of the real file system in which one call fails, or some, and which keeps the order of those that change it.
//
// Promises: calls are counted from the last `fail`; those that are to fail do nothing. Must not know: entries.

import Platform
import Synchronization

final class FaultyDirectory: Directory {
    struct State {
        /// How many calls pass before one fails; nil: none does.
        var passing: Int?
        /// How many fail then.
        var failing = 0
        var hasFailed = false
        var calls: [String] = []
    }

    let directory: SystemDirectory
    fileprivate let state = Mutex(State())

    init(_ path: String) throws(SystemError) { directory = try SystemDirectory(creating: path) }

    /// From here on the call after so many fails, and those after it up to so many; nil: none.
    func fail(after passing: Int?, times: Int = 1) {
        state.withLock {
            $0.passing = passing
            $0.failing = times
            $0.hasFailed = false
        }
    }

    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// Those since the last time.
    func takeCalls() -> [String] {
        state.withLock { state in
            defer { state.calls = [] }
            return state.calls
        }
    }

    fileprivate func pass(_ call: String) throws(SystemError) {
        let fails = state.withLock { state in
            state.calls.append(call)
            guard let passing = state.passing else { return false }
            if passing > 0 {
                state.passing = passing - 1
                return false
            }
            state.hasFailed = true
            state.failing -= 1
            if state.failing == 0 { state.passing = nil }
            return true
        }
        if fails { throw SystemError(operation: call, path: "faulty", code: SystemError.inputOutput) }
    }

    // MARK: Directory

    var path: String { directory.path }

    func names() throws(SystemError) -> [String] {
        try pass("names")
        return try directory.names()
    }

    func create(_ name: String) throws(SystemError) -> any File {
        try pass("create")
        return FaultyFile(try directory.create(name), self)
    }

    func open(_ name: String) throws(SystemError) -> any File {
        try pass("open")
        return FaultyFile(try directory.open(name), self)
    }

    func openToWrite(_ name: String) throws(SystemError) -> any File {
        try pass("open")
        return FaultyFile(try directory.openToWrite(name), self)
    }

    func size(of name: String) throws(SystemError) -> Int64 {
        try pass("size")
        return try directory.size(of: name)
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try pass("rename")
        try directory.rename(old, to: new)
    }

    func remove(_ name: String) throws(SystemError) {
        try pass("remove")
        try directory.remove(name)
    }

    func synchronize() throws(SystemError) {
        try pass("fsync")
        try directory.synchronize()
    }

    func isGone() throws(SystemError) -> Bool {
        try pass("isGone")
        return try directory.isGone()
    }

    func freeBytes() throws(SystemError) -> Int64 { try directory.freeBytes() }
}

private final class FaultyFile: File {
    private let file: any File
    private let directory: FaultyDirectory

    init(_ file: any File, _ directory: FaultyDirectory) {
        self.file = file
        self.directory = directory
    }

    var name: String { file.name }
    func isLinked() throws(SystemError) -> Bool { try file.isLinked() }
    func truncate(to size: Int64) throws(SystemError) { try file.truncate(to: size) }

    func size() throws(SystemError) -> Int64 {
        try directory.pass("size")
        return try file.size()
    }

    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        try directory.pass("read")
        return try file.read(at: offset, count: count, into: &buffer, from: start)
    }

    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        try directory.pass("write")
        return try file.write(bytes, from: start, at: offset)
    }

    func synchronizeData() throws(SystemError) {
        try directory.pass("fdatasync")
        try file.synchronizeData()
    }
}
