// A loop's work on one connection: bytes in, exchanges, bytes out.
//
// Promises: requests of a connection are answered in their order, one at a time; input behind one that waits
// for the log stays where it is. After each event there is at most one write, and epoll watches exactly for
// what can be used.
// Must not know: accepting, other connections.

import CallbackLog
import HTTPWire
import Platform

extension Loop {
    func serve(_ connection: Connection, _ slot: Int, _ ready: Readiness) {
        if ready.contains(.writable), connection.hasOutput, !flush(connection, slot) { return close(slot) }
        if ready.contains(.readable) {
            if connection.isLingering { return readLingering(connection, slot) }
            if connection.isBusy {
                connection.isReadingPaused = true
            } else if !read(connection, slot) {
                return close(slot)
            }
        } else if ready.contains(.hangup) {
            // Reset: nothing can be answered any more. A callback in flight is stored all the same.
            return close(slot)
        }
        finish(connection, slot)
    }

    /// Reads once, parses, answers. False where the connection is gone.
    private func read(_ connection: Connection, _ slot: Int) -> Bool {
        switch Socket.receive(connection.fd, into: &readBuffer, from: 0) {
        case .bytes(let count):
            parse(connection, slot, received: count)
        case .end:
            connection.peerClosed = true
            if connection.request != nil { refuse(.endedEarly, connection) } else { connection.isClosing = true }
        case .wouldBlock: break
        case .failed: return false
        }
        return true
    }

    /// Parses what was received, behind what was left, until something is missing or has to be waited for.
    func parse(_ connection: Connection, _ slot: Int, received: Int) {
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

    private func parse(_ connection: Connection, _ slot: Int, _ input: Span<UInt8>) -> Int {
        var position = 0
        if let held = connection.request {
            request = held
            connection.request = nil
        }
        var isComplete = true
        // What is unsent already bounds what is answered next: a peer that does not read is not served.
        while isComplete, connection.pending == nil, !connection.isClosing, !connection.hasOutput, output.count < Self.unsentBytesMax {
            switch connection.session.receive(input, at: &position, into: &request) {
            case .needsMore: isComplete = false
            case .sendContinue: HTTP1Session.appendContinue(to: &output)
            case .request: exchange(connection, slot, hasMore: position < input.count)
            case .refused(let refusal): answerRefusal(refusal, connection)
            }
        }
        connection.hasWaitingInput = isComplete && !connection.isClosing && position < input.count
        let awaiting = connection.session.awaiting
        if awaiting == .head || awaiting == .body {
            connection.request = request
            request = Request()
        }
        return position
    }

    /// One complete request.
    private func exchange(_ connection: Connection, _ slot: Int, hasMore: Bool) {
        // What comes next has its own time.
        deadlines.renew(slot, now: now)
        switch context.router.route(request, role: connection.role, isDraining: isDraining, into: &response, using: &scratch) {
        case .respond:
            if response.status >= 400, connection.role.contains(.callback), request.method == .post { logRefusal(connection) }
        case .append(let prepared):
            let ticket = nextTicket(for: slot)
            let submission = Submission(
                record: prepared.record, requestID: prepared.decoded.requestID, payload: prepared.decoded.payload,
                status: RecordedStatus(prepared.decoded.status), recipient: recipient, ticket: ticket)
            if context.router.log.append(submission) {
                connection.pending = Connection.Pending(ticket: ticket, prepared: prepared)
                return
            }
            Router.unavailable("Too many callbacks wait for the disk. Send it again.", Problem.overloadRetrySeconds, prepared.path[...], &response)
        }
        respond(connection, hasMore: hasMore)
    }

    /// While draining, the last answer closes: with requests still behind it, that is not this one.
    private func respond(_ connection: Connection, hasMore: Bool) {
        connection.session.respond(
            response, date: date(), close: connection.peerClosed && !hasMore || isDraining && !hasMore, into: &output)
        connection.isClosing = connection.session.mustClose
        connection.wasAnswered = true
    }

    private func answerRefusal(_ refusal: Refusal, _ connection: Connection) {
        Problem.fill(&response, status: refusal.status, detail: refusal.detail, for: request)
        connection.session.respondRefusal(response, date: date(), into: &output)
        connection.isClosing = true
        logRefusal(connection)
    }

    /// Refuses the request of which a part has come: only here can be seen that the rest does not.
    private func refuse(_ refusal: Refusal, _ connection: Connection) {
        guard let held = connection.request else { return }
        // Its own, not whichever the loop parsed last: the problem names its path.
        request = held
        connection.request = nil
        connection.session.refuse(refusal)
        answerRefusal(refusal, connection)
    }

    /// A refused callback is what an operator wants to know of; its bytes are nobody's business here (invariant 9).
    private func logRefusal(_ connection: Connection) {
        refusalLog.warning(
            "request refused", ["status": "\(response.status)", "peer": "\(Socket.peerHost(connection.fd))"], now: now)
    }

    /// The log's word on a callback.
    func answer(_ acknowledgement: Acknowledgement) {
        let slot = Int(acknowledgement.ticket >> 40)
        guard slot < slots.count, let connection = slots[slot], let pending = connection.pending,
            pending.ticket == acknowledgement.ticket
        else { return }
        answerPending(connection, slot, pending, acknowledgement.outcome)
    }

    private func answerPending(_ connection: Connection, _ slot: Int, _ pending: Connection.Pending, _ outcome: AppendOutcome?) {
        connection.pending = nil
        deadlines.clear(slot)
        if let outcome {
            Router.answer(pending.prepared, outcome, into: &response)
        } else {
            Router.unavailable(
                "The disk has not answered for \(Deadlines.commitSeconds) s, so the callback may not be stored. Send it again.",
                Problem.blockedRetrySeconds, pending.prepared.path[...], &response)
        }
        if response.status >= 400 { logRefusal(connection) }
        if isDraining, connection.input.isEmpty { readBehindPending(connection) }
        respond(connection, hasMore: !connection.input.isEmpty)
        if connection.hasWaitingInput, !connection.hasOutput, !connection.isClosing { parse(connection, slot, received: 0) }
        finish(connection, slot)
    }

    /// While draining, an answer with nothing behind it closes: what came while it was waited for is behind it.
    private func readBehindPending(_ connection: Connection) {
        guard case .bytes(let count) = Socket.receive(connection.fd, into: &readBuffer, from: 0) else { return }
        connection.input = Array(readBuffer[..<count])
        connection.hasWaitingInput = true
    }

    // MARK: output

    /// After everything else of an event: writes, closes what is done, watches for what can be used.
    func finish(_ connection: Connection, _ slot: Int) {
        while true {
            if !output.isEmpty, !send(connection, slot) { return close(slot) }
            // Requests that waited for the peer to read: their turn.
            guard connection.hasWaitingInput, connection.pending == nil, !connection.hasOutput, !connection.isClosing else { break }
            parse(connection, slot, received: 0)
        }
        giveBackLarge()
        if connection.isClosing, connection.pending == nil, !connection.hasOutput, !connection.isLingering {
            if connection.peerClosed { return close(slot) }
            endSending(connection)
        }
        if connection.isReadingPaused, !connection.isBusy { connection.isReadingPaused = false }
        watch(connection, slot)
        setDeadline(connection, slot)
    }

    /// Every state has a deadline, and has it once: however a head drips, it is not longer for that. Whatever
    /// begins anew (an answer, a peer that reads on) was cleared before.
    func setDeadline(_ connection: Connection, _ slot: Int) {
        let kind: Deadline =
            if connection.isLingering { .linger } else if connection.pending != nil { .commit } else if connection.hasOutput {
                .write
            } else {
                switch connection.session.awaiting {
                case .head: .head
                case .body: .body
                case .idle, .answer: isDraining ? .drain : .idle
                }
            }
        if deadlines.kind(of: slot) != kind { deadlines.set(kind, for: slot, now: now) }
    }

    private func watch(_ connection: Connection, _ slot: Int) {
        var interest: Readiness = []
        if !connection.peerClosed, !connection.isReadingPaused { interest.insert(.readable) }
        if connection.hasOutput { interest.insert(.writable) }
        if interest != connection.interest {
            events.modify(connection.fd, token: token(connection, slot), interest: interest)
            connection.interest = interest
        }
    }

    /// Puts the loop's output behind the connection's, and writes. False where the connection is gone.
    private func send(_ connection: Connection, _ slot: Int) -> Bool {
        if connection.hasOutput {
            connection.output.append(contentsOf: output)
        } else {
            swap(&connection.output, &output)
            connection.outputStart = 0
        }
        output.removeAll(keepingCapacity: output.capacity <= Self.keptBytesMax)
        return flush(connection, slot)
    }

    /// Writes what there is, in one call. False where the connection is gone.
    private func flush(_ connection: Connection, _ slot: Int) -> Bool {
        switch Socket.send(connection.fd, connection.output, from: connection.outputStart) {
        case .failed: return false
        case .wouldBlock: break
        case .bytes(let count):
            connection.outputStart += count
            if deadlines.kind(of: slot) == .write { deadlines.clear(slot) }
            if !connection.hasOutput { reclaimOutput(connection) }
        }
        return true
    }

    /// The storage goes back to the loop, unless it is needed or large.
    private func reclaimOutput(_ connection: Connection) {
        connection.outputStart = 0
        if output.isEmpty, connection.output.capacity <= Self.keptBytesMax {
            swap(&connection.output, &output)
            output.removeAll(keepingCapacity: true)
        }
        connection.output = []
    }

    /// One large request or answer must not stay with the loop for ever.
    private func giveBackLarge() {
        if request.body.capacity > Self.keptBytesMax { request = Request() }
        if response.body.capacity > Self.keptBytesMax { response.body = [] }
    }

    /// FIN, and then the peer's, so that it can read our answer before a reset reaches it.
    private func endSending(_ connection: Connection) {
        Socket.closeSending(connection.fd)
        connection.isLingering = true
        connection.isReadingPaused = false
        connection.input = []
    }

    private func readLingering(_ connection: Connection, _ slot: Int) {
        guard case .bytes(let count) = Socket.receive(connection.fd, into: &readBuffer, from: 0) else { return close(slot) }
        connection.lingerBytes += count
        if connection.lingerBytes > Self.lingerBytesMax { close(slot) }
    }

    // MARK: time

    func expire(_ connection: Connection, _ slot: Int, _ kind: Deadline) {
        switch kind {
        case .idle, .linger, .write: close(slot)
        case .drain:
            // Nothing was on its way. FIN first: what crosses it is answered by nobody, and the peer sees why.
            connection.isClosing = true
            finish(connection, slot)
        case .head, .body:
            refuse(kind == .head ? .headTimeout : .bodyTimeout, connection)
            finish(connection, slot)
        case .commit:
            if let pending = connection.pending { answerPending(connection, slot, pending, nil) }
        }
    }
}
