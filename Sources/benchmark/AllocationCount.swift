// Counts calls of malloc and realloc, whoever makes them: Swift's runtime, Foundation, C.
//
// glibc logs every allocation between mtrace(3) and muntrace(3) to the file that MALLOC_TRACE names, once its
// libc_malloc_debug.so is loaded before everything else. That makes each of them slow, so the counting is done by
// this program started once more, for nothing else. Promises: exact, one line of the log an allocation; no count
// where the library is missing, rather than a wrong one. Must not know: what is counted.

import Foundation
import Glibc

enum AllocationCount {
    private static let library = "libc_malloc_debug.so.0"
    private static let traceKey = "MALLOC_TRACE"
    private static let repetitions = 100

    private typealias Switch = @convention(c) () -> Void
    private typealias Name = UnsafePointer<CChar>
    private typealias FindVersion = @convention(c) (UnsafeMutableRawPointer?, Name, Name) -> UnsafeMutableRawPointer?

    // MARK: in the parent

    /// Starts this program with `flag` and returns what it counted by name; empty where it cannot.
    static func count(startingWith flag: String, in workplace: Workplace) throws -> [String: Double] {
        let output = Pipe()
        let process = try workplace.start(
            "/proc/self/exe", [flag], output: output, errors: workplace.path + "/count.log",
            environment: ["LD_PRELOAD": library, traceKey: workplace.path + "/allocations.log"])
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        workplace.stop(process)
        var counts: [String: Double] = [:]
        for line in said.split(separator: "\n") {
            let words = line.split(separator: "=")
            if words.count == 2 { counts[String(words[0])] = Double(words[1]) }
        }
        return counts
    }

    // MARK: in the child

    /// Prints how many allocations one call of `operation` makes, on the average of many.
    static func say(_ name: String, _ operation: () throws -> Int) throws {
        guard let path = ProcessInfo.processInfo.environment[traceKey], let start = function("mtrace"),
            let end = function("muntrace")
        else { throw BenchmarkFailure("\(library) is not loaded") }
        // What is made once (metadata, the first growth of a reused array) is not counted.
        for _ in 0..<repetitions { _ = try operation() }
        start()
        for _ in 0..<repetitions { _ = try operation() }
        end()
        let log = try String(contentsOfFile: path, encoding: .utf8)
        // `@ caller + address size` is malloc, `>` the new place of a realloc.
        let count = log.split(separator: "\n").count { $0.contains(" + 0x") || $0.contains(" > 0x") }
        print("\(name)=\(Double(count) / Double(repetitions))")
    }

    /// A function of the library. Its symbols have a version and no default one, so dlvsym(3) must be asked, which
    /// Swift's module of glibc leaves out.
    private static func function(_ name: String) -> Switch? {
        guard let program = unsafe dlopen(nil, RTLD_NOW), let find = unsafe dlsym(program, "dlvsym") else { return nil }
        // Both are functions of glibc with exactly these types, and stay loaded.
        let findVersion = unsafe unsafeBitCast(find, to: FindVersion.self)
        guard let found = unsafe findVersion(program, name, "GLIBC_2.2.5") else { return nil }
        return unsafe unsafeBitCast(found, to: Switch.self)
    }
}
