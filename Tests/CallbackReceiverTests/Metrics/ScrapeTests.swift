// A scrape of a server whose disk and clock are in the test's hands; and the format by itself.
//
// Promises: what is counted was done by the test, and nothing else was.

import Dispatch
import HTTPWire
import Platform
import Synchronization
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Scrapes")
struct ScrapeTests {
    private func scrape(_ server: RunningServer) throws -> ScrapedMetrics { try ScrapedMetrics(try server.get("/metrics").text) }

    @Test("a disk that hangs hides no metrics, and a scrape waits for no callback")
    func held() throws {
        let server = try RunningServer()
        #expect(try server.post("before").status == 200)
        server.disk.hold()
        let waiting = try server.postHeld("held")
        for _ in 0..<3 {
            let metrics = try scrape(server)
            #expect(metrics["callback_receiver_log_durable_sequence"] == 1 && metrics["callback_receiver_callbacks_total{outcome=\"sent\"}"] == 1)
            #expect(metrics["callback_receiver_ready{check=\"log\"}"] != nil)
        }
        // The time that a commit may take is over.
        try server.advance(seconds: 6)
        #expect(try waiting.readAnswer().status == 503)
        let late = try scrape(server)
        #expect(late["callback_receiver_callbacks_refused_total{reason=\"not_stored\"}"] == 1)
        #expect(late["callback_receiver_http_responses_total{status=\"503\"}"] == 1)
        #expect(late["callback_receiver_shed_total{what=\"record\"}"] == 0, "it was not for there being too much")
        server.disk.release()
        try eventually("it is stored all the same") { try scrape(server)["callback_receiver_log_durable_sequence"] == 2 }
        #expect(try scrape(server)["callback_receiver_callbacks_total{outcome=\"sent\"}"] == 2)
    }

    @Test("questions that wait keep no scrape waiting")
    func questions() throws {
        let gate = DispatchSemaphore(value: 0)
        let isAsked = Atomic<Bool>(false)
        let server = try RunningServer(furtherRoute: { request, _ in
            guard request.bytes(request.path).elementsEqual("/slow".utf8) else { return nil }
            return .query(
                Query(path: []) { _ in
                    isAsked.store(true, ordering: .sequentiallyConsistent)
                    gate.wait()
                    return Response()
                })
        })
        defer { gate.signal() }
        let slow = try server.connect()
        try slow.send(requestBytes("GET", "/slow"))
        try eventually("the query queue is held") { isAsked.load(ordering: .sequentiallyConsistent) }
        #expect(try server.get("/metrics").status == 200)
        #expect(!slow.isReadable(milliseconds: 0))
    }

    @Test("each check of readiness that fails is the one that is 0")
    func readiness() throws {
        let server = try RunningServer { $0.logFreeBytesMin = 1_000 }
        func failing() throws -> [String] {
            let metrics = try scrape(server)
            return Health.Check.allCases.map(\.rawValue).filter { metrics["callback_receiver_ready{check=\"\($0)\"}"] == 0 }
        }
        #expect(try failing() == [])
        server.disk.setFreeBytes(10)
        #expect(try failing() == ["disk"])
        #expect(try scrape(server)["callback_receiver_log_free_bytes"] == 10 && scrape(server)["callback_receiver_log_free_min_bytes"] == 1_000)
        server.disk.setFreeBytes(nil)
        server.disk.setGone(true)
        // The writer knows by now why it takes nothing, and looks again once a second.
        try eventually("the directory is missed", holds: { try failing() == ["log"] })
        server.disk.setGone(false)
        try eventually("all is well", holds: { try failing() == [] })
    }

    @Test("one connection too many is told so, and counted")
    func connections() throws {
        let server = try RunningServer { $0.connectionsMax = 2 }
        // They are about to speak, and make no room.
        let first = try server.connect(), second = try server.connect()
        try eventually("both are open") { server.openConnections == 2 }
        #expect(try server.connect().readAnswer().status == 503)
        try first.send(requestBytes("GET", "/metrics"))
        let metrics = try ScrapedMetrics(try first.readAnswer().text)
        #expect(metrics["callback_receiver_shed_total{what=\"connection\"}"] == 1 && metrics["callback_receiver_connections_max"] == 2)
        #expect(metrics["callback_receiver_connections{protocol=\"undecided\"}"] == 1)
        #expect(metrics["callback_receiver_connections_opened_total"] == 3)
        #expect(metrics["callback_receiver_callbacks_refused_total{reason=\"overloaded\"}"] == 0, "nobody knows what it would have asked")
        withExtendedLifetime(second) {}
    }

    @Test("a quarantine that does not answer is asked once, and what was known of it is said")
    func quarantine() {
        let known = KnownSizes()
        var sizes = QuarantineSizes()
        sizes.refused = QuarantineSizes.Ring(bytes: 4_096, entries: 1)
        let answer = sizes
        #expect(known.read { $0(answer) }.refused.bytes == 4_096)
        let later = Mutex<(@Sendable (QuarantineSizes) -> Void)?>(nil)
        #expect(known.read { answer in later.withLock { $0 = answer } }.refused.entries == 1)
        #expect(known.read { _ in Issue.record("it is asked already") }.refused.entries == 1)
        sizes.refused.entries = 2
        later.withLock { $0 }?(sizes)
        sizes.refused.entries = 3
        let newest = sizes
        #expect(known.read { $0(newest) }.refused.entries == 3)
    }
}

@Suite("The text format")
struct ExpositionTests {
    @Test("families, labels, histograms")
    func text() throws {
        var page = Exposition()
        page.family("a_total", .counter, "How many.", UInt64(3))
        page.begin("b", .gauge, "What.")
        page.sample(0.25, ("x", "1"), ("y", "two"))
        page.sample(2.0, ("x", "2"), ("y", "two"))
        page.sample(.nan, ("x", "3"), ("y", "two"))
        let counters = Counters<4>()
        let bounds = HistogramBounds([1_500_000, 2_000_000_000])
        for value in [1, 1_500_000, 3_000_000_000] as [UInt64] { counters.observe(value, bounds) }
        page.begin("c_seconds", .histogram, "How long.")
        page.sample(counters.histogram(bounds), scale: 1e9)
        page.sample(HistogramReading(bounds), scale: 1e9)
        #expect(
            String(decoding: page.bytes, as: UTF8.self) == """
                # HELP a_total How many.
                # TYPE a_total counter
                a_total 3
                # HELP b What.
                # TYPE b gauge
                b{x="1",y="two"} 0.25
                b{x="2",y="two"} 2
                b{x="3",y="two"} nan
                # HELP c_seconds How long.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.0015"} 2
                c_seconds_bucket{le="2"} 2
                c_seconds_bucket{le="+Inf"} 3
                c_seconds_sum 3.001500001
                c_seconds_count 3
                c_seconds_bucket{le="0.0015"} 0
                c_seconds_bucket{le="2"} 0
                c_seconds_bucket{le="+Inf"} 0
                c_seconds_sum 0
                c_seconds_count 0

                """)
    }
}
