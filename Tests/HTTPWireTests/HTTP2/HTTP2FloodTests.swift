// Clients that mean harm with whole, mostly valid frames: what each flood costs, and where it ends.
//
// Promises: a flood ends in GOAWAY ENHANCE_YOUR_CALM after its bound, with nothing held; a client that
// sends requests and reads the answers may do the same things beside them for ever.
// Must not know: single requests beyond their bounds; LimitTests has them.

import Testing

@testable import HTTPWire

private let enhanceYourCalm: UInt32 = 11

@Suite("HTTP/2: floods")
struct HTTP2FloodTests {
    /// A frame that is a nuisance, made for the n-th time.
    struct Nuisance: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let make: @Sendable (Int32) -> [UInt8]
        init(_ claim: String, _ make: @escaping @Sendable (Int32) -> [UInt8]) {
            testDescription = claim
            self.make = make
        }
    }

    private static let ping = frame(.ping, [UInt8](repeating: 1, count: 8))

    static let nuisances: [Nuisance] = [
        Nuisance("PING (CVE-2019-9512)") { _ in ping },
        Nuisance("PING acknowledgements that nobody asked for") { _ in
            frame(.ping, flags: Flag.acknowledgement, [UInt8](repeating: 1, count: 8))
        },
        Nuisance("SETTINGS (CVE-2019-9515)") { _ in settingsFrame([(4, 65_535)]) },
        Nuisance("empty SETTINGS") { _ in settingsFrame() },
        Nuisance("PRIORITY on streams that never were (CVE-2019-9513)") { frame(.priority, stream: 2 * $0 + 1_001, fourBytes(0) + [1]) },
        Nuisance("PRIORITY_UPDATE") { _ in frame(.priorityUpdate, fourBytes(1) + Array("u=1".utf8)) },
        Nuisance("WINDOW_UPDATE by 1") { _ in windowUpdate(0, 1) },
        Nuisance("frames of unknown types") { _ in frame(.unknown, [1, 2, 3]) },
        Nuisance("RST_STREAM behind HEADERS (CVE-2023-44487)") { headers(2 * $0 + 101, pseudo()) + reset(2 * $0 + 101) },
        Nuisance("RST_STREAM of a stream that was reset") { _ in reset(1) },
        Nuisance("empty DATA (CVE-2019-9518)") { _ in data(1, [], ends: false) },
        Nuisance("DATA of padding alone") { _ in
            frame(.data, flags: Flag.padded, stream: 1, [20] + [UInt8](repeating: 0, count: 20))
        },
        Nuisance("DATA in crumbs") { _ in data(1, [1], ends: false) },
        Nuisance("malformed requests, which we have to reset (CVE-2025-8671)") { headers(2 * $0 + 101, pseudo("GET", "")) },
        Nuisance("an increment of 0, which we have to reset for (CVE-2025-8671)") { windowUpdate(1, UInt32($0 & 0)) },
        Nuisance("a window that overflows, which we have to reset for (CVE-2025-8671)") {
            headers(2 * $0 + 101, pseudo("POST"), ends: false) + windowUpdate(2 * $0 + 101, .max >> 1)
        },
        Nuisance("bodies that belie their length (CVE-2025-8671)") {
            headers(2 * $0 + 101, pseudo("POST") + [("content-length", "1")], ends: false)
                + data(2 * $0 + 101, [UInt8](repeating: 0, count: 20), ends: false)
        },
        Nuisance("trailers again and again") { _ in headers(1, [("x", "y")], ends: false) },
    ]

    @Test("is one", arguments: nuisances)
    func flood(_ nuisance: Nuisance) {
        for isRead in [true, false] {
            let peer = Peer()
            peer.response = nil
            peer.feed(opening() + settingsAcknowledgement + headers(1, pseudo("POST"), ends: false))
            peer.reads = isRead
            var rounds: Int32 = 0
            while !peer.session.isFailed, rounds < 5_000 {
                peer.feed(nuisance.make(rounds))
                #expect(peer.session.unsentBytes < (256 + 64) << 10 && peer.session.heldBytes < 64 << 10)
                rounds += 1
            }
            peer.read()
            #expect(peer.session.isFailed && rounds <= 1_010, "\(rounds) rounds")
            // Some of them the library may take for a connection error at once (RFC 9113 §6.9, §6.9.1).
            #expect(peer.outcome.goAway == enhanceYourCalm || rounds == 1)
            #expect(peer.session.heldBytes == 0 && peer.session.unsentBytes == 0)
            // Nothing is read any more.
            peer.feed(headers(20_001, pseudo()))
            #expect(peer.session.newestStream < 20_001 && peer.session.isDone)
        }
    }

    @Test("is one just the same in one piece, and no request of it is given out behind the bound")
    func inOnePiece() {
        let resets = (0..<3_000 as Range<Int32>).flatMap { headers(2 * $0 + 1, pseudo()) + reset(2 * $0 + 1) }
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement + resets)
        #expect(peer.outcome.goAway == enhanceYourCalm && peer.outcome.requests.isEmpty)
        #expect(peer.session.newestStream < 2 * 1_010)
    }

    @Test("more streams at a time than there may be are refused, then the client has to know")
    func concurrency() {
        let peer = Peer()
        peer.response = nil
        peer.feed(opening() + (0..<150 as Range<Int32>).flatMap { headers(2 * $0 + 1, pseudo()) })
        #expect(peer.unanswered.count == 100 && peer.session.unansweredCount == 100 && !peer.outcome.isFailed)
        #expect(peer.outcome.answers.count == 50 && peer.outcome.answers.values.allSatisfy { $0 == Answer(reset: 7) })
        // Without end, before it acknowledges our SETTINGS:
        var stream: Int32 = 301
        while !peer.session.isFailed, stream < 10_000 {
            peer.feed(headers(stream, pseudo()))
            stream += 2
        }
        #expect(peer.outcome.goAway == enhanceYourCalm && stream < 2_400)
        // And behind the acknowledgement it is an error (RFC 9113 §5.1.2).
        let knowing = Peer()
        knowing.response = nil
        knowing.feed(opening() + settingsAcknowledgement + (0..<101 as Range<Int32>).flatMap { headers(2 * $0 + 1, pseudo()) })
        #expect(knowing.outcome.isFailed && knowing.outcome.goAway == 1)
    }

    @Test("beside requests that are answered, PING, WINDOW_UPDATE, or a late RST_STREAM are none")
    func wellBehaved() {
        let peer = Peer()
        peer.response = .text([UInt8](repeating: 1, count: 2_000))
        peer.feed(opening() + settingsAcknowledgement)
        for index in 0..<5_000 as Range<Int32> {
            let stream = 2 * index + 1
            peer.feed(Self.ping + headers(stream, pseudo()))
            peer.feed(windowUpdate(0, 2_000) + reset(stream, 0))
            if peer.session.isFailed { break }
        }
        #expect(!peer.session.isFailed && peer.outcome.requests.count == 5_000)
    }

    @Test("requests that are refused and answered are none")
    func refused() {
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement)
        for index in 0..<3_000 as Range<Int32> { peer.feed(headers(2 * index + 1, pseudo("GET", "/#"))) }
        #expect(!peer.session.isFailed && peer.outcome.refusals.count == 3_000)
    }

    @Test("time forgives: as many a second as the limit says, for ever")
    func forgiven() {
        let peer = Peer()
        peer.feed(opening() + settingsAcknowledgement)
        for second in 0..<100 {
            peer.now = Int64(second) * 1_000
            for _ in 0..<100 { peer.feed(Self.ping) }
        }
        #expect(!peer.session.isFailed)
        // A clock that stands still, or goes back, forgives nothing.
        peer.now = -5
        for _ in 0..<1_100 { peer.feed(Self.ping) }
        #expect(peer.session.isFailed)
    }

    @Test("the budget counts exactly, whatever the clock says")
    func budget() {
        var budget = NuisanceBudget(burst: 2, perSecond: 10)
        for _ in 0..<2 { budget.charge() }
        #expect(!budget.isOverdrawn)
        budget.charge()
        #expect(budget.isOverdrawn)
        budget.refill(now: 1_000)
        #expect(budget.isOverdrawn)
        budget.refill(now: 1_099)
        #expect(budget.isOverdrawn)
        budget.refill(now: 1_100)
        #expect(!budget.isOverdrawn)
        budget.refill(now: .min)
        budget.refill(now: .max)
        budget.earn(1_000)
        for _ in 0..<2 { budget.charge() }
        #expect(!budget.isOverdrawn)
        budget.charge()
        #expect(budget.isOverdrawn)
    }

    @Test("frames that are errors of the connection end it", arguments: [
        (data(1, [1]), 1), (data(0, [1]), 1), (reset(1), 1), (reset(0), 1), (windowUpdate(1, 1), 1),
        (headers(2, pseudo()), 1), (headers(0, pseudo()), 1), (frame(.continuation, stream: 1), 1),
        (frame(.pushPromise, flags: 4, stream: 1, fourBytes(2)), 1), (frame(.settings, stream: 1), 1),
        (frame(.ping, stream: 1, [UInt8](repeating: 0, count: 8)), 1), (frame(.goAway, stream: 1, [UInt8](repeating: 0, count: 8)), 1),
        (frame(.settings, [0]), 6), (frame(.settings, flags: 1, [UInt8](repeating: 0, count: 6)), 6), (frame(.ping, [0]), 6),
        (frame(.windowUpdate, [0]), 6), (frame(.goAway, [0]), 6), (frame(.reset, stream: 1, [0]), 6),
        (settingsFrame([(2, 2)]), 1), (settingsFrame([(5, 1)]), 1), (settingsFrame([(4, .max)]), 3),
        (frame(.headers, stream: 1) + frame(.ping, [UInt8](repeating: 0, count: 8)), 1),
        (frame(.headers, stream: 1) + frame(.continuation, stream: 3), 1),
        (frame(.priority, fourBytes(1) + [15]), 1), (headers(7, pseudo(), ends: false) + headers(5, pseudo()), 1),
        (headers(1, pseudo(), ends: false) + headers(9, pseudo(), ends: false) + headers(3, pseudo()), 1),
        (frame(.headers, stream: 1, [0]) + frame(.continuation, stream: 1, [UInt8](repeating: 0, count: 16_385)), 6),
        (frame(.unknown, [UInt8](repeating: 0, count: 16_385)), 6),
        (frame(.headers, flags: Flag.padded | 4, stream: 1, [9, 0]), 1),
        (headers(1, pseudo(), ends: false) + frame(.data, flags: Flag.padded, stream: 1, [9, 0]), 1),
    ] as [([UInt8], UInt32)])
    func connectionErrors(frames: [UInt8], code: UInt32) {
        let outcome = http2Outcome(frames + headers(101, pseudo("GET", "/behind")))
        #expect(!outcome.requests.contains { $0.path == "/behind" })
        #expect(outcome.isFailed || code == 0)
        if code != 0 { #expect(outcome.goAway == code) }
    }
}
