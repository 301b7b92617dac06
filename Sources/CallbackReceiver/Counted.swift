// A number with its noun, for people.
//
// Promises: the noun takes an s but for one of it.
// Must not know: what is counted.

package enum Counted {
    package static func text(_ number: some BinaryInteger, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
