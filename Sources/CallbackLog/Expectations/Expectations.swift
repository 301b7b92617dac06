// Announced requests whose callback has not come, in the order in which they will be overdue.
//
//     entries    a binary heap by time; those that are overdue already have the end of time and sink, and those that are
//                doubtful its beginning and rise: they fall due at once, and whoever looks at what is due puts them right
//     places     from the sequence of an announcement to its place in the heap
//
// Promises: every change is O(log n); 16 bytes an entry in the heap and as many in the table of places, which is at least
// half empty after it has grown: below 100 bytes each for a million. Nothing stale stays, and nothing below the first
// record that the log still has: what had to stay was recorded again. Guarded by the lock of what is published, so that
// readers see it as of the durable position.
// Must not know: requests, records, the clock.

import Platform

struct Expectations: Sendable {
    struct Entry: Equatable, Sendable {
        let announcement: UInt64
        /// In milliseconds; `overdue` where it is, `doubtful` where a look at its request's records has to say.
        var due: Int64
    }

    /// The due time of what is overdue: it falls due no more.
    static let overdue = Int64.max
    /// The due time of what was perhaps answered, replaced or lost.
    static let doubtful: Int64 = 0

    /// A heap: no entry is due before its parent at (index - 1) / 2.
    private(set) var entries: [Entry] = []
    private var places: [UInt64: UInt32] = [:]
    private var first: UInt64 = 0
    /// False while a start has not yet found all of them.
    var isWhole = false
    /// What is known here is perhaps not all that the log says: records were lost since the start, to a disk that did not answer
    /// say, or are there again and were not looked at yet, or a segment that was damaged was not read again.
    var mayMiss: Bool { hasLost || !regained.isEmpty || lookedAt != nil || !unreread.isEmpty }
    private var hasLost = false
    /// Segments that were damaged at the start, by the sequence they begin with.
    private var unreread: Set<UInt64> = []
    /// The segments whose records were lost and are there again, each once.
    private var regained: [Range<UInt64>] = []
    /// That of these which is looked at now.
    private var lookedAt: Range<UInt64>?

    var count: Int { entries.count }
    /// Of these, those that are overdue.
    private(set) var overdueCount = 0

    /// What is known of the announcement with this sequence.
    enum Standing: Equatable, Sendable {
        case pending, overdue
        /// It is not the newest of its request, or the callback has come.
        case notOpen
        /// It is not known yet.
        case unknown
    }

    func standing(of announcement: UInt64) -> Standing {
        guard let place = places[announcement] else {
            let isKnown = isWhole && !(lookedAt?.contains(announcement) ?? false) && !regained.contains { $0.contains(announcement) }
            return isKnown ? .notOpen : .unknown
        }
        return switch entries[Int(place)].due {
        case Self.overdue: .overdue
        case Self.doubtful: .unknown
        default: .pending
        }
    }

    /// When the next is due, in milliseconds; nil where none is.
    var earliestDue: Int64? { entries.first.flatMap { $0.due == Self.overdue ? nil : $0.due } }

    /// Appends the announcements that are due at `now`.
    func appendDue(at now: Int64, to due: inout [UInt64]) {
        // The heap's top part is all that is due: its children are looked at only where the parent is.
        var open = entries.isEmpty ? [] : [0]
        while let index = open.popLast() {
            guard entries[index].due <= now else { continue }
            due.append(entries[index].announcement)
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count { open.append(child) }
        }
    }

    func isDue(_ announcement: UInt64, at now: Int64) -> Bool { places[announcement].map { entries[Int($0)].due <= now } ?? false }

    mutating func apply(_ change: ExpectationChange) {
        switch change {
        case .opened(let expectation, let before):
            if let before { remove(before) }
            put(Entry(announcement: expectation.announcement, due: expectation.overdueAt?.milliseconds ?? Self.overdue))
        case .answered(let announcement): remove(announcement)
        case .overdue(let announcement):
            guard let place = places[announcement], entries[Int(place)].due != Self.overdue else { return }
            entries[Int(place)].due = Self.overdue
            overdueCount += 1
            sink(Int(place))
        }
    }

    /// Whether the callback of this announcement is awaited, and since when, is to be looked at again.
    mutating func doubt(_ announcement: UInt64) {
        if let place = places[announcement] { doubt(at: Int(place)) }
    }

    /// The same of all announcements in `sequences`.
    mutating func doubt(in sequences: Range<UInt64>) {
        // What has to sink for one comes from before it, and has been looked at.
        for place in entries.indices where sequences.contains(entries[place].announcement) { doubt(at: place) }
    }

    /// Records of these were lost: the announcements among them are doubtful, and may be forgotten.
    mutating func lose(_ sequences: Range<UInt64>) {
        hasLost = true
        doubt(in: sequences)
    }

    /// The segment that begins with `first` is damaged as its index has it, and is read again.
    mutating func expectReread(of first: UInt64) { unreread.insert(first) }
    mutating func noteReread(of first: UInt64) { unreread.remove(first) }

    /// Records of these are there again: what they say is to be looked at.
    mutating func regain(_ sequences: Range<UInt64>) {
        if !regained.contains(sequences) { regained.append(sequences) }
    }

    /// Of what is there again, those that are to be looked at next; those before them have been.
    mutating func takeRegained() -> Range<UInt64>? {
        lookedAt = regained.isEmpty ? nil : regained.removeFirst()
        return lookedAt
    }

    private mutating func doubt(at place: Int) {
        if entries[place].due == Self.overdue { overdueCount -= 1 }
        entries[place].due = Self.doubtful
        rise(place)
    }

    /// Retention has removed all records below `first`.
    mutating func remove(below first: UInt64) {
        self.first = first
        if !unreread.isEmpty { unreread = unreread.filter { $0 >= first } }
        for entry in entries where entry.announcement < first { remove(entry.announcement) }
    }

    mutating func put(_ entry: Entry) {
        remove(entry.announcement)
        guard entry.announcement >= first else { return }
        entries.append(entry)
        if entry.due == Self.overdue { overdueCount += 1 }
        places[entry.announcement] = UInt32(entries.count - 1)
        rise(entries.count - 1)
    }

    mutating func remove(_ announcement: UInt64) {
        guard let place = places.removeValue(forKey: announcement).map({ Int($0) }) else { return }
        if entries[place].due == Self.overdue { overdueCount -= 1 }
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        places[last.announcement] = UInt32(place)
        rise(place)
        sink(place)
    }

    // MARK: the heap

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, entries[place].due < entries[(place - 1) / 2].due {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count && entries[child].due < entries[least].due { least = child }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        entries.swapAt(a, b)
        places[entries[a].announcement] = UInt32(a)
        places[entries[b].announcement] = UInt32(b)
    }

    /// Bytes of its own storage.
    var storageBytes: Int {
        // A table of the standard library is a power of two, at most three quarters full.
        entries.capacity * MemoryLayout<Entry>.stride
            + places.capacity * 4 / 3 * (MemoryLayout<UInt64>.stride + MemoryLayout<UInt32>.stride)
    }
}
