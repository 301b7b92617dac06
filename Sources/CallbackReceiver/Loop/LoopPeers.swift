// A loop's dealings with whom a connection is from: those who are one too many, and proxies that say for whom they come.
//
//     one too many ──turnedAwayMax of them──▶ told 503, and closed
//                  └────────── more ────────▶ closed
//     awaits its PROXY header ──▶ served │ one too many │ malformed: closed without a word
//
// Promises: who is turned away has no place and costs a bounded number of descriptors for a moment. Until its PROXY
// header is whole nothing of a connection is taken for HTTP. Must not know: how many there may be (Admission).

import HTTPWire
import Platform

extension Loop {
    /// Connections too many that are only told so, for each loop; more are closed without a word.
    static let turnedAwayMax = 64

    /// Over `server.connections-max` where none rests, or over its address's limit: 503, and time to read it.
    mutating func turnAway(_ newcomer: Newcomer) {
        logTurnedAway(newcomer.peer)
        guard turnedAwayCount < Self.turnedAwayMax else {
            shed(.connection)
            return drop(newcomer)
        }
        guard let slot = open(newcomer, isTurnedAway: true), let connection = slots[slot] else { return }
        answerTurnedAway(connection)
        finish(connection, slot)
    }

    /// Closes one that no loop serves.
    func drop(_ newcomer: Newcomer) {
        Socket.close(newcomer.fd)
        context.admission.release(newcomer.peer)
    }

    private mutating func logTurnedAway(_ peer: Peer) {
        guard peer.standing == .beyondLimit else {
            return refusalLog.warning(
                "connection refused: as many as server.connections-max are open, and none is idle", [:], now: now)
        }
        refusalLog.warning(
            "connection refused: its address has as many as server.connections-per-address-max", ["peer": "\(peer.address)"], now: now)
    }

    /// In HTTP/1.1, whatever the peer speaks: it has said nothing yet.
    private mutating func answerTurnedAway(_ connection: Connection) {
        let detail =
            connection.peer.standing == .beyondLimit
            ? "Your address has as many connections as it may (server.connections-per-address-max). Close some, or use them again."
            : "The server has as many connections as it may (server.connections-max)."
        Router.unavailable(detail, Problem.overloadRetrySeconds, nil, &response)
        beginRefusal(connection)
        shed(.connection)
        countAnswer()
        connection.session.refuse(.headTimeout)
        connection.session.respondRefusal(response, date: date(), into: &output)
        decide(connection, .http1)
        connection.isClosing = true
    }

    /// The first bytes from a proxy that begins with a PROXY header. False where they are none: the protocol forbids to
    /// guess, and to answer who has not been named.
    mutating func receiveHeader(_ connection: Connection, _ slot: Int, received: Int) -> Bool {
        let bytes = connection.input + readBuffer[..<received]
        switch ProxyHeader.read(bytes.span) {
        case .needsMore:
            connection.input = bytes
        case .malformed:
            refusalLog.warning(
                "connection closed: a trusted proxy sent no PROXY header, which server.proxy-protocol asks for",
                ["peer": "\(connection.peer.address)"], now: now)
            return false
        case .header(let count, let source):
            connection.peer = context.admission.admit(named: source, by: connection.peer)
            connection.input = Array(bytes[count...])
            if connection.peer.standing == .beyondLimit {
                logTurnedAway(connection.peer)
                answerTurnedAway(connection)
            } else if !connection.input.isEmpty {
                decide(connection, slot, received: 0)
            }
        }
        return true
    }
}
