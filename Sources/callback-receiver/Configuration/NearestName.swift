// The known name that a misspelt one was probably meant to be.
//
// Promises: a suggestion only where it is a near miss; none is better than a wrong one. Bounded work.
// Must not know: what the names are for.

enum NearestName {
    /// Longer names are not compared.
    static let nameBytesMax = 128
    /// How many characters may be missing, surplus or different.
    static let distanceMax = 3

    /// The nearest of `candidates`, if it is near enough: a quarter of its length, at most `distanceMax`.
    /// A `prefix` that all have in common does not count for the length.
    static func of(_ name: String, among candidates: [String], sharing prefix: String = "") -> String? {
        guard name.utf8.count <= nameBytesMax else { return nil }
        let wanted = Array(name.lowercased().utf8)
        let ranked = candidates.map { (name: $0, distance: distance(wanted, Array($0.lowercased().utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= min(distanceMax, max(1, (best.name.utf8.count - prefix.utf8.count) / 4)) ? best.name : nil
    }

    /// Levenshtein's distance: the fewest insertions, deletions and replacements.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
