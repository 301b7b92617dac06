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
    private func switches(_ server: ServerProcess) -> [String: Int] {
        let base = "/proc/\(server.child.processIdentifier)/task"
        var counts: [String: Int] = [:]
        for thread in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
            let status = FileManager.default.contents(atPath: "\(base)/\(thread)/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            counts[thread] = line.flatMap { Int($0.split(separator: "\t").last ?? "") } ?? 0
        }
        return counts
    }

    /// Timers that are due in the quiet moment: none without a service manager, a few with one.
    @Test("does not wake up", arguments: [false, true])
    func asleep(isWatched: Bool) throws {
        let manager = try ServiceManagerSocket()
        let server = try ServerProcess(
            configuration: "server:\n  loops: 2\n", environment: isWatched ? manager.environment(watchdogMicroseconds: 60_000_000) : [:])
        // It has been used: a callback, its checkpoint, connections that stay.
        let connection = try server.connect()
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        try eventually("the checkpoint", holds: { try server.log().lines.contains { $0.kind == "checkpoint" } })
        // Threads that Dispatch has no work for end after a few seconds: nothing is measured before two equal looks.
        var before = switches(server)
        try eventually(
            "rest", withinSeconds: 60,
            holds: {
                _ = poll(nil, 0, 1_000)
                let now = switches(server)
                defer { before = now }
                return now.keys == before.keys && now.values.reduce(0, +) - before.values.reduce(0, +) <= 2
            })
        _ = poll(nil, 0, 3_000)
        let after = switches(server)
        let woken = after.reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
        #expect(woken <= 10, "woken \(woken) times: \(before) \(after)")
        #expect(try server.get("/healthz").status == 200)
    }
}
