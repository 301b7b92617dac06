// Ten thousand connections that say nothing.
//
// Promises: the attacker is a process of its own, since both ends of so many are more descriptors than one process may
// have. Must not know: when a rest ends, which is in the tests of CallbackReceiver.

import Foundation
import Glibc
import Testing
import TestSupport

@Suite("Hostile: idle connections")
struct IdleConnectionTests {
    private static let connections = 10_000
    /// A connection at rest: its object, its place in the tables. No buffer.
    private static let idleBytesMax = 1_024

    /// Whether the server, like any process here, may have so many descriptors.
    private static let isPossible: Bool = {
        var limit = rlimit()
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_max >= rlim_t(connections + 500)
    }()

    private static let attack = """
        import resource, signal, socket, sys
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        sockets = []
        for number in range(int(sys.argv[2])):
            sockets.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
            sockets[-1].sendall(sys.argv[3].encode() if number % 2 else b"")
        print("connected", flush=True)
        signal.pause()
        """

    @Test(
        "10,000 idle connections, half of them with an answered request: a KiB each, no work, and a client among them is served",
        .enabled(if: isPossible, "the limit of open descriptors (ulimit -Hn) is below 10,500"))
    func idle() throws {
        let siege = try Siege()
        let request = String(decoding: requestBytes("GET", "/healthz"), as: UTF8.self)
        let attacker = try ChildProcess(
            executable: "/usr/bin/env", arguments: ["python3", "-c", Self.attack, "\(siege.port)", "\(Self.connections)", request])
        // The client has its turns while they come.
        try eventually("10,000 connections; \(attacker.standardError)", withinSeconds: 60) {
            try siege.serveClient()
            return attacker.standardOutput == "connected\n"
        }
        try siege.rounds(50) { _ in }
        try siege.expectHeld(bytes: Self.connections * Self.idleBytesMax, connections: Self.connections)
        #expect(try Footprint(of: siege.server).descriptors > Self.connections, "they are all there")
        try siege.expectAtRest()
        try attacker.kill9()
        try siege.expectRelieved()
    }
}
