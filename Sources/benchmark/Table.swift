// The tables that are printed: one row a figure, its peer and its target beside it; or columns of their own.
//
// Promises: a figure with a target always says whether it was reached. Nothing is rounded before it is judged.
// Must not know: what the figures mean.

import Foundation

struct Table {
    private let head: [String]
    private var lines: [String] = []

    init() {
        head = ["| figure | here | peer | here / peer | target | |", "| --- | ---: | ---: | ---: | --- | --- |"]
    }

    /// The first column is text, the others are numbers.
    init(columns: [String]) {
        head = [
            "| " + columns.joined(separator: " | ") + " |",
            "| --- |" + String(repeating: " ---: |", count: columns.count - 1),
        ]
    }

    var isEmpty: Bool { lines.isEmpty }

    /// Adds a row of a table with columns of its own.
    mutating func add(_ cells: [String]) {
        lines.append("| " + cells.joined(separator: " | ") + " |")
        Progress.say(cells.joined(separator: ", "))
    }

    /// Adds a row. `isReached` is nil for a figure without a target.
    mutating func add(
        _ figure: String, _ here: String, peer: String = "", ratio: Double? = nil, target: String = "",
        isReached: Bool? = nil
    ) {
        let verdict = isReached.map { $0 ? "reached" : "**missed**" } ?? ""
        let ratioText = ratio.map { String(format: "%.2f", $0) } ?? ""
        let cells = [figure, here, peer, ratioText, target, verdict]
        lines.append("| " + cells.joined(separator: " | ") + " |")
        Progress.say("\(figure): \(here)\(peer.isEmpty ? "" : " (\(peer))")\(verdict.isEmpty ? "" : ", \(verdict)")")
    }

    var markdown: String { (head + lines).joined(separator: "\n") }
}

/// A number as it is read: thousands set apart, and no more digits than it deserves.
func text(_ number: Double) -> String {
    if number < 1_000, number == number.rounded() { return String(format: "%.0f", number) }
    if number < 100 { return String(format: number < 10 ? "%.2f" : "%.1f", number) }
    var digits = String(format: "%.0f", number)
    var groups: [String] = []
    while digits.count > 3 {
        groups.insert(String(digits.suffix(3)), at: 0)
        digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
}
