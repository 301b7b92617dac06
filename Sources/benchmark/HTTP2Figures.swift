// Figures of HTTP/2: callbacks made durable and statuses asked for, on 64 connections of 16 streams each, beside HTTP/1.1
// with as many requests in flight, nginx and nghttpd.
//
// Promises: rounds alternate over all of them. Callbacks come from our own client, over both protocols, since each must be
// new (LoadClient.swift); the peers are loaded with it too, and nginx with h2load beside it, so that the client can be
// compared. GETs come from h2load. Every 200 has its record. Must not know: how a load is made.

import Foundation

struct HTTP2Figures {
    private static let knownRecords = 100_000
    /// Addresses of known records that GETs go through.
    private static let addresses = 10_000
    /// The series of the first load.
    private static let firstSeries: UInt32 = 0x100

    /// The loads of a round, each against its own.
    private struct Rounds {
        var post: [LoadTally] = []
        var postHTTP1: [LoadTally] = []
        var postNginx: [LoadTally] = []
        var postNghttpd: [LoadTally] = []
        var postNginxH2load: [HTTP2Load.Result] = []
        var get: [HTTP2Load.Result] = []
        var getNginx: [HTTP2Load.Result] = []
        var getNghttpd: [HTTP2Load.Result] = []
        var wrongLoads = 0
        var acknowledged = 0
        var records = 0

    }

    let tools: Tools
    let workplace: Workplace
    let rounds: Int
    let seconds: Int

    func measure(into table: inout Table) throws {
        Progress.say("HTTP/2: starting the server, nginx and nghttpd")
        let directory = workplace.path + "/http2"
        _ = try SampleLog.write(records: Self.knownRecords, to: directory)
        let here = try Subject.receiver(tools, workplace, directory: directory)
        defer {
            workplace.stop(here.process)
            try? FileManager.default.removeItem(atPath: directory)
        }
        var numbers = SeededNumbers(seed: 1)
        let paths = (0..<Self.addresses).map { _ in
            let number = UInt64.random(in: 1...UInt64(Self.knownRecords), using: &numbers)
            return "/v1/requests/" + Sample.requestID(series: Sample.knownSeries, number: number)
        }
        let status = try Client(port: here.port).get(paths[0])
        guard status.status == 200 else { throw BenchmarkFailure("the server answers \(status.status): \(status.body)") }
        let nginx = try Subject.nginx(tools, workplace, getBody: status.body, wire: .http2)
        defer { workplace.stop(nginx.process) }
        let nghttpd = try Subject.nghttpd(tools, workplace, files: [paths[0]: status.body, "/callback": ""])
        defer { workplace.stop(nghttpd.process) }

        let load = HTTP2Load(h2load: tools.h2load, seconds: seconds, workplace: workplace)
        var results = Rounds()
        var marker = Marker()
        for round in 1...rounds {
            Progress.say("HTTP/2, round \(round) of \(rounds)")
            try store(HTTP1LoadPeer.self, HTTP2Load.inFlight, 1, here, &marker, &results, \.postHTTP1)
            try store(HTTP2LoadPeer.self, HTTP2Load.connections, HTTP2Load.streams, here, &marker, &results, \.post)
            results.postNginx.append(try post(HTTP2LoadPeer.self, HTTP2Load.connections, HTTP2Load.streams, 0, nginx))
            results.postNghttpd.append(try post(HTTP2LoadPeer.self, HTTP2Load.connections, HTTP2Load.streams, 0, nghttpd))
            let body = Sample.body(Sample.requestID(series: Sample.unknownSeries, number: 1))
            results.postNginxH2load.append(try load.post(body, "/callback", port: nginx.port))
            results.get.append(try load.get(paths, port: here.port))
            results.getNginx.append(try load.get(paths, port: nginx.port))
            results.getNghttpd.append(try load.get([paths[0]], port: nghttpd.port))
        }
        report(results, into: &table)
    }

    private func post<Peer: LoadPeer>(
        _ peer: Peer.Type, _ connections: Int, _ depth: Int, _ series: UInt32, _ subject: Subject
    ) throws -> LoadTally {
        let plan = LoadPlan(
            connections: connections, depth: depth, pace: .closedLoop, seconds: seconds, series: Self.firstSeries + series)
        return try LoadClient<Peer>(plan, port: subject.port).run()
    }

    /// A load on this server: as many records must have been added as were acknowledged, or up to as many more as were
    /// never answered.
    private func store<Peer: LoadPeer>(
        _ peer: Peer.Type, _ connections: Int, _ depth: Int, _ here: Subject, _ marker: inout Marker,
        _ rounds: inout Rounds, _ list: WritableKeyPath<Rounds, [LoadTally]>
    ) throws {
        let series = UInt32(rounds.post.count + rounds.postHTTP1.count)
        let before = try marker.sequence(here)
        let tally = try post(peer, connections, depth, series, here)
        let added = try marker.sequence(here) - before - 1
        rounds[keyPath: list].append(tally)
        rounds.acknowledged += tally.succeeded
        rounds.records += added
        if !(tally.succeeded...(tally.succeeded + tally.unanswered) ~= added) {
            rounds.wrongLoads += 1
            Progress.say("wrong: \(tally.succeeded) callbacks were answered with 200, and \(added) records were added")
        }
    }

    // MARK: rows

    private func report(_ rounds: Rounds, into table: inout Table) {
        func rate(_ results: [LoadTally]) -> Double { median(results.map(\.goodput)) }
        func rate(_ results: [HTTP2Load.Result]) -> Double { median(results.map(\.requestsPerSecond)) }
        let shape = "\(HTTP2Load.connections) connections of \(HTTP2Load.streams) streams"
        let post = rate(rounds.post)
        let postHTTP1 = rate(rounds.postHTTP1)
        table.add(
            "durable POST over HTTP/2, \(shape), requests/s", text(post),
            peer: "HTTP/1.1, \(text(Double(HTTP2Load.inFlight))) connections \(text(postHTTP1))", ratio: post / postHTTP1,
            target: "≥ 1.00", isReached: post >= postHTTP1)
        table.add("… latency p50 · p99, µs", latency(rounds.post), peer: latency(rounds.postHTTP1))
        for (name, peer) in [("nginx over HTTP/2, 204", rounds.postNginx), ("nghttpd, empty file", rounds.postNghttpd)] {
            table.add("… beside a peer that stores nothing", text(post), peer: "\(name) \(text(rate(peer)))", ratio: post / rate(peer))
        }
        table.add(
            "POST to nginx over HTTP/2, our client beside h2load, requests/s", text(rate(rounds.postNginx)),
            peer: "h2load \(text(rate(rounds.postNginxH2load)))", ratio: rate(rounds.postNginx) / rate(rounds.postNginxH2load))
        table.add(
            "200s over both protocols, and records added by the same loads", text(Double(rounds.acknowledged)),
            peer: "records \(text(Double(rounds.records)))", target: "as many", isReached: rounds.wrongLoads == 0)
        let get = rate(rounds.get)
        let getNginx = rate(rounds.getNginx)
        table.add(
            "GET of a status over HTTP/2, \(shape), requests/s", text(get), peer: "nginx, fixed body \(text(getNginx))",
            ratio: get / getNginx, target: "≥ 1.00", isReached: get >= getNginx)
        let getNghttpd = rate(rounds.getNghttpd)
        table.add("… beside nghttpd", text(get), peer: "one file \(text(getNghttpd))", ratio: get / getNghttpd)
        let here = rounds.post + rounds.postHTTP1
        let posts = here.reduce(0) { $0 + $1.answered - $1.succeeded + $1.unanswered }
        let gets = rounds.get.reduce(0) { $0 + $1.failed }
        let peers = (rounds.postNginx + rounds.postNghttpd).reduce(0) { $0 + $1.answered - $1.succeeded + $1.unanswered }
        let peerGets = (rounds.getNginx + rounds.getNghttpd + rounds.postNginxH2load).reduce(0) { $0 + $1.failed }
        table.add(
            "requests of these loads without success, POST · GET", "\(posts) · \(gets)", peer: "\(peers) · \(peerGets)",
            target: "0 · 0", isReached: posts == 0 && gets == 0)
    }

    private func latency(_ results: [LoadTally]) -> String {
        let both = results.map { $0.percentiles([0.5, 0.99]) }
        return "\(text(median(both.map { $0[0] }))) · \(text(median(both.map { $0[1] })))"
    }
}
