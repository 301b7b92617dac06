// Other people's programs that tests run: where they are, whether they are, and one run of one.
//
// Promises: a program is found where a shell of root would find it, so that /usr/sbin counts for everybody; what
// is not installed is nil, for `.enabled(if:)`; a run is waited for and its output whole.
// Must not know: what the programs do.

import Foundation
import Glibc
import Synchronization

/// A program that may or may not be installed.
public enum InstalledProgram {
    /// Where a program is: in `$PATH`, or where Debian keeps servers.
    /// - Returns: its absolute path, or nil where it is not installed.
    public static func path(of name: String) -> String? {
        let places = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (places + ["/usr/sbin", "/sbin", "/usr/bin"]).map { $0 + "/" + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Debian's python3, the one that apt's modules belong to; nil where it or the module is not installed.
    public static func python(importing module: String = "sys") -> String? {
        let python = "/usr/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python),
            let child = try? ChildProcess(executable: python, arguments: ["-c", "import \(module)"]),
            (try? child.waitForExit()) == .exited(0)
        else { return nil }
        return python
    }

    /// Runs a program to its end.
    /// - Throws: `TestFailure.timeout` when it has not ended in time (it is killed then).
    public static func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil,
        withinSeconds seconds: Double = 60
    ) throws -> (status: ExitStatus, output: String, error: String) {
        let child = try ChildProcess(executable: executable, arguments: arguments, environment: environment, workingDirectory: workingDirectory)
        let status = try child.waitForExit(withinSeconds: seconds)
        return (status, child.standardOutput, child.standardError)
    }
}

/// Every port that `freePort` has given. A program may share its port with another (SO_REUSEPORT), so that two tests with
/// the same one would not even notice.
private let portsGiven = Mutex<Set<UInt16>>([])

/// A port of 127.0.0.1 that nothing listens on at this moment, for programs that cannot choose one themselves; never
/// the same twice. Another program may take it before they do: they then fail to start, and the test tries another one.
public func freePort() throws -> UInt16 {
    for _ in 0..<100 {
        let port = try unusedPort()
        if portsGiven.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw TestFailure.unreadable("no free port")
}

private func unusedPort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw TestFailure.system(operation: "socket", errorNumber: errno) }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        // The pointer lives for these calls; sockaddr_in is what AF_INET reads and writes.
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    guard result == 0 else { throw TestFailure.system(operation: "bind", errorNumber: errno) }
    return UInt16(bigEndian: address.sin_port)
}
