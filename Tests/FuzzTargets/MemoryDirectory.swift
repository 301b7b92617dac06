// A directory in memory that never fails, as fast as a fuzzer wants it.
//
// Promises: behaves as the calls of Platform's protocols say, and in no other way: names are taken or not, files
// grow with zeroes. Nothing is synchronized, since nothing is lost.
// Must not know: logs.

import Glibc
import Platform
import Synchronization

final class MemoryDirectory: Directory {
    let path = "memory"
    private let entries: Mutex<[String: MemoryFile]>

    init(_ files: [String: [UInt8]]) {
        entries = Mutex(Dictionary(uniqueKeysWithValues: files.map { ($0.key, MemoryFile($0.key, $0.value)) }))
    }

    var files: [String: [UInt8]] { entries.withLock { $0 }.mapValues(\.content) }

    func names() throws(SystemError) -> [String] { entries.withLock { $0.keys.sorted() } }

    func create(_ name: String) throws(SystemError) -> any File {
        try entries.withLock { files throws(SystemError) in
            if files[name] != nil { throw SystemError(operation: "open", path: name, code: EEXIST) }
            let file = MemoryFile(name, [])
            files[name] = file
            return file
        }
    }

    func open(_ name: String) throws(SystemError) -> any File {
        guard let file = entries.withLock({ $0[name] }) else { throw SystemError(operation: "open", path: name, code: ENOENT) }
        return file
    }

    func openToWrite(_ name: String) throws(SystemError) -> any File { try open(name) }

    func size(of name: String) throws(SystemError) -> Int64 { try open(name).size() }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try entries.withLock { files throws(SystemError) in
            guard let file = files.removeValue(forKey: old) else { throw SystemError(operation: "rename", path: old, code: ENOENT) }
            files[new] = MemoryFile(new, file.content)
        }
    }

    func remove(_ name: String) throws(SystemError) {
        guard entries.withLock({ $0.removeValue(forKey: name) }) != nil else {
            throw SystemError(operation: "unlink", path: name, code: ENOENT)
        }
    }

    func synchronize() throws(SystemError) {}
    func isGone() throws(SystemError) -> Bool { false }
    func freeBytes() throws(SystemError) -> Int64 { .max }
}

final class MemoryFile: File {
    let name: String
    private let bytes: Mutex<[UInt8]>

    init(_ name: String, _ content: [UInt8]) {
        self.name = name
        bytes = Mutex(content)
    }

    var content: [UInt8] { bytes.withLock { $0 } }

    func size() throws(SystemError) -> Int64 { bytes.withLock { Int64($0.count) } }
    func isLinked() throws(SystemError) -> Bool { true }
    func synchronizeData() throws(SystemError) {}

    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        let content = content
        let from = min(Int(offset), content.count)
        let found = content[from..<min(from + count, content.count)]
        buffer.replaceSubrange(start..<start + found.count, with: found)
        return found.count
    }

    func write(_ source: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        bytes.withLock { bytes in
            let range = Int(offset)..<Int(offset) + source.count - start
            if bytes.count < range.upperBound { bytes += [UInt8](repeating: 0, count: range.upperBound - bytes.count) }
            bytes.replaceSubrange(range, with: source[start...])
            return range.count
        }
    }

    func truncate(to size: Int64) throws(SystemError) {
        bytes.withLock { bytes in
            if bytes.count > Int(size) { bytes.removeSubrange(Int(size)...) }
            if bytes.count < Int(size) { bytes += [UInt8](repeating: 0, count: Int(size) - bytes.count) }
        }
    }
}
