// Which processors the server has and which the load client, where one must not take the other's.
//
// Promises: the client gets the first that this program may use, the server all others; with one alone they share it.
// Whoever was moved is moved back. Must not know: what runs.

import Foundation
import Glibc

struct ProcessorShares {
    /// Lists as taskset(1) takes them.
    let client: String
    let server: String
    private let all: String
    private let taskset: String

    init(_ tools: Tools) {
        taskset = tools.taskset
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let label = "Cpus_allowed_list:"
        let line = status.split(separator: "\n").first { $0.hasPrefix(label) }
        all = line.map { $0.dropFirst(label.count).trimmingCharacters(in: .whitespaces) } ?? "0"
        let numbers = all.split(separator: ",").flatMap { range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return ends.isEmpty ? [] : Array(ends[0]...max(ends[0], ends[ends.count - 1]))
        }
        let first = numbers.first ?? 0
        client = "\(first)"
        server = numbers.count > 1 ? numbers.dropFirst().map(String.init).joined(separator: ",") : client
    }

    /// Runs `body` on this thread, the first of the process, with the client's processor alone.
    func asClient<Result>(_ workplace: Workplace, _ body: () throws -> Result) throws -> Result {
        try move(to: client, workplace)
        defer { try? move(to: all, workplace) }
        return try body()
    }

    private func move(to list: String, _ workplace: Workplace) throws {
        // The first thread has the id of its process.
        let process = try workplace.start(
            taskset, ["-cp", list, "\(getpid())"], output: nil, errors: workplace.path + "/taskset.log")
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchmarkFailure("taskset cannot choose processor \(list)") }
    }
}
