// Files for a directory's owner alone, and what the kernel tells about a directory.
//
// Promises: real files; every test has a directory of its own. Must not know: tokens.

import Dispatch
import Foundation
import Glibc
import Platform
import Synchronization
import Testing

@Suite final class OwnedDirectoryTests {
    private let root = FileManager.default.temporaryDirectory.path + "/owned-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func attributes(_ name: String) throws -> [FileAttributeKey: Any] { try FileManager.default.attributesOfItem(atPath: root + "/" + name) }

    @Test("a file is replaced whole, has mode 0600 whatever the umask says, and nothing stays beside it")
    func replaced() throws {
        let before = umask(0o277)
        defer { umask(before) }
        let directory = try OwnedDirectory(root)
        for text in ["first", "second, longer", ""] {
            try directory.replace("file", with: Array(text.utf8), unfinished: "file.new")
            #expect(try directory.read("file", bytesMax: 100) == Array(text.utf8))
            #expect(try attributes("file")[.posixPermissions] as? Int == 0o600)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["file"])
    }

    @Test("what root makes belongs to the directory's owner", .enabled(if: geteuid() == 0, "needs root"))
    func owner() throws {
        #expect(unsafe chown(root, 12_345, 54_321) == 0)
        let directory = try OwnedDirectory(root)
        #expect(directory.canGiveFiles)
        try directory.replace("file", with: [1], unfinished: "file.new")
        try directory.createIfMissing("mark", holding: [2])
        for name in ["file", "mark"] {
            #expect(try attributes(name)[.ownerAccountID] as? Int == 12_345)
            #expect(try attributes(name)[.groupOwnerAccountID] as? Int == 54_321)
        }
    }

    @Test("a symbolic link is never followed, neither to read nor to write")
    func links() throws {
        let elsewhere = root + "/elsewhere"
        try Data("theirs".utf8).write(to: URL(filePath: elsewhere))
        for name in ["file", "file.new", "mark"] { #expect(unsafe symlink(elsewhere, root + "/" + name) == 0) }
        let directory = try OwnedDirectory(root)
        #expect(throws: SystemError(operation: "open", path: "file", code: ELOOP)) { try directory.read("file", bytesMax: 10) }
        #expect(throws: SystemError(operation: "open", path: "mark", code: ELOOP)) { _ = try directory.lock("mark") }
        try directory.createIfMissing("mark", holding: [1])
        try directory.replace("file", with: [2], unfinished: "file.new")
        #expect(try directory.read("file", bytesMax: 10) == [2])
        #expect(try Data(contentsOf: URL(filePath: elsewhere)) == Data("theirs".utf8))
        #expect(try directory.contains("mark") && !directory.contains("file.new"))
    }

    @Test("a pipe, a directory and what is missing are refused, and nothing waits")
    func others() throws {
        #expect(unsafe mkfifo(root + "/pipe", 0o600) == 0)
        #expect(unsafe mkdir(root + "/below", 0o700) == 0)
        let directory = try OwnedDirectory(root)
        for name in ["pipe", "below"] {
            #expect(throws: SystemError(operation: "open", path: name, code: EINVAL)) { try directory.read(name, bytesMax: 10) }
        }
        #expect(throws: SystemError(operation: "open", path: "missing", code: ENOENT)) { try directory.read("missing", bytesMax: 10) }
        #expect(throws: SystemError.self) { try OwnedDirectory(root + "/pipe") }
    }

    @Test("no more is read than is asked for")
    func bound() throws {
        let directory = try OwnedDirectory(root)
        try directory.replace("file", with: [UInt8](repeating: 7, count: 5_000), unfinished: "file.new")
        #expect(try directory.read("file", bytesMax: 100).count == 100)
        #expect(try directory.read("file", bytesMax: 10_000).count == 5_000)
    }

    @Test("a lock keeps others waiting until it goes")
    func lock() throws {
        let directory = try OwnedDirectory(root)
        try directory.createIfMissing("mark", holding: [])
        let order = Mutex<[String]>([])
        let group = DispatchGroup()
        var held: HeldLock? = try directory.lock("mark")
        DispatchQueue.global().async(group: group) {
            let mine = try? directory.lock("mark")
            order.withLock { $0.append("second") }
            withExtendedLifetime(mine) {}
        }
        order.withLock { $0.append("first") }
        withExtendedLifetime(held) {}
        held = nil
        group.wait()
        let said = order.withLock { $0 }
        #expect(said == ["first", "second"])
    }

    // MARK: what the kernel tells

    private final class Told: Sendable {
        let changes = Mutex<DirectoryWatch.Changes>(DirectoryWatch.Changes())
        let signal = DispatchSemaphore(value: 0)
    }

    /// Waits until `holds` of all that was told.
    private func wait(_ told: Told, _ holds: (DirectoryWatch.Changes) -> Bool) {
        let end = DispatchTime.now() + .seconds(15)
        while !told.changes.withLock({ holds($0) }) {
            guard told.signal.wait(timeout: end) == .success else {
                Issue.record("nothing was told")
                return
            }
        }
    }

    private func watch(_ path: String, for interest: DirectoryWatch.Interest = .contents, _ told: Told) throws -> DirectoryWatch {
        try DirectoryWatch(path, for: interest, queue: DispatchQueue(label: "watch")) { changes in
            told.changes.withLock {
                $0.names.formUnion(changes.names)
                $0.isEnded = $0.isEnded || changes.isEnded
            }
            told.signal.signal()
        }
    }

    @Test("names that come, go, change or are written are told; the end of the directory, too")
    func told() throws {
        let told = Told()
        let watch = try watch(root, told)
        // Not kept open: only the end of the last reference to it is the end of a directory.
        try OwnedDirectory(root).replace("made", with: [1], unfinished: "unfinished")
        wait(told) { $0.names.isSuperset(of: ["made", "unfinished"]) }
        func expect(_ name: String, after change: () -> Int32) {
            told.changes.withLock { $0.names = [] }
            let outcome = change()
            #expect(outcome == 0)
            wait(told) { $0.names.contains(name) }
        }
        expect("made") { unsafe chmod(root + "/made", 0o640) }
        expect("moved") { unsafe rename(root + "/made", root + "/moved") }
        expect("moved") { unsafe unlink(root + "/moved") }
        let hasEnded = told.changes.withLock { $0.isEnded }
        #expect(!hasEnded)
        #expect(unsafe rmdir(root) == 0)
        wait(told) { $0.isEnded }
        withExtendedLifetime(watch) {}
    }

    @Test("where names alone are of interest, what is written and whose permissions change is not told, which would wake somebody")
    func entriesAlone() throws {
        let told = Told()
        try OwnedDirectory(root).replace("there", with: [1], unfinished: "unfinished")
        let watch = try watch(root, for: .entries, told)
        try Data([2]).write(to: URL(filePath: root + "/there"))
        #expect(unsafe chmod(root + "/there", 0o640) == 0)
        #expect(unsafe mkdir(root + "/made", 0o700) == 0 && rename(root + "/made", root + "/moved") == 0 && rmdir(root + "/moved") == 0)
        wait(told) { $0.names.isSuperset(of: ["made", "moved"]) }
        let names = told.changes.withLock { $0.names }
        #expect(names == ["made", "moved"])
        withExtendedLifetime(watch) {}
    }

    @Test("what is no directory cannot be watched")
    func notWatched() throws {
        #expect(throws: SystemError(operation: "inotify_add_watch", path: root + "/missing", code: ENOENT)) {
            _ = try watch(root + "/missing", Told())
        }
    }
}
