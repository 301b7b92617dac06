// The two clocks: one to say when (wall), one to measure how long (monotonic).
//
// Promises: wall time in milliseconds since 1970, UTC; monotonic time in nanoseconds that never goes
// back. Both are handed around as closures where tests must turn them.
// Must not know: RFC 3339 or HTTP dates; those are formats of others.

import Glibc

/// The system's clocks.
public enum Clock {
    /// Milliseconds since 1970-01-01T00:00:00Z. May step backwards; the log clamps.
    public static func wallMilliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds since an arbitrary point; never goes back.
    public static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Milliseconds of the same clock, from the kernel's coarse copy: a few milliseconds late, a
    /// quarter of the price. For deadlines of seconds.
    public static func coarseMilliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// What all threads of this process have had of the processors, in nanoseconds: who waits for a disk has none.
    public static func processorNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
