// What a sender and an asker may believe: invariants 1 and 2 of DESIGN.md, seen through whole connections.
//
// Promises: the disk is held at its fdatasync, so that before and after are states and not times.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Durability, as seen from outside")
struct DurabilityTests {
    @Test("no answer leaves before the record is durable (invariant 1)")
    func answerAfterDurable() throws {
        let running = try RunningServer()
        running.disk.hold()
        let first = try running.postHeld("a")
        let others = try (0..<20).map { number in
            let connection = try running.connect()
            try connection.send(postBytes(callback("other-\(number)")))
            return connection
        }
        try running.stir()
        #expect(running.log.durable == 0)
        for connection in [first] + others { #expect(!connection.isReadable(milliseconds: 0)) }
        running.disk.release()
        for connection in [first] + others {
            let sequence = try connection.readAnswer().object().integer("sequence")
            #expect(try #require(sequence) <= Int(running.log.durable))
        }
    }

    @Test("what is not durable is not visible, and its duplicate waits with it (invariants 1 and 2)")
    func invisible() throws {
        let running = try RunningServer()
        running.disk.hold()
        let first = try running.postHeld("a")
        let duplicate = try running.connect()
        try duplicate.send(postBytes(callback("a")))
        try running.stir()
        #expect(try running.get("/v1/requests/a").status == 404)
        #expect(try running.get("/v1/requests/a/callbacks").status == 404)
        #expect(!duplicate.isReadable(milliseconds: 0), "a duplicate reply would show it")
        running.disk.release()
        let stored = try first.readAnswer().object()
        let repeated = try duplicate.readAnswer().object()
        #expect(stored["duplicate"] == "false" && repeated["duplicate"] == "true")
        #expect(stored["sequence"] == repeated["sequence"])
        #expect(try running.get("/v1/requests/a").status == 200)
    }

    @Test("a disk that fails is 503 for all who waited, never 2xx, and nothing of them is visible (invariants 1 and 3)")
    func failing() throws {
        let running = try RunningServer()
        _ = try running.post("before")
        running.disk.hold()
        let waiting = try running.postHeld("a")
        let duplicate = try running.connect()
        try duplicate.send(postBytes(callback("a")))
        try running.stir()
        running.disk.fail(with: 5)
        running.disk.release()
        for connection in [waiting, duplicate] {
            let answer = try connection.readAnswer()
            #expect(answer.status == 503 && answer["Retry-After"] == "10")
            #expect(try answer.object().string("instance") == "/callback")
        }
        #expect(try running.get("/v1/requests/a").status == 404)
        #expect(try running.get("/v1/requests/before").status == 200)
        running.disk.fail(with: nil)
        try eventually("it takes callbacks again", holds: { try running.post("a").status == 200 })
    }
}
