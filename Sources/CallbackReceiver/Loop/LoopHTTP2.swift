// A loop's work on one HTTP/2 connection: bytes in, exchanges of many streams, frames out (RFC 9113).
//
// Promises: a request is routed when it is whole, and answered when its answer is there, whatever its neighbours wait
// for. A connection with open streams is looked over each second, so that nothing outlasts its time however the peer
// mixes streams, windows and pauses. Must not know: frames, windows, header compression.

import HTTPWire
import Platform

extension Loop {
    /// Exchanges of one connection that may be answered later: twice the streams that may be open, so that a peer which
    /// resets what it has sent cannot make more of them wait by that (RFC 9113 §10.5).
    static let awaitedMax = 2 * HTTP2Limits().concurrentStreamsMax

    /// The connection began with the preface.
    mutating func beginStreams(_ connection: Connection) -> Connection.Streams {
        let streams = Connection.Streams(HTTP2Session(limits: context.limits))
        connection.streams = streams
        if isDraining { streams.session.beginShutdown() }
        return streams
    }

    /// Serves requests that are whole, and answers those that cannot be taken.
    mutating func serveWhole(_ connection: Connection, _ streams: Connection.Streams, _ slot: Int) {
        while turn < Self.turnExchangesMax {
            switch streams.session.next(into: &request) {
            case .needsMore: return
            case .refused(let stream, let refusal):
                turn += 1
                refuse(refusal, connection, streams, slot, stream)
            case .request(let stream):
                guard streams.awaitedCount < Self.awaitedMax else {
                    streams.session.refuseUnprocessed(stream)
                    continue
                }
                turn += 1
                if deadlines.kind(of: slot) == .idle { deadlines.renew(slot, now: now) }
                switch exchange(connection, slot, stream: stream) {
                case .response:
                    turn += response.body.count / Self.turnBytesPerExchange
                    respond(connection, streams, stream)
                case .later: streams.awaitedCount += 1
                case .written: break
                }
            }
        }
    }

    private mutating func refuse(
        _ refusal: Refusal, _ connection: Connection, _ streams: Connection.Streams, _ slot: Int, _ stream: HTTP2Session.StreamID
    ) {
        Problem.fill(&response, status: refusal.status, detail: refusal.detail, for: request)
        beginRefusal(connection)
        let rest: [UInt8] = []
        if let kept = context.router.keptRefusal(refusal, of: request, rest: rest.span, role: connection.role, using: &scratch) {
            if case .later = refuse(kept, connection, slot, stream: stream, reason: "\(refusal)") {
                streams.awaitedCount += 1
                return
            }
        } else {
            logRefusal(client(connection), reason: "\(refusal)")
        }
        respond(connection, streams, stream)
    }

    private mutating func respond(_ connection: Connection, _ streams: Connection.Streams, _ stream: HTTP2Session.StreamID) {
        countAnswer()
        streams.session.respond(response, to: stream, date: date())
        connection.wasAnswered = true
    }

    /// What was to be answered later is, by `response`; written with others that are answered now.
    mutating func respondAwaited(_ connection: Connection, _ streams: Connection.Streams, _ slot: Int, _ stream: HTTP2Session.StreamID) {
        streams.awaitedCount -= 1
        respond(connection, streams, stream)
        touch(connection, streams, slot)
    }

    /// The content of a streamed answer ends.
    mutating func endContent(
        _ connection: Connection, _ streams: Connection.Streams, _ slot: Int, _ stream: HTTP2Session.StreamID, isWhole: Bool
    ) {
        streams.awaitedCount -= 1
        if isWhole { streams.session.endContent(of: stream) } else { streams.session.breakOff(stream) }
        touch(connection, streams, slot)
    }

    /// There is something to write, which `finishTouched` does.
    mutating func touch(_ connection: Connection, _ streams: Connection.Streams, _ slot: Int) {
        guard !streams.isTouched else { return }
        streams.isTouched = true
        touched.append(token(connection, slot))
    }

    /// Writes what `touch` left, once for each connection.
    mutating func finishTouched() {
        while let token = touched.popLast() {
            let slot = slot(of: token)
            guard let connection = connection(of: token), let streams = connection.streams else { continue }
            streams.isTouched = false
            turn = 0
            finish(connection, slot)
        }
    }

    /// Frames that may go now, into the loop's output; none while the peer has not taken those before.
    mutating func sendFrames(_ connection: Connection, _ streams: Connection.Streams) {
        if !connection.hasOutput { streams.session.send(into: &output, bytesMax: Self.unsentBytesMax) }
    }

    /// After everything else of an event: whether the connection ends, and since when its peer keeps us waiting.
    mutating func noteStreams(_ connection: Connection, _ streams: Connection.Streams) {
        let session = streams.session
        abandonReset(connection, streams)
        if session.isFailed { abandonAll(connection) }
        if session.isFailed || session.isDone || connection.peerClosed && streams.isResting { connection.isClosing = true }
        if session.incompleteCount == 0 {
            streams.incompleteSince = nil
        } else if streams.incompleteSince == nil {
            streams.incompleteSince = (now, session.newestStream)
        }
        if session.unsentBytes == 0, !connection.hasOutput {
            streams.unsentSince = nil
        } else if streams.unsentSince == nil {
            streams.unsentSince = (now, passedBytes(connection, streams))
        }
    }

    /// Content that the peer's windows and its kernel have taken.
    private func passedBytes(_ connection: Connection, _ streams: Connection.Streams) -> Int {
        streams.session.sentContentBytes - (connection.output.count - connection.outputStart)
    }

    /// Each second, while streams are open: requests that do not come whole are refused, a peer that does not take its
    /// answers is left. Where its windows hold back some answers and others are under way, as behind a proxy one of whose clients
    /// does not read, their streams are reset, and no more. A request has `body-seconds`, and at most twice that if it began while another dripped.
    mutating func lookOver(_ connection: Connection, _ streams: Connection.Streams, _ slot: Int) {
        let writeMilliseconds = Int64(Deadlines.writeSeconds) * 1_000
        if let since = streams.unsentSince, now - since.at >= writeMilliseconds {
            let passed = passedBytes(connection, streams)
            let others = streams.session.isAnyUnderWay && !connection.hasOutput && !streams.session.isWindowClosed
            if passed - since.bytes < Deadlines.writeBytesMin, !others { return close(slot) }
            streams.unsentSince = (now, passed)
        }
        streams.session.resetUntaken(
            now: now, isHeldUp: connection.hasOutput, milliseconds: writeMilliseconds, bytesMin: Deadlines.writeBytesMin)
        if let since = streams.incompleteSince, now - since.at >= Int64(context.configuration.bodySeconds) * 1_000 {
            streams.session.timeOutIncomplete(through: since.newest)
            streams.incompleteSince = nil
        }
        streams.session.endLingering(now: now)
        if let began = drainBegan, now - began >= Int64(Deadlines.drainSeconds) * 1_000 { streams.session.endShutdown() }
        finish(connection, slot)
    }
}
