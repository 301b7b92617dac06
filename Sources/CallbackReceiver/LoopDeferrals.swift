// A loop's exchanges that are answered by something else than the log's word on a record: questions about the log.
//
// Promises: what is answered elsewhere finds its exchange by ticket, and the connection by its generation; whoever is
// gone meanwhile is answered by nobody. No answer is waited for longer than its kind says.
// Must not know: bytes, frames, descriptors, what is asked.

import HTTPWire
import Platform

extension Loop {
    /// 503 for a question after this: the disk hangs, or far too much is asked.
    static let querySeconds = 30

    /// Asks `query` off the loop. True where that cannot be done, and `response` says so.
    mutating func ask(_ query: Query, token: UInt64, stream: Int32, client: IPAddress) -> Bool {
        let deferral = Deferral(token: token, stream: stream, client: client, path: query.path, awaited: .query)
        let ticket = deferrals.begin(deferral, until: now + Int64(Self.querySeconds) * 1_000)
        let handle = handle
        if context.queries.run({ scratch in handle.post(.answer(ticket: ticket, query.answer(&scratch))) }) { return false }
        _ = deferrals.take(ticket)
        Router.unavailable("Too many questions wait to be answered. Ask again.", Problem.overloadRetrySeconds, query.path[...], &response)
        return true
    }

    /// The answer to a question.
    mutating func answer(_ ticket: UInt64, by answer: consuming Response) {
        guard let deferral = deferrals.take(ticket) else { return }
        response = answer
        respondLater(deferral.token, deferral.stream)
    }

    /// Those whose time is up.
    mutating func answerDue() {
        while let ticket = deferrals.takeDue(now: now) {
            guard let deferral = deferrals.take(ticket) else { continue }
            switch deferral.awaited {
            case .query:
                Router.unavailable(
                    "The disk has not answered for \(Self.querySeconds) s. Ask again later.", Problem.blockedRetrySeconds,
                    deferral.path[...], &response)
                respondLater(deferral.token, deferral.stream)
            }
        }
    }
}
