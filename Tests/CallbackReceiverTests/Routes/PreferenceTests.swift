// How long a client would like to wait, by RFC 7240: the field as clients write it, and as none should.

import HTTPWire
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Prefer: wait")
struct PreferenceTests {
    private func milliseconds(_ fields: [String]) -> Int? {
        var session = HTTP1Session(limits: HTTPLimits())
        var (request, position) = (Request(), 0)
        #expect(session.receive(requestBytes("GET", "/", fields: fields).span, at: &position, into: &request) == .request)
        return Preference.waitMilliseconds(request)
    }

    @Test("what can be read", arguments: [
        ("wait=30", 30_000), ("WAIT = 30", 30_000), ("respond-async, wait=1", 1_000), ("wait=1; a=b", 1_000), ("wait=\"7\"", 7_000), ("a=\"x, wait=3\", wait=4", 4_000),
        ("wait=100", 50_000), ("wait=0", 0), (" , ,wait=2,wait=3", 2_000), ("a=\"\\\"\", wait=5", 5_000),
    ])
    func taken(value: String, expected: Int) { #expect(milliseconds(["Prefer: \(value)"]) == expected) }

    @Test("what cannot says nothing", arguments: ["", "wait", "wait=", "wait=x", "wait=-1", "wait=1.5", "waits=1", "a; wait=1", "nonsense;;==", "\"wait=1", "wait=\"", "="])
    func ignored(value: String) { #expect(milliseconds(["Prefer: \(value)"]) == nil) }

    @Test("the first one counts, over all lines")
    func first() {
        #expect(milliseconds(["Prefer: respond-async", "Prefer: wait=3", "Prefer: wait=4"]) == 3_000)
        #expect(milliseconds(["Prefer: wait=x", "Prefer: wait=4"]) == nil)
        #expect(milliseconds([]) == nil)
    }
}
