// How a connection ends: gracefully (RFC 9113 §6.8), by a deadline, by the client's leave, at once.
//
// Promises: no stream that was accepted is lost; what comes behind the final GOAWAY is not accepted.
// Must not know: which deadlines there are.

import Testing

@testable import HTTPWire

@Suite("HTTP/2: the end of a connection")
struct HTTP2EndTests {
    private static let pingAcknowledgement = frame(.ping, flags: Flag.acknowledgement, [UInt8](repeating: 0, count: 8))

    @Test("a graceful end says so first, and serves what was on its way")
    func graceful() throws {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()))
        peer.session.beginShutdown()
        peer.session.beginShutdown()
        peer.read()
        let notice = try #require(peer.control.first { $0.kind == .goAway })
        #expect(notice.number() == UInt32(Int32.max) && notice.number(at: 4) == 0)
        #expect(peer.control.filter { $0.kind == .ping }.count == 1 && !peer.session.isDone)
        // On its way when the client learned of it:
        peer.feed(headers(3, pseudo()) + headers(5, pseudo("POST"), ends: false))
        peer.feed(Self.pingAcknowledgement)
        let final = try #require(peer.control.last { $0.kind == .goAway })
        #expect(final.number() == 5 && final.number(at: 4) == 0)
        // Behind it nothing is taken.
        peer.feed(headers(7, pseudo()))
        #expect(peer.unanswered == [1, 3] && peer.session.newestStream == 5 && !peer.session.isDone)
        peer.feed(data(5, [1]))
        for stream in peer.unanswered { peer.respond(.text([1, 2]), to: stream) }
        peer.read()
        #expect([1, 3, 5].allSatisfy { peer.outcome.answers[$0]?.isEnded == true })
        #expect(peer.session.isDone && !peer.session.isFailed && peer.session.unsentBytes == 0)
    }

    @Test("a client that does not answer the PING gets the final GOAWAY at the deadline")
    func deadline() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()))
        peer.session.beginShutdown()
        peer.read()
        peer.session.endShutdown()
        peer.session.endShutdown()
        peer.read()
        #expect(peer.control.filter { $0.kind == .goAway }.map { $0.number() } == [UInt32(Int32.max), 1])
        // Accepted neither between the two, nor later.
        peer.feed(headers(3, pseudo()))
        #expect(peer.unanswered == [1] && !peer.session.isDone)
        peer.respond(.empty(204), to: 1)
        peer.read()
        #expect(peer.session.isDone && peer.outcome.answers[1]?.isEnded == true)
    }

    @Test("a stream that crosses a final GOAWAY which has not gone yet is refused, not lost")
    func crossing() {
        let peer = Peer()
        peer.reads = false
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()))
        peer.session.endShutdown()
        peer.feed(headers(3, pseudo()))
        peer.read()
        #expect(peer.outcome.requests.count == 1 && peer.outcome.answers[1]?.status == "204")
        #expect(peer.outcome.answers[3]?.status == nil && peer.session.isDone)
        #expect(peer.control.last { $0.kind == .goAway }?.number() == 1)
    }

    @Test("an idle connection is done as soon as its end is final")
    func idle() {
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement)
        #expect(!peer.session.isDone)
        peer.session.beginShutdown()
        peer.read()
        peer.feed(Self.pingAcknowledgement)
        #expect(peer.session.isDone && peer.outcome.goAway == 0)
    }

    @Test("where the client leaves, its streams are served and it is done")
    func left() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()) + frame(.goAway, fourBytes(0) + fourBytes(0)))
        #expect(!peer.session.isDone && peer.unanswered == [1])
        peer.respond(.empty(204), to: 1)
        peer.read()
        #expect(peer.session.isDone && !peer.session.isFailed && peer.outcome.answers[1]?.isEnded == true)
    }

    @Test("at once: GOAWAY, and nothing is read, answered or held any more")
    func atOnce() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening([(4, 0)]) + settingsAcknowledgement + headers(1, pseudo()) + headers(3, pseudo("POST"), ends: false))
        peer.respond(.text([1, 2, 3]), to: 1)
        peer.feed(headers(5, pseudo()))
        peer.session.fail(.enhanceYourCalm)
        peer.session.fail(.internalError)
        #expect(peer.session.isFailed && peer.session.isDone && !peer.session.isWaitingForWindow)
        #expect(peer.session.incompleteCount == 0 && peer.session.unansweredCount == 0 && peer.session.heldBytes == 0)
        peer.respond(.empty(204), to: 5)
        peer.session.refuseUnprocessed(5)
        peer.session.beginShutdown()
        peer.session.endShutdown()
        peer.session.timeOutIncomplete(through: .max)
        peer.feed(headers(7, pseudo()))
        #expect(peer.outcome.goAway == 11 && peer.unanswered == [1, 5] && peer.outcome.answers[5] == nil)
        #expect(peer.control.last { $0.kind == .goAway }?.number() == 5 && peer.session.unsentBytes == 0)
        #expect(peer.read() == 0)
    }

    @Test("a GOAWAY names the newest request that was given out: whole ones behind it may be sent again (RFC 9113 §6.8)")
    func nothingDone() {
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo()) + headers(3, pseudo()))
        let more = headers(5, pseudo()) + headers(7, pseudo())
        peer.session.receive(more.span, now: 0)
        peer.session.fail(.enhanceYourCalm)
        peer.take()
        peer.read()
        #expect(peer.outcome.requests.count == 2 && peer.outcome.goAway == 11)
        #expect(peer.control.last { $0.kind == .goAway }?.number() == 3)
    }

    @Test("requests that come too slowly are refused, those that began later are spared")
    func timeOut() {
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement)
        peer.feed(headers(1, pseudo("POST"), ends: false) + data(1, [UInt8](repeating: 1, count: 50), ends: false))
        let newest = peer.session.newestStream
        peer.feed(headers(3, pseudo("POST"), ends: false))
        #expect(newest == 1 && peer.session.incompleteCount == 2)
        peer.session.timeOutIncomplete(through: newest)
        peer.take()
        peer.read()
        // The one that lingers behind its answer, and the one that began later.
        #expect(peer.outcome.refusals == [.bodyTimeout] && peer.session.incompleteCount == 2)
        #expect(peer.outcome.answers[1]?.status == "408" && peer.outcome.answers[1]?.reset == nil)
        peer.session.timeOutIncomplete(through: newest)
        peer.read()
        #expect(peer.outcome.answers[1]?.reset == 0 && peer.session.incompleteCount == 1)
        peer.feed(data(1, [1]) + data(3, [1]))
        #expect(peer.outcome.requests.map(\.body) == [[1]] && peer.session.heldBytes == 0)
    }

    @Test("a header block that does not end is timed out, and what comes of it later is passed over")
    func blockTimeOut() {
        let peer = Peer()
        let block = block(pseudo() + [("x", "y")])
        peer.feed(opening() + settingsAcknowledgement + frame(.headers, flags: 1, stream: 1, Array(block[..<12])))
        #expect(peer.session.incompleteCount == 1 && peer.session.newestStream == 1)
        peer.session.timeOutIncomplete(through: 1)
        peer.take()
        peer.read()
        #expect(peer.outcome.refusals == [.headTimeout] && peer.outcome.answers[1]?.status == "408")
        peer.session.endLingering(now: 1_000)
        peer.read()
        #expect(peer.outcome.answers[1]?.reset == 0 && peer.session.incompleteCount == 0)
        peer.feed(frame(.continuation, flags: Flag.endHeaders, stream: 1, Array(block[12...])) + headers(3, pseudo()))
        #expect(peer.outcome.requests.count == 1 && peer.outcome.answers[3]?.status == "204" && !peer.outcome.isFailed)
    }
}
