// API §2 and §3: a stop loses nothing that had begun to arrive, and proves it in the log.
//
// Promises: the stop is sent while something is known to be under way, never at a guessed moment.
// Must not know: how long a drain takes.

import Foundation
import Testing
import TestSupport

@Suite("Stopping under load")
struct ShutdownTests {
    /// Waits until the server has begun to drain: it refuses new connections or says it is not ready.
    private func waitForDrain(_ server: ServerProcess) throws {
        try eventually("draining") {
            guard let connection = try? server.connect(timeoutSeconds: 1) else { return true }
            guard (try? connection.send(requestBytes("GET", "/readyz"))) != nil, let answer = try? connection.readAnswer() else { return true }
            return answer.status == 503
        }
    }

    @Test("what is in flight is stored and answered with Connection: close", .enabled(if: FaultInjector.isAvailable, "no C compiler"))
    func inFlight() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(faults: faults)
        let connection = try server.connect()
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        try connection.send(postBytes(sentPayload("a")))
        try faults.waitForCall(.sync, after: syncs)
        #expect(!connection.isReadable(milliseconds: 250))
        server.child.send(signal: SIGTERM)
        try waitForDrain(server)
        #expect(server.child.exitStatus == nil)
        try faults.clear()
        let answer = try connection.readAnswer()
        #expect(answer.status == 200)
        #expect(answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        #expect(try server.child.waitForExit() == .exited(0))
        try expectProved(server, ["a"])
    }

    @Test("a request half received when the stop comes is still stored and answered")
    func halfReceived() throws {
        let server = try ServerProcess()
        let connections = try (0..<3).map { _ in try server.connect() }
        let requests = (0..<3).map { postBytes(sentPayload("a\($0)")) }
        let lengths = [20, requests[1].count - 30, requests[2].count - 1]
        for index in 0..<3 {
            // An answer shows that the connection is accepted, not merely waiting in the kernel.
            try connections[index].send(requestBytes("GET", "/healthz"))
            #expect(try connections[index].readAnswer().status == 200)
            try connections[index].send(Array(requests[index][..<lengths[index]]))
        }
        server.child.send(signal: SIGTERM)
        try waitForDrain(server)
        for index in 0..<3 {
            try connections[index].send(Array(requests[index][lengths[index]...]))
            let answer = try connections[index].readAnswer()
            #expect(answer.status == 200)
            #expect(answer.announcesClose)
            #expect(try connections[index].readToEnd() == [])
        }
        #expect(try server.child.waitForExit() == .exited(0))
        try expectProved(server, ["a0", "a1", "a2"])
    }

    @Test("a whole request that arrives on an idle connection after the stop is still stored and answered")
    func arrivingLate() throws {
        let server = try ServerProcess()
        let holding = try server.connect()
        let idle = try server.connect()
        for connection in [holding, idle] {
            try connection.send(requestBytes("GET", "/healthz"))
            #expect(try connection.readAnswer().status == 200)
        }
        // A request under way elsewhere keeps the server up while the late one arrives.
        let held = postBytes(sentPayload("held"))
        try holding.send(Array(held.dropLast()))
        server.child.send(signal: SIGTERM)
        try waitForDrain(server)
        try idle.send(postBytes(sentPayload("late")))
        let answer = try idle.readAnswer()
        #expect(answer.status == 200)
        #expect(answer.announcesClose)
        try holding.send(Array(held.suffix(1)))
        #expect(try holding.readAnswer().status == 200)
        #expect(try server.child.waitForExit() == .exited(0))
        try expectProved(server, ["held", "late"])
    }

    @Test("a connection that never finishes holds the stop no longer than drain-seconds")
    func drainSeconds() throws {
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    drain-seconds: 1\n")
        let connection = try server.connect()
        try connection.send(requestBytes("GET", "/healthz"))
        #expect(try connection.readAnswer().status == 200)
        try connection.send("POST /callback HTTP/1.1\r\nHost: x\r\nContent-Le")
        server.child.send(signal: SIGTERM)
        // The header timeout is 10 s: an end before it is the drain's doing.
        #expect(try server.child.waitForExit(withinSeconds: 8) == .exited(0))
        try connection.readToEnd()
    }

    @Test("a disk that hangs holds the stop no longer than drain-seconds, and nothing is acknowledged", .enabled(if: FaultInjector.isAvailable, "no C compiler"))
    func hungDisk() throws {
        let faults = try FaultInjector()
        let server = try ServerProcess(configuration: "server:\n  timeouts:\n    drain-seconds: 1\n", faults: faults)
        let connection = try server.connect()
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        try connection.send(postBytes(sentPayload("a")))
        try faults.waitForCall(.sync, after: syncs)
        server.child.send(signal: SIGTERM)
        // Status 0 would say that everything accepted is on disk.
        #expect(try server.child.waitForExit(withinSeconds: 15) == .exited(1))
        #expect(!String(decoding: try connection.readToEnd(), as: UTF8.self).contains(" 200 "))
    }

    @Test("while draining new connections are refused, not left waiting")
    func refusedWhileDraining() throws {
        let server = try ServerProcess()
        let holding = try server.connect()
        try holding.send(requestBytes("GET", "/healthz"))
        #expect(try holding.readAnswer().status == 200)
        let held = postBytes(sentPayload("held"))
        try holding.send(Array(held.dropLast()))
        server.child.send(signal: SIGTERM)
        try eventually("a refusal or an answer to each new connection") {
            guard let late = try? server.connect() else { return true }
            try late.send(requestBytes("GET", "/readyz"), toleratingClose: true)
            return late.isReadable(milliseconds: 1_000) && (try? late.readAnswer().status) != 200
        }
        try holding.send(Array(held.suffix(1)))
        #expect(try holding.readAnswer().status == 200)
        #expect(try server.child.waitForExit() == .exited(0))
    }

    @Test("a clean stop leaves a checkpoint that proves the last record")
    func checkpoint() throws {
        let server = try ServerProcess()
        for index in 0..<3 { #expect(try server.post(sentPayload("a\(index)")).status == 200) }
        #expect(try server.terminate() == .exited(0))
        try expectProved(server, ["a0", "a1", "a2"])
    }

    @Test("a stop and a start over and over keep every record and the order")
    func restarts() throws {
        let directory = try TemporaryDirectory()
        var told: [Int] = []
        for round in 0..<5 {
            let server = try ServerProcess(directory: directory)
            told.append(try #require(try server.post(sentPayload("r\(round)")).object().integer("sequence")))
            for earlier in 0...round {
                #expect(try server.get("/v1/requests/r\(earlier)").object().integer("sequence") == told[earlier])
            }
            #expect(try server.terminate() == .exited(0))
        }
        let log = try LogReader(directory: directory.path)
        #expect(log.violations() == [])
        #expect(log.records.map(\.sequence) == told)
        #expect(told == Array(told[0]..<told[0] + 5))
    }

    /// Expects a sound log that ends with a checkpoint, and each identifier in it once.
    private func expectProved(_ server: ServerProcess, _ identifiers: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let log = try server.log()
        #expect(log.violations() == [], sourceLocation: sourceLocation)
        for identifier in identifiers { #expect(log.records(of: identifier).count == 1, sourceLocation: sourceLocation) }
        #expect(log.lines.last?.kind == "checkpoint", sourceLocation: sourceLocation)
        #expect(log.lines.last?.durable == log.records.last?.sequence, sourceLocation: sourceLocation)
    }
}
