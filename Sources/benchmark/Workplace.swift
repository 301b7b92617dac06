// Where the benchmark writes, and what it has started: so that nothing of it stays, however it ends.
//
// Promises: one new folder, removed at the end, on SIGINT and SIGTERM too; every process started is stopped by its
// own id. Nothing else is touched. Must not know: what the processes are.

import Dispatch
import Foundation
import Glibc
import Platform
import Synchronization

final class Workplace: Sendable {
    /// Logs and loads of a full run need about half of it.
    private static let freeBytesMin: Int64 = 4_000_000_000

    /// The folder, absolute.
    let path: String
    private let processes = Mutex<[Int32]>([])
    private let clearing = Mutex<Void>(())
    private let signals: SignalListener

    init(parent: String) throws {
        let path = URL(filePath: parent).path + "/benchmark-\(getpid())"
        let free = try SystemDirectory(creating: path).freeBytes()
        guard free >= Self.freeBytesMin else {
            unsafe rmdir(path)
            throw BenchmarkFailure(
                "\(parent) has \(free / 1_000_000) MB free and 4,000 are wanted; name another --directory")
        }
        self.path = path
        let queue = DispatchQueue(label: "workplace")
        let asked = Asked()
        signals = SignalListener(SignalListener.terminationSignals, queue: queue) { number in
            asked.workplace?.clear()
            exit(128 + number)
        }
        asked.set(self)
        // Foundation makes the thread that waits for processes with the first of them. It must inherit that the signals
        // are blocked, so this one is started without `withSignalsUnblocked`.
        try Process.run(URL(filePath: "/bin/true"), arguments: []).waitUntilExit()
    }

    /// Starts `program`; it ends with `stop`, or with the benchmark.
    func start(
        _ program: String, _ arguments: [String], output: Any?, errors: String, environment: [String: String] = [:]
    ) throws -> Process {
        guard FileManager.default.createFile(atPath: errors, contents: nil) else {
            throw BenchmarkFailure("cannot write \(errors)")
        }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output ?? FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
        try Self.withSignalsUnblocked { try process.run() }
        let identifier = process.processIdentifier
        processes.withLock { $0.append(identifier) }
        return process
    }

    /// What is started inherits which signals are blocked, and SignalListener has blocked those that end it. One that
    /// comes to us just now is lost: it has a handler that does nothing, so that it does not end us with work undone.
    private static func withSignalsUnblocked(_ body: () throws -> Void) rethrows {
        var terminating = sigset_t()
        var before = sigset_t()
        unsafe sigemptyset(&terminating)
        for number in SignalListener.terminationSignals {
            signal(number) { _ in }
            unsafe sigaddset(&terminating, number)
        }
        unsafe pthread_sigmask(SIG_UNBLOCK, &terminating, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    /// Asks it to end and waits until it has.
    func stop(_ process: Process) { end(process, SIGTERM) }

    /// Ends it at once, whatever it is doing.
    func kill(_ process: Process) { end(process, SIGKILL) }

    private func end(_ process: Process, _ signal: Int32) {
        let identifier = process.processIdentifier
        if process.isRunning { Glibc.kill(identifier, signal) }
        processes.withLock { $0.removeAll { $0 == identifier } }
        process.waitUntilExit()
    }

    /// Ends what was started, and removes the folder. Whoever comes second waits for the first: a signal ends loads, and
    /// so makes the other side clear up as well.
    func clear() {
        clearing.withLock { _ in clearOnce() }
    }

    private func clearOnce() {
        let started = processes.withLock { list in
            defer { list = [] }
            return list
        }
        for identifier in started { Glibc.kill(identifier, SIGINT) }
        // The folder goes when nobody writes to it any more; a server that stops takes 2 s for idle connections.
        try? Patience.until("the processes end") { started.allSatisfy { Glibc.kill($0, 0) != 0 } }
        // More than once: a part that was interrupted removes its own log meanwhile, and what vanishes is an error here.
        try? Patience.until("the folder goes") {
            try? FileManager.default.removeItem(atPath: path)
            return !FileManager.default.fileExists(atPath: path)
        }
    }
}

/// What a signal reaches, set once the workplace is there.
private final class Asked: Sendable {
    private let state = Mutex<Workplace?>(nil)
    var workplace: Workplace? { state.withLock { $0 } }
    func set(_ workplace: Workplace) { state.withLock { $0 = workplace } }
}

/// Waiting for something that another process does.
enum Patience {
    /// Asks up to 500 times, 20 ms apart.
    static func until(_ what: String, _ isSo: () throws -> Bool) throws {
        for _ in 0..<500 {
            if try isSo() { return }
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(20))
        }
        throw BenchmarkFailure("waited 10 s in vain: \(what)")
    }
}
