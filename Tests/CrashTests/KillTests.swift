// The real program killed with SIGKILL under load, again and again, on one log.
//
// Promises: every acknowledged callback is found after the kill, with its payload and its sequence; no half
// record stays; no sequence is missing or told twice. CRASH_KILLS sets how often (default 50), CRASH_SEED
// repeats a run; the seed is printed. SIGKILL leaves the page cache alone: what a power cut takes is not tried here.

import Foundation
import Testing
import TestSupport

@Suite("Killed under load", .serialized)
struct KillTests {
    private static func setting(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }

    @Test("nothing acknowledged is lost over many kills", .timeLimit(.minutes(10)))
    func kills() throws {
        let seed = Self.setting("CRASH_SEED") ?? UInt64.random(in: 0...UInt64.max)
        let kills = Int(Self.setting("CRASH_KILLS") ?? 50)
        print("CRASH_SEED=\(seed) CRASH_KILLS=\(kills)")
        var generator = SeededGenerator(seed: seed)
        var promises = Promises()
        // Several logs, so that the reading of a whole log after each kill stays short.
        let killsPerLog = 10
        for first in stride(from: 0, to: kills, by: killsPerLog) {
            promises = Promises()
            try series(min(killsPerLog, kills - first), &promises, &generator)
            #expect(promises.violations == [], "seed \(seed)")
        }
    }

    /// Kills one log's server that many times and checks all promises after each.
    private func series(_ kills: Int, _ promises: inout Promises, _ generator: inout SeededGenerator) throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<kills {
            let known = Set(promises.acknowledged.keys)
            let torn = tornFiles(directory)
            let server = try start(directory, tornBefore: torn)
            var load = try Load(server, connections: 8)
            // Short and long lives: some die in their first batch, some with many behind them.
            let longest = Bool.random(using: &generator) ? 20 : 150
            let milliseconds = Int.random(in: 1...longest, using: &generator)
            try load.run(killing: server, afterMilliseconds: milliseconds, promises: &promises, using: &generator)

            let after = try start(directory, tornBefore: tornFiles(directory))
            try expectFound(after, promises, fresh: Set(promises.acknowledged.keys).subtracting(known))
            try after.child.kill9()
            expectSound(try after.log(), promises)
        }
        let last = try ServerProcess(directory: directory)
        try expectFound(last, promises, fresh: Set(promises.acknowledged.keys))
        #expect(try last.terminate() == .exited(0))
        expectSound(try last.log(), promises)
        #expect(try last.log().violations() == [])
    }

    private func tornFiles(_ directory: TemporaryDirectory) -> Set<String> {
        Set(directory.entries.filter { $0.hasSuffix(".torn") })
    }

    /// Starts on the log; a start that cut something says so, one that did not does not.
    private func start(_ directory: TemporaryDirectory, tornBefore: Set<String>) throws -> ServerProcess {
        let server = try ServerProcess(directory: directory)
        let cut = tornFiles(directory).subtracting(tornBefore)
        let said = server.child.standardError.split(separator: "\n").filter { $0.contains(".torn") }
        #expect(said.isEmpty == cut.isEmpty, "\(cut) \(said)")
        #expect(said.count <= 1, "\(said)")
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
