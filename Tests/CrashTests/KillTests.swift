// The real program killed with SIGKILL under load, again and again, on one log.
//
// Promises: every acknowledged callback is found after the kill, with its payload and its sequence; no half
// record stays; no sequence is missing or told twice. CRASH_KILLS sets how often (default 50), CRASH_SEED
// repeats a run; the seed is printed. In the second test the disk fails, too, while serving and while recovering.
// SIGKILL leaves the page cache alone: what a power cut takes is not tried here.

import Foundation
import Testing
import TestSupport

@Suite("Killed under load", .serialized)
struct KillTests {
    private static func setting(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }

    /// Several logs, so that the reading of a whole log after each kill stays short.
    private static let killsPerLog = 10

    @Test("nothing acknowledged is lost over many kills", .timeLimit(.minutes(10)))
    func kills() throws {
        try run(kills: Int(Self.setting("CRASH_KILLS") ?? 50), faults: nil)
    }

    @Test(
        "nothing acknowledged is lost where the disk fails between kills", .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"),
        .timeLimit(.minutes(10)))
    func killsAndFaults() throws {
        try run(kills: Int(Self.setting("CRASH_KILLS") ?? 50), faults: FaultInjector())
    }

    private func run(kills: Int, faults: FaultInjector?) throws {
        let seed = Self.setting("CRASH_SEED") ?? UInt64.random(in: 0...UInt64.max)
        print("CRASH_SEED=\(seed) CRASH_KILLS=\(kills)")
        var generator = SeededGenerator(seed: seed)
        for first in stride(from: 0, to: kills, by: Self.killsPerLog) {
            var promises = Promises()
            promises.mayBeRefused = faults != nil
            try series(min(Self.killsPerLog, kills - first), faults, &promises, &generator)
            #expect(promises.violations == [], "seed \(seed)")
            #expect(!promises.acknowledged.isEmpty, "seed \(seed)")
        }
    }

    /// Kills one log's server that many times and checks all promises after each.
    private func series(_ kills: Int, _ faults: FaultInjector?, _ promises: inout Promises, _ generator: inout SeededGenerator) throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<kills {
            let known = Set(promises.acknowledged.keys)
            try faults?.clear()
            let server = try start(directory, faults)
            if let faults { try setFault(faults, within: 60, &generator) }
            var load = try Load(server, connections: 8)
            // Short and long lives: some die in their first batch, some with many behind them.
            let longest = Bool.random(using: &generator) ? 20 : 150
            let milliseconds = Int.random(in: 1...longest, using: &generator)
            try load.run(killing: server, afterMilliseconds: milliseconds, promises: &promises, using: &generator)

            if let faults { try recoverOnFailingDisk(directory, faults, &generator) }
            let after = try start(directory, nil)
            try expectFound(after, promises, fresh: Set(promises.acknowledged.keys).subtracting(known))
            try after.child.kill9()
            expectSound(try after.log(), promises)
        }
        let last = try ServerProcess(directory: directory)
        try expectFound(last, promises, fresh: Set(promises.acknowledged.keys))
        #expect(try last.terminate() == .exited(0))
        expectSound(try last.log(), promises)
    }

    /// One to three calls in a row, beginning with one of the next `distance`, go wrong.
    private func setFault(_ faults: FaultInjector, within distance: Int, _ generator: inout SeededGenerator) throws {
        let (call, action): (FaultInjector.Call, FaultInjector.Action) =
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: (.sync, .fail(EIO))
            case 1: (.write, .fail(ENOSPC))
            case 2: (.write, .tear(ENOSPC))
            default: (.write, .short)
            }
        // The trace goes on over restarts; the library counts anew in each process.
        let first = Int.random(in: 1...distance, using: &generator)
        try faults.set(call, action, numbers: first...first + Int.random(in: 0...2, using: &generator))
    }

    /// A start during whose recovery the disk fails: it may refuse, and may not spoil anything.
    private func recoverOnFailingDisk(_ directory: TemporaryDirectory, _ faults: FaultInjector, _ generator: inout SeededGenerator) throws {
        try setFault(faults, within: 6, &generator)
        do {
            try ServerProcess(directory: directory, faults: faults).child.kill9()
        } catch TestFailure.unreadable(let text) {
            #expect(text.contains("exited(1)"), "\(text)")
        }
    }

    /// When each `.torn` file was last written.
    private func tornFiles(_ directory: TemporaryDirectory) -> [String: Date] {
        var found: [String: Date] = [:]
        for name in directory.entries where name.hasSuffix(".torn") {
            let attributes = try? FileManager.default.attributesOfItem(atPath: directory.path(of: name))
            found[name] = attributes?[.modificationDate] as? Date
        }
        return found
    }

    /// Starts on the log; a start that cut something says so in one line, one that did not does not.
    private func start(_ directory: TemporaryDirectory, _ faults: FaultInjector?) throws -> ServerProcess {
        let before = tornFiles(directory)
        let server = try ServerProcess(directory: directory, faults: faults)
        let cut = tornFiles(directory).filter { before[$0.key] != $0.value }
        func said() -> Int { server.child.standardError.split(separator: "\n").count { $0.contains(".torn") } }
        try eventually("a line about \(cut)") { said() >= cut.count }
        #expect(said() == cut.count, "\(server.child.standardError)")
        return server
    }

    /// Asks for every fresh identifier, pipelined on one connection.
    private func expectFound(_ server: ServerProcess, _ promises: Promises, fresh: Set<String>) throws {
        let connection = try server.connect()
        let identifiers = fresh.sorted()
        for start in stride(from: 0, to: identifiers.count, by: 50) {
            let group = identifiers[start..<min(start + 50, identifiers.count)]
            try connection.send(group.flatMap { requestBytes("GET", "/v1/requests/\($0)") })
            for identifier in group {
                let answer = try connection.readAnswer()
                let status = try? answer.object()
                #expect(
                    answer.status == 200 && status?.string("status") == "sent" && status?.integer("callbacks") == 1
                        && status?.integer("sequence") == promises.acknowledged[identifier]?.sequence,
                    "\(identifier): \(answer.text)")
            }
        }
    }

    /// Everything acknowledged stands in the log once, as it was sent; what else stands there was sent too.
    private func expectSound(_ log: LogReader, _ promises: Promises) {
        var found: [String: Int] = [:]
        for line in log.records {
            guard let identifier = line.requestIdentifier, let sequence = line.sequence else { continue }
            #expect(found.updateValue(sequence, forKey: identifier) == nil, "\(identifier) stands twice")
            let sent = promises.acknowledged[identifier]?.payload ?? promises.unanswered[identifier]
            #expect(line.payload == sent, "\(identifier)")
        }
        for (identifier, promise) in promises.acknowledged where found[identifier] != promise.sequence {
            Issue.record("\(identifier) was acknowledged as \(promise.sequence) and is at \(found[identifier] ?? -1)")
        }
        let sequences = log.records.compactMap(\.sequence)
        if let first = sequences.first { #expect(sequences == Array(first..<first + sequences.count)) }
        #expect(log.unsound.isEmpty, "\(log.unsound)")
    }
}
