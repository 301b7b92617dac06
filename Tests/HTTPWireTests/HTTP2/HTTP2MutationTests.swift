// Valid conversations with bytes changed, removed and put in at random, from a fixed seed.
//
// Promises: no input crashes the session; whatever comes, its bounds and sums hold, and nothing is left
// when the streams are gone.
// Must not know: what the right outcome of any of them is.

import Testing

import struct TestSupport.SeededGenerator

@testable import HTTPWire

@Suite("HTTP/2: bytes changed at random")
struct HTTP2MutationTests {
    /// Frames that make up conversations, in any order.
    static func conversation(_ numbers: inout SeededGenerator) -> [UInt8] {
        let window = UInt32.random(in: 0...40, using: &numbers)
        var bytes = Bool.random(using: &numbers) ? opening([(4, window)]) : opening()
        var newest: Int32 = -1
        func some(_ numbers: inout SeededGenerator) -> Int32 {
            max(1, newest - 2 * Int32.random(in: 0..<4, using: &numbers))
        }
        for _ in 0..<Int.random(in: 1...25, using: &numbers) {
            let stream = some(&numbers)
            switch Int.random(in: 0..<16, using: &numbers) {
            case 0...3:
                newest += 2
                bytes += headers(newest, pseudo("GET", "/v1/x?y=z") + [("accept", "*/*")])
            case 4, 5:
                newest += 2
                bytes += post(newest, Array("{\"a\":1}".utf8), [("content-length", "7"), ("content-type", "application/json")])
            case 6:
                newest += 2
                bytes += headers(newest, pseudo("POST") + [("expect", "100-continue")], ends: false)
            case 7: bytes += data(stream, [1, 2, 3], ends: Bool.random(using: &numbers))
            case 8: bytes += reset(stream)
            case 9: bytes += windowUpdate(Bool.random(using: &numbers) ? 0 : stream, UInt32.random(in: 1...1_000, using: &numbers))
            case 10: bytes += frame(.ping, [UInt8](repeating: 0, count: 8))
            case 11: bytes += settingsFrame([(4, UInt32.random(in: 0...100, using: &numbers)), (1, 0)])
            case 12: bytes += headers(stream, [("trailer", "x")])
            case 13:
                newest += 2
                let block = block(pseudo("PUT", "/c") + [("x", String(repeating: "y", count: 60))])
                bytes += frame(.headers, flags: 1, stream: newest, Array(block[..<20]))
                    + frame(.continuation, flags: Flag.endHeaders, stream: newest, Array(block[20...]))
            case 14: bytes += frame(.data, flags: Flag.padded, stream: stream, [2, 1, 0, 0])
            default: bytes += frame(.priority, stream: stream, fourBytes(0) + [1])
            }
        }
        return bytes
    }

    static func mutate(_ bytes: inout [UInt8], _ numbers: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...4, using: &numbers) where bytes.count > 60 {
            // Mostly behind the preface.
            let place = Int.random(in: Int.random(in: 0..<40, using: &numbers) == 0 ? 0..<24 : 24..<bytes.count, using: &numbers)
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            case 1: bytes[place] = .random(in: 0...255, using: &numbers)
            case 2: bytes.insert(.random(in: 0...255, using: &numbers), at: place)
            case 3: bytes.remove(at: place)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + 9))
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 40)], at: place)
            }
        }
    }

    /// What holds at any time.
    static func check(_ peer: Peer, _ limits: HTTPLimits, _ http2Limits: HTTP2Limits, sourceLocation: SourceLocation = #_sourceLocation) -> Bool {
        let session = peer.session
        return session.incompleteCount >= 0 && session.unansweredCount >= 0
            && session.incompleteCount + session.unansweredCount <= http2Limits.concurrentStreamsMax
            && (0...http2Limits.heldBytesMax(limits)).contains(session.heldBytes)
            && (0...http2Limits.unsentBytesMax + 100_000).contains(session.unsentBytes)
            && (!session.isFailed || (session.isDone && session.heldBytes == 0 && session.incompleteCount == 0))
    }

    @Test("bounds and sums hold", arguments: 0..<8 as Range<UInt64>)
    func bounds(seed: UInt64) {
        var numbers = SeededGenerator(seed: seed)
        var limits = HTTPLimits(bodyBytesMax: 1_000)
        limits.headBytesMax = 1_200
        var http2Limits = HTTP2Limits()
        http2Limits.concurrentStreamsMax = 10
        http2Limits.heldBytesMax = 5_000
        http2Limits.unsentBytesMax = 2_000
        http2Limits.nuisanceBurst = 40
        var failures = 0, requests = 0, answered = 0
        for _ in 0..<700 {
            var bytes = Self.conversation(&numbers)
            Self.mutate(&bytes, &numbers)
            let peer = Peer(limits, http2Limits)
            peer.response = nil
            peer.reads = Bool.random(using: &numbers)
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...200, using: &numbers))
                peer.feed(Array(bytes[start..<end]))
                start = end
                // The owner's side does what it likes, whenever.
                switch Int.random(in: 0..<8, using: &numbers) {
                case 0...2:
                    for stream in peer.unanswered.shuffled(using: &numbers) {
                        peer.respond(.text([UInt8](repeating: 1, count: Int.random(in: 0...300, using: &numbers))), to: stream)
                        answered += 1
                    }
                    peer.unanswered = []
                case 3: peer.read(bytesMax: Int.random(in: 0...100, using: &numbers))
                case 4: if let stream = peer.unanswered.popLast() { peer.session.refuseUnprocessed(stream) }
                case 5 where Int.random(in: 0..<10, using: &numbers) == 0: peer.session.beginShutdown()
                case 6 where Int.random(in: 0..<10, using: &numbers) == 0: peer.session.endShutdown()
                case 7 where Int.random(in: 0..<4, using: &numbers) == 0:
                    peer.session.timeOutIncomplete(through: peer.session.newestStream)
                default: break
                }
                if !Self.check(peer, limits, http2Limits) { Issue.record("bounds broken, seed \(seed): \(bytes)") }
            }
            requests += peer.outcome.requests.count
            peer.read()
            failures += peer.session.isFailed ? 1 : 0
            // When all streams are reset, or answered with windows open, nothing is left.
            peer.session.timeOutIncomplete(through: .max)
            peer.take()
            for stream in peer.unanswered { peer.session.refuseUnprocessed(stream) }
            peer.session.fail(.noError)
            peer.read()
            #expect(peer.session.unsentBytes == 0 && peer.session.heldBytes == 0 && peer.session.isDone)
        }
        // The changes do reach everything.
        #expect(failures > 50 && failures < 650 && requests > 300 && answered > 100)
    }

    @Test("the outcome of a conversation with one's own pace does not depend on how it was split")
    func splits() {
        var numbers = SeededGenerator(seed: 99)
        for _ in 0..<300 {
            var bytes: [UInt8] = opening()
            // Without resets, windows and settings of the peer, whose place among the answers is all that matters.
            for index in 0..<Int.random(in: 1...6, using: &numbers) {
                let stream = Int32(2 * index + 1)
                bytes += Bool.random(using: &numbers)
                    ? headers(stream, pseudo("GET", "/\(index)")) : post(stream, [UInt8](repeating: 1, count: 30 * index))
            }
            let place = Int.random(in: 40..<bytes.count, using: &numbers)
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            var whole = http2Outcome(bytes, cutAt: [], HTTPLimits(), HTTP2Limits())
            var dripped = http2Outcome(bytes, cutAt: Array(1..<bytes.count), HTTPLimits(), HTTP2Limits())
            for stream in whole.answers.keys where whole.answers[stream]?.status != nil {
                // Whether a refused request was whole when it was answered is the split's to say.
                whole.answers[stream]?.reset = nil
                dripped.answers[stream]?.reset = nil
            }
            // A connection error takes answers with it that had not gone; which those are, too.
            if whole.isFailed {
                whole = HTTP2Outcome(goAway: whole.goAway, isFailed: true)
                dripped = HTTP2Outcome(goAway: dripped.goAway, isFailed: dripped.isFailed)
            }
            if whole != dripped { #expect(whole == dripped, "\(bytes)") }
        }
    }
}
