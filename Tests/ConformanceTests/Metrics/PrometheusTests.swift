// A real Prometheus, set up as deploy/monitoring shows it, scrapes the real server.
//
// Promises: its configuration is the example's but for ports, paths and pace; it is ended with the test. Must not know: the text
// format.

import Foundation
import Testing
import TestSupport

@Suite("Prometheus")
struct PrometheusTests {
    private static let program = InstalledProgram.path(of: "prometheus")
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "deploy/monitoring")

    /// The answer of Prometheus' own interface; nil while there is none.
    private func ask(_ port: UInt16, _ target: String) -> String? {
        guard let connection = try? RawConnection(port: port) else { return nil }
        try? connection.send(requestBytes("GET", target))
        guard let answer = try? connection.readAnswer(), answer.status == 200 else { return nil }
        return answer.text
    }

    @Test("scrapes with a token of scope metrics and the example's configuration", .enabled(if: program != nil, "no prometheus (Tests/run installs it)"))
    func scrapes() throws {
        let directory = try TemporaryDirectory(), place = try TemporaryDirectory()
        let token = try Token.create(in: directory, name: "prometheus", scope: "metrics")
        let server = try ServerProcess(directory: directory)
        for number in 0..<3 { #expect(try server.post(sentPayload("id-\(number)")).status == 200) }
        let key = try place.write(token.key, to: "key")
        let configuration = try String(contentsOf: Self.folder.appending(path: "scrape.yaml"), encoding: .utf8)
            .replacing("/etc/prometheus/callback-receiver/alerts.yaml", with: Self.folder.appending(path: "alerts.yaml").path)
            .replacing("/etc/prometheus/callback-receiver/key", with: key)
            .replacing("IDENTIFIER", with: token.identifier).replacing("127.0.0.1:8081", with: "127.0.0.1:\(server.port)")
            .replacing("scrape_interval: 15s", with: "scrape_interval: 1s")
        let file = try place.write(configuration, to: "prometheus.yml")
        let port = try freePort()
        let prometheus = try ChildProcess(
            executable: try #require(Self.program),
            arguments: ["--config.file=\(file)", "--storage.tsdb.path=\(place.path(of: "data"))", "--web.listen-address=127.0.0.1:\(port)"])
        try eventually("it has scraped; it said \(prometheus.standardError.suffix(2_000))", withinSeconds: 60) {
            ask(port, "/api/v1/query?query=up")?.contains(#""1"]"#) == true
        }
        let stored = try #require(ask(port, "/api/v1/query?query=callback_receiver_callbacks_total%7Boutcome%3D%22sent%22%7D"))
        #expect(stored.contains(#""3"]"#), "\(stored)")
        let rules = try #require(ask(port, "/api/v1/rules"))
        #expect(rules.contains("CallbackReceiverSilent") && !rules.contains(#""health":"err""#), "\(rules)")
        // What it makes of each metric is what we say that it is.
        let metadata = try #require(ask(port, "/api/v1/metadata"))
        let object = try #require(try RawJSON(object: metadata).object("data"))
        for family in try ScrapedMetrics(server.get("/metrics", token).text).families {
            #expect(object[family.name]?.contains(#""type":"\#(family.type)""#) == true, "\(family.name)")
        }
        prometheus.send(signal: SIGTERM)
        #expect(try prometheus.waitForExit() == .exited(0))
    }
}
