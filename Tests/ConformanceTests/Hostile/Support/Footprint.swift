// What a server process costs, as the kernel tells it (proc(5)).
//
// Promises: the figures of one moment; nothing is asked of the server itself.
// Must not know: what the server does. A loop that spins is never seen to sleep: epoll_wait(2) with something ready
// does not, so that a busy loop shows without measuring time.

import Foundation
import TestSupport

struct Footprint {
    /// Memory of its own: heap and stacks, not files and not sockets' buffers (RssAnon).
    let anonymousBytes: Int
    /// Open descriptors.
    let descriptors: Int

    init(of server: ServerProcess) throws {
        let process = "/proc/\(server.child.processIdentifier)"
        let status = try String(contentsOfFile: process + "/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { throw TestFailure.unreadable("RssAnon in \(process)/status") }
        anonymousBytes = kibibytes * 1_024
        descriptors = try FileManager.default.contentsOfDirectory(atPath: process + "/fd").count
    }

    /// Whether every thread of the server sleeps now.
    static func isAtRest(_ server: ServerProcess) -> Bool {
        let tasks = "/proc/\(server.child.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.allSatisfy { thread in
            // The name, in parentheses, may hold anything; the state is behind it.
            guard let stat = try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { return true }
            return stat[stat.index(after: end)...].hasPrefix(" S")
        }
    }
}
