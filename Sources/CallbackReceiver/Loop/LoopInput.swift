// What arrives on a connection: read once for each event, told HTTP/1.1 from HTTP/2, and passed on.
//
// Promises: the version is decided by the first bytes alone (RFC 9113 §3.3, §3.4), and never again; nothing is read
// that nobody can use (back-pressure). Must not know: what the bytes say.

import HTTPWire
import Platform

extension Loop {
    mutating func serve(_ connection: Connection, _ slot: Int, _ ready: Readiness) {
        turn = 0
        if ready.contains(.writable), connection.hasOutput, !flush(connection) { return close(slot) }
        if ready.contains(.ended), !ready.contains(.hangup) {
            notePeerEnd(connection)
            guard slots[slot] === connection else { return }
        }
        if ready.contains(.readable) {
            if connection.isLingering { return readLingering(connection, slot) }
            if connection.isBusy {
                connection.isReadingPaused = true
            } else if !read(connection, slot) {
                return close(slot)
            }
        } else if ready.contains(.hangup) {
            // Reset: nothing can be answered any more. A callback that the log has is stored all the same.
            return close(slot)
        }
        finish(connection, slot)
    }

    /// Those that have more to serve, now that the others have had their turn.
    mutating func takeTurns() {
        guard !again.isEmpty else { return }
        var tokens: [UInt64] = []
        swap(&tokens, &again)
        for token in tokens {
            guard let connection = connection(of: token) else { continue }
            connection.isInTurn = false
            turn = 0
            finish(connection, slot(of: token))
        }
    }

    /// Reads once, parses, answers. False where the connection is gone.
    private mutating func read(_ connection: Connection, _ slot: Int) -> Bool {
        switch Socket.receive(connection.fd, into: &readBuffer, from: 0) {
        case .bytes(let count):
            if connection.peer.standing == .awaitsHeader {
                return receiveHeader(connection, slot, received: count)
            } else if !connection.isDecided {
                decide(connection, slot, received: count)
            } else if let streams = connection.streams {
                let buffer = readBuffer
                streams.session.receive(buffer.span.extracting(0..<count), now: now)
            } else {
                parse(connection, slot, received: count)
            }
        case .end:
            connection.peerClosed = true
            if connection.peer.standing == .awaitsHeader {
                // A proxy that only looked whether we are here.
                connection.isClosing = true
                break
            }
            if let streams = connection.streams {
                notePeerEnd(connection)
                // What has not come whole never will; what has is answered.
                streams.session.timeOutIncomplete(through: streams.session.newestStream)
                break
            }
            beginHTTP1(connection, slot)
            if connection.request != nil { refuse(.endedEarly, connection, slot) } else { connection.isClosing = true }
        case .wouldBlock: break
        case .failed: return false
        }
        return true
    }

    /// The first bytes: the connection preface of HTTP/2, or anything else.
    mutating func decide(_ connection: Connection, _ slot: Int, received: Int) {
        if !connection.input.isEmpty { connection.input.append(contentsOf: readBuffer[..<received]) }
        let bytes = connection.input.isEmpty ? readBuffer[..<received] : connection.input[...]
        switch HTTP2Session.beginsWithPreface(bytes.span) {
        case .no:
            decide(connection, .http1)
            parse(connection, slot, received: connection.input.isEmpty ? received : 0)
        case .undecided:
            connection.input = Array(bytes)
        case .yes:
            decide(connection, .http2)
            connection.input = []
            beginStreams(connection).session.receive(bytes.span, now: now)
        }
    }

    /// No more bytes will decide: what has come is HTTP/1.1, or nothing.
    mutating func beginHTTP1(_ connection: Connection, _ slot: Int) {
        guard !connection.isDecided else { return }
        decide(connection, .http1)
        parse(connection, slot, received: 0)
    }

    private mutating func readLingering(_ connection: Connection, _ slot: Int) {
        guard case .bytes(let count) = Socket.receive(connection.fd, into: &readBuffer, from: 0) else { return close(slot) }
        connection.lingerBytes += count
        if connection.lingerBytes > Self.lingerBytesMax { close(slot) }
    }
}
