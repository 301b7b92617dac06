// Where `follow` stands in the stream of events, and what each event means for it.
//
// Promises: pure. Of what the server sends at least once, each event is shown once: ids of one log rise, so that one at or
// below the last is a repeat. A gap moves the position, and is told.
// Must not know: connections, how anything is printed.

struct StreamPosition {
    /// `{log id}-{sequence}` (API.md §4).
    struct ID: Equatable {
        let log: Substring
        let sequence: UInt64

        init?(_ id: String) {
            guard let dash = id.lastIndex(of: "-"), let sequence = UInt64(id[id.index(after: dash)...]) else { return nil }
            log = id[..<dash]
            self.sequence = sequence
        }
    }

    /// What to do about an event.
    enum Step: Equatable {
        /// A line for standard output, without a line feed.
        case show([UInt8])
        /// Records are missing: a line for standard error.
        case tell(String)
        case nothing
    }

    /// What the server is asked to go on after: the id of the last event that was dealt with. Nil before the first.
    private(set) var lastID: String?

    /// Moves the position behind `event`.
    mutating func take(_ event: ServerEvent) -> Step {
        let id = event.id.flatMap(Self.checked)
        guard event.name != "gap" else {
            if let id { lastID = id }
            let gap = AnswerObject(event.data)
            let after = gap?.string("after") ?? gap?.text("after") ?? "where it stood"
            return .tell("records behind \(after) are not there to be followed; going on with \(gap?.text("next") ?? "the next one there is")")
        }
        if let id {
            if let old = lastID.flatMap(ID.init), let new = ID(id), old.log == new.log, new.sequence <= old.sequence {
                return .nothing
            }
            lastID = id
        }
        // JSON may be broken at white space: the line that is promised has none.
        return .show(event.data.map { $0 == 0x0A ? 0x20 : $0 })
    }

    /// A position that came without an event: where the stream begins.
    mutating func begin(at id: String?) { if lastID == nil { lastID = id.flatMap(Self.checked) } }

    /// An id is sent back in a field: what could not stand there is none.
    private static func checked(_ id: String) -> String? {
        id.utf8.allSatisfy { (0x21...0x7E).contains($0) } && !id.isEmpty ? id : nil
    }
}
