// The Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
//     # HELP name what it is
//     # TYPE name counter
//     name{label="value"} 42
//
// Promises: a family stands together, its help and type before its samples, which the caller gives in one go; a histogram's
// buckets are cumulative, and +Inf is its count. Label values are literals of ours that need no escaping.
// Must not know: what is measured.

import Platform

struct Exposition {
    enum Kind {
        case counter, gauge, histogram

        var name: StaticString {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// A label with its value.
    typealias Label = (name: StaticString, value: String)

    static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []
    private var name = ""

    /// Begins a family.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        bytes.append(contentsOf: "# HELP \(name) \(help)\n# TYPE \(name) \(kind.name)\n".utf8)
    }

    mutating func sample(_ value: UInt64, _ labels: Label...) { append("", labels, "\(value)") }

    mutating func sample(_ value: Double, _ labels: Label...) { append("", labels, Self.decimal(value)) }

    /// - Parameter scale: what a value is divided by: 1,000,000,000 from nanoseconds to seconds.
    mutating func sample(_ histogram: HistogramReading, scale: Double, _ labels: Label...) {
        var count: UInt64 = 0
        for (bound, bucket) in zip(histogram.bounds.upper, histogram.counts) {
            count &+= bucket
            append("_bucket", labels + [("le", Self.decimal(Double(bound) / scale))], "\(count)")
        }
        append("_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
        append("_sum", labels, Self.decimal(Double(histogram.sum) / scale))
        append("_count", labels, "\(histogram.count)")
    }

    /// A family of one sample.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) {
        begin(name, kind, help)
        sample(value)
    }

    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        begin(name, kind, help)
        sample(value)
    }

    /// `128` and `0.0025`: without a fraction that is none.
    private static func decimal(_ value: Double) -> String {
        value == value.rounded() && 0...1e15 ~= value ? "\(UInt64(value))" : "\(value)"
    }

    private mutating func append(_ suffix: StaticString, _ labels: [Label], _ value: String) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(suffix)
        for (index, label) in labels.enumerated() { bytes.append(contentsOf: "\(index == 0 ? "{" : ",")\(label.name)=\"\(label.value)\"".utf8) }
        bytes.append(contentsOf: "\(labels.isEmpty ? "" : "}") \(value)\n".utf8)
    }
}
