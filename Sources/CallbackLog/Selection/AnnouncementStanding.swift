// What is known of a request whose newest record is an announcement, without looking it up.
//
// Promises: an answer only where it is true as of any position at which the announcement was the newest record.
// Must not know: times: when a request is overdue says a record.

extension Shared {
    /// The request's state; nil where it has to be looked up. What is pending now has been pending since it was announced
    /// so; what is overdue, or answered, may have been that before the announcement, or have become it since.
    func stateKnown(announcement sequence: UInt64) -> RecordState? {
        published.withLock { $0.expectations.standing(of: sequence) } == .pending ? RecordState(.announcement) : nil
    }

    /// False where the request's status is none of `statuses`.
    func mayHave(_ statuses: UInt16, announcement sequence: UInt64) -> Bool {
        guard let state = stateKnown(announcement: sequence) else { return true }
        return statuses >> UInt16(state.status) & 1 == 1
    }
}
