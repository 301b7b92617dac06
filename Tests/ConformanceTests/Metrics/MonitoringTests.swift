// deploy/monitoring and the README's tables: every metric, label and value that they name is in a real scrape, every alert is
// tested and explained, every expression is one that Prometheus can read.
//
// Promises: what Prometheus' own program can check it checks; nothing is taken from our own idea of PromQL but names.
// Must not know: what an alert is for.

import Foundation
import Testing
import TestSupport

@Suite("Monitoring")
struct MonitoringTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let folder = root.appending(path: "deploy/monitoring")
    private static let promtool = InstalledProgram.path(of: "promtool")
    private static let isMissing: Comment = "no promtool (Tests/run installs it)"
    private static let scrape = Result { try Shared.server().metrics() }

    private static func text(_ name: String) throws -> String { try String(contentsOf: folder.appending(path: name), encoding: .utf8) }

    /// Runs promtool beside the files.
    private func runPromtool(_ arguments: String) throws {
        let run = try InstalledProgram.run("/bin/sh", ["-c", "cd '\(Self.folder.path)' && '\(try #require(Self.promtool))' \(arguments)"])
        #expect(run.status == .exited(0), "\(run.output.suffix(4_000)) \(run.error.suffix(4_000))")
    }

    @Test("the alerts are raised by what they are for, and by nothing else", .enabled(if: promtool != nil, isMissing))
    func alerts() throws {
        try runPromtool("check rules alerts.yaml")
        try runPromtool("test rules alerts.test.yaml")
    }

    @Test("the scrape's example is a configuration of Prometheus", .enabled(if: promtool != nil, isMissing))
    func configuration() throws { try runPromtool("check config --syntax-only scrape.yaml") }

    private static func alertNames() throws -> Set<String> {
        Set(try text("alerts.yaml").matches(of: /- alert: (\w+)/).map { String($0.1) })
    }

    @Test("every alert is tested, and says what to do")
    func tested() throws {
        let names = try Self.alertNames()
        #expect(names.count >= 10)
        let tests = try Self.text("alerts.test.yaml")
        for name in names { #expect(tests.contains("alertname=\"\(name)\"}") || tests.contains("alertname=\"\(name)\",alertstate"), "\(name)") }
        let rules = try Self.text("alerts.yaml").components(separatedBy: "- alert: ").dropFirst()
        for rule in rules { for part in ["severity: ", "summary: ", "description: "] { #expect(rule.contains(part), "\(rule.prefix(40)) \(part)") } }
    }

    /// The metrics that an expression names, and the label values that it asks for.
    private func expectKnown(_ expression: String, _ place: String) throws {
        let scrape = try Self.scrape.get()
        for match in expression.matches(of: /(?:callback_receiver|process)_[a-z_]+/) {
            let name = String(match.0)
            let known = scrape.families.contains { family in
                family.name == name || family.type == "histogram" && ["_bucket", "_sum", "_count"].contains { name == family.name + $0 }
            }
            #expect(known, "\(place): \(name)")
        }
        for match in expression.matches(of: /((?:callback_receiver|process)_[a-z_]+)\{([^}]*)\}/) {
            for matcher in match.2.matches(of: /(\w+)=~?"([^"]*)"/) {
                let label = String(matcher.1)
                if label == "job" || label == "instance" { continue }
                for value in matcher.2.split(separator: "|") {
                    let known = scrape.values.keys.contains { $0.hasPrefix("\(match.1){") && ScrapedMetrics.labels(of: $0)[label] == String(value) }
                    #expect(known, "\(place): \(match.1) with \(label)=\(value)")
                }
            }
        }
    }

    @Test("what the alerts name is in a scrape")
    func alertNamesExist() throws {
        let text = try Self.text("alerts.yaml")
        #expect(text.matches(of: /callback_receiver_[a-z_]+/).count > 20)
        try expectKnown(text, "alerts.yaml")
        // Their tests', too: a test of a metric that is not there would pass.
        let series = try Self.text("alerts.test.yaml").matches(of: /series: '([^']*)'/).map { String($0.1) }
        #expect(series.count > 20)
        for name in series where name.hasPrefix("callback_receiver_") { try expectKnown(name, "alerts.test.yaml") }
    }

    // MARK: the dashboard

    private struct Dashboard: Decodable {
        struct Place: Decodable { let x: Int, y: Int, w: Int, h: Int }
        struct Source: Decodable { let uid: String }
        struct Target: Decodable { let expr: String, refId: String, datasource: Source }
        struct Panel: Decodable { let id: Int, title: String, type: String, gridPos: Place, targets: [Target]?, description: String? }
        struct Variable: Decodable { let name: String }
        struct Templating: Decodable { let list: [Variable] }
        let title: String, uid: String, schemaVersion: Int, panels: [Panel], templating: Templating
    }

    private static func dashboard() throws -> Dashboard { try JSONDecoder().decode(Dashboard.self, from: Data(text("dashboard.json").utf8)) }

    @Test("the dashboard is one: its panels have places of their own, and ask for what is in a scrape")
    func dashboardIsWhole() throws {
        let dashboard = try Self.dashboard()
        #expect(dashboard.panels.count > 10 && Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        #expect(Set(dashboard.templating.list.map(\.name)) == ["datasource", "instance"])
        var taken: Set<[Int]> = []
        for panel in dashboard.panels {
            let place = panel.gridPos
            #expect(place.x >= 0 && place.x + place.w <= 24 && place.w > 0 && place.h > 0, "\(panel.title)")
            for x in place.x..<(place.x + place.w) { for y in place.y..<(place.y + place.h) { #expect(taken.insert([x, y]).inserted, "\(panel.title)") } }
            let targets = panel.targets ?? []
            #expect(panel.type == "row" || !targets.isEmpty, "\(panel.title)")
            #expect(Set(targets.map(\.refId)).count == targets.count, "\(panel.title)")
            for target in targets {
                #expect(target.datasource.uid == "${datasource}" && target.expr.contains("$instance"), "\(panel.title)")
                try expectKnown(target.expr, panel.title)
            }
        }
    }

    @Test("Prometheus can read every expression of the dashboard", .enabled(if: promtool != nil, isMissing))
    func expressions() throws {
        var rules = "groups:\n  - name: dashboard\n    rules:\n"
        for (number, target) in try Self.dashboard().panels.flatMap({ $0.targets ?? [] }).enumerated() {
            // What Grafana puts in for its variables.
            let expression = target.expr.replacing("$__rate_interval", with: "5m").replacing("$instance", with: "a")
            #expect(!expression.contains("$"), "\(expression)")
            rules += "      - record: panel_\(number)\n        expr: '\(expression)'\n"
        }
        let place = try TemporaryDirectory()
        try runPromtool("check rules '\(place.write(rules, to: "rules.yaml"))'")
    }

    // MARK: the README

    /// The rows of the section's tables, by cells.
    private static func rows() throws -> [[String]] {
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## Monitoring\n").last?.components(separatedBy: "\n## ").first)
        return section.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
            line.dropFirst(2).dropLast(2).components(separatedBy: " | ").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// What stands between backticks.
    private static func names(_ cell: String) -> [String] { cell.matches(of: /`([^`]+)`/).map { String($0.1) } }

    @Test("the README names every metric of a scrape, with its labels, and no other")
    func table() throws {
        var listed: [String: Set<String>] = [:]
        for row in try Self.rows() where row.count == 3 {
            for name in Self.names(row[0]) where name.hasPrefix("callback_receiver_") || name.hasPrefix("process_") {
                #expect(listed.updateValue(Set(Self.names(row[1])), forKey: name) == nil, "\(name) stands twice")
            }
        }
        let scrape = try Self.scrape.get()
        #expect(listed == Dictionary(uniqueKeysWithValues: scrape.families.map { ($0.name, $0.labels) }))
    }

    @Test("the README explains every alert, and no other")
    func explained() throws {
        let listed = try Self.rows().flatMap { Self.names($0[0]) }.filter { $0.hasPrefix("CallbackReceiver") }
        #expect(Set(listed) == (try Self.alertNames()) && Set(listed).count == listed.count)
    }
}
