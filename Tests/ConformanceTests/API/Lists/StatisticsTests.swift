// API §4: GET /v1/statistics — how many requests are in which status, in buckets of updated_at.
//
// Promises: what is counted is compared with what the list says.
// Must not know: how counting is done.

import Testing
import TestSupport

@Suite("Statistics")
struct StatisticsTests {
    private static let started = Result { try Panorama() }
    private var server: ServerProcess { get throws { try Self.started.get().server } }
    private static let statuses = ["sent", "failed", "unrecognized", "pending", "overdue"]

    /// The sums over all buckets.
    private func sums(_ statistics: RawJSON) throws -> [String: Int] {
        var sums: [String: Int] = [:]
        for bucket in try #require(statistics.array("buckets")) {
            let bucket = try RawJSON(object: bucket)
            #expect(bucket.names == ["start"] + Self.statuses + ["classes"])
            for status in Self.statuses { sums[status, default: 0] += try #require(bucket.integer(status)) }
            for (name, raw) in try #require(bucket.object("classes")).members { sums["class " + name, default: 0] += try #require(Int(raw)) }
        }
        return sums.filter { $0.value > 0 }
    }

    @Test("each request counts once, by its present status and class", arguments: ["minute", "hour", "day"])
    func counts(interval: String) throws {
        let statistics = try server.object("/v1/statistics?interval=\(interval)")
        #expect(statistics.names == ["interval", "buckets", "unknown", "announced_open"])
        #expect(statistics.string("interval") == interval)
        #expect(try sums(statistics) == [
            "sent": 3, "failed": 3, "unrecognized": 1, "pending": 1, "overdue": 1, "class retry_later": 1, "class template": 1, "class unknown": 1,
        ])
        #expect(statistics.integer("announced_open") == 2)
    }

    @Test("buckets begin where their interval does, in order, and hold what was updated in them", arguments: [("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000)])
    func buckets(interval: String, length: Int) throws {
        let starts = try #require(try server.object("/v1/statistics?interval=\(interval)").array("buckets")).map {
            try milliseconds(RawJSON(object: $0).string("start"))
        }
        #expect(starts == starts.sorted() && Set(starts).count == starts.count && !starts.isEmpty)
        #expect(starts.allSatisfy { $0.isMultiple(of: length) })
        let updates = try server.requests().map { try milliseconds($0.string("updated_at")) }
        #expect(Set(updates.map { $0 - $0 % length }).isSubset(of: starts))
    }

    @Test("without an interval it is hours")
    func interval() throws { #expect(try server.object("/v1/statistics").string("interval") == "hour") }

    @Test("since and until bound it as they bound the list")
    func bounds() throws {
        for time in try server.requests().compactMap({ $0.string("updated_at") }) {
            for query in ["since=\(time)", "until=\(time)"] {
                let counted = try sums(server.object("/v1/statistics?\(query)"))
                let listed = try server.requests("?" + query).compactMap { $0.string("status") }
                for status in Self.statuses { #expect(counted[status] ?? 0 == listed.filter { $0 == status }.count, "\(status) \(query)") }
            }
        }
        #expect(try sums(server.object("/v1/statistics?until=2020-01-01T00:00:00Z")) == [:])
    }

    @Test("failure texts that no rule knows are listed with their counts, most frequent first")
    func unknown() throws {
        let server = try ServerProcess()
        try server.postAll((0..<5).map { failedPayload("a\($0)", message: "strange text") } + (0..<2).map { failedPayload("b\($0)", message: "stranger text") })
        try server.postAll([failedPayload("c", code: 131_049), sentPayload("d"), failedPayload("e", message: "corrected since")])
        try server.postAll([sentPayload("e")])
        let texts = try #require(try server.object("/v1/statistics").array("unknown")).map { try RawJSON(object: $0) }
        #expect(texts.map(\.names) == Array(repeating: ["message", "count", "last_at"], count: 2))
        #expect(texts.map { $0.string("message") } == ["strange text", "stranger text"])
        #expect(texts.map { $0.integer("count") } == [5, 2])
        #expect(texts.first?.string("last_at") == (try server.status(of: "a4").object().string("updated_at")))
    }

    @Test("a request that changes its status changes the counts at once")
    func present() throws {
        let server = try ServerProcess()
        _ = try server.put("a")
        #expect(try sums(server.object("/v1/statistics")) == ["pending": 1])
        #expect(try server.object("/v1/statistics").integer("announced_open") == 1)
        _ = try server.post(failedPayload("a", code: 132_000))
        #expect(try sums(server.object("/v1/statistics")) == ["failed": 1, "class template": 1])
        #expect(try server.object("/v1/statistics").integer("announced_open") == 0)
        _ = try server.post(sentPayload("a"))
        #expect(try sums(server.object("/v1/statistics")) == ["sent": 1])
        _ = try server.put("a", #"{"reference":"r"}"#)
        #expect(try sums(server.object("/v1/statistics")) == ["sent": 1])
    }

    @Test("nothing there is empty")
    func empty() throws {
        #expect(try ServerProcess().get("/v1/statistics").text == #"{"interval":"hour","buckets":[],"unknown":[],"announced_open":0}"#)
    }

    @Test("what cannot be read is 400, and the problem names it", arguments: [
        ("interval=week", "interval"), ("interval=", "interval"), ("interval=Hour", "interval"), ("since=x", "since"), ("until=2026-05-20", "until"),
        ("interval=day&interval=day", "interval"), ("status=sent", ""), ("limit=1", ""), ("unknown=1", ""),
    ])
    func unreadable(query: String, name: String) throws {
        let answer = try server.get("/v1/statistics?" + query)
        try expectProblem(answer, 400, instance: "/v1/statistics")
        let detail = try answer.object().string("detail") ?? ""
        #expect(name.isEmpty || detail.contains(name), "\(detail)")
    }
}
