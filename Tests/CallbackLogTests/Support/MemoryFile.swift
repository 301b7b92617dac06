// A file of the MemoryDisk.
//
// Promises: a write that fails has put half of its bytes into the cache; an fdatasync that fails has lost what
// was dirty; one opened for reading alone is not written. Must not know: what is in it.

import Glibc
import Platform

final class MemoryFile: File {
    let name: String
    private let inode: Int
    private let disk: MemoryDisk
    private let isWritable: Bool

    init(name: String, inode: Int, disk: MemoryDisk, isWritable: Bool) {
        self.name = name
        self.inode = inode
        self.disk = disk
        self.isWritable = isWritable
    }

    private func perform<Result>(
        _ operation: Operation, isPadding: Bool = false, _ body: (inout StoredFile, Fault.Effect?) -> Result
    ) throws(SystemError) -> Result {
        try disk.perform(operation, name, inode: inode, isPadding: isPadding) { state, effect in body(&state.contents.files[inode], effect) }
    }

    func size() throws(SystemError) -> Int64 { try perform(.size) { file, _ in Int64(file.cached.count) } }

    func isLinked() throws(SystemError) -> Bool {
        try disk.perform(.isLinked, name, inode: inode) { state, _ in state.contents.names.now.values.contains(inode) }
    }

    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        disk.takeHeldRead(of: name)?.pass()
        let found = try perform(.read) { file, _ in
            let from = min(Int(offset), file.cached.count)
            return Array(file.cached[from..<min(from + count, file.cached.count)])
        }
        buffer.replaceSubrange(start..<(start + found.count), with: found)
        return found.count
    }

    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        guard isWritable else { throw SystemError(operation: "pwrite", path: name, code: EBADF) }
        let end = Int(offset) + bytes.count - start
        if disk.state.withLock({ $0.isFull && end > $0.contents.files[inode].cached.count }) {
            throw SystemError(operation: "pwrite", path: name, code: ENOSPC)
        }
        return try perform(.write, isPadding: bytes[start...].allSatisfy { $0 == 0x0A }) { file, effect in
            var count = bytes.count - start
            switch effect {
            case .fails: count /= 2
            case .writesOnly(let bytes): count = min(count, bytes)
            case .failsThoughDone, .movesDirectory, .deletesDirectory, nil: break
            }
            file.write(bytes[start..<(start + count)], at: Int(offset))
            return count
        }
    }

    func synchronizeData() throws(SystemError) {
        disk.state.withLock { $0.hold }?.pass()
        try perform(.synchronizeData) { file, effect in
            if case .fails = effect { file.failToSynchronize() } else { file.synchronize() }
        }
    }

    func truncate(to size: Int64) throws(SystemError) {
        guard isWritable else { throw SystemError(operation: "ftruncate", path: name, code: EINVAL) }
        try perform(.truncate) { file, _ in file.truncate(to: Int(size)) }
    }
}
