// A file of the MemoryDisk.
//
// Promises: a write that fails has put half of its bytes into the cache; an fdatasync that fails has lost what
// was dirty. Must not know: what is in it.

import Platform

final class MemoryFile: File {
    let name: String
    let inode: Int
    let disk: MemoryDisk

    init(name: String, inode: Int, disk: MemoryDisk) {
        self.name = name
        self.inode = inode
        self.disk = disk
    }

    private func perform<Result>(
        _ operation: Operation, _ body: (inout MemoryDisk.State, Fault.Effect?) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try disk.state.withLock { state throws(SystemError) in
            let effect = disk.begin(operation, name, inode: inode, &state)
            return try body(&state, effect)
        }
    }

    private func failure(_ operation: Operation, _ code: Int32) -> SystemError {
        SystemError(operation: operation.rawValue, path: name, code: code)
    }

    private func whole<Result>(_ operation: Operation, _ body: (inout MemoryDisk.State) -> Result) throws(SystemError) -> Result {
        try perform(operation) { state, effect throws(SystemError) in
            switch effect {
            case .fails(let code): throw failure(operation, code)
            case .failsThoughDone(let code):
                _ = body(&state)
                throw failure(operation, code)
            case .writesOnly, nil: return body(&state)
            }
        }
    }

    func size() throws(SystemError) -> Int64 { try whole(.size) { Int64($0.inodes[inode].cached.count) } }

    func isLinked() throws(SystemError) -> Bool { try whole(.isLinked) { $0.names.values.contains(inode) } }

    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        let found = try whole(.read) { state in
            let all = state.inodes[inode].cached
            let from = min(Int(offset), all.count)
            return Array(all[from..<min(from + count, all.count)])
        }
        buffer.replaceSubrange(start..<(start + found.count), with: found)
        return found.count
    }

    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        try perform(.write) { state, effect throws(SystemError) in
            var count = bytes.count - start
            var code: Int32?
            switch effect {
            case .fails(let failing):
                count /= 2
                code = failing
            case .failsThoughDone(let failing): code = failing
            case .writesOnly(let bytes): count = min(count, bytes)
            case nil: break
            }
            let from = Int(offset)
            let size = state.inodes[inode].cached.count
            if size < from + count { state.inodes[inode].cached.append(contentsOf: [UInt8](repeating: 0, count: from + count - size)) }
            state.inodes[inode].cached.replaceSubrange(from..<(from + count), with: bytes[start..<(start + count)])
            if count > 0 { state.inodes[inode].dirty.append(MemoryDisk.pages(from..<(from + count))) }
            if let code { throw failure(.write, code) }
            return count
        }
    }

    func synchronizeData() throws(SystemError) {
        disk.state.withLock { $0.hold }?.pass()
        try perform(.synchronizeData) { state, effect throws(SystemError) in
            switch effect {
            case .fails(let code):
                // The kernel tells once and marks the pages clean.
                state.inodes[inode].dirty = []
                throw failure(.synchronizeData, code)
            case .failsThoughDone(let code):
                state.makeStable(inode)
                throw failure(.synchronizeData, code)
            case .writesOnly, nil: state.makeStable(inode)
            }
        }
    }

    func truncate(to size: Int64) throws(SystemError) {
        try whole(.truncate) { state in
            let count = state.inodes[inode].cached.count
            if count > Int(size) { state.inodes[inode].cached.removeSubrange(Int(size)...) }
            if count < Int(size) { state.inodes[inode].cached.append(contentsOf: [UInt8](repeating: 0, count: Int(size) - count)) }
        }
    }
}
