// A loop's streamed answers: head at once, then piece by piece what a source gives.
//
//     open ──▶ ready ──output is low──▶ asked ──bytes──▶ ready
//                                         │ ──waiting──▶ parked ──records arrive──▶ asked
//                                         └ ──end, broken──▶ gone
//
// Promises: a source is asked only when its peer has taken nearly all that came before, so that a stream holds one piece at
// most; who does not read falls under the deadline for writing. An idle event stream has a comment each `commentSeconds`.
// Must not know: what is streamed, frames, chunks.

import HTTPWire
import Platform

/// What is known of one. Owned by its loop.
final class OpenStream {
    enum Phase {
        case ready, asked, parked
    }

    let kind: StreamKind
    /// Nil while it is asked, elsewhere.
    var source: (any StreamSource)?
    var phase = Phase.ready
    /// When something was last sent.
    var sentAt: Int64
    /// The loop's count when it was asked.
    var advanceCount: UInt64 = 0

    init(_ prepared: PreparedStream, now: Int64) {
        kind = prepared.kind
        source = prepared.source
        sentAt = now
    }

    var lane: AskingLane { kind == .events ? .following : .exporting }
}

extension Loop {
    /// What a source is asked for at a time.
    static let pieceBytesMax = 16 * 1_024
    /// With no more than this unsent a source is asked again, so that the peer need not wait for it.
    static let lowWaterBytes = 4 * 1_024
    /// Proxies close what says nothing for a minute or so; a peer that is gone shows when it is written to.
    static let commentSeconds = 15
    /// A line of an event stream that says nothing (WHATWG HTML §9.2.6).
    private static let comment: [UInt8] = Array(":\n\n".utf8)
    /// An export that has to wait is asked again after this.
    private static let exportPauseMilliseconds: Int64 = 1_000
    /// One that still has nothing to send after this is broken off: there is one place less for others as long as it waits, and
    /// whether its peer is still there nobody knows.
    private static let exportWaitMilliseconds: Int64 = 60_000

    /// Begins the streamed answer whose head is `response`.
    mutating func open(_ prepared: PreparedStream, _ connection: Connection, _ slot: Int, stream: Int32) -> Served {
        let capacity = context.following.capacity(for: prepared.kind)
        guard !isDraining, capacity.take() else {
            let detail = isDraining ? "The server is stopping. Ask again in a moment." : "As many streams of this kind are open as may. Ask again later."
            Router.unavailable(detail, Problem.blockedRetrySeconds, prepared.path[...], &response)
            if !isDraining { shed(.stream) }
            return .response
        }
        guard beginContent(connection, stream: stream) else {
            capacity.release()
            return .written
        }
        let open = OpenStream(prepared, now: now)
        let deferral = Deferral(
            token: token(connection, slot), stream: stream, client: client(connection), path: prepared.path, awaited: .stream(open))
        let ticket = deferrals.begin(deferral, until: dueAt(open))
        connection.deferred[stream] = ticket
        if prepared.kind == .events { beginFollowing() }
        return .later
    }

    /// True where content follows: not to HEAD.
    private mutating func beginContent(_ connection: Connection, stream: Int32) -> Bool {
        connection.wasAnswered = true
        countAnswer()
        if let streams = connection.streams { return streams.session.beginContent(response, to: stream, date: date()) }
        return connection.session.beginContent(response, date: date(), close: false, into: &output)
    }

    /// At the end of each event of a connection: whose output is low is asked for more.
    mutating func askStreams(_ connection: Connection) {
        for (stream, ticket) in connection.deferred {
            guard case .stream(let open) = deferrals[ticket]?.awaited, open.phase == .ready else { continue }
            if unsentBytes(connection, stream: stream) <= Self.lowWaterBytes { ask(open, ticket) }
        }
    }

    private func unsentBytes(_ connection: Connection, stream: Int32) -> Int {
        guard let streams = connection.streams else { return connection.output.count - connection.outputStart }
        return streams.session.unsentContentBytes(of: stream) ?? 0
    }

    private mutating func ask(_ open: OpenStream, _ ticket: UInt64) {
        open.phase = .asked
        if open.lane == .following { followingLine.add(ticket) } else { exportingLine.add(ticket) }
    }

    /// A source has come back with its next piece.
    mutating func answer(_ ticket: UInt64, by source: consuming any StreamSource, _ piece: StreamPiece) {
        guard let deferral = deferrals[ticket], case .stream(let open) = deferral.awaited else { return }
        open.source = source
        switch piece {
        case .bytes(let content):
            open.phase = .ready
            send(content, open, ticket, deferral)
        case .waiting where open.kind == .events && open.advanceCount != advanceCount: ask(open, ticket)
        case .waiting where open.kind == .export && now - open.sentAt >= (isDraining ? Self.exportPauseMilliseconds : Self.exportWaitMilliseconds):
            endContent(ticket, isWhole: false)
        case .waiting:
            open.phase = .parked
            if open.kind == .events { parkedStreams.insert(ticket) }
        case .end: endContent(ticket, isWhole: true)
        case .broken: endContent(ticket, isWhole: false)
        }
    }

    private mutating func send(_ content: [UInt8], _ open: OpenStream, _ ticket: UInt64, _ deferral: Deferral) {
        open.sentAt = now
        deferrals.setTime(of: ticket, dueAt(open))
        guard let connection = connection(of: deferral.token) else { return }
        if let streams = connection.streams {
            streams.session.append(content: content.span, to: deferral.stream)
            touch(connection, streams, slot(of: deferral.token))
        } else {
            connection.session.append(content: content.span, to: &output)
            turn = 0
            finish(connection, slot(of: deferral.token))
        }
    }

    /// The content ends; broken off where it is not whole.
    mutating func endContent(_ ticket: UInt64, isWhole: Bool) {
        guard let deferral = settle(ticket), let connection = connection(of: deferral.token) else { return }
        let slot = slot(of: deferral.token)
        if let streams = connection.streams {
            endContent(connection, streams, slot, deferral.stream, isWhole: isWhole)
        } else {
            endContent(connection, slot, isWhole: isWhole)
        }
    }

    /// Records have arrived.
    mutating func askParkedStreams() {
        var tickets: Set<UInt64> = []
        swap(&tickets, &parkedStreams)
        for ticket in tickets {
            if case .stream(let open) = deferrals[ticket]?.awaited { ask(open, ticket) }
        }
    }

    // MARK: time

    private func dueAt(_ open: OpenStream) -> Int64 {
        switch open.kind {
        case .events: open.sentAt + Int64(Self.commentSeconds) * 1_000
        case .export: now + Self.exportPauseMilliseconds
        }
    }

    /// An event stream has been idle, or an export may go on.
    mutating func attend(_ open: OpenStream, _ ticket: UInt64, _ deferral: Deferral) {
        switch open.kind {
        case .events: comment(open, ticket, deferral)
        case .export:
            deferrals.setTime(of: ticket, dueAt(open))
            if open.phase == .parked { ask(open, ticket) }
        }
    }

    /// Something to send where nothing else is: a peer that is gone shows by it.
    mutating func comment(_ open: OpenStream, _ ticket: UInt64, _ deferral: Deferral) {
        guard let connection = connection(of: deferral.token), unsentBytes(connection, stream: deferral.stream) == 0 else {
            // What is unsent has the deadline for writing.
            return deferrals.setTime(of: ticket, now + Int64(Self.commentSeconds) * 1_000)
        }
        send(Self.comment, open, ticket, deferral)
    }
}
