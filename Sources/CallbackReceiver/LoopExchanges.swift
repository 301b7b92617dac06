// A loop's exchanges, whichever HTTP version brings them: request ─▶ route ─▶ answer, or the log and then the answer.
//
// Promises: a callback is decoded only where it can be stored; what the log says finds the exchange by its ticket, and
// the connection by its generation. Must not know: bytes, frames, descriptors.

import CallbackLog
import HTTPWire
import Platform

extension Loop {
    /// Routes the loop's `request`. True: `response` answers it. False: the log has it, and `answer` comes later.
    mutating func exchange(_ connection: Connection, _ slot: Int, stream: Int32) -> Bool {
        let isBehind = exchanges.isFull || exchanges.isBehind(now: now, loops: context.handles.count)
        switch context.router.route(
            request, from: connection.peer.address, role: connection.role, isDraining: isDraining, isOverloaded: isBehind,
            into: &response, using: &scratch)
        {
        case .respond:
            if response.status >= 400, connection.role.contains(.callback), request.method == .post { logRefusal(client(connection)) }
            return true
        case .append(let prepared):
            let submission = Submission(
                record: prepared.record, requestID: prepared.decoded.requestID, payload: prepared.decoded.payload,
                status: RecordedStatus(prepared.decoded.status), recipient: recipient, ticket: exchanges.nextTicket)
            guard context.router.log.append(submission) else {
                Router.overloaded(prepared.path[...], &response)
                logRefusal(client(connection))
                return true
            }
            exchanges.begin(
                WaitingExchange(
                    token: token(connection, slot), stream: stream, client: client(connection), prepared: prepared, began: now))
            return false
        }
    }

    /// A refused callback is what an operator wants to know of; its bytes are nobody's business here (invariant 9).
    mutating func logRefusal(_ client: IPAddress) {
        refusalLog.warning("request refused", ["status": "\(response.status)", "peer": "\(client)"], now: now)
    }

    /// Whom the loop's `request` is from, which came over `connection`.
    func client(_ connection: Connection) -> IPAddress {
        context.admission.proxies.client(of: request, from: connection.peer.address)
    }

    /// The log's word on callbacks. A connection that several of them answer writes once.
    mutating func answer(_ acknowledgements: [Acknowledgement]) {
        for acknowledgement in acknowledgements {
            guard let waiting = exchanges.take(acknowledgement.ticket) else { continue }
            answer(waiting, acknowledgement.outcome)
        }
        finishTouched()
    }

    /// Those that the log has kept for too long (invariant 3).
    mutating func answerExpired() {
        while let waiting = exchanges.takeExpired(now: now) { answer(waiting, nil) }
        finishTouched()
    }

    private mutating func answer(_ waiting: WaitingExchange, _ outcome: AppendOutcome?) {
        guard let connection = connection(of: waiting.token) else { return }
        let slot = slot(of: waiting.token)
        if let outcome {
            Router.answer(waiting.prepared, outcome, into: &response)
        } else {
            Router.unavailable(
                "The disk has not answered for \(Exchanges.commitSeconds) s, so the callback may not be stored. Send it again.",
                Problem.blockedRetrySeconds, waiting.prepared.path[...], &response)
        }
        if response.status >= 400 { logRefusal(waiting.client) }
        if let streams = connection.streams {
            respondAwaited(connection, streams, slot, waiting.stream)
        } else {
            respondAwaited(connection, slot)
        }
    }
}
