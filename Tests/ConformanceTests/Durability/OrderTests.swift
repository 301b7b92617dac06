// API §3, seen from the kernel's side: the record is written, then synced, and only then answered.
//
// Promises: completion of one call is compared with the beginning of the next, across threads.
// Must not know: which thread does what.

import Foundation
import Testing
import TestSupport

/// `strace` attached to one process, its output in a file.
private final class Tracer {
    private let directory: TemporaryDirectory
    private let child: ChildProcess

    /// Whether this machine lets one process trace another.
    static let isPermitted: Bool = {
        guard
            let child = try? ChildProcess(executable: "/usr/bin/env", arguments: ["strace", "-o", "/dev/null", "true"]),
            let status = try? child.waitForExit()
        else { return false }
        return status == .exited(0)
    }()

    init(process: pid_t) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        let child = try ChildProcess(
            executable: "/usr/bin/env",
            arguments: [
                "strace", "-f", "-y", "-s", "4096", "-o", directory.path(of: "trace"), "-e",
                "trace=write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync,sendto,sendmsg", "-p", "\(process)",
            ])
        self.child = child
        try eventually("strace to attach; \(child.standardError)") { child.standardError.contains("attached") }
    }

    /// Detaches; the traced process goes on.
    /// - Returns: the lines of the trace.
    func end() throws -> [String] {
        child.send(signal: SIGINT)
        try child.waitForExit()
        let data = FileManager.default.contents(atPath: directory.path(of: "trace")) ?? Data()
        return String(decoding: data, as: UTF8.self).components(separatedBy: "\n")
    }
}

@Suite("Write, sync, answer", .enabled(if: Tracer.isPermitted, "strace is missing or ptrace not permitted"))
struct OrderTests {
    @Test("the answer's write begins after a sync of the segment has ended that began after the record's write ended")
    func order() throws {
        let server = try ServerProcess()
        #expect(try server.post(sentPayload("warm-up")).status == 200)
        let tracer = try Tracer(process: server.child.processIdentifier)
        for index in 0..<5 { #expect(try server.post(sentPayload("traced-\(index)")).status == 200) }
        let lines = try tracer.end()
        for index in 0..<5 {
            let written = try #require(firstEnd(of: ["write", "pwrite"], in: lines, after: -1) { $0.contains(".jsonl>") && $0.contains("traced-\(index)") })
            let synced = try #require(firstEnd(of: ["fdatasync", "fsync"], in: lines, after: written) { $0.contains(".jsonl>") })
            let answered = try #require(
                lines.firstIndex { $0.contains("HTTP/1.1 200") && $0.contains("traced-\(index)") && !$0.contains(".jsonl>") })
            #expect(synced < answered, "\(lines[written...max(synced, answered)].joined(separator: "\n"))")
        }
    }

    /// The line on which the first matching call that begins after `start` returns.
    private func firstEnd(of calls: [String], in lines: [String], after start: Int, where matches: (String) -> Bool) -> Int? {
        guard
            let begin = lines.indices.first(where: { index in
                index > start && matches(lines[index]) && calls.contains { lines[index].contains(" \($0)") } && !lines[index].contains(" resumed>")
            })
        else { return nil }
        guard lines[begin].contains("<unfinished ...>") else { return begin }
        let thread = lines[begin].prefix { $0 != " " }
        return lines.indices.first { $0 > begin && lines[$0].hasPrefix(thread + " ") && lines[$0].contains(" resumed>") }
    }
}
