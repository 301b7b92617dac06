// What the disk itself takes: an append to a growing file and the fdatasync after it.
//
// Promises: on the file system that the logs are on, between the rounds of the loads; appends of 4 KiB (about ten
// records) and of 64 KiB. The stricter of the two, 4 KiB, stands for "median sync" in the target.
// Must not know: the log.

import Platform

struct DiskTimes {
    private static let appendsPerMeasure = 100
    private static let smallBytes = 4 * 1_024
    private static let largeBytes = 64 * 1_024

    private var small: [Double] = []
    private var large: [Double] = []

    var median4KiBSeconds: Double { median(small) / 1_000_000_000 }

    mutating func measure(in path: String) throws {
        let directory = try SystemDirectory(creating: path)
        small += try Self.nanoseconds(bytes: Self.smallBytes, directory)
        large += try Self.nanoseconds(bytes: Self.largeBytes, directory)
    }

    func report(into table: inout Table) {
        table.add(
            "fdatasync after an append of 4 KiB · 64 KiB, µs",
            "\(text(median(small) / 1_000)) · \(text(median(large) / 1_000))")
    }

    private static func nanoseconds(bytes count: Int, _ directory: SystemDirectory) throws -> [Double] {
        let name = "sync-\(count)"
        let file = try directory.create(name)
        defer { try? directory.remove(name) }
        let bytes = [UInt8](repeating: 0x61, count: count)
        var times: [Double] = []
        for index in 0..<appendsPerMeasure {
            guard try file.write(bytes, from: 0, at: Int64(index * count)) == count else {
                throw BenchmarkFailure("the disk takes no \(count) bytes")
            }
            let start = Clock.monotonicNanoseconds()
            try file.synchronizeData()
            times.append(Double(Clock.monotonicNanoseconds() - start))
        }
        return times
    }
}
