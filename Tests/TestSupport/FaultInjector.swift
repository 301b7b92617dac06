// Faults on the server's disk, switched on and off by a test while the server runs.
//
// Promises: only files below the data directory are touched; a rule takes effect at the next call after
// `set` returns; `hold` makes "while the sync is under way" a state one can look at instead of a race.
// Must not know: which calls the server makes, or how many. The C it compiles is in `FaultInjectorSource`.

import Foundation

/// A preloaded library between one server and its disk, and the file that commands it.
public final class FaultInjector: Sendable {
    /// Which calls a rule is about.
    public enum Call: String, Sendable {
        /// `fdatasync`, `fsync`, `sync_file_range`.
        case sync
        /// `write`, `writev`, `pwrite`, `pwritev`.
        case write
    }

    /// What happens to a call.
    public enum Action: Sendable {
        /// It waits before it does its work.
        case delay(milliseconds: Int)
        /// It does nothing and fails with this errno.
        case fail(Int32)
        /// It waits until the rule is gone.
        case hold
        /// A write writes half of its bytes and says so.
        case short
        /// A write writes half of its bytes and fails with this errno.
        case tear(Int32)
    }

    private let directory: TemporaryDirectory
    private let library: String

    /// Whether a C compiler is there to build the library; tests that need it are skipped otherwise.
    public static var isAvailable: Bool { (try? built.get()) != nil }

    /// The library, compiled once for the process.
    private static let built: Result<(path: String, holder: TemporaryDirectory), any Error> = Result {
        let holder = try TemporaryDirectory()
        let source = try holder.write(faultInjectorSource, to: "fault-injector.c")
        let library = holder.path(of: "fault-injector.so")
        for compiler in ["cc", "clang", "gcc"] {
            let child = try ChildProcess(
                executable: "/usr/bin/env",
                arguments: [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
            if try child.waitForExit(withinSeconds: 60) == .exited(0) { return (library, holder) }
        }
        throw TestFailure.unreadable("no C compiler could build the fault injector")
    }

    public init() throws {
        library = try Self.built.get().path
        directory = try TemporaryDirectory()
        try clear()
    }

    /// Replaces all rules by one.
    /// - Parameter numbers: the calls concerned, counted from 1 since the server's start, for each kind of its own.
    public func set(_ call: Call, _ action: Action, numbers: ClosedRange<Int> = 1...Int(Int32.max)) throws {
        let (name, value) =
            switch action {
            case .delay(let milliseconds): ("delay", milliseconds)
            case .fail(let errorNumber): ("fail", Int(errorNumber))
            case .hold: ("hold", 0)
            case .short: ("short", 0)
            case .tear(let errorNumber): ("tear", Int(errorNumber))
            }
        try directory.write("\(call.rawValue) \(name) \(value) \(numbers.lowerBound) \(numbers.upperBound)\n", to: "control")
    }

    /// Takes all rules away: what was held goes on.
    public func clear() throws { try directory.write("", to: "control") }

    /// The calls of a kind begun so far.
    public func count(_ call: Call) -> Int {
        let data = FileManager.default.contents(atPath: directory.path(of: "trace")) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").count { $0.hasPrefix(call.rawValue + " ") }
    }

    /// Waits until a call of this kind begins after `count` earlier ones.
    public func waitForCall(_ call: Call, after count: Int) throws {
        try eventually("a \(call.rawValue) call after \(count)") { self.count(call) > count }
    }

    func environment(watching path: String) -> [String: String] {
        [
            "LD_PRELOAD": library, "FAULT_DIRECTORY": path,
            "FAULT_CONTROL": directory.path(of: "control"), "FAULT_TRACE": directory.path(of: "trace"),
        ]
    }
}
