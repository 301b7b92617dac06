// What the writer decides of each submission before anything is written: is it a record of its own, and which outcome does
// it have once the batch is durable?
//
//     callback       the same payload is there ─▶ duplicate        the request is full ─▶ too many        else ─▶ fresh
//     announcement   the newest one says the same ─▶ that one      full ─▶ too many                       else ─▶ announced
//     overdue        answered, given more time, or said already ─▶ superfluous                            else ─▶ fresh
//
// Where a segment cannot be asked, or a record read, rather twice than never goes for callbacks and announcements (201 where it
// might have been 200), and rather later than wrongly for what is overdue: the timer asks again. What it holds may have been
// awaited: it becomes doubtful once the batch is durable (Expectations.swift).
// Promises: durable records and those of the batch before it count alike, so that an outcome shares the fate of what it
// rests on (invariant 1). On the writer's queue only. Must not know: the disk.

import Platform

extension Writer {
    /// Gives the outcome that `submission` has once the batch is durable; adds it to the batch when it is new.
    func decide(_ submission: Submission, at position: Int, receivedAt: Timestamp) {
        let requestHash = hash.hash(submission.record.span.extracting(submission.requestID))
        let payloadHash = hash.hash(submission.record.span.extracting(submission.payload))
        let held = batch.held(submission, requestHash: requestHash, payloadHash: payloadHash)
        if let sequence = held.duplicate { return batch.answer(.stored(sequence: sequence, duplicate: true)) }
        func addition(after predecessor: UInt64?) -> Batch.Addition {
            Batch.Addition(
                requestHash: requestHash, payloadHash: payloadHash, heldCount: held.count, predecessor: predecessor, receivedAt: receivedAt,
                durable: durable)
        }
        guard submission.kind == .callback else { return decideOther(submission, at: position, addition) }
        switch duplicates.decide(submission, requestHash: requestHash, payloadHash: payloadHash, heldCount: held.count) {
        case .duplicate(let sequence): batch.answer(.stored(sequence: sequence, duplicate: true))
        case .tooManyRecords: batch.answer(.tooManyRecords)
        case .fresh(let newest, let announcement, let unread):
            batch.unread.formUnion(unread)
            let awaiting = held.decisive.map { $0.kind == .announcement ? $0.sequence : nil } ?? announcement
            batch.add(position, addition(after: held.newest ?? newest), change: awaiting.map { .answered($0) }) {
                .stored(sequence: $0, duplicate: false)
            }
        }
    }

    /// The same for what is no callback: it depends on all that is known of its request.
    private func decideOther(_ submission: Submission, at position: Int, _ addition: (UInt64?) -> Batch.Addition) {
        let requestHash = addition(nil).requestHash
        let receivedAt = addition(nil).receivedAt
        let known = duplicates.history(of: submission, requestHash: requestHash)
        batch.unread.formUnion(known.unread)
        var history = known.history
        batch.add(submission, requestHash: requestHash, receivedAt: receivedAt, to: &history)
        let members = submission.record.span.extracting(submission.payload)
        if submission.kind == .overdue {
            guard known.isWhole, let expectation = history.expectation, let overdueAt = expectation.overdueAt, receivedAt >= overdueAt,
                history.count < CallbackLog.recordsPerRequestMax
            else { return batch.answer(.superfluous) }
            return batch.add(position, addition(history.newest), change: .overdue(expectation.announcement)) { .stored(sequence: $0, duplicate: false) }
        }
        let said = AnnouncementMembers(members)
        // What retention records again is the same on purpose, also where it is not for us to read; and it must find room.
        let isNew = said.map { $0.announcedAt == nil } ?? false
        if let said, isNew, let before = history.announcement, history.says(members.extracting(said.content)) {
            return batch.answer(.announced(sequence: before, isFirst: false))
        }
        // Announced anew since retention looked: it looks again.
        if let said, !isNew, known.isWhole, history.announcement != nil, !history.says(members.extracting(said.content)) { return batch.answer(.superfluous) }
        guard !isNew || history.count < CallbackLog.recordsBeforeAnnouncementMax else { return batch.answer(.tooManyRecords) }
        guard !isNew || history.expectation != nil || history.hasCallback || shared.published.withLock({ $0.expectations.count }) < options.awaitedMax
        else { return batch.answer(.tooManyAwaited) }
        let before = history
        let sequence = batch.nextSequence(above: durable)
        if !known.unread.isEmpty { batch.unread.records.insert(sequence) }
        history.add(.announcement, sequence: sequence, receivedAt: receivedAt, members: members)
        let change = said == nil ? nil : history.expectation.map { ExpectationChange.opened($0, replacing: before.announcement) }
        batch.add(position, addition(before.newest), change: change) { .announced(sequence: $0, isFirst: before.announcement == nil) }
    }
}
