// From a failure's code and message to its row in `VerdictTable`.
//
// Promises: a code that the table knows wins over the wording, whatever that says; of the wordings the first in the table's
// order wins, wherever in the message it stands. Work is bounded by `wordingBytesMax`, however long a message is; nothing
// is allocated for a message without escapes.
// Must not know: what the rows say, where a failure is kept.

extension VerdictTable {
    /// A wording is looked for in so many bytes of a message. All known ones are shorter than a tenth of it; a payload may
    /// have tens of thousands.
    static let wordingBytesMax = 4_096

    /// The verdict on a failure. `message` is its text in UTF-8, without escapes.
    public static func verdict(code: UInt64?, message: Span<UInt8>) -> Verdict {
        if let row = row(of: code) { return row.verdict }
        return row(of: wording(in: message))?.verdict ?? unknown
    }

    /// The same of a message that is a scanned string of `text`.
    static func verdict(code: UInt64?, message: JSONToken?, in text: Span<UInt8>) -> Verdict {
        if let row = row(of: code) { return row.verdict }
        guard let message else { return unknown }
        guard message.isEscaped else { return verdict(code: nil, message: text.extracting(message.content)) }
        var value: [UInt8] = []
        var letters = JSONUnescaping(message.content)
        while value.count < wordingBytesMax, let letter = letters.next(text) { value.append(letter) }
        return verdict(code: nil, message: value.span)
    }

    /// The row that has `code`; the rows are in order.
    private static func row(of code: UInt64?) -> Row? {
        guard let code else { return nil }
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].codes.upperBound < code { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].codes.contains(code) ? rows[low] : nil
    }

    // MARK: Wordings

    /// The code that the message's wording means.
    private static func wording(in message: Span<UInt8>) -> UInt64? {
        let count = min(message.count, wordingBytesMax)
        var first = wordings.count
        var isInWord = false
        for start in 0..<count {
            let letter = lowercase(message[start])
            defer { isInWord = isLetter(letter) }
            // Only where a word begins: "paired" is no "pair", and most places need no look at the table.
            guard !isInWord, isLetter(letter) else { continue }
            for candidate in wordingsByLetter[Int(letter - UInt8(ascii: "a"))] where candidate < first {
                if holds(message, wordings[candidate].text, at: start, before: count) { first = candidate }
            }
        }
        return first < wordings.count ? wordings[first].code : nil
    }

    /// The wordings that begin with each letter from a to z.
    private static let wordingsByLetter: [[Int]] = (0..<26).map { letter in
        wordings.indices.filter { wordings[$0].text.byte(at: 0) == UInt8(ascii: "a") + UInt8(letter) }
    }

    private static func holds(_ message: Span<UInt8>, _ text: StaticString, at start: Int, before end: Int) -> Bool {
        guard text.utf8CodeUnitCount <= end - start else { return false }
        for offset in 0..<text.utf8CodeUnitCount where lowercase(message[start + offset]) != text.byte(at: offset) { return false }
        return true
    }

    /// ASCII alone: no wording has any other letter.
    @inline(__always)
    private static func lowercase(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }

    @inline(__always)
    private static func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }
}
