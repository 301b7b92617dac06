// The table of the log at scale: a column for each size of the log, then how much the last is of the first.
//
// Promises: rows can be pasted as they are; what was not measured says so. Must not know: how anything was measured.

import Foundation

enum ScaleTable {
    /// For logs of these sizes.
    static func caption(_ sizes: [Int]) -> String {
        """
        The log at scale: records as Crisp sends them, in segments of 128 MiB, all of it in the page cache. Starts are timed from \
        the process being made to the first 200 for a random id; killed ones were under load on 64 connections. A load of new \
        callbacks lasts \(ScaleFigures.loadSecondsMin) s or longer: in that time any log, the empty one too, seals a segment and makes \
        its index file.
        """ + (sizes.contains(where: LongLog.isThinnedOut)
            ? " Of logs beyond ten million records the older segments are holes: their index files are real, and what is there is "
                + "looked for among the others." : "")
    }

    private enum Target {
        case below(Double), atLeast(Double)

        var text: String {
            switch self {
            case .below(let bound): "< \(benchmark.text(bound))"
            case .atLeast(let bound): String(format: "≥ %.2f", bound)
            }
        }

        func isReached(by value: Double) -> Bool {
            switch self {
            case .below(let bound): value < bound
            case .atLeast(let bound): value >= bound
            }
        }
    }

    private struct Row {
        let name: String
        let value: (ScaleFigures.Figures) -> Double
        var target: Target?

        init(_ name: String, _ value: @escaping (ScaleFigures.Figures) -> Double, _ target: Target? = nil) {
            self.name = name
            self.value = value
            self.target = target
        }
    }

    private static let megabyte = 1_000_000.0
    private static let memoryMegabytesMax = Target.below(64)
    private static let lookUpMicrosecondsMax = Target.below(100)

    private static var rows: [Row] {
        [
            Row("segments, MB", { $0.logBytes / megabyte }),
            Row("… the newest of them, which a start reads", { $0.newestSegmentBytes / megabyte }),
            Row("index files, MB", { $0.indexBytes / megabyte }),
            Row("… made by a first start in, s", { $0.indexSeconds }),
            Row("… with anonymous memory of at most, MB", { $0.indexMemory / megabyte }, memoryMegabytesMax),
            Row("start to the first answer after a clean stop, median, s", { $0.clean.middle }),
            Row("… the slowest", { $0.clean.worst }, .below(1)),
            Row("start to the first answer after SIGKILL, median, s", { $0.killed.middle }),
            Row("… the slowest", { $0.killed.worst }, .below(2)),
            Row("anonymous memory after the first answer, MB", { $0.clean.restBytes / megabyte }, memoryMegabytesMax),
            Row("… at most during a start", { $0.startMemory / megabyte }, memoryMegabytesMax),
            Row("… at most under a load of new callbacks", { $0.loadMemory / megabyte }, memoryMegabytesMax),
            Row("look up an id that is there, p50, µs", { $0.there.median }),
            Row("… p99", { $0.there.percentile99 }, lookUpMicrosecondsMax),
            Row("look up an id that is not there, p50, µs", { $0.absent.median }),
            Row("… p99", { $0.absent.percentile99 }, lookUpMicrosecondsMax),
            Row("GET of an id that is there, one connection, p50, µs", { $0.thereOverHTTP.median }),
            Row("… p99", { $0.thereOverHTTP.percentile99 }, lookUpMicrosecondsMax),
            Row("GET of an id that is not there, p50, µs", { $0.absentOverHTTP.median }),
            Row("… p99", { $0.absentOverHTTP.percentile99 }, lookUpMicrosecondsMax),
            Row("… p99 of the same with an empty log", { $0.absentInEmptyLog.percentile99 }),
            Row("durable POST, 64 connections, requests/s", { $0.postsMedian }),
            Row("… as a share of the same with an empty log", { $0.postShare }, .atLeast(0.9)),
            Row("… CPU of the server, µs a request", { $0.postProcessor }),
            Row("… the same with an empty log", { $0.postProcessorOnEmpty }),
            Row("the newest 100 of a rare status, most of it superseded, ms", { $0.newestMilliseconds }, .below(50)),
            Row("all requests counted by status and class, ms", { $0.tallyMilliseconds }),
        ]
    }

    static func table(_ sizes: [Int]) -> Table {
        var columns = ["records"] + sizes.map { text(Double($0)) }
        for (smaller, larger) in zip(sizes, sizes.dropFirst()) { columns.append("× for \(text(Double(larger) / Double(smaller)))") }
        return Table(columns: columns + ["target", ""])
    }

    static func report(_ columns: [(records: Int, figures: ScaleFigures.Figures)], into table: inout Table) {
        for row in rows {
            let values = columns.map { row.value($0.figures) }
            let growth = zip(values, values.dropFirst()).map { $0 > 0 && !$1.isNaN ? String(format: "%.2f", $1 / $0) : "" }
            let measured = values.filter { !$0.isNaN }
            let isReached = row.target.map { target in !measured.isEmpty && measured.allSatisfy(target.isReached) }
            table.add(
                [row.name] + values.map { $0.isNaN ? "not measured" : text($0) } + growth
                    + [row.target?.text ?? "", isReached.map { $0 ? "reached" : "**missed**" } ?? ""])
        }
    }
}
