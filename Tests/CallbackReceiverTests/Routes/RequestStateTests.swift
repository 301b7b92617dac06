// The fold of a request's records, as a table: each row is the records and what is then known.
//
// Promises: every rule of RequestState's head has rows; times are seconds since 1970. Must not know: a log.

import Testing

@testable import CallbackLog
@testable import CallbackReceiver

@Suite("What is known of a request")
struct RequestStateTests {
    enum Record: Sendable {
        case sent(Int), failed(Int), unrecognized(Int), overdue(Int)
        case announced(Int, after: Int, reference: String? = nil, metadata: String = "{}", first: Int? = nil)
    }

    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let records: [Record]
        var status: RequestStatus?
        var announcedAt: Int?
        var overdueAt: Int?
        var receivedAt: Int?
        var callbacks = 0
        var reference: String?
        var metadata = ""

        init(
            _ name: String, _ records: [Record], _ status: RequestStatus?, announced: Int? = nil, overdue: Int? = nil, received: Int? = nil,
            callbacks: Int = 0, reference: String? = nil, metadata: String = ""
        ) {
            testDescription = name
            self.records = records
            self.status = status
            announcedAt = announced
            overdueAt = overdue
            receivedAt = received
            self.callbacks = callbacks
            self.reference = reference
            self.metadata = metadata
        }
    }

    static let rows = [
        Row("nothing", [], nil),
        Row("a callback", [.sent(7)], .sent, received: 7, callbacks: 1),
        Row("the newest callback counts", [.sent(7), .failed(8)], .failed, received: 8, callbacks: 2),
        Row("whatever it says", [.failed(7), .unrecognized(7)], .unrecognized, received: 7, callbacks: 2),
        Row("announced", [.announced(10, after: 300)], .pending, announced: 10, overdue: 310, metadata: "{}"),
        Row("overdue at the moment itself", [.announced(10, after: 5), .overdue(15)], .overdue, announced: 10, overdue: 15, metadata: "{}"),
        Row("an overdue record of before does not count", [.announced(10, after: 5), .overdue(14)], .pending, announced: 10, overdue: 15, metadata: "{}"),
        Row(
            "more time: pending again, from the first announcement", [.announced(10, after: 5), .overdue(15), .announced(16, after: 60)], .pending,
            announced: 10, overdue: 70, metadata: "{}"),
        Row(
            "and overdue again", [.announced(10, after: 5), .overdue(15), .announced(16, after: 60), .overdue(71)], .overdue, announced: 10,
            overdue: 70, metadata: "{}"),
        Row(
            "other members, the same time: overdue still",
            [.announced(10, after: 5), .overdue(15), .announced(16, after: 5, reference: #""r""#)], .overdue, announced: 10, overdue: 15,
            reference: #""r""#, metadata: "{}"),
        Row(
            "the new one replaces the old, members left out are cleared",
            [.announced(10, after: 5, reference: #""r""#, metadata: #"{"a":1}"#), .announced(11, after: 6, metadata: "{\"b\":2}")], .pending,
            announced: 10, overdue: 16, metadata: #"{"b":2}"#),
        Row(
            "a callback joins", [.announced(10, after: 5, reference: #""r""#), .sent(12)], .sent, announced: 10, overdue: 15, received: 12,
            callbacks: 1, reference: #""r""#, metadata: "{}"),
        Row(
            "for ever", [.sent(9), .announced(10, after: 5), .overdue(15)], .sent, announced: 10, overdue: 15, received: 9, callbacks: 1,
            metadata: "{}"),
        Row("recorded again by retention", [.announced(90, after: 5, first: 10)], .pending, announced: 10, overdue: 15, metadata: "{}"),
        Row(
            "… and announced anew", [.announced(90, after: 5, first: 10), .announced(95, after: 100)], .pending, announced: 10, overdue: 110,
            metadata: "{}"),
        Row(
            "recorded again behind a newer one", [.announced(50, after: 5), .announced(90, after: 5, first: 10), .announced(95, after: 9)], .pending,
            announced: 10, overdue: 19, metadata: "{}"),
        Row("an overdue record whose announcement was lost", [.overdue(15)], .overdue),
    ]

    @Test("the fold", arguments: rows)
    func fold(row: Row) throws {
        var state = RequestState()
        for (index, record) in row.records.enumerated() { try Self.note(record, sequence: UInt64(index + 1), in: &state) }
        #expect(state.status == row.status)
        #expect(state.announcedAt == row.announcedAt.map(Self.moment))
        #expect(state.overdueAt == row.overdueAt.map(Self.moment))
        #expect(state.callbackReceivedAt == row.receivedAt.map(Self.moment))
        #expect(state.callbackCount == row.callbacks)
        #expect(state.reference.map { String(decoding: $0, as: UTF8.self) } == row.reference)
        #expect(String(decoding: state.metadata, as: UTF8.self) == row.metadata)
        #expect(state.sequence == UInt64(row.records.count))
    }

    static func moment(_ seconds: Int) -> Timestamp { Timestamp(milliseconds: Int64(seconds) * 1_000) }

    static func note(_ record: Record, sequence: UInt64, in state: inout RequestState) throws {
        let time: Int
        switch record {
        case .sent(let at), .failed(let at), .unrecognized(let at):
            time = at
            let payload: String =
                switch record {
                case .sent: #"{"request_id":"a","whatsapp_message_id":"w"}"#
                case .failed: #"{"request_id":"a","message":"no"}"#
                default: #"{"request_id":"a"}"#
                }
            try state.noteCallback(at: moment(at), payload: Array(payload.utf8).span)
        case .overdue(let at):
            time = at
            state.noteOverdue(at: moment(at))
        case .announced(let at, let after, let reference, let metadata, let first):
            time = at
            var members: [UInt8] = []
            let token = reference.map { Array($0.utf8) }
            AnnouncementMembers.append(
                overdueAfterSeconds: after, reference: token?.span, metadata: Array(metadata.utf8).span, announcedAt: first.map(moment), to: &members)
            state.noteAnnouncement(at: moment(at), members: members.span)
        }
        state.noteNewest(sequence, at: moment(time))
    }
}
