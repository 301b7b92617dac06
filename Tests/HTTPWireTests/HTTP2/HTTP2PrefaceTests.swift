// How a connection is told to be HTTP/2, and what is expected first on it (RFC 9113 §3.4).
//
// Promises: the preface at every length, with every byte changed.
// Must not know: what the requests are.

import Testing

@testable import HTTPWire

@Suite("HTTP/2: the preface")
struct HTTP2PrefaceTests {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    @Test("is undecided while it comes, and decided by its last byte")
    func whole() {
        for count in 0..<24 {
            #expect(HTTP2Session.beginsWithPreface(Array(Self.preface[..<count]).span) == .undecided)
        }
        #expect(HTTP2Session.beginsWithPreface(Self.preface.span) == .yes)
        #expect(HTTP2Session.beginsWithPreface((Self.preface + [0]).span) == .yes)
    }

    @Test("is decided against by the first byte that differs")
    func different() {
        for place in 0..<24 {
            var bytes = Self.preface
            bytes[place] ^= 0x20
            #expect(HTTP2Session.beginsWithPreface(Array(bytes[...place]).span) == .no)
            #expect(HTTP2Session.beginsWithPreface(bytes.span) == .no)
        }
        #expect(HTTP2Session.beginsWithPreface(Array("POST / HTTP/1.1".utf8).span) == .no)
        #expect(HTTP2Session.beginsWithPreface(Array("PRIX".utf8).span) == .no)
    }

    @Test("another one is a connection error", arguments: [3, 10, 23])
    func wrong(place: Int) {
        var bytes = opening()
        bytes[place] ^= 1
        let peer = Peer()
        peer.feed(bytes + headers(1, pseudo()))
        #expect(peer.outcome.isFailed && peer.outcome.goAway == 1 && peer.outcome.requests.isEmpty)
        #expect(peer.session.isDone)
    }

    @Test("another first frame than SETTINGS is a connection error")
    func noSettings() {
        for first in [headers(1, pseudo()), settingsAcknowledgement, frame(.ping, [UInt8](repeating: 0, count: 8))] {
            let peer = Peer()
            peer.feed(Self.preface + first + settingsFrame())
            #expect(peer.outcome.isFailed && peer.outcome.goAway == 1 && !peer.session.isReady)
        }
    }

    @Test("is answered by our SETTINGS first, even before it has come")
    func ours() throws {
        let peer = Peer()
        peer.read()
        let first = try #require(peer.control.first)
        #expect(first.kind == .settings && !first.isAcknowledgement)
        // MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE, NO_RFC7540_PRIORITIES.
        let settings = stride(from: 0, to: first.payload.count, by: 6).map {
            "\(first.payload[$0 + 1])=\(first.number(at: $0 + 2))"
        }
        #expect(settings == ["3=100", "4=65537", "6=16384", "9=1"])
        #expect(peer.control[1].kind == .windowUpdate && peer.control[1].stream == 0)
        #expect(peer.control[1].number() == (4 << 20) - 65_535)
        #expect(!peer.session.isReady)
        peer.feed(opening())
        #expect(peer.session.isReady && peer.control.contains { $0.kind == .settings && $0.isAcknowledgement })
    }
}
