// A directory of a test's own, and the promise that nothing of a test outlives it.
//
// Promises: every directory is fresh and is removed with its object; what a long-lived shared object
// still holds when the test process exits (directories, child processes, mounts) is swept by `Leftovers`.
// Must not know: what is kept in the directory.

import Foundation
import Glibc
import Synchronization

/// A fresh directory below the system's temporary directory, removed when the last reference goes.
public final class TemporaryDirectory: Sendable {
    /// The absolute path, without a trailing slash and without symbolic links.
    public let path: String

    /// Makes the directory.
    /// - Throws: the file manager's error when it cannot be made.
    public init() throws {
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = base + "/callback-receiver-test-" + UUID().uuidString.lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        Leftovers.add(directory: path)
    }

    /// The path of an entry of this directory.
    public func path(of name: String) -> String { path + "/" + name }

    /// Writes a file of this directory, replacing it in one step so that no reader sees half of it.
    /// - Returns: its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let file = path(of: name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        return file
    }

    /// The names of its entries, sorted; empty when it is gone.
    public var entries: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        Leftovers.remove(directory: path)
    }
}

/// What must be gone when the test process exits, whatever still refers to it.
enum Leftovers {
    private struct Held {
        var directories: Set<String> = []
        var processes: Set<pid_t> = []
        var mounts: Set<String> = []
    }

    private static let held: Mutex<Held> = {
        atexit { Leftovers.sweep() }
        return Mutex(Held())
    }()

    static func add(directory: String) { held.withLock { _ = $0.directories.insert(directory) } }
    static func remove(directory: String) { held.withLock { _ = $0.directories.remove(directory) } }
    static func add(process: pid_t) { held.withLock { _ = $0.processes.insert(process) } }
    static func remove(process: pid_t) { held.withLock { _ = $0.processes.remove(process) } }

    static func add(mount: String) { held.withLock { _ = $0.mounts.insert(mount) } }
    static func remove(mount: String) { held.withLock { _ = $0.mounts.remove(mount) } }

    private static func sweep() {
        held.withLock { held in
            for process in held.processes { kill(process, SIGKILL) }
            for mount in held.mounts { _ = unsafe umount2(mount, Int32(MNT_DETACH)) }
            for directory in held.directories { try? FileManager.default.removeItem(atPath: directory) }
        }
    }
}
