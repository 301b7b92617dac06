// A scrape as Prometheus reads it: the text format 0.0.4, strictly.
//
// Promises: what stands out of order, twice, or is no number is a failure, and so is a histogram whose buckets are not
// cumulative or whose +Inf is not its count.
// Must not know: which metrics there are.

import Foundation

public struct ScrapedMetrics: Sendable {
    public struct Family: Sendable, Equatable {
        public let name: String
        public let type: String
        public let help: String
        /// Names of the labels of its samples, but for `le`.
        public fileprivate(set) var labels: Set<String> = []
    }

    /// In their order.
    public private(set) var families: [Family] = []
    /// By series as it stands in the text: `name{label="value"}`.
    public private(set) var values: [String: Double] = [:]

    public init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw TestFailure.unreadable("the last line has no end") }
        var help: (name: String, text: String)?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, help == nil else { throw TestFailure.unreadable("help: \(line)") }
                help = (words[2], words[3])
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, let said = help, said.name == words[2], !families.contains(where: { $0.name == said.name }) else {
                    throw TestFailure.unreadable("type: \(line)")
                }
                families.append(Family(name: said.name, type: words[3], help: said.text))
                help = nil
            } else {
                try takeSample(String(line))
            }
        }
        try checkHistograms()
    }

    private mutating func takeSample(_ line: String) throws {
        guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]), let family = families.last else {
            throw TestFailure.unreadable("sample: \(line)")
        }
        let series = String(line[..<space])
        let name = series.prefix { $0 != "{" }
        let suffixes = family.type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { name == family.name + $0 }), values.updateValue(value, forKey: series) == nil else {
            throw TestFailure.unreadable("out of its family, or twice: \(line)")
        }
        let labels = Set(Self.labels(of: series).keys).subtracting(["le"])
        guard families[families.count - 1].labels.isEmpty || families[families.count - 1].labels == labels else {
            throw TestFailure.unreadable("other labels than before: \(line)")
        }
        families[families.count - 1].labels = labels
    }

    /// `{a="b",c="d"}`; no value of ours has a quotation mark or a comma.
    public static func labels(of series: String) -> [String: String] {
        guard let open = series.firstIndex(of: "{") else { return [:] }
        var labels: [String: String] = [:]
        for pair in series[series.index(after: open)...].dropLast().split(separator: ",") {
            let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
            if sides.count == 2 { labels[sides[0]] = String(sides[1].dropFirst().dropLast()) }
        }
        return labels
    }

    private func checkHistograms() throws {
        for family in families where family.type == "histogram" {
            let counts = values.filter { $0.key.prefix(while: { $0 != "{" }) == family.name + "_count" }
            guard !counts.isEmpty else { throw TestFailure.unreadable("\(family.name) has no count") }
            for (series, count) in counts {
                let inner = series.dropFirst(family.name.count + "_count".count).dropFirst().dropLast()
                let prefix = "\(family.name)_bucket{\(inner)\(inner.isEmpty ? "" : ",")le=\""
                let buckets = values.filter { $0.key.hasPrefix(prefix) }
                    .map { (bound: Double($0.key.dropFirst(prefix.count).dropLast(2)) ?? .nan, count: $0.value) }
                    .sorted { $0.bound < $1.bound }
                guard buckets.count > 1, buckets.last?.bound == .infinity, buckets.last?.count == count,
                    zip(buckets, buckets.dropFirst()).allSatisfy({ $0.count <= $1.count }),
                    values["\(family.name)_sum\(inner.isEmpty ? "" : "{\(inner)}")"] != nil
                else { throw TestFailure.unreadable("histogram \(series): \(buckets), count \(count)") }
            }
        }
    }

    /// `name`, or `name{label="value",…}` as it stands.
    public subscript(_ series: String) -> Double? { values[series] }

    /// What changed since `before`, and what it was not there.
    public func changes(since before: ScrapedMetrics) -> [String: Double] {
        values.merging(before.values) { $0 - $1 }.filter { $0.value != 0 }
    }
}

extension ServerProcess {
    /// GET /metrics, as Prometheus reads it.
    public func metrics() throws -> ScrapedMetrics { try ScrapedMetrics(try get("/metrics").text) }
}
