// A loop's work on one HTTP/1.1 connection: bytes in, exchanges in their order, bytes out.
//
// Promises: requests of a connection are answered in their order, one at a time; input behind one that is
// answered later stays where it is. Must not know: accepting, other connections, HTTP/2.

import HTTPWire
import Platform

extension Loop {
    /// Parses what was received, behind what was left, until something is missing or has to be waited for.
    mutating func parse(_ connection: Connection, _ slot: Int, received: Int) {
        if connection.input.isEmpty {
            // The common case: everything is in the loop's buffer, and nothing of it stays.
            let buffer = readBuffer
            let consumed = parse(connection, slot, buffer.span.extracting(0..<received))
            if consumed < received { connection.input = Array(buffer[consumed..<received]) }
        } else {
            if received > 0 { connection.input.append(contentsOf: readBuffer[..<received]) }
            let input = connection.input
            connection.input = []
            let consumed = parse(connection, slot, input.span)
            if consumed < input.count { connection.input = consumed == 0 ? input : Array(input[consumed...]) }
        }
    }

    private mutating func parse(_ connection: Connection, _ slot: Int, _ input: Span<UInt8>) -> Int {
        var position = 0
        if let held = connection.request {
            request = held
            connection.request = nil
        }
        var isComplete = true
        // What is unsent already bounds what is answered next: a peer that does not read is not served.
        while isComplete, !connection.awaitsAnswer, !connection.isClosing, !connection.hasOutput,
            output.count < Self.unsentBytesMax, turn < Self.turnExchangesMax
        {
            switch connection.session.receive(input, at: &position, into: &request) {
            case .needsMore: isComplete = false
            case .sendContinue: HTTP1Session.appendContinue(to: &output)
            case .request:
                // What comes next has its own time.
                deadlines.renew(slot, now: now)
                turn += 1
                switch exchange(connection, slot, stream: 0) {
                case .response:
                    turn += response.body.count / Self.turnBytesPerExchange
                    respond(connection, hasMore: position < input.count)
                case .later: connection.awaitsAnswer = true
                case .written: connection.isClosing = connection.session.mustClose
                }
            case .refused(let refusal):
                let rest = input.extracting(position..<input.count)
                if awaitsRest(connection, refusal, came: rest.count) { isComplete = false } else { answerRefusal(refusal, connection, slot, rest: rest) }
            }
        }
        connection.hasWaitingInput = isComplete && !connection.isClosing && position < input.count
        let awaiting = connection.session.awaiting
        if awaiting == .head || awaiting == .body || connection.rest == .awaited {
            connection.request = request
            request = Request()
        }
        return position
    }

    /// While draining, the last answer closes: with requests still behind it, that is not this one.
    private mutating func respond(_ connection: Connection, hasMore: Bool) {
        countAnswer()
        connection.session.respond(
            response, date: date(), close: connection.peerClosed && !hasMore || isDraining && !hasMore, into: &output)
        connection.isClosing = connection.session.mustClose
        connection.wasAnswered = true
    }

    /// A callback that is too large is refused once as much of it has come as is kept, or for a while no more has.
    private mutating func awaitsRest(_ connection: Connection, _ refusal: Refusal, came: Int) -> Bool {
        guard refusal == .bodyTooLarge, connection.rest != .over, !connection.peerClosed else { return false }
        let wanted = context.router.keptBytes(of: request, role: connection.role, using: &scratch)
        connection.rest = came < wanted ? .awaited : .over
        return connection.rest == .awaited
    }

    /// - Parameter rest: what came behind what was read.
    private mutating func answerRefusal(_ refusal: Refusal, _ connection: Connection, _ slot: Int, rest: Span<UInt8>) {
        Problem.fill(&response, status: refusal.status, detail: refusal.detail, for: request)
        beginRefusal(connection)
        if let kept = context.router.keptRefusal(refusal, of: request, rest: rest, role: connection.role, using: &scratch) {
            if case .later = refuse(kept, connection, slot, stream: 0, reason: "\(refusal)") {
                connection.awaitsAnswer = true
                return
            }
        } else {
            logRefusal(client(connection), reason: "\(refusal)")
        }
        countAnswer()
        connection.session.respondRefusal(response, date: date(), into: &output)
        connection.isClosing = true
    }

    /// Refuses the request of which a part has come: only here can be seen that the rest does not.
    mutating func refuse(_ refusal: Refusal, _ connection: Connection, _ slot: Int) {
        guard let held = connection.request else { return }
        if connection.rest == .awaited {
            // It was refused before, with what came of it.
            connection.rest = .over
            return parse(connection, slot, received: 0)
        }
        // Its own, not whichever the loop parsed last: the problem names its path.
        request = held
        connection.request = nil
        connection.session.refuse(refusal)
        let rest: [UInt8] = []
        answerRefusal(refusal, connection, slot, rest: rest.span)
    }

    /// What was to be answered later is, by `response`.
    mutating func respondAwaited(_ connection: Connection, _ slot: Int) {
        connection.awaitsAnswer = false
        turn = 0
        if isDraining, connection.input.isEmpty { readBehindAwaited(connection) }
        respond(connection, hasMore: !connection.input.isEmpty)
        if connection.mayGoOn { parse(connection, slot, received: 0) }
        finish(connection, slot)
    }

    /// The content of a streamed answer ends, and its exchange with it.
    mutating func endContent(_ connection: Connection, _ slot: Int, isWhole: Bool) {
        connection.awaitsAnswer = false
        turn = 0
        if isDraining, connection.input.isEmpty { readBehindAwaited(connection) }
        if isWhole {
            let hasMore = !connection.input.isEmpty
            connection.session.endContent(close: (connection.peerClosed || isDraining) && !hasMore, into: &output)
        } else {
            connection.session.breakOff()
        }
        connection.isClosing = connection.session.mustClose
        if connection.mayGoOn { parse(connection, slot, received: 0) }
        finish(connection, slot)
    }

    /// While draining, an answer with nothing behind it closes: what came while it was waited for is behind it.
    private mutating func readBehindAwaited(_ connection: Connection) {
        guard case .bytes(let count) = Socket.receive(connection.fd, into: &readBuffer, from: 0) else { return }
        connection.input = Array(readBuffer[..<count])
        connection.hasWaitingInput = true
    }

    /// Requests that waited for the peer to read, or for an answer before them: their turn.
    mutating func parseWaiting(_ connection: Connection, _ slot: Int) -> Bool {
        guard connection.mayGoOn, turn < Self.turnExchangesMax else { return false }
        parse(connection, slot, received: 0)
        return true
    }
}
