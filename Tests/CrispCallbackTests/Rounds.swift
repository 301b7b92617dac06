// How often a generated test is run, and what it draws: a failing case is named by its seed.
//
// Must not know: what is generated.

import Foundation
import TestSupport

extension SeededGenerator {
    /// True once in `outOf` times, about.
    mutating func chance(_ outOf: Int) -> Bool { Int.random(in: 0..<outOf, using: &self) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}

/// Seeds of a generated test, and cases for each. `CALLBACK_RECEIVER_TEST_SEEDS` asks for more seeds than the
/// usual few, for a long run by hand.
enum Rounds {
    static let seeds: [UInt64] = {
        let asked = ProcessInfo.processInfo.environment["CALLBACK_RECEIVER_TEST_SEEDS"].flatMap { Int($0) }
        return (0..<max(asked ?? 8, 1)).map { UInt64($0) }
    }()
    static let casesPerSeed = 2500
}
