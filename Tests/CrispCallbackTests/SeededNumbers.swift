// Random numbers that come again: a failing case is named by its seed.
//
// Promises: the same seed gives the same numbers on every machine (SplitMix64, Steele, Lea and Flood, 2014).

import Foundation

struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

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
