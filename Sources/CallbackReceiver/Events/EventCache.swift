// The newest events as text: a thousand listeners are sent the same one, and it is made once.
//
// Promises: at most `countMax` events of at most `eventBytesMax` each; the newest ones, so that whoever catches up with a
// long history drives none of them out. An event never changes: what is known of a request as of a record is settled.
// Must not know: how an event is made, who listens.

struct EventCache {
    /// Listeners that are not further behind than this find their events here.
    static let countMax = 256
    /// A longer event is made for each listener: a failure's message may be as long as a callback.
    static let eventBytesMax = 8 * 1_024

    private struct Entry {
        var sequence: UInt64 = 0
        var text: [UInt8] = []
    }

    /// Each sequence has one place.
    private var entries: [Entry] = []
    private var newest: UInt64 = 0

    /// Appends the event of `sequence`; false where it is not here.
    func append(_ sequence: UInt64, to output: inout [UInt8]) -> Bool {
        guard sequence > 0, !entries.isEmpty else { return false }
        let entry = entries[Self.place(sequence)]
        guard entry.sequence == sequence else { return false }
        output.append(contentsOf: entry.text)
        return true
    }

    mutating func keep(_ sequence: UInt64, _ text: ArraySlice<UInt8>) {
        guard text.count <= Self.eventBytesMax, sequence + UInt64(Self.countMax) > newest else { return }
        if entries.isEmpty { entries = [Entry](repeating: Entry(), count: Self.countMax) }
        newest = max(newest, sequence)
        entries[Self.place(sequence)] = Entry(sequence: sequence, text: Array(text))
    }

    private static func place(_ sequence: UInt64) -> Int { Int(sequence % UInt64(countMax)) }
}
