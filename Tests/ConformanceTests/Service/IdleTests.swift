// A server that nobody asks anything sleeps.
//
// Promises: how often its threads gave a processor up of their own accord, as the kernel counts it, over a quiet moment;
// the bound is far above what is due and far below any timer that ticks.
// Must not know: how many threads there are.

import Foundation
import Testing
import TestSupport

@Suite("An idle server", .serialized)
struct IdleTests {
    /// Of all threads of the process, by thread: one that ends is not counted twice, one that begins counts whole.
    private func switches(_ child: ChildProcess) -> [String: Int] {
        let base = "/proc/\(child.processIdentifier)/task"
        var counts: [String: Int] = [:]
        for thread in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
            let status = FileManager.default.contents(atPath: "\(base)/\(thread)/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            counts[thread] = line.flatMap { Int($0.split(separator: "\t").last ?? "") } ?? 0
        }
        return counts
    }

    private func woken(_ before: [String: Int], _ after: [String: Int]) -> Int {
        after.reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
    }

    /// Timers that are due in the quiet moment: none without a service manager, a few with one.
    @Test("does not wake up", arguments: [false, true])
    func asleep(isWatched: Bool) throws {
        let manager = try ServiceManagerSocket()
        // The directory that holds the log is watched for a log that is put in its place: no other test may be at work there.
        let directory = try TemporaryDirectory()
        let child = try ChildProcess(
            executable: ServerProcess.executable, arguments: ["serve", "--listen", "127.0.0.1:0", "--data-directory", directory.path(of: "log")],
            environment: isWatched ? manager.environment(watchdogMicroseconds: 60_000_000) : [:])
        let address = try eventually("a listening line") { ServerProcess.addresses(in: child.standardOutput).first }
        // It has been used: a callback, its checkpoint, a connection that stays.
        let connection = try RawConnection(port: address.port)
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        try eventually(
            "the checkpoint", holds: { try LogReader(directory: directory.path(of: "log")).lines.contains { $0.kind == "checkpoint" } })
        // Threads that Dispatch has no work for end after a few seconds: nothing is measured before two equal looks.
        var before = switches(child)
        var woken = Int.max
        for _ in 0..<60 where woken > 2 {
            _ = poll(nil, 0, 1_000)
            let now = switches(child)
            woken = self.woken(before, now)
            before = now
        }
        _ = poll(nil, 0, 3_000)
        let after = switches(child)
        #expect(!after.isEmpty && self.woken(before, after) <= 10, "\(before) \(after)")
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
    }
}
