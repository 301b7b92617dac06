// A server of one loop, a client that means well, and the footprint from before the attack.
//
// Promises: attacker and client share the loop, so that neither is spared by luck. The client's turns lie between the
// attacker's: each of its callbacks is durable, and asked for, before the attacker goes on. No time is measured; a
// server that made it wait for an attack's end would never answer.
// Must not know: what the attack is.

import Testing
import TestSupport

final class Siege {
    /// Beside what an attack may hold: what a server needs more after a while of any use, allocator included.
    private static let slackBytes = 4 * 1_024 * 1_024
    /// Callbacks before the first look at memory, so that storage which is reused is there.
    private static let warmUpCount = 64

    /// One loop, and no deadline that a slow machine could reach: what those do is shown where the clock can be turned.
    private static let environment = [
        "CALLBACK_RECEIVER_SERVER_LOOPS": "1", "CALLBACK_RECEIVER_SERVER_TIMEOUTS_HEADER_SECONDS": "3600",
        "CALLBACK_RECEIVER_SERVER_TIMEOUTS_BODY_SECONDS": "3600", "CALLBACK_RECEIVER_SERVER_TIMEOUTS_IDLE_SECONDS": "3600",
    ]

    let server: ServerProcess
    private let client: RawConnection
    private var identifiers: [String] = []
    private var before: Footprint

    init(environment: [String: String] = [:], faults: FaultInjector? = nil) throws {
        server = try ServerProcess(environment: environment.merging(Self.environment) { $1 }, faults: faults)
        client = try server.connect()
        before = try Footprint(of: server)
        for _ in 0..<Self.warmUpCount { try serveClient() }
        // The quarantine opens its directory for the first body that it keeps.
        #expect(try server.exchange(postBytes("no JSON")).status == 400)
        before = try Footprint(of: server)
    }

    var port: UInt16 { server.port }

    /// From here on counts as before: the preparations of an attack are done.
    func beginAttack() throws { before = try Footprint(of: server) }

    /// The client's turn: a callback, durable, and what became of it, on the connection that it has had all along.
    func serveClient(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let identifier = "good-\(identifiers.count)"
        try client.send(postBytes(sentPayload(identifier)))
        let stored = try client.readAnswer()
        #expect(stored.status == 200 && !stored.announcesClose, "\(stored.text)", sourceLocation: sourceLocation)
        try client.send(requestBytes("GET", "/v1/requests/\(identifier)"))
        let status = try client.readAnswer()
        #expect(status.status == 200 && !status.announcesClose, "\(status.text)", sourceLocation: sourceLocation)
        #expect(try status.object().string("request_id") == identifier, sourceLocation: sourceLocation)
        identifiers.append(identifier)
    }

    /// The client's turn while the disk is held: a question, which needs no disk.
    func askClient(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let identifier = identifiers.last ?? ""
        try client.send(requestBytes("GET", "/v1/requests/\(identifier)"))
        let status = try client.readAnswer()
        #expect(status.status == 200 && !status.announcesClose, "\(status.text)", sourceLocation: sourceLocation)
    }

    /// The attacker's turn and the client's, `count` times. A newcomer that means well is served in each, too.
    func rounds(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation, attack: (Int) throws -> Void) throws {
        for round in 0..<count {
            try attack(round)
            try serveClient(sourceLocation: sourceLocation)
            #expect(try server.get("/healthz").status == 200, "a newcomer", sourceLocation: sourceLocation)
        }
    }

    /// While the attack goes on: no more than this is held for it.
    /// - Parameters:
    ///   - bytes: what the bounds of the server allow all of the attack's connections together.
    ///   - connections: how many those are at most.
    func expectHeld(bytes: Int, connections: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let now = try Footprint(of: server)
        let growth = now.anonymousBytes - before.anonymousBytes
        #expect(growth <= bytes + Self.slackBytes, "\(growth / 1_024) KiB more than before the attack", sourceLocation: sourceLocation)
        // Newcomers of the client's rounds may still be closing.
        try eventually("no more descriptors than the attack's connections") {
            try Footprint(of: server).descriptors <= before.descriptors + connections
        }
    }

    /// After the attack: no connection is left of it, no thread runs on, every callback of the client is there.
    func expectRelieved(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try eventually("the attack's descriptors are closed") { try Footprint(of: server).descriptors <= before.descriptors }
        try expectAtRest()
        try serveClient(sourceLocation: sourceLocation)
        let log = try server.log()
        for identifier in identifiers { #expect(log.records(of: identifier).count == 1, "\(identifier)", sourceLocation: sourceLocation) }
    }

    /// With nothing to do, nothing is done, whatever connections are in whatever state.
    func expectAtRest() throws {
        var looks = 0
        try eventually("every thread sleeps, several times in a row") {
            looks = Footprint.isAtRest(server) ? looks + 1 : 0
            return looks >= 5
        }
    }
}
