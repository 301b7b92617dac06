// What the kernel says of this process: time, memory, descriptors.
//
// Promises: read when asked, from /proc/self alone, which a unit with ProcSubset=pid has, too. What cannot be read is nil, not a
// guess.
// Must not know: who wants it.

import Glibc

/// What the kernel counts of this process (proc(5)).
public struct ProcessFigures: Sendable {
    /// Processor time in user mode and in the kernel, in seconds.
    public let cpuSeconds: Double
    /// Memory that is in use now.
    public let residentBytes: UInt64
    /// Memory that is mapped, whether or not it is in use.
    public let virtualBytes: UInt64
    /// Descriptors that are open now.
    public let openDescriptors: Int
    /// RLIMIT_NOFILE.
    public let descriptorsMax: UInt64
    /// In seconds since 1970, by the clock as it was when this was first asked.
    public let startSeconds: Double

    /// Nil where /proc cannot be read.
    public static func read() -> ProcessFigures? {
        guard let text = try? WholeFile.read("/proc/self/stat", bytesMax: 4_096),
            let descriptors = try? SystemDirectory(reading: "/proc/self/fd").names().count,
            let start = startedAt, let fields = fields(of: text), fields.count > 21,
            let user = Double(fields[11]), let kernel = Double(fields[12]), let virtual = UInt64(fields[20]), let pages = UInt64(fields[21])
        else { return nil }
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { return nil }
        return ProcessFigures(
            cpuSeconds: (user + kernel) / ticksPerSecond, residentBytes: pages * UInt64(getpagesize()), virtualBytes: virtual,
            // Without the two that looking takes.
            openDescriptors: max(0, descriptors - 2), descriptorsMax: UInt64(limit.rlim_cur), startSeconds: start)
    }

    private static var ticksPerSecond: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

    /// The fields behind the name, from the third on (proc(5)): the name may hold anything but ends with the last bracket.
    private static func fields(of stat: [UInt8]) -> [Substring]? {
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        return String(decoding: stat[(end + 1)...], as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
    }

    /// The kernel says when since boot; the wall clock is set now and then, and a start must not move with it.
    private static let startedAt: Double? = {
        guard let text = try? WholeFile.read("/proc/self/stat", bytesMax: 4_096), let fields = fields(of: text), fields.count > 19,
            let ticks = Double(fields[19])
        else { return nil }
        var sinceBoot = timespec()
        guard unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot) == 0 else { return nil }
        let age = Double(sinceBoot.tv_sec) + Double(sinceBoot.tv_nsec) / 1e9 - ticks / ticksPerSecond
        return Double(Clock.wallMilliseconds()) / 1_000 - age
    }()
}
