// What padding ahead buys: fdatasync after appends to a file that grows, and after the same to one that was extended with
// line feeds before they came.
//
// Promises: both in turn, on the file system that the logs are on. Extending, 4 MiB at a time, is synchronized before and
// not counted: a log does it while nobody waits. Must not know: the log.

import Foundation
import Platform

enum PaddingFigures {
    private static let appendBytes = [400, 4 * 1_024, 25 * 1_024, 64 * 1_024, 256 * 1_024]
    private static let appendsPerRound = 200

    static let caption = """
        Padding ahead: fdatasync after an append to a growing file, and to one extended with line feeds before, 4 MiB at a time.
        """
    static var table: Table {
        Table(columns: ["append, bytes", "growing p50 · p99, µs", "padded p50 · p99, µs", "padded / growing, p50 · p99"])
    }

    static func measure(rounds: Int, in workplace: Workplace, into table: inout Table) throws {
        Progress.say("padding ahead")
        let directory = try SystemDirectory(creating: workplace.path)
        for bytes in appendBytes {
            var growing: [UInt32] = []
            var padded: [UInt32] = []
            for _ in 1...rounds {
                func nanoseconds(isPadded: Bool) throws -> [UInt32] {
                    try DiskTimes.nanoseconds(bytes: bytes, count: appendsPerRound, isPadded: isPadded, directory)
                        .map { UInt32(clamping: Int64($0)) }
                }
                growing += try nanoseconds(isPadded: false)
                padded += try nanoseconds(isPadded: true)
            }
            let before = percentiles([0.5, 0.99], of: growing).map { $0 / 1_000 }
            let after = percentiles([0.5, 0.99], of: padded).map { $0 / 1_000 }
            table.add([
                text(Double(bytes)), before.map(text).joined(separator: " · "), after.map(text).joined(separator: " · "),
                zip(after, before).map { String(format: "%.2f", $0 / $1) }.joined(separator: " · "),
            ])
        }
    }
}
