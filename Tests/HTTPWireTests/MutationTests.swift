// Well-formed requests with bytes changed, removed and put in at random, from a fixed seed.
//
// Promises: no input crashes the session or is consumed beyond its end, none is read differently
// when it is split, and what comes out is a request or a refusal.

import Testing

import struct TestSupport.SeededGenerator

@testable import HTTPWire

@Suite("A request with bytes changed at random")
struct MutationTests {
    private static let requests = [
        "POST /callback?key=x HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 7\r\nX-Y: z\r\n\r\n{\"a\":1}",
        "POST /c HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
            + "3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\n\r\n",
        "GET http://localhost/v1/requests/a%2Fb?wait=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    ]

    /// Bytes that mean something are more likely to be put in than others.
    private static let meaningful = Array("\r\n\t :;,=\"\\\u{0}\u{7f}/?#%*0123456789abcfGET\u{e9}".utf8)

    @Test("is a request or a refusal, and the same however it arrives", arguments: 0..<4)
    func flips(number: Int) {
        var numbers = SeededGenerator(seed: UInt64(number) &+ 20_260_520)
        let original = Array(MutationTests.requests[number].utf8)
        var refusals: Set<Refusal> = []
        for _ in 0..<600 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                let byte = MutationTests.meaningful.randomElement(using: &numbers) ?? 0
                switch Int.random(in: 0..<5, using: &numbers) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
                case 1: bytes[place] = byte
                case 2: bytes.insert(byte, at: place)
                case 3: bytes.remove(at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 5))
                }
                if bytes.isEmpty { bytes = original }
            }
            let whole = outcome(bytes, cutAt: [], HTTPLimits())
            let cuts = bytes.count > 1 ? [Int.random(in: 1..<bytes.count, using: &numbers)] : []
            let split = outcome(bytes, cutAt: cuts, HTTPLimits())
            let dripped = outcome(bytes, cutAt: Array(0..<bytes.count), HTTPLimits())
            if whole != split || whole != dripped {
                Issue.record("read differently: \(String(decoding: bytes, as: UTF8.self).debugDescription)")
            }
            if let refusal = whole.refusal {
                refusals.insert(refusal)
            } else {
                #expect(whole.consumedBytes <= bytes.count)
            }
        }
        // The changes do reach the checks.
        #expect(refusals.count >= 8, "\(refusals)")
    }

    @Test("is refused or awaited where it is noise alone")
    func noise() {
        var numbers = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let noise = (0..<64).map { _ in MutationTests.meaningful.randomElement(using: &numbers) ?? 0 }
            let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8) + noise
            #expect(outcome(bytes, cutAt: [], HTTPLimits()) == outcome(bytes, cutAt: Array(1..<bytes.count), HTTPLimits()))
        }
    }
}
