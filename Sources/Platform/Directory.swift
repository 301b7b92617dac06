// The files of one directory, as a log needs them: create, write, synchronize, rename, read.
//
// Promises: each method is one system call (a loop only around EINTR and short reads), each failure a
// SystemError with the operation and the file's name. Nothing is retried, cached or buffered here, so
// that a test can put a faulty disk between (both protocols exist for that, and for the lock below).
// Must not know: records, segments, what is safe to retry.

import Glibc

/// An open file.
public protocol File: AnyObject, Sendable {
    /// Its name in the directory, for errors.
    var name: String { get }
    /// Bytes in it now.
    func size() throws(SystemError) -> Int64
    /// False once its last name was removed (st_nlink 0).
    func isLinked() throws(SystemError) -> Bool
    /// Reads up to `count` bytes at `offset` into `buffer[start...]`; fewer only at the end of the file.
    /// `buffer` must have room.
    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int
    /// pwrite(2): writes `bytes` from index `start` on at `offset`; may write fewer. Returns how many.
    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int
    /// fdatasync(2). After a failure the file's content is unknown (invariant 3).
    func synchronizeData() throws(SystemError)
    /// ftruncate(2).
    func truncate(to size: Int64) throws(SystemError)
}

extension File {
    /// Writes all of `bytes`, in as many calls as the kernel wants. Returns their count.
    @discardableResult
    public func writeWhole(_ bytes: [UInt8], at offset: Int64 = 0) throws(SystemError) -> Int64 {
        var done = 0
        while done < bytes.count {
            let written = try write(bytes, from: done, at: offset + Int64(done))
            if written == 0 { throw SystemError(operation: "pwrite", path: name, code: SystemError.noSpace) }
            done += written
        }
        return Int64(bytes.count)
    }
}

/// An open directory. Names are relative to it, so that a path that changes underneath misleads nobody.
public protocol Directory: AnyObject, Sendable {
    /// As the operator wrote it, for messages.
    var path: String { get }
    /// Every name in it but `.` and `..`, in no order.
    func names() throws(SystemError) -> [String]
    /// A new file, readable and writable; fails with EEXIST where the name is taken.
    func create(_ name: String) throws(SystemError) -> any File
    /// An existing file, readable alone: a file system that has become read-only gives it out all the same.
    func open(_ name: String) throws(SystemError) -> any File
    /// An existing file, readable and writable.
    func openToWrite(_ name: String) throws(SystemError) -> any File
    /// Bytes in a regular file, which need not be one that can be opened.
    func size(of name: String) throws(SystemError) -> Int64
    /// rename(2) within the directory; replaces `new`.
    func rename(_ old: String, to new: String) throws(SystemError)
    func remove(_ name: String) throws(SystemError)
    /// fsync(2) of the directory: names created, renamed and removed before it are durable after it.
    func synchronize() throws(SystemError)
    /// True when the path no longer leads here: deleted (st_nlink 0), moved or replaced.
    func isGone() throws(SystemError) -> Bool
    /// Bytes that an unprivileged process may still write to this file system (statvfs f_bavail).
    func freeBytes() throws(SystemError) -> Int64
}

/// A directory of the real file system.
public final class SystemDirectory: Directory {
    /// Directories and files are the service's own: payloads are personal data. The group may read.
    private static let directoryMode: mode_t = 0o750
    private static let fileMode: mode_t = 0o640

    /// As the operator wrote it.
    public let path: String
    private let fd: Int32

    /// Opens the directory at `path`, which is there.
    public init(reading path: String) throws(SystemError) {
        self.path = path
        fd = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if fd < 0 { throw .latest("open", path) }
    }

    /// Opens the directory at `path`; creates it, and its parents, where it is missing, and makes the
    /// new names durable.
    public init(creating path: String) throws(SystemError) {
        try Self.make(path)
        self.path = path
        fd = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if fd < 0 { throw .latest("open", path) }
    }

    deinit { close(fd) }

    private static func make(_ path: String) throws(SystemError) {
        if unsafe mkdir(path, directoryMode) == 0 { return try synchronizeParent(of: path) }
        if errno == EEXIST { return }
        guard errno == ENOENT, let parent = parent(of: path) else { throw .latest("mkdir", path) }
        try make(parent)
        guard unsafe mkdir(path, directoryMode) == 0 || errno == EEXIST else { throw .latest("mkdir", path) }
        try synchronizeParent(of: path)
    }

    private static func parent(of path: String) -> String? {
        var trimmed = Substring(path)
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        guard let slash = trimmed.lastIndex(of: "/") else { return trimmed == "." ? nil : "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    private static func synchronizeParent(of path: String) throws(SystemError) {
        guard let parent = parent(of: path) else { return }
        let fd = unsafe Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard fd >= 0 else { throw .latest("open", parent) }
        defer { close(fd) }
        guard fsync(fd) == 0 else { throw .latest("fsync", parent) }
    }

    /// Takes the directory for this process alone (flock(2)), until it ends; false where another has it.
    public func lockExclusively() throws(SystemError) -> Bool {
        if flock(fd, LOCK_EX | LOCK_NB) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw .latest("flock", path)
    }

    /// readdir(3) over a descriptor of its own, so that it begins at the beginning each time.
    public func names() throws(SystemError) -> [String] {
        let copy = unsafe openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .latest("openat", path) }
        guard let stream = unsafe fdopendir(copy) else {
            close(copy)
            throw .latest("fdopendir", path)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            // d_name is NUL-terminated within the entry, which lives until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        if errno != 0 { throw .latest("readdir", path) }
        return names
    }

    /// Where root makes it, it belongs to the directory's owner if that can be: a service with a user of its own goes on in the log that root
    /// has mended for it.
    public func create(_ name: String) throws(SystemError) -> any File {
        let descriptor = unsafe openat(fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, Self.fileMode)
        guard descriptor >= 0 else { throw .latest("open", name) }
        give(descriptor)
        return SystemFile(name: name, descriptor: descriptor)
    }

    /// The directory `name` in this one, made where it is missing, as durable and as much the owner's as its files.
    public func directory(creating name: String) throws(SystemError) -> SystemDirectory {
        if unsafe mkdirat(fd, name, Self.directoryMode) == 0 {
            let made = unsafe openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard made >= 0 else { throw .latest("open", name) }
            defer { close(made) }
            give(made)
            try synchronize()
        } else if errno != EEXIST {
            throw .latest("mkdir", name)
        }
        return try SystemDirectory(reading: path + "/" + name)
    }

    /// Gives what root has just made to the directory's owner, where the file system, and what root may do here (a container
    /// without CAP_CHOWN, NFS), allow that: where they do not, a callback is stored all the same.
    private func give(_ descriptor: Int32) {
        var status = stat()
        guard geteuid() == 0, unsafe fstat(fd, &status) == 0, status.st_uid != 0 else { return }
        _ = fchown(descriptor, status.st_uid, status.st_gid)
    }

    /// openat(2) for reading.
    public func open(_ name: String) throws(SystemError) -> any File { try open(name, O_RDONLY) }

    /// openat(2) for reading and writing.
    public func openToWrite(_ name: String) throws(SystemError) -> any File { try open(name, O_RDWR) }

    private func open(_ name: String, _ access: Int32) throws(SystemError) -> any File {
        // Of a pipe that somebody has put here, opening would wait for its other end.
        let descriptor = unsafe openat(fd, name, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .latest("open", name) }
        return SystemFile(name: name, descriptor: descriptor)
    }

    /// fstatat(2).
    public func size(of name: String) throws(SystemError) -> Int64 {
        var status = stat()
        guard unsafe fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .latest("fstatat", name) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError(operation: "fstatat", path: name, code: EINVAL) }
        return Int64(status.st_size)
    }

    /// renameat(2).
    public func rename(_ old: String, to new: String) throws(SystemError) {
        guard unsafe renameat(fd, old, fd, new) == 0 else { throw .latest("rename", old) }
    }

    /// unlinkat(2); fails with ENOENT where there is no such name.
    public func remove(_ name: String) throws(SystemError) {
        guard unsafe unlinkat(fd, name, 0) == 0 else { throw .latest("unlink", name) }
    }

    /// fsync(2).
    public func synchronize() throws(SystemError) {
        guard fsync(fd) == 0 else { throw .latest("fsync", path) }
    }

    /// fstat(2), and stat(2) of the path.
    public func isGone() throws(SystemError) -> Bool {
        var mine = stat()
        var named = stat()
        guard unsafe fstat(fd, &mine) == 0 else { throw .latest("fstat", path) }
        guard unsafe stat(path, &named) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return true }
            throw .latest("stat", path)
        }
        return mine.st_nlink == 0 || mine.st_dev != named.st_dev || mine.st_ino != named.st_ino
    }

    /// fstatvfs(3).
    public func freeBytes() throws(SystemError) -> Int64 {
        var status = statvfs()
        guard unsafe fstatvfs(fd, &status) == 0 else { throw .latest("fstatvfs", path) }
        let (bytes, overflow) = Int64(clamping: status.f_bavail)
            .multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return overflow ? .max : bytes
    }
}

/// A file of the real file system, closed when the last reference goes.
final class SystemFile: File {
    let name: String
    private let descriptor: Int32

    init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private func status() throws(SystemError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .latest("fstat", name) }
        return status
    }

    func size() throws(SystemError) -> Int64 { Int64(try status().st_size) }

    func isLinked() throws(SystemError) -> Bool { try status().st_nlink > 0 }

    func read(at offset: Int64, count: Int, into buffer: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        precondition(start >= 0 && count >= 0 && buffer.count - start >= count)
        var done = 0
        while done < count {
            // The destination lies within the buffer by the precondition above.
            let got = unsafe buffer.withUnsafeMutableBytes { bytes in
                retryingOnInterrupt {
                    unsafe pread(descriptor, bytes.baseAddress! + start + done, count - done, off_t(offset) + off_t(done))
                }
            }
            if got < 0 { throw .latest("pread", name) }
            if got == 0 { break }
            done += got
        }
        return done
    }

    func write(_ bytes: [UInt8], from start: Int, at offset: Int64) throws(SystemError) -> Int {
        let count = unsafe bytes.withUnsafeBytes { all in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: all[start...])
            return retryingOnInterrupt { unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset)) }
        }
        if count < 0 { throw .latest("pwrite", name) }
        return count
    }

    func synchronizeData() throws(SystemError) {
        guard fdatasync(descriptor) == 0 else { throw .latest("fdatasync", name) }
    }

    func truncate(to size: Int64) throws(SystemError) {
        guard retryingOnInterrupt({ ftruncate(descriptor, off_t(size)) }) == 0 else { throw .latest("ftruncate", name) }
    }
}
