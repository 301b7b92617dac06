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
    private static let paddingBytes = 4 * 1_024 * 1_024

    private var small: [Double] = []
    private var large: [Double] = []

    var median4KiBSeconds: Double { median(small) / 1_000_000_000 }

    mutating func measure(in path: String) throws {
        let directory = try SystemDirectory(creating: path)
        small += try Self.nanoseconds(bytes: Self.smallBytes, count: Self.appendsPerMeasure, directory)
        large += try Self.nanoseconds(bytes: Self.largeBytes, count: Self.appendsPerMeasure, directory)
    }

    func report(into table: inout Table) {
        table.add(
            "fdatasync after an append of 4 KiB · 64 KiB, µs",
            "\(text(median(small) / 1_000)) · \(text(median(large) / 1_000))")
    }

    /// Of each fdatasync after appending so many bytes to a new file; with `isPadded`, to one that line feeds extended before.
    static func nanoseconds(
        bytes byteCount: Int, count: Int, isPadded: Bool = false, _ directory: SystemDirectory
    ) throws -> [Double] {
        let name = "sync-\(byteCount)"
        let file = try directory.create(name)
        defer { try? directory.remove(name) }
        func write(_ bytes: [UInt8], at offset: Int) throws {
            guard try file.write(bytes, from: 0, at: Int64(offset)) == bytes.count else {
                throw BenchmarkFailure("the disk takes no \(bytes.count) bytes")
            }
        }
        let bytes = [UInt8](repeating: 0x61, count: byteCount)
        let padding = [UInt8](repeating: 0x0A, count: isPadded ? paddingBytes : 0)
        var paddedTo = 0
        var times: [Double] = []
        for index in 0..<count {
            if isPadded, (index + 1) * byteCount > paddedTo {
                try write(padding, at: paddedTo)
                paddedTo += paddingBytes
                try file.synchronizeData()
            }
            try write(bytes, at: index * byteCount)
            let start = Clock.monotonicNanoseconds()
            try file.synchronizeData()
            times.append(Double(Clock.monotonicNanoseconds() - start))
        }
        return times
    }
}
