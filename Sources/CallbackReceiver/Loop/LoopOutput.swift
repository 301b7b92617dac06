// The end of every event of a connection: what is written, what is watched for, how long it may last, when it closes.
//
// Promises: after each event there is one write as a rule, epoll watches exactly for what can be used, and there is one
// deadline, or an exchange that has one. Must not know: requests, answers.

import HTTPWire
import Platform

extension Loop {
    /// After everything else of an event: writes, closes what is done, watches for what can be used.
    mutating func finish(_ connection: Connection, _ slot: Int) {
        var goesOn = true
        while goesOn {
            if let streams = connection.streams {
                serveWhole(connection, streams, slot)
                sendFrames(connection, streams)
            }
            let hasWritten = !output.isEmpty
            if hasWritten, !send(connection, slot) { return close(slot) }
            // What waited for the peer to read may go on now.
            goesOn = connection.streams == nil ? parseWaiting(connection, slot) : hasWritten && !connection.hasOutput
        }
        if let streams = connection.streams { noteStreams(connection, streams) }
        if !connection.deferred.isEmpty { askStreams(connection) }
        giveBackLarge()
        if turn >= Self.turnExchangesMax, connection.streams != nil || connection.mayGoOn, !connection.isInTurn {
            connection.isInTurn = true
            again.append(token(connection, slot))
        }
        if connection.isClosing, !connection.awaitsAnswer, !connection.hasOutput, !connection.isLingering {
            if connection.peerClosed { return close(slot) }
            endSending(connection)
        }
        if connection.isReadingPaused, !connection.isBusy { connection.isReadingPaused = false }
        watch(connection, slot)
        setDeadline(connection, slot)
        account(connection, slot)
    }

    /// Every state has a deadline, and has it once: however a head drips, it is not longer for that. A connection whose
    /// exchange is answered later has none of its own: the exchange has.
    mutating func setDeadline(_ connection: Connection, _ slot: Int) {
        guard let kind = awaited(connection) else { return deadlines.clear(slot) }
        guard deadlines.kind(of: slot) != kind else { return }
        if kind == .write { connection.takenBytes = 0 }
        deadlines.set(kind, for: slot, now: now)
    }

    private func awaited(_ connection: Connection) -> Deadline? {
        if connection.isLingering { return .linger }
        if connection.peer.standing == .awaitsHeader { return .head }
        if let streams = connection.streams {
            if !streams.session.isReady { return .head }
            return streams.isResting && !connection.hasOutput ? (isDraining ? .drain : .idle) : .streams
        }
        // What is streamed is taken in time, too; so is what was answered before something that may wait for long.
        if connection.awaitsAnswer, connection.deferred.isEmpty || !connection.hasOutput { return nil }
        if connection.hasOutput { return .write }
        switch connection.session.awaiting {
        case .head: return .head
        case .body: return .body
        case .idle, .answer:
            if connection.rest == .awaited { return .rest }
            if !connection.isDecided, !connection.input.isEmpty { return .head }
            return isDraining ? .drain : .idle
        }
    }

    private mutating func watch(_ connection: Connection, _ slot: Int) {
        var interest: Readiness = []
        if !connection.peerClosed, !connection.isReadingPaused { interest.insert(.readable) }
        if connection.hasOutput { interest.insert(.writable) }
        // Nothing is read behind a wait or a stream, but a peer that leaves is to be noticed.
        if !connection.deferred.isEmpty, connection.streams == nil, !connection.isPeerEndNoted { interest.insert(.ended) }
        if interest != connection.interest {
            events.modify(connection.fd, token: token(connection, slot), interest: interest)
            connection.interest = interest
        }
    }

    /// Puts the loop's output behind the connection's, and writes. False where the connection is gone.
    private mutating func send(_ connection: Connection, _ slot: Int) -> Bool {
        if connection.hasOutput {
            connection.output.append(contentsOf: output)
        } else {
            swap(&connection.output, &output)
            connection.outputStart = 0
        }
        output.removeAll(keepingCapacity: output.capacity <= Self.keptBytesMax)
        return flush(connection)
    }

    /// Writes what there is, in one call. False where the connection is gone.
    mutating func flush(_ connection: Connection) -> Bool {
        switch Socket.send(connection.fd, connection.output, from: connection.outputStart) {
        case .failed: return false
        case .wouldBlock: break
        case .bytes(let count):
            connection.outputStart += count
            connection.takenBytes += count
            if !connection.hasOutput { reclaimOutput(connection) }
        }
        return true
    }

    /// The storage goes back to the loop, unless it is needed or large.
    private mutating func reclaimOutput(_ connection: Connection) {
        connection.outputStart = 0
        if output.isEmpty, connection.output.capacity <= Self.keptBytesMax {
            swap(&connection.output, &output)
            output.removeAll(keepingCapacity: true)
        }
        connection.output = []
    }

    /// One large request or answer must not stay with the loop for ever.
    private mutating func giveBackLarge() {
        if request.body.capacity > Self.keptBytesMax { request = Request() }
        if response.body.capacity > Self.keptBytesMax { response.body = [] }
    }

    /// FIN, and then the peer's, so that it can read our answer before a reset reaches it.
    private mutating func endSending(_ connection: Connection) {
        Socket.closeSending(connection.fd)
        connection.isLingering = true
        connection.isReadingPaused = false
        connection.input = []
    }

    // MARK: time

    mutating func expire(_ connection: Connection, _ slot: Int, _ kind: Deadline) {
        switch kind {
        case .linger: close(slot)
        case .idle:
            guard let streams = connection.streams else { return close(slot) }
            streams.session.endShutdown()
            finish(connection, slot)
        case .write:
            // Less than this, and more still unsent: a trickle holds a connection no longer than silence does.
            if connection.takenBytes < Deadlines.writeBytesMin { close(slot) } else { setDeadline(connection, slot) }
        case .drain where connection.streams == nil && Socket.isReadable(connection.fd):
            // It has come at the last moment, and is read next.
            setDeadline(connection, slot)
        case .drain:
            // Nothing was on its way. FIN first: what crosses it is answered by nobody, and the peer sees why.
            if let streams = connection.streams { streams.session.endShutdown() } else { connection.isClosing = true }
            finish(connection, slot)
        case .streams:
            if let streams = connection.streams { lookOver(connection, streams, slot) }
        case .head, .body, .rest:
            if connection.streams != nil || connection.peer.standing == .awaitsHeader { return close(slot) }
            beginHTTP1(connection, slot)
            refuse(kind == .head ? .headTimeout : .bodyTimeout, connection, slot)
            finish(connection, slot)
        }
    }
}
