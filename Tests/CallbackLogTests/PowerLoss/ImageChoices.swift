// Which of the images that a power loss can leave are looked at: all where they are few, otherwise the two ends and
// a seeded sample between them.
//
// Promises: the same images for the same seed; an image is told by its choices, so that one that fails can be made
// again. Must not know: what is chosen among.

import TestSupport

/// The choices that make one image: numbers, and the bound of each.
final class Choices {
    /// What each question was answered with, and could have been.
    private(set) var answers: [(number: Int, bound: Int)] = []
    private let answer: (_ question: Int, _ bound: Int) -> Int

    init(_ answer: @escaping (_ question: Int, _ bound: Int) -> Int) { self.answer = answer }

    func choose(_ bound: Int) -> Int {
        let number = answer(answers.count, bound)
        answers.append((number, bound))
        return number
    }

    var text: String { answers.map { "\($0.number)/\($0.bound)" }.joined(separator: " ") }
}

extension DiskContents {
    /// Calls `body` with at most `countMax` images of what a power loss can leave here, and how each was chosen.
    func forEachImage(countMax: Int, seed: UInt64, _ body: (_ image: [String: [UInt8]], _ how: String) throws -> Void) rethrows {
        if let all = allAnswers(countMax: countMax) {
            for answers in all { try make(Choices { question, _ in answers[question] }, body) }
            return
        }
        var generator = SeededGenerator(seed: seed)
        // Of few images none is wasted on what every moment has.
        let endCount = countMax > 4 ? 2 : 0
        if endCount > 0 {
            try make(Choices { _, _ in 0 }, body)
            try make(Choices { _, bound in bound }, body)
        }
        for _ in endCount..<countMax {
            // From nearly nothing kept to nearly all, and some of it from between.
            let kept = Int.random(in: 1...15, using: &generator)
            var answers = generator
            let choices = Choices { _, bound in
                if Int.random(in: 0..<4, using: &answers) == 0 { return Int.random(in: 0...bound, using: &answers) }
                return Int.random(in: 0..<16, using: &answers) < kept ? bound : 0
            }
            try make(choices, body)
            generator = SeededGenerator(seed: generator.next())
        }
    }

    private func make(_ choices: Choices, _ body: ([String: [UInt8]], String) throws -> Void) rethrows {
        let files = afterPowerLoss(choices.choose)
        try body(files, choices.text)
    }

    /// The answers of every image there can be; nil where there are more than `countMax`.
    private func allAnswers(countMax: Int) -> [[Int]]? {
        var all: [[Int]] = []
        // Like an odometer: the last answer that can still grow grows, and those after it begin again.
        var next: [Int]? = []
        while let numbers = next {
            guard all.count < countMax else { return nil }
            let choices = Choices { question, _ in question < numbers.count ? numbers[question] : 0 }
            _ = afterPowerLoss(choices.choose)
            all.append(choices.answers.map(\.number))
            next = choices.answers.lastIndex { $0.number < $0.bound }.map { all[all.count - 1][..<$0] + [choices.answers[$0].number + 1] }
        }
        return all
    }
}
