// Those who wait for callbacks and follow the events: many at once.
//
// Promises: each costs a bounded part of memory and no thread, and all of them hear of what they wait for; callbacks are
// taken meanwhile. Must not know: how a wait or a stream is kept.

import Foundation
import Testing
import TestSupport

@Suite("Hostile: many who wait")
struct FollowerTests {
    /// What one may cost, its share of its connection included.
    private static let bytesMax = 8 * 1_024

    private func threads(of server: ServerProcess) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.child.processIdentifier)/task").count
    }

    @Test("700 event streams and 2,300 waits: at most 8 KiB each, no thread, and one callback reaches all of them")
    func many() throws {
        let siege = try Siege()
        let threadsBefore = try threads(of: siege.server)
        var streams: [RawConnection] = []
        var waits: [RawConnection] = []
        var connections: [(connection: HTTP2Connection, events: [UInt32], waits: [UInt32])] = []
        try siege.rounds(10) { round in
            for _ in 0..<10 {
                let stream = try siege.server.connect()
                try stream.send(requestBytes("GET", "/v1/events"))
                streams.append(stream)
            }
            for _ in 0..<20 {
                let wait = try siege.server.connect()
                try wait.send(requestBytes("GET", "/v1/requests/awaited?wait=50"))
                waits.append(wait)
            }
            for number in 0..<3 {
                let connection = try HTTP2Connection(port: siege.port)
                var events: [UInt32] = []
                var ids: [UInt32] = []
                for _ in 0..<(number == 0 ? 60 : 0) { events.append(try connection.request("GET", "/v1/events")) }
                for _ in events.count..<90 { ids.append(try connection.request("GET", "/v1/requests/awaited?wait=50")) }
                try connection.roundTrip()
                connections.append((connection, events, ids))
            }
        }
        let count = streams.count + waits.count + connections.reduce(0) { $0 + $1.events.count + $1.waits.count }
        #expect(count == 3_000)
        try siege.expectHeld(bytes: count * Self.bytesMax, connections: streams.count + waits.count + connections.count)
        // The queues that they are asked on have a thread each while there is something to ask.
        #expect(try threads(of: siege.server) <= threadsBefore + 8)
        try siege.expectAtRest()

        #expect(try siege.server.exchange(postBytes(sentPayload("awaited"))).status == 200)
        for wait in waits { #expect(try wait.readAnswer().object().string("status") == "sent") }
        for stream in streams { try expectEvent(stream) }
        for (connection, events, ids) in connections {
            for id in ids { #expect(try connection.answer(on: id).object().string("status") == "sent") }
            for id in events {
                try connection.read { String(decoding: $0.streams[id]?.body ?? [], as: UTF8.self).contains("\"request_id\":\"awaited\"") }
            }
        }
        streams = []
        waits = []
        connections = []
        try siege.expectRelieved()
    }

    /// Reads on to the event of the callback.
    private func expectEvent(_ stream: RawConnection) throws {
        var text = ""
        while !text.contains("\"request_id\":\"awaited\"") {
            guard let byte = try stream.readBytes(1) else { throw TestFailure.unreadable("the end, behind \(text)") }
            text += String(decoding: byte, as: UTF8.self)
            if text.count > 4_096 { text = String(text.suffix(256)) }
        }
    }
}
