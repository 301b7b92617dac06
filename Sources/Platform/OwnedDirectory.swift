// Small files in a directory that are for its owner alone: secrets, and digests of secrets.
//
// Promises: a file is replaced as a whole and durably (written beside it, fsync, rename, fsync of the directory), has mode
// 0600, and belongs to the directory's owner, also where root makes it: a service with a user of its own can then read it.
// No name is followed through a symbolic link, and what is no regular file is not read: the directory may be writable for
// somebody whom root must not be led astray by. Each failure is a SystemError with operation and name.
// Must not know: what is in the files.

import Glibc

/// A directory whose files are of its owner, whoever writes them.
public final class OwnedDirectory: Sendable {
    private static let fileMode: mode_t = 0o600

    /// As the operator wrote it, for messages.
    public let path: String
    private let fd: Int32
    private let owner: uid_t
    private let group: gid_t

    /// Opens the directory at `path`, which is there.
    public init(_ path: String) throws(SystemError) {
        self.path = path
        fd = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if fd < 0 { throw .latest("open", path) }
        var status = stat()
        guard unsafe fstat(fd, &status) == 0 else {
            let error = SystemError.latest("fstat", path)
            close(fd)
            throw error
        }
        owner = status.st_uid
        group = status.st_gid
    }

    deinit { close(fd) }

    /// Whether files made here can belong to its owner: by the owner, or by root.
    public var canGiveFiles: Bool { geteuid() == 0 || geteuid() == owner }

    /// Whether something has this name, whatever it is.
    public func contains(_ name: String) throws(SystemError) -> Bool {
        var status = stat()
        if unsafe fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return true }
        if errno == ENOENT { return false }
        throw .latest("fstatat", name)
    }

    /// The bytes of a regular file, at most `bytesMax` of them.
    public func read(_ name: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        let file = try openRegular(name)
        return try file.read(at: 0, bytesMax: bytesMax)
    }

    /// Makes `bytes` the content of `name`, durably; `unfinished` is the name it is written under, and what a crash may
    /// have left there goes. One at a time: see `lock`.
    public func replace(_ name: String, with bytes: [UInt8], unfinished: String) throws(SystemError) {
        if unsafe unlinkat(fd, unfinished, 0) != 0, errno != ENOENT { throw .latest("unlink", unfinished) }
        try make(unfinished, holding: bytes)
        do throws(SystemError) {
            guard unsafe renameat(fd, unfinished, fd, name) == 0 else { throw .latest("rename", unfinished) }
            try synchronize()
        } catch {
            _ = unsafe unlinkat(fd, unfinished, 0)
            throw error
        }
    }

    /// Makes `name`, durably, where nothing has that name.
    public func createIfMissing(_ name: String, holding bytes: [UInt8]) throws(SystemError) {
        if try contains(name) { return }
        do throws(SystemError) {
            try make(name, holding: bytes)
        } catch where error.code == EEXIST {
            // Another was quicker; it may not have come to this yet.
        }
        try synchronize()
    }

    /// Waits until nobody else holds the lock on the file `name` (flock(2)); it is held until the value goes.
    public func lock(_ name: String) throws(SystemError) -> HeldLock {
        let file = try openRegular(name)
        guard retryingOnInterrupt({ flock(file.descriptor, LOCK_EX) }) == 0 else { throw .latest("flock", name) }
        return HeldLock(file)
    }

    private func synchronize() throws(SystemError) {
        guard fsync(fd) == 0 else { throw .latest("fsync", path) }
    }

    /// A file that this call creates, so that whatever is given to the owner was nobody's before.
    private func make(_ name: String, holding bytes: [UInt8]) throws(SystemError) {
        let descriptor = unsafe openat(fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, Self.fileMode)
        guard descriptor >= 0 else { throw .latest("open", name) }
        let file = SystemFile(name: name, descriptor: descriptor)
        do throws(SystemError) {
            // Whatever the umask says.
            guard fchmod(descriptor, Self.fileMode) == 0 else { throw .latest("fchmod", name) }
            if geteuid() == 0, fchown(descriptor, owner, group) != 0 { throw .latest("fchown", name) }
            try file.writeWhole(bytes)
            guard fsync(descriptor) == 0 else { throw .latest("fsync", name) }
        } catch {
            _ = unsafe unlinkat(fd, name, 0)
            throw error
        }
    }

    private func openRegular(_ name: String) throws(SystemError) -> RegularFile {
        // Of a pipe, opening would wait for its other end.
        let descriptor = unsafe openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .latest("open", name) }
        return try RegularFile(name: name, descriptor: descriptor)
    }
}

/// A lock that is held as long as this is.
public final class HeldLock: Sendable {
    private let file: RegularFile
    fileprivate init(_ file: RegularFile) { self.file = file }
}

/// An open file that is neither a directory, a pipe nor a device.
private final class RegularFile: Sendable {
    let descriptor: Int32
    private let file: SystemFile

    init(name: String, descriptor: Int32) throws(SystemError) {
        file = SystemFile(name: name, descriptor: descriptor)
        self.descriptor = descriptor
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .latest("fstat", name) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError(operation: "open", path: name, code: EINVAL) }
    }

    func read(at offset: Int64, bytesMax: Int) throws(SystemError) -> [UInt8] {
        let count = Int(clamping: min(try file.size(), Int64(bytesMax)))
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try file.read(at: offset, count: count, into: &bytes, from: 0)
        return Array(bytes[..<got])
    }
}
