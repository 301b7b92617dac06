// What whoever opens a log chooses: bounds, retention, who tells what records say, and the clock.
//
// Promises: plain values; the defaults are those of a small server. What retention makes of them stands in Retention.swift.
// Must not know: how they are configured.

import Dispatch
import Platform

/// Bounds and limits of a log.
public struct LogOptions: Sendable {
    /// A segment that would pass this many bytes is left, and a new one begins. 1 MiB to 2 GiB.
    public var segmentBytesMax: Int64 = 128 * 1_024 * 1_024
    /// With less free on the file system nothing is taken. In bytes.
    public var freeBytesMin: Int64 = 64 * 1_024 * 1_024
    /// Sealed segments whose newest record is older go. Nil: none goes by age.
    public var retentionMilliseconds: Int64?
    /// The oldest sealed segments go while segments and index files together take more. Nil: none goes by size.
    public var retentionBytesMax: Int64?
    /// By which rules `describe` tells.
    public var versions = DerivedVersions(decoder: 0, verdicts: 0)
    /// Tells of a record what the index keeps. It is given the kind and, of a callback, the payload, else the members
    /// of the kind, and is called on queues of the log's own.
    public var describe: @Sendable (RecordKind, Span<UInt8>, inout RecordDescription) -> Void = { _, _, _ in }
    /// Line feeds that are written ahead of the records at a time; 0 for none. In bytes.
    public var paddingBytes = 256 * 1_024
    /// Files that are kept open for reading, at most: a part of the process's descriptors.
    public var openFilesMax = CallbackLog.openFilesMax
    /// Cuts the index's hashes short; for tests.
    var hashMask = UInt64.max
    /// Fewer in tests.
    var awaitedMax = CallbackLog.awaitedMax
    /// Fewer in tests.
    var historyScanBytesMax = History.scanBytesMax
    /// False: nothing is done but taking records; for tests of that alone.
    var hasUpkeep = true
    /// The defaults.
    public init() {}

    /// Takes over what a log that is open can change: what it may grow to, what it leaves free, what goes.
    mutating func takeUp(_ options: LogOptions) {
        segmentBytesMax = options.segmentBytesMax
        freeBytesMin = options.freeBytesMin
        retentionMilliseconds = options.retentionMilliseconds
        retentionBytesMax = options.retentionBytesMax
    }
}

/// Time, as the log uses it; tests turn it.
public struct LogTime: Sendable {
    /// Since 1970-01-01T00:00:00Z.
    public var wallMilliseconds: @Sendable () -> Int64
    /// From an arbitrary moment; never steps back.
    public var monotonicMilliseconds: @Sendable () -> Int64
    /// Runs the closure once on the queue, this many milliseconds from now.
    public var after: @Sendable (Int, DispatchQueue, @escaping @Sendable () -> Void) -> Void

    /// Of these clocks and this timer.
    public init(
        wallMilliseconds: @escaping @Sendable () -> Int64, monotonicMilliseconds: @escaping @Sendable () -> Int64,
        after: @escaping @Sendable (Int, DispatchQueue, @escaping @Sendable () -> Void) -> Void
    ) {
        self.wallMilliseconds = wallMilliseconds
        self.monotonicMilliseconds = monotonicMilliseconds
        self.after = after
    }

    /// The machine's.
    public static let system = LogTime(
        wallMilliseconds: Clock.wallMilliseconds,
        monotonicMilliseconds: { Clock.monotonicNanoseconds() / 1_000_000 },
        after: { milliseconds, queue, body in
            queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
        })
}
