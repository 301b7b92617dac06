// Numbers that one queue counts and any thread may read: what metrics are made of.
//
//     a histogram of n bounds is n + 2 cells side by side:
//     ≤ bound 0 │ ≤ bound 1 │ … │ ≤ bound n-1 │ above all │ sum
//
// Promises: no lock, no system call, no allocation after it is made. Counting is a plain load and store of a word that no other
// queue writes, about a nanosecond; whoever reads sees every number whole and soon, but not all as of one moment. Numbers wrap
// at 2^64.
// Must not know: what is counted.

import Synchronization

/// `count` cells that begin at 0. At any time one queue alone may write to them.
public struct Counters<let count: Int>: ~Copyable, Sendable {
    private let cells: InlineArray<count, Atomic<UInt64>>

    /// All 0.
    public init() { cells = InlineArray { _ in Atomic<UInt64>(0) } }

    /// Adds to a cell.
    public func add(_ number: UInt64 = 1, at cell: Int) {
        // No other writes here, so nothing can be lost between the two.
        cells[cell].store(cells[cell].load(ordering: .relaxed) &+ number, ordering: .relaxed)
    }

    /// Takes one from a cell: of something that comes and goes.
    public func subtract(at cell: Int) { add(.max, at: cell) }

    /// Puts a number into a cell.
    public func set(_ number: UInt64, at cell: Int) { cells[cell].store(number, ordering: .relaxed) }

    /// From any thread.
    public subscript(cell: Int) -> UInt64 { cells[cell].load(ordering: .relaxed) }

    /// Adds `value` to the histogram whose cells begin at `start`.
    public func observe(_ value: UInt64, _ bounds: HistogramBounds, at start: Int = 0) {
        add(at: start + bounds.bucket(of: value))
        add(value, at: start + bounds.cellCount - 1)
    }

    /// The histogram whose cells begin at `start`. From any thread.
    public func histogram(_ bounds: HistogramBounds, at start: Int = 0) -> HistogramReading {
        var reading = HistogramReading(bounds)
        reading.add(self, at: start)
        return reading
    }
}

/// The upper bounds of a histogram's buckets.
public struct HistogramBounds: Sendable {
    /// Ascending, each belongs to its bucket.
    public let upper: [UInt64]

    /// `upper` ascends.
    public init(_ upper: [UInt64]) { self.upper = upper }

    /// Cells of one histogram.
    public var cellCount: Int { upper.count + 2 }

    /// A handful of bounds: the first that fits is found sooner by going through them than by bisecting.
    func bucket(of value: UInt64) -> Int {
        var bucket = 0
        while bucket < upper.count, upper[bucket] < value { bucket += 1 }
        return bucket
    }
}

/// A histogram as it was read, or several with the same bounds together.
public struct HistogramReading: Sendable {
    /// Of the buckets.
    public let bounds: HistogramBounds
    /// By bucket, each with its own alone; the last one is above all bounds.
    public private(set) var counts: [UInt64]
    /// Of all values.
    public private(set) var sum: UInt64 = 0
    /// How many values there were.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// Without values.
    public init(_ bounds: HistogramBounds) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.upper.count + 1)
    }

    /// Adds the histogram whose cells begin at `start`.
    public mutating func add<let cellCount: Int>(_ counters: borrowing Counters<cellCount>, at start: Int) {
        for bucket in counts.indices { counts[bucket] &+= counters[start + bucket] }
        sum &+= counters[start + counts.count]
    }
}
