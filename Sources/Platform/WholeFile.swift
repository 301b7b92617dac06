// A small file read at once, and the variables of the environment: what a program reads before it starts work.
//
// Promises: reads to a bound and no further, also from pipes. Must not know: what is in them.

import Glibc

public enum WholeFile {
    /// True where something has this name.
    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// True where every user of the machine may read it (the last of its mode's read bits).
    public static func isReadableByAll(_ path: String) -> Bool {
        var status = Glibc.stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
    }

    /// The file's bytes, at most `bytesMax` of them.
    public static func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC)
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
            if got < 0 { throw .latest("read", path) }
            if got == 0 { break }
            bytes.append(contentsOf: chunk[..<got])
        }
        return bytes
    }
}

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
