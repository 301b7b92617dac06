// API §5, GET /metrics: the numbers are what was done, over both protocols; Prometheus' own program has nothing to say against
// them.
//
// Promises: counters are compared as differences between two scrapes with what the test did between them, all of them: what was
// not done has not changed. Must not know: how anything is counted.

import Foundation
import Testing
import TestSupport

@Suite("GET /metrics")
struct MetricsTests {
    private static let promtool = InstalledProgram.path(of: "promtool")
    private static let key = "key-0123456789abcdef"
    private static let callback = "/callback?key=\(key)"

    /// One exchange over either protocol.
    private enum Way: String, CaseIterable {
        case http1 = "HTTP/1.1", http2 = "HTTP/2"

        func exchange(_ server: ServerProcess, _ method: String, _ target: String, body: String? = nil) throws -> Answer {
            let bytes = body.map { Array($0.utf8) }
            switch self {
            case .http1: return try server.exchange(requestBytes(method, target, body: bytes))
            case .http2: return try HTTP2Connection(port: server.port).exchange(method, target, body: bytes)
            }
        }
    }

    /// What changed, but for time, memory, and what scraping does itself.
    private func changes(_ before: ScrapedMetrics, _ after: ScrapedMetrics) -> [String: Double] {
        after.changes(since: before).filter { series, _ in
            !series.hasPrefix("process_") && !series.contains("_seconds") && !series.contains("_bytes") && !series.contains("fdatasync")
                && !series.contains("batch_records") && !series.contains("connections")
        }
    }

    private func durations(_ before: ScrapedMetrics, _ after: ScrapedMetrics, _ way: Way) -> [String: Double] {
        var counts: [String: Double] = [:]
        for (series, count) in after.changes(since: before) where series.hasPrefix("callback_receiver_http_request_duration_seconds_count") {
            let labels = ScrapedMetrics.labels(of: series)
            if labels["protocol"] == way.rawValue { counts[labels["route"] ?? ""] = count }
        }
        return counts
    }

    @Test("everything that was done is counted, and nothing else", arguments: ["HTTP/1.1", "HTTP/2"])
    func counted(protocolName: String) throws {
        let way = try #require(Way(rawValue: protocolName))
        let server = try ServerProcess(configuration: "callback:\n  keys: [\(Self.key)]\n")
        let before = try server.metrics()
        func post(_ body: String, _ status: Int, to target: String = Self.callback) throws {
            #expect(try way.exchange(server, "POST", target, body: body).status == status, "\(body.prefix(80))")
        }
        for number in 0..<3 { try post(sentPayload("sent-\(number)"), 200) }
        for number in 0..<2 { try post(failedPayload("limited-\(number)", code: 131_049), 200) }
        try post(failedPayload("unpaid", code: 131_042), 200)
        try post(failedPayload("odd", message: "xyzzy"), 200)
        for number in 0..<2 { try post(#"{"request_id":"strange-\#(number)"}"#, 200) }
        for _ in 0..<2 { try post(sentPayload("sent-0"), 200) }
        try post("not JSON", 400)
        for _ in 0..<2 { try post("{}", 422) }
        for _ in 0..<3 { try post(sentPayload("secret"), 401, to: "/callback?key=wrong") }
        try post(sentPayload("large") + String(repeating: " ", count: 70_000), 413)
        #expect(try way.exchange(server, "GET", "/callback").status == 405)
        #expect(try way.exchange(server, "GET", "/nowhere").status == 404)
        for target in ["/v1/requests/sent-0", "/v1/requests/odd"] { #expect(try way.exchange(server, "GET", target).status == 200) }
        #expect(try way.exchange(server, "GET", "/v1/requests/nobody").status == 404)
        #expect(try way.exchange(server, "GET", "/v1/requests/sent-1?wait=30").status == 200)
        #expect(try way.exchange(server, "PUT", "/v1/requests/announced", body: "{}").status == 201)
        #expect(try way.exchange(server, "GET", "/v1/requests/sent-0/callbacks").status == 200)
        for target in ["/v1/requests", "/v1/statistics", "/v1/export?format=csv", "/v1/quarantine", "/openapi.json", "/healthz", "/readyz"] {
            #expect(try way.exchange(server, "GET", target).status == 200)
        }
        let after = try server.metrics()
        func series(_ name: String, _ label: String, _ values: [String: Double]) -> [String: Double] {
            Dictionary(uniqueKeysWithValues: values.map { ("callback_receiver_\(name){\(label)=\"\($0.key)\"}", $0.value) })
        }
        var expected = series("callbacks_total", "outcome", ["sent": 3, "failed": 4, "unrecognized": 2])
        expected.merge(series("callback_failures_total", "class", ["retry_later": 2, "billing": 1, "unknown": 1])) { $1 }
        expected.merge(series("callbacks_refused_total", "reason", ["malformed": 1, "unusable": 2, "unauthorized": 3, "too_large": 1, "other": 1])) { $1 }
        // The scrape before is one of the 200s.
        expected.merge(
            series("http_responses_total", "status", ["200": 23, "201": 1, "400": 1, "401": 3, "404": 2, "405": 1, "413": 1, "422": 2])
        ) { $1 }
        expected.merge(series("quarantine_entries", "ring", ["refused": 3, "unauthorized": 1])) { $1 }
        expected["callback_receiver_callback_duplicates_total"] = 2
        expected["callback_receiver_log_durable_sequence"] = 10
        expected["callback_receiver_announcements_total"] = 1
        expected["callback_receiver_announcements_open"] = 1
        #expect(changes(before, after) == expected)

        var routes: [String: Double] = [
            "callback": 18, "other": 1, "request": 3, "request_wait": 1, "announcement": 1, "request_callbacks": 1, "requests": 1, "statistics": 1,
            "export": 1, "quarantine": 1, "openapi": 1, "healthz": 1, "readyz": 1,
        ]
        // What is too large is refused before it is whole, and takes no time that would say anything.
        if way == .http1 { routes["metrics"] = 1 }
        #expect(durations(before, after, way) == routes)
        let opened = try #require(after.changes(since: before)["callback_receiver_connections_opened_total"])
        #expect(opened >= 34)
        #expect(after["callback_receiver_log_batch_records_sum"] == 10)
        let fdatasyncs = try #require(after["callback_receiver_log_fdatasync_duration_seconds_count"])
        #expect(fdatasyncs >= 10)
        let received = try #require(after["callback_receiver_last_callback_timestamp_seconds"])
        #expect(try Int((received * 1_000).rounded()) == milliseconds(server.object("/v1/requests/strange-1").string("received_at")))
        // Nothing that was posted or asked is in it (DESIGN.md, invariant 9).
        let text = try server.get("/metrics").text
        for word in ["sent-0", "odd", "wamid", "xyzzy", "nowhere", Self.key, "announced\"", "127.0.0.1", server.directory.path] { #expect(!text.contains(word), "\(word)") }
        #expect(Set(after.values.keys) == Set(before.values.keys), "every series is there from the start")
    }

    @Test("it is Prometheus' text format, and promtool has nothing to say", .enabled(if: promtool != nil, "no promtool (Tests/run installs it)"))
    func lint() throws {
        let server = try Shared.server()
        _ = try server.post(sentPayload(Shared.freshIdentifier()))
        let answer = try server.get("/metrics")
        #expect(answer.status == 200 && answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8" && answer["Cache-Control"] == "no-store")
        let place = try TemporaryDirectory()
        let file = try place.write(answer.text, to: "metrics")
        let run = try InstalledProgram.run("/bin/sh", ["-c", "\(try #require(Self.promtool)) check metrics < '\(file)'"])
        #expect(run.status == .exited(0) && run.output.isEmpty && run.error.isEmpty, "\(run)")
        // promtool lets some of these pass.
        for family in try ScrapedMetrics(answer.text).families {
            #expect(family.name.hasPrefix("callback_receiver_") || family.name.hasPrefix("process_"), "\(family.name)")
            #expect(family.name.hasSuffix("_total") == (family.type == "counter"), "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
        }
    }

    @Test("HEAD and GET alike; a query does not matter")
    func head() throws {
        let server = try Shared.server()
        let head = try server.exchange(requestBytes("HEAD", "/metrics"), toHEAD: true)
        #expect(head.status == 200 && head.body.isEmpty && head["Content-Type"]?.hasPrefix("text/plain") == true)
        #expect(try server.get("/metrics?x=y").status == 200)
    }

    @Test("an announced request is open, then overdue, then neither")
    func announced() throws {
        let server = try ServerProcess()
        #expect(try server.put("late", #"{"overdue_after":1}"#).status == 201)
        #expect(try server.put("early").status == 201)
        #expect(try server.metrics()["callback_receiver_announcements_open"] == 2)
        try eventually("one is overdue") { try server.metrics()["callback_receiver_announcements_overdue"] == 1 }
        #expect(try server.metrics()["callback_receiver_announcements_expired_total"] == 1)
        _ = try server.post(sentPayload("late"))
        let after = try server.metrics()
        #expect(after["callback_receiver_announcements_overdue"] == 0 && after["callback_receiver_announcements_open"] == 1)
        #expect(after["callback_receiver_announcements_expired_total"] == 1 && after["callback_receiver_announcements_total"] == 2)
    }

    @Test("streams, waits and connections are counted while they are there, over both protocols")
    func present() throws {
        let server = try ServerProcess()
        let second = try HTTP2Connection(port: server.port)
        #expect(try second.exchange("GET", "/healthz").status == 200)
        let waiting = try server.connect()
        try waiting.send(requestBytes("GET", "/v1/requests/awaited?wait=50"))
        let events = try EventStream(server)
        try eventually("all of them are there") {
            let metrics = try server.metrics()
            // The scrape has one of its own.
            return metrics["callback_receiver_waits"] == 1 && metrics["callback_receiver_event_streams"] == 1
                && metrics["callback_receiver_connections{protocol=\"HTTP/1.1\"}"] == 3
                && metrics["callback_receiver_connections{protocol=\"HTTP/2\"}"] == 1
        }
        _ = try server.post(sentPayload("awaited"))
        #expect(try waiting.readAnswer().status == 200)
        #expect(try events.next()?.name == "sent")
        let metrics = try server.metrics()
        #expect(metrics["callback_receiver_waits"] == 0 && metrics["callback_receiver_event_streams"] == 1)
        #expect(metrics["callback_receiver_http_request_duration_seconds_count{route=\"request_wait\",protocol=\"HTTP/1.1\"}"] == 1)
        withExtendedLifetime((second, events)) {}
    }

    @Test("after a restart counters begin at 0, and what says how things are does not")
    func restarted() throws {
        let first = try ServerProcess()
        for number in 0..<5 { _ = try first.post(sentPayload("id-\(number)")) }
        _ = try first.put("open")
        let before = try first.metrics()
        #expect(try first.terminate() == .exited(0))
        let second = try ServerProcess(directory: first.directory)
        let after = try second.metrics()
        for name in ["log_durable_sequence", "announcements_open", "last_callback_timestamp_seconds", "log_segments"] {
            #expect(after["callback_receiver_\(name)"] == before["callback_receiver_\(name)"] && before["callback_receiver_\(name)"] != 0, "\(name)")
        }
        for family in after.families where family.type == "counter" && family.name.hasPrefix("callback_receiver_callback") {
            for (series, value) in after.values where series.hasPrefix(family.name) { #expect(value == 0, "\(series)") }
        }
        #expect(Set(after.values.keys) == Set(before.values.keys))
        let started = try #require(after["process_start_time_seconds"]), startedBefore = try #require(before["process_start_time_seconds"])
        #expect(started >= startedBefore)
    }

    @Test("scraped all the time, it takes every callback, and every scrape is whole")
    func underLoad() throws {
        let server = try ServerProcess()
        let scraper = try server.connect(), poster = try server.connect()
        var last = 0.0
        for round in 0..<20 {
            try scraper.send((0..<5).flatMap { _ in requestBytes("GET", "/metrics") })
            try poster.send((0..<50).flatMap { postBytes(sentPayload("id-\(round)-\($0)")) })
            for _ in 0..<50 { #expect(try poster.readAnswer().status == 200) }
            for _ in 0..<5 {
                let metrics = try ScrapedMetrics(try scraper.readAnswer().text)
                let stored = try #require(metrics["callback_receiver_callbacks_total{outcome=\"sent\"}"])
                #expect(stored >= last)
                last = stored
            }
        }
        #expect(try server.metrics()["callback_receiver_callbacks_total{outcome=\"sent\"}"] == 1_000)
    }
}
