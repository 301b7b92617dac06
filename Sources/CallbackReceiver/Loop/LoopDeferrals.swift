// A loop's exchanges that are answered by something else than the log's word on a record: questions about the log, and
// refusals whose body is kept first. What waits or streams is here as far as it begins and ends alike.
//
// Promises: what is answered elsewhere finds its exchange by ticket, and the connection by its generation; whoever is
// gone meanwhile is answered by nobody. No answer is waited for longer than its kind says.
// Must not know: bytes, frames, descriptors, what is asked.

import HTTPWire
import Platform

extension Loop {
    /// Asks `query` off the loop. True where that cannot be done, and `response` says so.
    mutating func ask(_ query: Query, token: UInt64, stream: Int32, client: IPAddress) -> Bool {
        let deferral = Deferral(token: token, stream: stream, client: client, path: query.path, awaited: .query(query.lane), measure: measure)
        let ticket = deferrals.begin(deferral, until: now + Int64(query.lane.secondsMax) * 1_000)
        let handle = handle
        if context.queries[query.lane].run({ scratch in handle.post(.answer(ticket: ticket, query.answer(&scratch))) }) { return false }
        _ = deferrals.take(ticket)
        shed(.question)
        Router.unavailable("Too many questions wait to be answered. Ask again.", Problem.overloadRetrySeconds, query.path[...], &response)
        return true
    }

    /// The answer to a question.
    mutating func answer(_ ticket: UInt64, by answer: consuming Response) {
        guard let deferral = deferrals.take(ticket) else { return }
        measure = deferral.measure
        response = answer
        respondLater(deferral.token, deferral.stream)
    }

    // MARK: refusals

    /// Has the body kept that `response` refuses. True where it cannot be kept, and `response`, which says so, may leave at once.
    mutating func keep(_ refusal: KeptRefusal, token: UInt64, stream: Int32, client: IPAddress, path: [UInt8]) -> Bool {
        let deferral = Deferral(token: token, stream: stream, client: client, path: path, awaited: .kept(response), measure: measure)
        guard deferrals.count < Deferrals.countMax else {
            sayNotKept(deferral)
            return true
        }
        let ticket = deferrals.begin(deferral, until: now + Int64(Exchanges.commitSeconds) * 1_000)
        let handle = handle
        context.refusalKeeper.keep(refusal, from: client) { isKept in handle.post(.kept(ticket: ticket, isKept)) }
        return false
    }

    mutating func answer(_ ticket: UInt64, isKept: Bool) {
        guard let deferral = deferrals.take(ticket), case .kept(let refusal) = deferral.awaited else { return }
        measure = deferral.measure
        if isKept { response = refusal } else { sayNotKept(deferral) }
        respondLater(deferral.token, deferral.stream)
    }

    /// It would be lost by that: who sent it is to send it again.
    private mutating func sayNotKept(_ deferral: Deferral) {
        Router.unavailable(
            "This request is refused, and could not be kept for you to look at. Send it again later.", Problem.blockedRetrySeconds,
            deferral.path[...], &response)
    }

    // MARK: ends

    /// Those whose time is up.
    mutating func answerDue() {
        while let ticket = deferrals.takeDue(now: now) {
            guard let deferral = deferrals[ticket] else { continue }
            measure = deferral.measure
            switch deferral.awaited {
            case .stream(let open): attend(open, ticket, deferral)
            case .wait(let wait) where !wait.isLast: askLast(wait, ticket)
            case .query(let lane): answerDue(lane, ticket, deferral)
            case .wait: answerDue(.log, ticket, deferral)
            case .kept:
                settle(ticket)
                sayNotKept(deferral)
                respondLater(deferral.token, deferral.stream)
            }
        }
    }

    private mutating func answerDue(_ lane: QueryLane, _ ticket: UInt64, _ deferral: Deferral) {
        settle(ticket)
        Router.unavailable(
            "The disk has not answered for \(lane.secondsMax) s. Ask again later.", Problem.blockedRetrySeconds, deferral.path[...], &response)
        respondLater(deferral.token, deferral.stream)
    }

    /// The exchange of this ticket is about to be answered, or its answer to end: it leaves. Nil where it has left.
    @discardableResult
    mutating func settle(_ ticket: UInt64) -> Deferral? {
        guard let deferral = deferrals.take(ticket) else { return nil }
        connection(of: deferral.token)?.deferred[deferral.stream] = nil
        release(deferral.awaited, ticket)
        return deferral
    }

    /// Nobody is left to answer.
    private mutating func abandon(_ ticket: UInt64) {
        if let deferral = deferrals.take(ticket) { release(deferral.awaited, ticket) }
    }

    /// The connection is gone, or its session is.
    mutating func abandonAll(_ connection: Connection) {
        guard !connection.deferred.isEmpty else { return }
        for ticket in connection.deferred.values { abandon(ticket) }
        connection.deferred = [:]
    }

    /// The streams that its peer has reset.
    mutating func abandonReset(_ connection: Connection, _ streams: Connection.Streams) {
        while let stream = streams.session.takeAbandoned() {
            guard let ticket = connection.deferred.removeValue(forKey: stream) else { continue }
            abandon(ticket)
            streams.awaitedCount -= 1
        }
    }

    private mutating func release(_ awaited: Deferral.Awaited, _ ticket: UInt64) {
        switch awaited {
        case .query, .kept: break
        case .wait(let wait):
            waits[wait.requestHash]?.remove(ticket)
            if waits[wait.requestHash]?.isEmpty ?? false { waits[wait.requestHash] = nil }
            context.following.waits.release()
            endFollowing()
        case .stream(let open):
            parkedStreams.remove(ticket)
            context.following.capacity(for: open.kind).release()
            if open.kind == .events { endFollowing() }
        }
    }
}
