// What the records of one request say together about whether its callback is awaited, one added after the other.
//
//     no announcement ──announced──▶ pending ──overdue record, at or after its time──▶ overdue
//                                       ▲                                                │
//                                       └────────── announced anew, with more time ──────┘
//     any of these ──callback──▶ answered, for ever
//
// The time runs from the first announcement, and how much there is the newest one says (API.md §4). Promises: a function
// of the records alone, never of the clock. Must not know: where records come from, payloads.

import Platform

struct RequestHistory {
    /// Records, of any kind.
    private(set) var count = 0
    /// The sequence of the newest.
    private(set) var newest: UInt64?
    /// The sequence of its newest callback.
    private(set) var newestCallback: UInt64?
    var hasCallback: Bool { newestCallback != nil }
    /// The newest announcement, and what it says but for `announced_at`.
    private(set) var announcement: UInt64?
    private(set) var content: [UInt8] = []
    /// All of them, oldest first, and since when each says that the request was announced.
    private(set) var announcements: [(sequence: UInt64, since: Timestamp)] = []
    /// When the request was announced first.
    private(set) var announcedAt: Timestamp?
    private var overdueAfterSeconds = 0
    /// When it was last found overdue.
    private var foundOverdueAt: Timestamp?

    /// Adds the next record. `members` are those of its kind.
    mutating func add(_ kind: RecordKind, sequence: UInt64, receivedAt: Timestamp, members: Span<UInt8>) {
        count += 1
        newest = sequence
        switch kind {
        case .callback: newestCallback = sequence
        case .overdue: foundOverdueAt = receivedAt
        case .announcement:
            // Another program's: it is kept, and nothing follows from it.
            guard let said = AnnouncementMembers(members) else { return }
            announcement = sequence
            let since = said.announcedAt ?? receivedAt
            announcements.append((sequence, since))
            content.removeAll(keepingCapacity: true)
            content.append(members.extracting(said.content))
            // One that retention recorded again may stand behind others that are newer than what it tells of.
            announcedAt = min(announcedAt ?? since, since)
            overdueAfterSeconds = said.overdueAfterSeconds
        case .checkpoint, .unknown: break
        }
    }

    /// Whether the newest announcement says the same as one with this content.
    func says(_ other: Span<UInt8>) -> Bool {
        guard content.count == other.count else { return false }
        for index in content.indices where content[index] != other[index] { return false }
        return true
    }

    /// When the time allowed is up; nil where it was not announced.
    var overdueAt: Timestamp? { announcedAt.map { Timestamp(milliseconds: $0.milliseconds + Int64(overdueAfterSeconds) * 1_000) } }

    /// Whether a record says that the present time was up.
    var isOverdue: Bool {
        guard let foundOverdueAt, let overdueAt else { return false }
        return foundOverdueAt >= overdueAt
    }

    /// What is expected of it; nil where nothing is.
    var expectation: Expectation? {
        guard !hasCallback, let announcement, let overdueAt else { return nil }
        return Expectation(announcement: announcement, overdueAt: isOverdue ? nil : overdueAt)
    }
}

/// A request that was announced and has no callback.
struct Expectation: Equatable, Sendable {
    /// The sequence of its newest announcement.
    let announcement: UInt64
    /// When it will be overdue; nil where it is.
    let overdueAt: Timestamp?
}

/// What a record changes in the expectations.
enum ExpectationChange: Equatable, Sendable {
    /// A callback is awaited from now on, instead of the one of the older announcement.
    case opened(Expectation, replacing: UInt64?)
    /// The callback that this announcement awaited has come.
    case answered(UInt64)
    /// That of this announcement has not come in time.
    case overdue(UInt64)
}
