// A loop's exchanges that wait until their request has its callback.
//
//     park ──▶ asked ──final──────────────────────────────────────────▶ answered
//               ▲ └──not yet──▶ parked ──time is up, stop, peer ends──▶ asked once more ──▶ answered with what is known
//               └─── a record of the request arrives ┘
//
// Promises: nothing falls between asking and parking: the loop is told of records before it asks first. No thread and no
// timer for each. Must not know: what is asked, how an answer looks.

import HTTPWire
import Platform

/// What is known of one. Owned by its loop.
final class ParkedWait {
    let requestHash: UInt64
    let answer: @Sendable (inout QueryScratch) -> WaitAnswer
    /// In line, or asked and not answered.
    var isAsked = false
    /// Records have come since it was asked.
    var isOutdated = false
    /// Whatever is known now is its answer.
    var isLast: Bool

    init(_ prepared: PreparedWait, isLast: Bool) {
        requestHash = prepared.requestHash
        answer = prepared.answer
        self.isLast = isLast
    }
}

extension Loop {
    /// The loop's `request` waits. False: it cannot, and `response` says so.
    mutating func park(_ prepared: PreparedWait, _ connection: Connection, _ slot: Int, stream: Int32) -> Bool {
        guard context.following.waits.take() else {
            Router.unavailable(
                "As many requests wait for callbacks as may. Ask again, or without wait.", Problem.overloadRetrySeconds,
                prepared.path[...], &response)
            shed(.wait)
            return false
        }
        let isLast = isDraining || connection.peerClosed || connection.isPeerEndNoted
        let wait = ParkedWait(prepared, isLast: isLast)
        let deferral = Deferral(
            token: token(connection, slot), stream: stream, client: client(connection), path: prepared.path, awaited: .wait(wait), measure: measure)
        let ticket = deferrals.begin(deferral, until: now + prepared.milliseconds)
        connection.deferred[stream] = ticket
        waits[wait.requestHash, default: []].insert(ticket)
        beginFollowing()
        ask(wait, ticket)
        return true
    }

    mutating func answer(_ ticket: UInt64, by answer: WaitAnswer) {
        guard let deferral = deferrals[ticket], case .wait(let wait) = deferral.awaited else { return }
        wait.isAsked = false
        if answer.isFinal || wait.isLast {
            settle(ticket)
            measure = deferral.measure
            response = answer.response
            respondLater(deferral.token, deferral.stream)
        } else if wait.isOutdated {
            ask(wait, ticket)
        }
    }

    /// Records of these requests have arrived; nil: of whichever.
    mutating func askWaits(for requestHashes: [UInt64]?) {
        guard !waits.isEmpty else { return }
        guard let requestHashes else {
            for tickets in waits.values { askAgain(tickets) }
            return
        }
        for hash in requestHashes {
            if let tickets = waits[hash] { askAgain(tickets) }
        }
    }

    private mutating func askAgain(_ tickets: Set<UInt64>) {
        for ticket in tickets {
            if case .wait(let wait) = deferrals[ticket]?.awaited { ask(wait, ticket) }
        }
    }

    /// Its time is up, or its peer waits no longer: what is known is its answer.
    mutating func askLast(_ wait: ParkedWait, _ ticket: UInt64) {
        wait.isLast = true
        // Should the disk hang now, it ends as a question does.
        deferrals.setTime(of: ticket, now + Int64(QueryLane.log.secondsMax) * 1_000)
        if !wait.isAsked { ask(wait, ticket) }
    }

    private mutating func ask(_ wait: ParkedWait, _ ticket: UInt64) {
        wait.isOutdated = wait.isAsked
        guard !wait.isAsked else { return }
        wait.isAsked = true
        followingLine.add(ticket)
    }
}
