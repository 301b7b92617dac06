// A child process with its output in files: started, signalled, waited for, and never left behind.
//
// Promises: the child starts with an empty signal mask (the worker threads that run tests block
// signals); a signal never reaches a reused process id, since signalling and reaping hold one lock;
// the child is killed and reaped with its object.
// Must not know: which program it runs.

import Foundation
import Synchronization

/// How a process ended.
public enum ExitStatus: Sendable, Equatable {
    /// It exited with this status.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)
}

/// One run of a program.
public final class ChildProcess: Sendable {
    public let processIdentifier: pid_t
    private let directory: TemporaryDirectory
    private let status = Mutex<ExitStatus?>(nil)

    /// Starts a program.
    /// - Parameters:
    ///   - executable: its absolute path.
    ///   - environment: added to `PATH`, `HOME`, `TMPDIR` and `LD_LIBRARY_PATH` of this process; nothing else is inherited.
    ///   - workingDirectory: where it starts; nil for this process's.
    ///   - sockets: handed over from descriptor 3 on, with their names, as systemd does it (sd_listen_fds(3)).
    /// - Throws: `TestFailure.system` when it cannot be started.
    public init(
        executable: String, arguments: [String], environment: [String: String] = [:],
        workingDirectory: String? = nil, sockets: [(name: String, descriptor: Int32)] = []
    ) throws {
        directory = try TemporaryDirectory()
        var inherited = ProcessInfo.processInfo.environment.filter {
            ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"].contains($0.key)
        }
        inherited.merge(environment) { $1 }
        var all = [executable] + arguments
        // Glibc's module lacks posix_spawn_file_actions_addchdir_np; env(1) changes the directory and becomes the program.
        if let workingDirectory { all = ["/usr/bin/env", "-C", workingDirectory] + all }
        if !sockets.isEmpty {
            inherited["LISTEN_FDS"] = "\(sockets.count)"
            inherited["LISTEN_FDNAMES"] = sockets.map(\.name).joined(separator: ":")
            // Its process id is known to itself alone; the shell becomes the program.
            all = ["/bin/sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"] + all
        }
        processIdentifier = try spawn(
            arguments: all, descriptors: sockets.map(\.descriptor), environment: inherited.map { "\($0.key)=\($0.value)" },
            standardOutput: directory.path(of: "stdout"), standardError: directory.path(of: "stderr"))
        Leftovers.add(process: processIdentifier)
    }

    /// All it has written to standard output so far.
    public var standardOutput: String { text(of: "stdout") }
    /// All it has written to standard error so far.
    public var standardError: String { text(of: "stderr") }

    private func text(of name: String) -> String {
        let data = FileManager.default.contents(atPath: directory.path(of: name)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Sends a signal, unless it has been reaped already.
    public func send(signal: Int32) {
        status.withLock { if $0 == nil { kill(processIdentifier, signal) } }
    }

    /// Its exit status, or nil while it runs.
    public var exitStatus: ExitStatus? {
        status.withLock { status in
            if status == nil {
                var raw: Int32 = 0
                if unsafe waitpid(processIdentifier, &raw, WNOHANG) == processIdentifier {
                    let signal = raw & 0x7F
                    status = signal == 0 ? .exited((raw >> 8) & 0xFF) : .signalled(signal)
                    Leftovers.remove(process: processIdentifier)
                }
            }
            return status
        }
    }

    /// Waits until it has ended.
    /// - Throws: `TestFailure.timeout` when it has not within that time.
    @discardableResult
    public func waitForExit(withinSeconds seconds: Double = 20) throws -> ExitStatus {
        try eventually("exit of process \(processIdentifier); it said: \(standardError.suffix(500))", withinSeconds: seconds) {
            exitStatus
        }
    }

    /// Kills it with SIGKILL and waits for its end.
    public func kill9() throws {
        send(signal: SIGKILL)
        try waitForExit()
    }

    deinit {
        send(signal: SIGKILL)
        status.withLock { status in
            guard status == nil else { return }
            var raw: Int32 = 0
            _ = unsafe waitpid(processIdentifier, &raw, 0)
            Leftovers.remove(process: processIdentifier)
        }
    }
}

/// `posix_spawn` with what a server test needs: files for output, a clean signal mask.
private func spawn(
    arguments: [String], descriptors: [Int32], environment: [String], standardOutput: String, standardError: String
) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
        unsafe posix_spawn_file_actions_destroy(&actions)
        unsafe posix_spawnattr_destroy(&attributes)
    }
    let truncate = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, standardOutput, truncate, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, standardError, truncate, 0o600)
    // Out of the way of the numbers that they are to have.
    let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 200) }
    defer { for copy in copies { close(copy) } }
    for (index, copy) in copies.enumerated() { unsafe posix_spawn_file_actions_adddup2(&actions, copy, 3 + Int32(index)) }
    var mask = sigset_t()
    unsafe sigemptyset(&mask)
    unsafe posix_spawnattr_setsigmask(&attributes, &mask)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    // The copies live until the call has returned; posix_spawn keeps none of them.
    var argumentPointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var environmentPointers = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
        for unsafe pointer in unsafe argumentPointers + environmentPointers { unsafe free(pointer) }
    }
    var identifier: pid_t = 0
    let result = unsafe posix_spawn(
        &identifier, arguments[0], &actions, &attributes, &argumentPointers, &environmentPointers)
    guard result == 0 else { throw TestFailure.system(operation: "spawn \(arguments[0])", errorNumber: result) }
    return identifier
}
