// Figures of a client that behaves while others do not: what it waits for an answer, in quiet and under each attack.
//
//     for each attack:   quiet 1 s ── attack begins, all its connections are there ── under attack 2 s ── attack ends
//
// Promises: the client posts callbacks one after the other on one connection that is kept alive; quiet is measured anew
// before each attack. The attacker is a thread of this program, so on few processors it takes some of the server's: what
// that alone costs stands in the first row. Must not know: what an attack consists of.

import Foundation
import Platform

struct HostileFigures {
    private static let quietSeconds = 1.0
    private static let attackSeconds = 2.0
    /// For what an attack left behind, and for what is not warm.
    private static let settleSeconds = 0.3
    private static let series: UInt32 = 0x300

    static let caption = """
        A client that posts one callback after the other on one connection, while another of this machine attacks. The \
        attacker takes a processor, too: the first row is what that alone costs.
        """
    static var table: Table {
        Table(columns: [
            "attack", "client p50 · p99, µs", "quiet p50 · p99, µs", "÷ quiet", "client's failures", "attack, a second",
            "connections opened, a second", "server's CPU, %", "µs for each unit", "memory, MB more",
        ])
    }

    /// What the client saw in some seconds, and what the server used for it.
    private struct Seen {
        var microseconds: [UInt32] = []
        var failures = 0
        var processorMicroseconds = 0.0
        var seconds = 0.0

        /// p50 and p99.
        var both: [Double] { percentiles([0.5, 0.99], of: microseconds) }
    }

    let tools: Tools
    let workplace: Workplace
    let descriptorsMax: Int

    func measure(into table: inout Table, _ attacks: inout Table) throws {
        Progress.say("hostile clients: starting the server on an empty log")
        let directory = workplace.path + "/hostile"
        let here = try Subject.receiver(tools, workplace, directory: directory)
        defer {
            workplace.stop(here.process)
            try? FileManager.default.removeItem(atPath: directory)
        }
        let known = Sample.requestID(series: Sample.knownSeries, number: 1)
        guard try Client(port: here.port).post("/callback", Sample.body(known)).status == 200 else {
            throw BenchmarkFailure("the server does not take a callback")
        }
        let all = Attack.all(authority: "127.0.0.1:\(here.port)", path: "/v1/requests/" + known)
        var client = Poster(port: here.port)
        var failures = 0
        var ratios: [Double] = []
        for attack in [Attack.busyProcessor] + all {
            // Both ends are on this machine; the limit is of each process.
            guard attack.connections + 200 < descriptorsMax else {
                attacks.add([attack.name, "not measured: \(descriptorsMax) descriptors (ulimit -n)"])
                continue
            }
            let (quiet, seen) = try measure(attack, here, &client, into: &attacks)
            failures += quiet.failures + seen.failures
            if attack.connections > 0 { ratios.append(seen.both[0] / quiet.both[0]) }
        }
        table.add(
            "median latency of a client while others attack, each against quiet",
            "\(text(ratios.min() ?? .nan)) to \(text(ratios.max() ?? .nan))")
        table.add(
            "callbacks of that client that were not answered with 200", text(Double(failures)), target: "0",
            isReached: failures == 0)
    }

    private func measure(
        _ attack: Attack, _ here: Subject, _ client: inout Poster, into attacks: inout Table
    ) throws -> (quiet: Seen, seen: Seen) {
        _ = client.post(seconds: Self.settleSeconds, here)
        let quiet = client.post(seconds: Self.quietSeconds, here)
        let memory = try here.memoryBytes("RssAnon")
        let attacker = Attacker(attack, port: here.port)
        defer { attacker.stop() }
        // A server that turns them away may never have all of them.
        try? Patience.until("connections of the attack") { attacker.isReady }
        _ = client.post(seconds: Self.settleSeconds, here)
        let before = attacker.count
        let seen = client.post(seconds: Self.attackSeconds, here)
        let after = attacker.count
        let more = max(0, try here.memoryBytes("RssAnon") - memory)

        // What is held needs no more of it; so what it cost to make counts, where nothing is made any more.
        let units = Double(after.units - before.units)
        let forClient = quiet.processorMicroseconds / Double(max(1, quiet.microseconds.count)) * Double(seen.microseconds.count)
        let cost = max(0, seen.processorMicroseconds - forClient) / units
        attacks.add([
            attack.name, Self.listed(seen.both), Self.listed(quiet.both), Self.listed(zip(seen.both, quiet.both).map(/)),
            text(Double(seen.failures)),
            units > 0 ? "\(text((units / seen.seconds).rounded())) \(attack.unit)" : "",
            text((Double(after.connections - before.connections) / seen.seconds).rounded()),
            text((seen.processorMicroseconds / seen.seconds / 10_000).rounded()),
            attack.connections > 0 && units > 0 ? text(cost) : "", text((more / 100_000).rounded() / 10),
        ])
        return (quiet, seen)
    }

    private static func listed(_ numbers: [Double]) -> String { numbers.map(text).joined(separator: " · ") }

    /// The client that behaves.
    private struct Poster {
        let port: UInt16
        var client: Client?
        var count: UInt64 = 0

        init(port: UInt16) { self.port = port }

        /// Posts until the time is up. After a failure it connects again.
        mutating func post(seconds: Double, _ here: Subject) -> Seen {
            var seen = Seen()
            let processor = here.processorMicroseconds()
            let start = Clock.monotonicNanoseconds()
            var now = start
            while Double(now - start) < seconds * 1_000_000_000 {
                count += 1
                let body = Sample.body(Sample.requestID(series: HostileFigures.series, number: count))
                do {
                    let connection = try client ?? Client(port: port)
                    client = connection
                    let asked = Clock.monotonicNanoseconds()
                    guard try connection.post("/callback", body).status == 200 else { throw BenchmarkFailure("refused") }
                    now = Clock.monotonicNanoseconds()
                    seen.microseconds.append(UInt32(clamping: (now - asked) / 1_000))
                } catch {
                    seen.failures += 1
                    client = nil
                    now = Clock.monotonicNanoseconds()
                }
            }
            seen.seconds = Double(now - start) / 1_000_000_000
            seen.processorMicroseconds = here.processorMicroseconds() - processor
            return seen
        }
    }
}
