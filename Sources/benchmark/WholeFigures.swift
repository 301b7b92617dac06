// Figures of the whole: the server under load, beside nginx on the same machine in the same minutes.
//
// Promises: rounds alternate (here, nginx, here, …), so that a machine that drifts drifts for both; what the disk
// takes to synchronize is measured between them. Every 200 has its record: a marker callback before and after a load
// tells by its sequence how many records the load added. Failures are rows of the table, too.
// Must not know: how a load is made.

import Foundation

struct WholeFigures {
    /// Records in the log before the first load: what GETs ask for.
    static let knownRecords = 100_000
    private static let firstLoadSeries: UInt32 = 2

    /// What the rounds of one kind and number of connections gave.
    private struct Rounds {
        var here: [Load.Result] = []
        var peer: [Load.Result] = []
        var hereMicroseconds: [Double] = []
        var peerMicroseconds: [Double] = []

        /// Answers that were no success, and connections that failed.
        static func failures(_ results: [Load.Result]) -> String {
            "\(results.reduce(0) { $0 + $1.failed }) · \(results.reduce(0) { $0 + $1.socketErrors })"
        }

        static func median(_ results: [Load.Result], _ part: KeyPath<Load.Result, Double>) -> Double {
            benchmark.median(results.map { $0[keyPath: part] })
        }
    }

    let tools: Tools
    let workplace: Workplace
    let load: Load
    let rounds: Int

    func measure(_ connectionCounts: [Int], into table: inout Table) throws {
        Progress.say("starting the server on \(text(Double(Self.knownRecords))) records, and nginx")
        let directory = workplace.path + "/whole"
        _ = try SampleLog.write(records: Self.knownRecords, to: directory)
        let here = try Subject.receiver(tools, workplace, directory: directory)
        defer {
            workplace.stop(here.process)
            try? FileManager.default.removeItem(atPath: directory)
        }
        let known = Sample.requestID(series: Sample.knownSeries, number: UInt64(Self.knownRecords))
        let sample = try Client(port: here.port).get("/v1/requests/" + known)
        guard sample.status == 200 else {
            throw BenchmarkFailure("the server answers \(sample.status): \(sample.body)")
        }
        let peer = try Subject.nginx(tools, workplace, getBody: sample.body)
        defer { workplace.stop(peer.process) }

        var posts = [Rounds](repeating: Rounds(), count: connectionCounts.count)
        var gets = posts
        var account = Account()
        var marker = Marker()
        var disk = DiskTimes()
        for round in 1...rounds {
            for (index, connections) in connectionCounts.enumerated() {
                Progress.say("round \(round) of \(rounds), \(connections) connections")
                try disk.measure(in: workplace.path)
                let before = try marker.sequence(here)
                let series = Self.firstLoadSeries + UInt32(account.loads)
                try take(.posts(series: series), connections, here, peer, &posts[index])
                let added = try marker.sequence(here) - before - 1
                account.add(posts[index].here[round - 1], records: added, connections: connections)
                try take(.gets(known: Self.knownRecords), connections, here, peer, &gets[index])
            }
        }
        disk.report(into: &table)
        for (index, connections) in connectionCounts.enumerated() {
            report("durable POST", connections, posts[index], disk, into: &table)
        }
        table.add(
            "200s counted, and records added by the same loads", text(Double(account.succeeded)),
            peer: "records \(text(Double(account.records)))", target: "0 to 1 more for each connection and load",
            isReached: account.wrongLoads == 0)
        for (index, connections) in connectionCounts.enumerated() {
            report("GET of a status", connections, gets[index], nil, into: &table)
        }
        let loads = posts + gets
        let failures = Rounds.failures(loads.flatMap(\.here))
        table.add(
            "answers of 400 and above · connections that failed or waited for 2 s, all loads", failures,
            peer: "nginx \(Rounds.failures(loads.flatMap(\.peer)))", target: "0 · 0", isReached: failures == "0 · 0")
    }

    /// One load on either, and what their processes used for it.
    private func take(
        _ kind: Load.Kind, _ connections: Int, _ here: Subject, _ peer: Subject, _ rounds: inout Rounds
    ) throws {
        func run(_ subject: Subject) throws -> (Load.Result, Double) {
            let before = subject.processorMicroseconds()
            let result = try load.run(kind, connections: connections, port: subject.port)
            let used = subject.processorMicroseconds() - before
            return (result, used / Double(max(1, result.succeeded)))
        }
        let (hereResult, hereMicroseconds) = try run(here)
        let (peerResult, peerMicroseconds) = try run(peer)
        rounds.here.append(hereResult)
        rounds.peer.append(peerResult)
        rounds.hereMicroseconds.append(hereMicroseconds)
        rounds.peerMicroseconds.append(peerMicroseconds)
    }

    // MARK: every 200 has its record

    /// 200s and records, over all loads.
    private struct Account {
        var succeeded = 0
        var records = 0
        var loads = 0

        /// Loads after which there were fewer records than 200s, or too many.
        var wrongLoads = 0

        /// wrk stops counting while up to one answer for each connection is on its way: so many more may be stored.
        mutating func add(_ result: Load.Result, records added: Int, connections: Int) {
            succeeded += result.succeeded
            records += added
            loads += 1
            if result.succeeded...(result.succeeded + connections) ~= added { return }
            wrongLoads += 1
            Progress.say("wrong: \(result.succeeded) callbacks were answered with 200, and \(added) records were added")
        }
    }

    // MARK: rows

    /// `disk` where the disk bounds what can be reached.
    private func report(
        _ name: String, _ connections: Int, _ rounds: Rounds, _ disk: DiskTimes?, into table: inout Table
    ) {
        let here = Rounds.median(rounds.here, \.requestsPerSecond)
        let peer = Rounds.median(rounds.peer, \.requestsPerSecond)
        let title = "\(name), \(connections) connection\(connections == 1 ? "" : "s")"
        let peerName = disk == nil ? "nginx, fixed body" : "nginx 204"
        table.add("\(title), requests/s", text(here), peer: "\(peerName) \(text(peer))", ratio: here / peer)
        if let disk {
            let ceiling = Double(connections) / disk.median4KiBSeconds
            let share = here / min(peer, ceiling)
            table.add(
                "… as a share of the lesser of nginx and \(connections) / median sync", String(format: "%.2f", share),
                peer: "\(connections) / sync = \(text(ceiling))", target: connections == 64 ? "≥ 0.45" : "",
                isReached: connections == 64 ? share >= 0.45 : nil)
        } else {
            table.add(
                "… as a share of nginx", String(format: "%.2f", here / peer), target: "≥ 0.80",
                isReached: here / peer >= 0.8)
        }
        func latency(_ results: [Load.Result]) -> String {
            let middle = Rounds.median(results, \.medianMicroseconds)
            return "\(text(middle)) · \(text(Rounds.median(results, \.percentile99Microseconds)))"
        }
        table.add("… latency p50 · p99, µs", latency(rounds.here), peer: latency(rounds.peer))
        let hereMicroseconds = median(rounds.hereMicroseconds)
        let peerMicroseconds = median(rounds.peerMicroseconds)
        table.add(
            "… CPU of the server, µs a request", text(hereMicroseconds), peer: text(peerMicroseconds),
            ratio: hereMicroseconds / peerMicroseconds)
    }
}
