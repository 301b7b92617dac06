// Figures of overload: what is stored and acknowledged when twice as much arrives as can be.
//
//     bound:     as many requests at once as there is room for, each sent when another was answered: what it can do at all
//     best:      the most 200s a second of several given rates up to that bound
//     overload:  twice as many a second as that, due whether or not the earlier ones were answered
//
// Promises: the client has a processor of its own and the server the others, since it is the server's that are to be too
// few; all loads of a round come from the same client on as many connections, one after the other. Afterwards every
// acknowledged sequence is looked for in the log. Must not know: how a load is made.

import Foundation

struct OverloadFigures {
    private static let goodputMin = 0.9
    /// What must have been due, against the best, for the load to count as twice of it.
    private static let offeredMin = 1.8
    private static let firstSeries: UInt32 = 0x200

    /// Connections, and the most requests on each of them: pipelined, or streams.
    private struct Shape {
        let connections: Int
        let depth: Int
    }
    /// More than waits on usual ones, so that the client does not spare the server; 100 streams is what servers allow.
    private static let http1 = Shape(connections: 1_024, depth: 8)
    private static let http2 = Shape(connections: 256, depth: 100)
    /// The rates at which the best is looked for, as shares of the bound, and for how long at each.
    private static let shares = [0.4, 0.6, 0.8, 1.0]
    private static let searchSeconds = 1

    private struct Rounds {
        var best: [LoadTally] = []
        var over: [LoadTally] = []
    }

    let tools: Tools
    let workplace: Workplace
    let rounds: Int
    let seconds: Int

    func measure(into table: inout Table) throws {
        Progress.say("overload: starting the server on an empty log")
        let directory = workplace.path + "/overload"
        let shares = ProcessorShares(tools)
        let here = try Subject.receiver(tools, workplace, directory: directory, processors: shares.server)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var http1 = Rounds()
        var http2 = Rounds()
        var acknowledged = AcknowledgedRecords()
        do {
            defer { workplace.stop(here.process) }
            try shares.asClient(workplace) {
                for round in 1...rounds {
                    Progress.say("overload, round \(round) of \(rounds)")
                    try take(HTTP1LoadPeer.self, Self.http1, here, &http1, &acknowledged)
                    try take(HTTP2LoadPeer.self, Self.http2, here, &http2, &acknowledged)
                }
            }
        }
        report("HTTP/1.1", http1, into: &table)
        report("HTTP/2", http2, into: &table)
        let found = try acknowledged.compare(with: directory)
        table.add(
            "200s of these loads, and those that are not in the log",
            "\(text(Double(acknowledged.count))) · \(text(Double(found.missing)))",
            peer: "records \(text(Double(found.records)))", target: "0 missing",
            isReached: found.missing == 0 && found.records >= acknowledged.count)
    }

    private func take<Peer: LoadPeer>(
        _ peer: Peer.Type, _ shape: Shape, _ here: Subject, _ rounds: inout Rounds, _ acknowledged: inout AcknowledgedRecords
    ) throws {
        func run(_ pace: LoadPlan.Pace, seconds: Int) throws -> LoadTally {
            let series = Self.firstSeries + UInt32(acknowledged.loads)
            let plan = LoadPlan(
                connections: shape.connections, depth: shape.depth, pace: pace, seconds: seconds, series: series)
            let tally = try LoadClient<Peer>(plan, port: here.port).run()
            acknowledged.add(tally, series: series)
            return tally
        }
        let bound = try run(.closedLoop, seconds: Self.searchSeconds).goodput
        let tallies = try Self.shares.map { try run(.openLoop(perSecond: $0 * bound), seconds: Self.searchSeconds) }
        guard let best = tallies.max(by: { $0.goodput < $1.goodput }) else { return }
        rounds.best.append(best)
        rounds.over.append(try run(.openLoop(perSecond: 2 * best.goodput), seconds: seconds))
    }

    private func report(_ name: String, _ rounds: Rounds, into table: inout Table) {
        func median(_ value: (LoadTally) -> Double, _ tallies: [LoadTally]) -> Double {
            benchmark.median(tallies.map(value))
        }
        let best = median(\.goodput, rounds.best)
        let over = median(\.goodput, rounds.over)
        let ratio = benchmark.median(zip(rounds.over, rounds.best).map { $0.goodput / $1.goodput })
        table.add(
            "200s a second at twice the load it can bear, \(name)", text(over), peer: "at its best \(text(best))", ratio: ratio,
            target: "≥ 0.90", isReached: ratio >= Self.goodputMin)
        let due = median({ Double($0.dueInTime) / $0.seconds }, rounds.over)
        let refused = median({ Double($0.refusedInTime) / Double(max(1, $0.dueInTime)) }, rounds.over)
        let heldBack = median({ Double($0.heldBack) / Double(max(1, $0.dueInTime)) }, rounds.over)
        table.add(
            "… due a second, against that best", text(due), peer: text(best), ratio: due / best, target: "≥ 1.80",
            isReached: due / best >= Self.offeredMin)
        table.add(
            "… of these answered 503 · held back by the server",
            String(format: "%.0f %% · %.0f %%", refused * 100, heldBack * 100))
        func latency(_ tallies: [LoadTally]) -> String {
            let both = tallies.map { $0.percentiles([0.5, 0.99]) }
            return "\(text(benchmark.median(both.map { $0[0] }))) · \(text(benchmark.median(both.map { $0[1] })))"
        }
        table.add("… from due to 200 p50 · p99, µs", latency(rounds.over), peer: latency(rounds.best))
        let other = rounds.over.reduce(0) { $0 + $1.failed + $1.unanswered }
        let ends = rounds.over.reduce(0) { $0 + $1.connectionsLost }
        let resets = rounds.over.reduce(0) { $0 + $1.reset }
        table.add(
            "… other answers or none · streams reset · connections ended",
            [other, resets, ends].map { text(Double($0)) }.joined(separator: " · "))
    }
}
