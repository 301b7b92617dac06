// What becomes of a request that the router has looked at: answered at once, or later, and by what.
//
//     respond   `response` is the answer
//     append    handed to the log; answered once its record is durable
//     query     asked on the query queue, off the loop; what it says is the answer
//     wait      asked likewise, and again when a record of its request arrives, until it is final or its time is up
//     stream    `response` is the head; its content is pulled from a source, as fast as the peer takes it
//     keep      `response` is a refusal, and leaves once the body that it refuses is kept
//
// Promises: plain values; what runs elsewhere than on the loop is Sendable. Must not know: connections, HTTP versions,
// which route it is.

import CallbackLog
import CrispCallback
import HTTPWire

enum Disposition {
    /// The response is filled in.
    case respond
    /// Append this; then answer.
    case append(PreparedAppend)
    /// Ask this; then answer.
    case query(Query)
    /// Ask this until its answer is final; then answer.
    case wait(PreparedWait)
    /// Begin the answer that `response` is the head of; then go on with what this gives.
    case stream(PreparedStream)
    /// Keep this; then answer what `response` is.
    case keep(KeptRefusal)
}

/// What is appended, and what its answer needs. No closure for a callback: there are many.
enum PreparedAppend {
    case callback(PreparedCallback)
    case announcement(PreparedAnnouncement)

    /// Of the request, for a problem's `instance`.
    var path: [UInt8] {
        switch self {
        case .callback(let callback): callback.path
        case .announcement(let announcement): announcement.path
        }
    }

    /// Which request it is about.
    var requestID: String {
        switch self {
        case .callback(let callback): String(decoding: callback.record[callback.decoded.requestID], as: UTF8.self)
        case .announcement(let announcement): String(decoding: announcement.record[announcement.requestID], as: UTF8.self)
        }
    }

    /// Of the request, which has no other one.
    var method: StaticString {
        switch self {
        case .callback: "POST"
        case .announcement: "PUT"
        }
    }

    /// What people call it.
    var name: StaticString {
        switch self {
        case .callback: "callback"
        case .announcement: "announcement"
        }
    }

    func submission(recipient: Int, ticket: UInt64) -> Submission {
        switch self {
        case .callback(let callback):
            Submission(
                record: callback.record, requestID: callback.decoded.requestID, payload: callback.decoded.payload,
                status: RecordedStatus(callback.decoded.status), recipient: recipient, ticket: ticket)
        case .announcement(let announcement):
            Submission(
                announcement: announcement.record, requestID: announcement.requestID, members: announcement.members,
                recipient: recipient, ticket: ticket)
        }
    }
}

/// A decoded callback: what is appended, and what its answer needs.
struct PreparedCallback {
    let record: [UInt8]
    let decoded: DecodedCallback
    /// Of the request, for a problem's `instance`.
    let path: [UInt8]
}

/// An announcement, and how its route answers it.
struct PreparedAnnouncement {
    /// The bytes that the ranges point into: the `request_id`, unescaped, and the members as a line has them.
    let record: [UInt8]
    let requestID: Range<Int>
    let members: Range<Int>
    /// Of the request, for a problem's `instance`.
    let path: [UInt8]
    /// Once the outcome is known: fills the response in (nil), or says what to ask for the answer.
    let answer: @Sendable (AppendOutcome, inout Response) -> Query?
}

/// A question. It may take a while and read from disk, so it is asked off the loop.
struct Query: Sendable {
    /// Of the request, for a problem's `instance`.
    let path: [UInt8]
    /// On whose queue.
    let lane: QueryLane
    /// Its answer, made on a query queue.
    let answer: @Sendable (inout QueryScratch) -> Response

    init(path: [UInt8], lane: QueryLane = .log, answer: @escaping @Sendable (inout QueryScratch) -> Response) {
        self.path = path
        self.lane = lane
        self.answer = answer
    }
}

/// A question that is asked again until its answer is final: `?wait=`.
struct PreparedWait: Sendable {
    /// Of the request waited for (`CallbackLog.hash`).
    let requestHash: UInt64
    /// After this what is known is the answer.
    let milliseconds: Int64
    /// Of the request, for a problem's `instance`.
    let path: [UInt8]
    /// The answer as things stand, made on a query queue.
    let answer: @Sendable (inout QueryScratch) -> WaitAnswer
}

struct WaitAnswer: Sendable {
    let response: Response
    /// Nothing further is waited for.
    let isFinal: Bool
}

/// What a query queue lends to what runs on it: storage that is reused, touched on that queue only.
struct QueryScratch {
    var reader = RecordReader()
    /// The newest events, made once for all who follow them.
    var events = EventCache()
}
