// A loop's exchanges, whichever HTTP version brings them: request ─▶ route ─▶ answer, or what has to come first.
//
// Promises: a callback is decoded only where it can be stored; what the log says finds the exchange by its ticket, and
// the connection by its generation. Must not know: bytes, frames, descriptors.

import CallbackLog
import CrispCallback
import HTTPWire
import Logging
import Platform

/// What has become of an exchange.
enum Served {
    /// `response` is to be written.
    case response
    /// The answer comes later.
    case later
    /// The answer is written.
    case written
}

extension Loop {
    /// Routes the loop's `request`.
    mutating func exchange(_ connection: Connection, _ slot: Int, stream: Int32) -> Served {
        beginMeasure(connection)
        let isBehind = exchanges.isFull || exchanges.isBehind(now: now, loops: context.handles.count)
        let disposition = context.router.route(
            request, from: connection.peer.address, role: connection.role, isDraining: isDraining, isOverloaded: isBehind,
            into: &response, using: &scratch)
        measure.route = scratch.metered
        switch disposition {
        case .respond:
            if scratch.isShed { shed(.record) }
            if response.status >= 400, connection.role.contains(.callback), request.method == .post {
                logRefusal(client(connection), reason: scratch.isShed ? Self.overloaded : nil)
            }
            return .response
        case .append(let prepared):
            measure.access?.requestID = prepared.requestID
            let submission = prepared.submission(recipient: recipient, ticket: exchanges.nextTicket)
            guard !exchanges.isFull, context.router.log.append(submission) else {
                Router.overloaded(prepared.path[...], &response)
                shed(.record)
                logRefusal(client(connection), reason: Self.overloaded)
                return .response
            }
            exchanges.begin(
                WaitingExchange(
                    token: token(connection, slot), stream: stream, client: client(connection), prepared: prepared, began: now, measure: measure))
            return .later
        case .query(let query):
            return ask(query, token: token(connection, slot), stream: stream, client: client(connection)) ? .response : .later
        case .wait(let prepared):
            measure.route = .requestWait
            return park(prepared, connection, slot, stream: stream) ? .later : .response
        case .stream(let prepared):
            return open(prepared, connection, slot, stream: stream)
        case .keep(let refusal):
            return refuse(refusal, connection, slot, stream: stream)
        }
    }

    /// `response` refuses the loop's `request`, whose body is kept before it is told.
    mutating func refuse(_ refusal: KeptRefusal, _ connection: Connection, _ slot: Int, stream: Int32, reason: String? = nil) -> Served {
        let client = client(connection)
        logRefusal(client, reason: reason)
        let path = request.isHeadComplete ? Array(request.bytes(request.path)) : []
        return keep(refusal, token: token(connection, slot), stream: stream, client: client, path: path) ? .response : .later
    }

    /// `response` refuses the loop's `request`. A refused callback is what an operator wants to know of; its bytes are nobody's
    /// business here (invariant 9).
    ///
    /// - Parameter reason: a few words, where its status does not say it.
    mutating func logRefusal(_ client: IPAddress, reason: String? = nil) {
        if response.status == 401, let reason = scratch.unproved { return logUnproved(reason, client) }
        refusalLog.warning("request refused", Self.refused(response.status, LoggedTarget(request), client, reason), now: now)
    }

    /// `response` refuses what waited for the log, whose request is gone.
    private mutating func logRefusal(_ waiting: WaitingExchange, reason: String?) {
        refusalLog.warning("request refused", Self.refused(response.status, LoggedTarget(waiting.prepared), waiting.client, reason), now: now)
    }

    private static func refused(_ status: UInt16, _ target: LoggedTarget?, _ client: IPAddress, _ reason: String?) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["status": .stringConvertible(status), "peer": "\(client)"]
        if let target {
            metadata["method"] = "\(target.method)"
            metadata["path"] = "\(target.path)"
        }
        if let reason { metadata["reason"] = "\(reason)" }
        return metadata
    }

    private static let overloaded = "too many wait for the disk"

    /// Names the proof and never a value. The first one is said whatever else there is to say.
    private mutating func logUnproved(_ reason: ProofOfOrigin.Refusal, _ client: IPAddress) {
        guard context.router.origin.isFirstRefusal() else {
            return refusalLog.warning("request refused", Self.refused(401, LoggedTarget(request), client, reason.description), now: now)
        }
        context.logger.warning(
            "a callback was refused because nothing proves where it is from; if it was Crisp's, the callback URL or the configuration is wrong",
            metadata: ["peer": "\(client)", "reason": "\(reason.description)"])
    }

    /// Whom the loop's `request` is from, which came over `connection`.
    func client(_ connection: Connection) -> IPAddress {
        context.admission.proxies.client(of: request, from: connection.peer.address)
    }

    /// The log's word on records.
    mutating func answer(_ acknowledgements: [Acknowledgement]) {
        for acknowledgement in acknowledgements {
            guard let waiting = exchanges.take(acknowledgement.ticket) else { continue }
            answer(waiting, acknowledgement.outcome)
        }
    }

    /// Those that the log has kept for too long (invariant 3).
    mutating func answerExpired() {
        // Before the first of them: they are why this is to be known.
        if let at = exchanges.expiresAt, at <= now { context.router.log.noteStall() }
        while let waiting = exchanges.takeExpired(now: now) { answer(waiting, nil) }
    }

    private mutating func answer(_ waiting: WaitingExchange, _ outcome: AppendOutcome?) {
        guard connection(of: waiting.token) != nil else { return }
        measure = waiting.measure
        if let outcome {
            switch waiting.prepared {
            case .callback(let callback):
                Router.answer(callback, outcome, into: &response)
                if let refusal = Router.keptRefusal(callback, outcome) {
                    logRefusal(waiting, reason: nil)
                    let isToldNow = keep(refusal, token: waiting.token, stream: waiting.stream, client: waiting.client, path: callback.path)
                    if isToldNow { respondLater(waiting.token, waiting.stream) }
                    return
                }
            case .announcement(let announcement):
                response.reset()
                if let query = announcement.answer(outcome, &response),
                    !ask(query, token: waiting.token, stream: waiting.stream, client: waiting.client)
                {
                    return
                }
            }
        } else {
            Router.unavailable(
                "The disk has not answered for \(Exchanges.commitSeconds) s, so the \(waiting.prepared.name) may not be stored. Send it again.",
                Problem.blockedRetrySeconds, waiting.prepared.path[...], &response)
        }
        if response.status >= 400 { logRefusal(waiting, reason: Self.reason(outcome)) }
        respondLater(waiting.token, waiting.stream)
    }

    /// Why a record is refused, where its status does not say it.
    private static func reason(_ outcome: AppendOutcome?) -> String? {
        switch outcome {
        case nil: "the disk has not answered"
        // Which the line that says so names.
        case .blocked: "the log takes nothing"
        default: nil
        }
    }

    /// `response` is the answer that was to come later. A connection that several of them answer over HTTP/2 writes once,
    /// in `finishTouched`.
    mutating func respondLater(_ token: UInt64, _ stream: Int32) {
        guard let connection = connection(of: token) else { return }
        if let streams = connection.streams {
            respondAwaited(connection, streams, slot(of: token), stream)
        } else {
            respondAwaited(connection, slot(of: token))
        }
    }
}
