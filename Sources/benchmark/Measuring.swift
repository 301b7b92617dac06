// How something short is timed: often enough to be seen by the clock, in rounds, the median of them taken.
//
// Promises: what is measured gives a number that depends on its work; the sum is printed, so that no compiler can
// leave the work out. One warm-up round is not counted. Must not know: what is measured.

import Platform

final class Measuring {
    /// A round repeats the operation until it takes at least this long.
    static let roundNanoseconds = 40_000_000.0

    let rounds: Int
    private(set) var checksum = 0

    init(rounds: Int) { self.rounds = rounds }

    /// Nanoseconds that one call of `operation` takes.
    func nanoseconds(_ operation: () throws -> Int) rethrows -> Double {
        var count = 1
        while try time(count, operation) < Self.roundNanoseconds { count *= 2 }
        var results: [Double] = []
        for _ in 0..<rounds { results.append(try time(count, operation) / Double(count)) }
        return median(results)
    }

    /// Nanoseconds of one call of something that is long already.
    func onceNanoseconds(_ operation: () throws -> Int) rethrows -> Double { try time(1, operation) }

    private func time(_ count: Int, _ operation: () throws -> Int) rethrows -> Double {
        var sum = 0
        let start = Clock.monotonicNanoseconds()
        for _ in 0..<count { sum &+= try operation() }
        let end = Clock.monotonicNanoseconds()
        checksum &+= sum
        return Double(end - start)
    }
}

/// The middle one, or the mean of the two in the middle. Not a number where there is none.
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
