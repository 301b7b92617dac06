// What is known of a request: its records folded, oldest to newest.
//
//     records so far            status
//     a callback                what the newest one says, for ever
//     none, an overdue record   overdue, if that record is not older than overdue_at; else pending
//     announcements alone       pending
//     neither                   nothing is known
//
// overdue_at is when the first announcement was made, and the seconds of the newest behind it: who announces again with
// more time makes an overdue request pending again.
//
// Promises: a function of the records alone, not of the clock; so a state as of an older position comes out as it was.
// Holds no bytes of a payload, only the reading of it.
// Must not know: where records are kept, what an answer looks like.

import CallbackLog
import CrispCallback

package struct RequestState {
    /// Of the newest record of any kind.
    package private(set) var sequence: UInt64 = 0
    package private(set) var updatedAt = Timestamp(milliseconds: 0)
    /// Of its callbacks.
    package private(set) var callbackCount = 0
    package private(set) var callbackReceivedAt: Timestamp?
    /// What the newest callback's payload says; its ranges are offsets into that.
    package private(set) var reading: CallbackReading?
    /// When it was announced first.
    package private(set) var announcedAt: Timestamp?
    /// A JSON string token.
    package private(set) var reference: [UInt8]?
    /// A compact JSON object; empty where none was announced.
    package private(set) var metadata: [UInt8] = []
    private var overdueAfterSeconds = 0
    /// When the newest overdue record was made.
    private var foundOverdueAt: Timestamp?

    package init() {}

    /// When the time allowed runs out, or ran out; nil where nothing was announced.
    package var overdueAt: Timestamp? {
        announcedAt.map { Timestamp(milliseconds: $0.milliseconds + Int64(overdueAfterSeconds) * 1_000) }
    }

    /// Nil where nothing is known.
    package var status: RequestStatus? {
        if let reading { return RequestStatus(reading.status) }
        if let foundOverdueAt, overdueAt.map({ foundOverdueAt >= $0 }) ?? true { return .overdue }
        return announcedAt == nil ? nil : .pending
    }

    // MARK: the fold. Each of these is called in the order of the log; what is passed over, `count` says.

    /// So many callbacks come before the next one that is noted.
    mutating func count(callbacks: Int) { callbackCount += callbacks }

    /// The record of this sequence is the newest so far.
    mutating func noteNewest(_ sequence: UInt64, at moment: Timestamp) {
        self.sequence = sequence
        updatedAt = moment
    }

    /// A callback; `payload` is its own.
    mutating func noteCallback(at moment: Timestamp, payload: Span<UInt8>) throws(CallbackRejection) {
        reading = try CallbackReading(payload: payload)
        callbackReceivedAt = moment
        callbackCount += 1
    }

    /// It was announced first at this moment.
    mutating func noteFirstAnnouncement(at moment: Timestamp) { announcedAt = min(announcedAt ?? moment, moment) }

    /// An announcement. Members that are not as the format has them say nothing.
    mutating func noteAnnouncement(at moment: Timestamp, members bytes: Span<UInt8>) {
        guard let members = AnnouncementMembers(bytes), Self.isJSON(bytes.extracting(members.metadata)) else { return }
        if let reference = members.reference {
            let token = bytes.extracting(reference)
            guard Self.isJSON(token) else { return }
            self.reference = []
            self.reference?.append(token)
        } else {
            reference = nil
        }
        // One that retention recorded again may stand behind newer ones than that it tells of.
        noteFirstAnnouncement(at: members.announcedAt ?? moment)
        overdueAfterSeconds = members.overdueAfterSeconds
        metadata.removeAll(keepingCapacity: true)
        metadata.append(bytes.extracting(members.metadata))
    }

    /// It goes into answers as it is, and what came from the disk is not trusted (invariant 8).
    private static func isJSON(_ text: Span<UInt8>) -> Bool { (try? JSONScanner.validate(text)) != nil }

    mutating func noteOverdue(at moment: Timestamp) { foundOverdueAt = moment }
}

extension RequestState {
    /// All of a request, as the inspection of a log shows it.
    package mutating func note(_ request: borrowing InspectedRequest, payload: Span<UInt8>, members: Span<UInt8>) throws(CallbackRejection) {
        if let first = request.announcedAt {
            noteFirstAnnouncement(at: first)
            noteAnnouncement(at: first, members: members)
        }
        if let found = request.foundOverdueAt { noteOverdue(at: found) }
        if let received = request.callbackReceivedAt {
            count(callbacks: request.callbackCount - 1)
            try noteCallback(at: received, payload: payload)
        }
        noteNewest(request.sequence, at: request.updatedAt)
    }
}
