// What is known of a request whose newest record is an announcement, without looking it up.
//
// Promises: an answer only where it is true as of any position at which the announcement was the newest record: what the
// expectations say of it holds until a newer record of the request comes, and both change under one lock.
// Must not know: times: when a request is overdue says a record.

/// The request of an announcement that is its newest record.
enum AnnouncementStanding: Equatable {
    /// No callback has come.
    case open(RecordState)
    /// A callback came first: it says what the status is.
    case answered
    case unknown
}

extension Shared {
    func standing(ofAnnouncement sequence: UInt64) -> AnnouncementStanding {
        published.withLock { published in
            // Superseded since: what is expected now says nothing of then.
            if published.supersessions.isMarked(sequence) { return .unknown }
            return switch published.expectations.standing(of: sequence) {
            case .pending: .open(RecordState(.announcement))
            case .overdue: .open(RecordState(.overdue))
            case .notOpen: .answered
            case .unknown: .unknown
            }
        }
    }
}
