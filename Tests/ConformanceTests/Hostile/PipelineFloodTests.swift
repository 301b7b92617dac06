// Requests without end and without a look at the answers (RFC 9112 §9.3.2).
//
// Promises: what a connection's peer does not read bounds what is read of it. Must not know: how large the kernel's
// buffers are, only that they are not endless.

import Testing
import TestSupport

@Suite("Hostile: pipelining without reading")
struct PipelineFloodTests {
    private static let connections = 50
    /// Unsent answers, requests that wait behind them, and the storage of both while it grows.
    private static let connectionBytes = 4 * 64 * 1_024

    @Test("requests that never end and answers that nobody reads: the server stops reading, and holds little for each connection")
    func small() throws {
        let siege = try Siege()
        let requests = Array([[UInt8]](repeating: requestBytes("GET", "/healthz"), count: 1_000).joined())
        let attackers = try (0..<5).map { _ in try Attacker(port: siege.port, receiveBytes: 4_096) }
        try pushUntilStuck(siege, attackers, requests)
        try siege.expectHeld(bytes: 5 * Self.connectionBytes, connections: 5)
        try siege.expectAtRest()
        for attacker in attackers { attacker.resetOnClose() }
    }

    @Test("callbacks that never end and answers that nobody reads: the same, and each that was stored was a whole one")
    func callbacks() throws {
        let siege = try Siege()
        let requests = (0..<200).flatMap { postBytes(sentPayload("flood", "wamid.\($0)")) }
        let attackers = try (0..<5).map { _ in try Attacker(port: siege.port, receiveBytes: 4_096) }
        try pushUntilStuck(siege, attackers, requests)
        try siege.expectHeld(bytes: 5 * Self.connectionBytes, connections: 5)
        for attacker in attackers { attacker.resetOnClose() }
        #expect(try siege.server.log().records(of: "flood").count <= 200, "the same 200 again and again are duplicates")
    }

    @Test("large answers that nobody reads: one for each connection at most, and others are served")
    func large() throws {
        let siege = try Siege()
        try fillPage(siege)
        let requests = Array([[UInt8]](repeating: requestBytes("GET", "/v1/requests/page/callbacks"), count: 200).joined())
        let attackers = try (0..<Self.connections).map { _ in try Attacker(port: siege.port) }
        try siege.rounds(10) { _ in
            for attacker in attackers { #expect(attacker.offer(requests[...]) != nil) }
        }
        // A page of 1 MiB in an array that doubled to hold it.
        try siege.expectHeld(bytes: Self.connections * (2_048 * 1_024 + Self.connectionBytes), connections: Self.connections)
        try siege.expectAtRest()
        for attacker in attackers { attacker.resetOnClose() }
    }

    @Test("what comes in one segment behind a callback that waits for the disk is bounded, and answered in its order when its turn comes")
    func behindDisk() throws {
        let faults = try FaultInjector()
        let siege = try Siege(faults: faults)
        try faults.set(.sync, .hold)
        let behind = Array([[UInt8]](repeating: requestBytes("GET", "/healthz"), count: 1_500).joined())
        let attackers = try (0..<Self.connections).map { _ in try Attacker(port: siege.port) }
        for (number, attacker) in attackers.enumerated() {
            _ = attacker.offer((postBytes(sentPayload("first-\(number)")) + behind)[...])
            try siege.askClient()
        }
        // Attackers go on; the disk stays as it is.
        for _ in 0..<20 {
            for attacker in attackers { _ = attacker.offer(behind[...]) }
            try siege.askClient()
        }
        try siege.expectHeld(bytes: Self.connections * Self.connectionBytes, connections: Self.connections)
        for attacker in attackers { #expect(attacker.take(bytesMax: 1) == nil, "nothing overtakes what waits") }
        try faults.clear()
        for attacker in attackers {
            var seen: [UInt8] = []
            try eventually("answers in order") {
                while let more = attacker.take(bytesMax: 64 * 1_024), !more.isEmpty { seen += more }
                return statuses(in: seen).count > 500
            }
            #expect(seen.starts(with: "HTTP/1.1 200".utf8))
            attacker.resetOnClose()
        }
    }

    /// Pushes on until, over several of the client's turns, no connection takes a byte more.
    private func pushUntilStuck(_ siege: Siege, _ attackers: [Attacker], _ requests: [UInt8], turnsMax: Int = 2_000) throws {
        var offsets = [Int](repeating: 0, count: attackers.count)
        var stillTurns = 0
        for _ in 0..<turnsMax {
            var taken = 0
            for (number, attacker) in attackers.enumerated() {
                let count = try #require(attacker.offer(requests[offsets[number]...]))
                offsets[number] = (offsets[number] + count) % requests.count
                taken += count
            }
            try siege.serveClient()
            stillTurns = taken == 0 ? stillTurns + 1 : 0
            if stillTurns == 20 { return }
        }
        Issue.record("the server reads on, though nobody reads what it answers")
    }
}
