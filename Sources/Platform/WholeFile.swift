// A small file read at once, and the variables of the environment: what a program reads before it starts work.
//
// Promises: reads to a bound and no further, also from pipes; a pipe that nobody writes to is not waited for longer than
// `waitMillisecondsMax`. Must not know: what is in them.

import Glibc

/// Reads small files that an operator names, whole.
public enum WholeFile {
    /// How long nothing may come from what is no regular file.
    static let waitMillisecondsMax: Int32 = 5_000

    /// True where something has this name.
    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// True where every user of the machine may read it (the last of its mode's read bits).
    public static func isReadableByAll(_ path: String) -> Bool {
        var status = Glibc.stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
    }

    /// The file's bytes, at most `bytesMax` of them. ETIMEDOUT where it is a pipe and nothing comes.
    public static func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        // Of a pipe, opening would wait for its other end.
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw .latest("open", path) }
        defer { close(fd) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1_024)
        while bytes.count < bytesMax {
            let room = min(chunk.count, bytesMax - bytes.count)
            // The kernel writes at most `room` bytes into the chunk.
            let got = unsafe chunk.withUnsafeMutableBytes { buffer in
                retryingOnInterrupt { unsafe Glibc.read(fd, buffer.baseAddress, room) }
            }
            if got < 0 {
                guard errno == EAGAIN else { throw .latest("read", path) }
                try wait(for: fd, path)
                continue
            }
            if got == 0 { break }
            bytes.append(contentsOf: chunk[..<got])
        }
        return bytes
    }

    private static func wait(for fd: Int32, _ path: String) throws(SystemError) {
        var watched = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        let ready = retryingOnInterrupt { unsafe poll(&watched, 1, waitMillisecondsMax) }
        if ready < 0 { throw .latest("poll", path) }
        if ready == 0 { throw SystemError(operation: "read", path: path, code: ETIMEDOUT) }
    }
}

/// The environment of this process.
public enum ProcessEnvironment {
    /// Every variable; of a name that stands twice, the first. What is not UTF-8 is repaired.
    public static var variables: [String: String] {
        var variables: [String: String] = [:]
        // The list ends with a null pointer; nothing in this process changes it.
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                let name = String(text[..<equals])
                if variables[name] == nil { variables[name] = String(text[text.index(after: equals)...]) }
            }
            unsafe next += 1
        }
        return variables
    }
}
