// The failure texts that no rule of the verdict table knows, with counts: what the table should learn next.
//
// Promises: bounded in texts and in bytes; the most frequent first, the newest first among equals.
// Must not know: where failures come from.

import CallbackLog

struct UnknownTexts {
    /// What may be done to find them, as for RequestWalk: some 10,000 of the newest unknown failures are looked at.
    static let workMax = 10_000 << 14
    /// So many texts are told.
    static let textsMax = 100
    /// Of different texts that are told apart; what is new beyond it is not counted.
    static let bytesMax = 4 * 1_024 * 1_024

    private struct Tally {
        var count: UInt64
        var last: Timestamp
    }

    /// By the message as a JSON string token, or `null`.
    private var tallies: [[UInt8]: Tally] = [:]
    private var bytes = 0

    mutating func note(_ token: [UInt8], at time: Timestamp) {
        if var tally = tallies[token] {
            tally.count += 1
            tally.last = max(tally.last, time)
            tallies[token] = tally
        } else if bytes + token.count <= Self.bytesMax {
            bytes += token.count
            tallies[token] = Tally(count: 1, last: time)
        }
    }

    /// Appends the texts as a JSON array.
    func append(to body: inout [UInt8]) {
        let texts = tallies.sorted { ($0.value.count, $0.value.last, $0.key.count) > ($1.value.count, $1.value.last, $1.key.count) }
        body.append("[")
        for (index, text) in texts.prefix(Self.textsMax).enumerated() {
            body.append(index == 0 ? "{\"message\":" : ",{\"message\":")
            body.append(text.key.span)
            body.append(",\"count\":")
            body.append(decimal: text.value.count)
            body.append(",\"last_at\":")
            body.append(jsonString: text.value.last)
            body.append("}")
        }
        body.append("]")
    }
}
