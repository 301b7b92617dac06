// API §3: a 200 leaves after the record is on stable storage, and nothing is seen of it before.
//
// Promises: the sync is held by a preloaded library, so "not yet durable" is a state, not a moment.

import Foundation
import Testing
import TestSupport

@Suite("Nothing is told before it is durable", .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"))
struct GateTests {
    /// How long a test looks for an answer that must not come, in milliseconds.
    static let silenceMilliseconds: Int32 = 250

    @Test("while the sync is under way there is no answer and no query sees the record")
    func held() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let writer = try server.connect()
        let reader = try server.connect()
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        try writer.send(postBytes(sentPayload("a")))
        try faults.waitForCall(.sync, after: syncs)
        #expect(!writer.isReadable(milliseconds: Self.silenceMilliseconds))
        try reader.send(requestBytes("GET", "/v1/requests/a") + requestBytes("GET", "/v1/requests/a/callbacks"))
        #expect(try reader.readAnswer().status == 404)
        #expect(try reader.readAnswer().status == 404)
        #expect(!writer.isReadable(milliseconds: 0))
        try faults.clear()
        let accepted = try writer.readAnswer()
        #expect(accepted.status == 200)
        try reader.send(requestBytes("GET", "/v1/requests/a"))
        #expect(try reader.readAnswer().object().integer("sequence") == accepted.object().integer("sequence"))
    }

    @Test("a newer callback in flight does not change what is told of its request")
    func heldUpdate() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let first = try server.post(sentPayload("a")).object()
        let writer = try server.connect()
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        try writer.send(postBytes(#"{"request_id":"a","error":true,"message":"m"}"#))
        try faults.waitForCall(.sync, after: syncs)
        #expect(!writer.isReadable(milliseconds: Self.silenceMilliseconds))
        let status = try server.get("/v1/requests/a").object()
        #expect(status.string("status") == "sent")
        #expect(status.integer("sequence") == first.integer("sequence"))
        #expect(status.integer("callbacks") == 1)
        #expect(try server.get("/v1/requests/a/callbacks").object().array("callbacks")?.count == 1)
        try faults.clear()
        #expect(try writer.readAnswer().status == 200)
        #expect(try server.get("/v1/requests/a").object().string("status") == "failed")
    }

    @Test("duplicates of a callback in flight wait for it, and one record comes of them")
    func duplicatesInFlight() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let connections = try (0..<8).map { _ in try server.connect() }
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        for (index, connection) in connections.enumerated() {
            try connection.send(postBytes(String(repeating: " ", count: index) + sentPayload("a")))
        }
        try faults.waitForCall(.sync, after: syncs)
        #expect(!connections[0].isReadable(milliseconds: Self.silenceMilliseconds))
        for connection in connections { #expect(!connection.isReadable(milliseconds: 0)) }
        try faults.clear()
        let answers = try connections.map { try $0.readAnswer() }
        #expect(answers.allSatisfy { $0.status == 200 })
        let objects = try answers.map { try $0.object() }
        #expect(objects.count { $0["duplicate"] == "false" } == 1)
        #expect(Set(objects.map { $0.integer("sequence") }).count == 1)
        try server.terminate()
        #expect(try server.log().records(of: "a").count == 1)
        #expect(try server.log().violations() == [])
    }

    @Test("duplicates of a callback in flight share its 503")
    func duplicatesShareFailure() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let connections = try (0..<4).map { _ in try server.connect() }
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        for connection in connections { try connection.send(postBytes(sentPayload("a"))) }
        try faults.waitForCall(.sync, after: syncs)
        #expect(!connections[3].isReadable(milliseconds: Self.silenceMilliseconds))
        try faults.set(.sync, .fail(EIO))
        for connection in connections {
            let answer = try connection.readAnswer()
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] != nil)
        }
        #expect(try server.get("/v1/requests/a").status == 404)
    }

    @Test("an answer takes as long as the sync")
    func delayed() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        try faults.set(.sync, .delay(milliseconds: 200))
        let connection = try server.connect()
        let start = ContinuousClock.now
        try connection.send(postBytes(sentPayload("a")))
        #expect(try connection.readAnswer().status == 200)
        // A lower bound holds on the slowest machine.
        #expect(ContinuousClock.now - start >= .milliseconds(195))
    }

    @Test("what arrives during a sync is stored by the next one, all of it")
    func gathered() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let connections = try (0..<32).map { _ in try server.connect() }
        try faults.set(.sync, .delay(milliseconds: 50))
        for round in 0..<3 {
            for (index, connection) in connections.enumerated() {
                try connection.send(postBytes(sentPayload("r\(round)-\(index)")) + requestBytes("GET", "/v1/requests/r\(round)-\(index)"))
            }
            for connection in connections {
                let accepted = try connection.readAnswer()
                #expect(accepted.status == 200)
                #expect(try connection.readAnswer().object().integer("sequence") == accepted.object().integer("sequence"))
            }
        }
        try server.terminate()
        let log = try server.log()
        #expect(log.violations() == [])
        #expect(log.records.count == 96)
    }
}
