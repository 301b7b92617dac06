// A restart behind a socket that stays: nobody is refused, nothing that was received stays unanswered.
//
// Promises: the test holds the socket as systemd does, and hands it to one server after the other.
// Must not know: how long a restart takes.

import Foundation
import Testing
import TestSupport

@Suite("A restart behind a socket that stays")
struct RestartTests {
    /// The servers of one socket and one log.
    private final class Service {
        let socket: HeldSocket
        let directory: TemporaryDirectory
        let faults: FaultInjector?
        private(set) var server: ServerProcess

        init(faults: FaultInjector? = nil) throws {
            (socket, directory, self.faults) = (try HeldSocket(), try TemporaryDirectory(), faults)
            server = try Self.start(socket, directory, faults)
        }

        private static func start(_ socket: HeldSocket, _ directory: TemporaryDirectory, _ faults: FaultInjector?) throws -> ServerProcess {
            try ServerProcess(
                directory: directory, listen: "systemd:web", configuration: "server:\n  loops: 2\n", faults: faults,
                sockets: [("web", socket.descriptor)])
        }

        /// Once the one before has ended.
        func startNext() throws { server = try Self.start(socket, directory, faults) }

        func connect() throws -> RawConnection { try RawConnection(port: socket.port, timeoutSeconds: 30) }
    }

    @Test("under load refuses no connection, answers every request, and everything acknowledged is in the log", .timeLimit(.minutes(3)))
    func underLoad() throws {
        let service = try Service()
        var load = CallbackLoad(prefix: "restart")
        var (restarts, goal, isStopping) = (0, 200, false)
        try load.run(connections: 16, withinSeconds: 120, connect: { try service.connect() }, said: { service.server.child.standardError }) { load in
            if isStopping, let status = service.server.child.exitStatus {
                #expect(status == .exited(0))
                try service.startNext()
                (isStopping, restarts, goal) = (false, restarts + 1, load.order.count + 200)
            } else if !isStopping, restarts < 4, load.order.count >= goal {
                service.server.child.send(signal: SIGTERM)
                isStopping = true
            }
            return restarts == 4 && load.order.count >= goal
        }
        #expect(load.refusalCount == 0, "not even a 503")
        #expect(load.unanswered.isEmpty)
        #expect(load.violations(in: try service.server.log()) == [])
        #expect(try load.wrongAnswers(of: service.server) == [])
        #expect(try service.server.terminate() == .exited(0))
    }

    @Test(
        "what is in flight is answered by the one that stops, what comes meanwhile by its successor",
        .enabled(if: FaultInjector.isAvailable, "no C compiler to build the fault injector"))
    func inFlight() throws {
        let faults = try FaultInjector()
        let service = try Service(faults: faults)
        let syncs = faults.count(.sync)
        try faults.set(.sync, .hold)
        let first = try service.connect()
        try first.send(postBytes(sentPayload("first")))
        try faults.waitForCall(.sync, after: syncs)
        service.server.child.send(signal: SIGTERM)
        try eventually("the stop", holds: { service.server.child.standardError.contains("stopping: answering what was accepted") })
        // Whether they are accepted yet or wait in the backlog: they are connected, and whole.
        let others = try (0..<20).map { number in
            let connection = try service.connect()
            try connection.send(postBytes(sentPayload("other-\(number)")))
            return connection
        }
        #expect(!first.isReadable(milliseconds: 0))
        try faults.clear()
        let answer = try first.readAnswer()
        #expect(answer.status == 200 && answer.announcesClose)
        #expect(try service.server.child.waitForExit() == .exited(0))
        try service.startNext()
        for (number, connection) in others.enumerated() {
            let answer = try connection.readAnswer()
            #expect(try answer.status == 200 && answer.object().string("request_id") == "other-\(number)", "\(answer.text)")
        }
        #expect(try service.server.log().records.count == 21)
    }

    @Test("a connection that comes while there is no server at all waits for the next one")
    func between() throws {
        let service = try Service()
        #expect(try service.server.terminate() == .exited(0))
        let connection = try service.connect()
        try connection.send(postBytes(sentPayload("a")))
        try service.startNext()
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("a killed server takes nothing of the socket with it")
    func killed() throws {
        let service = try Service()
        #expect(try service.server.post(sentPayload("a")).status == 200)
        try service.server.child.kill9()
        let connection = try service.connect()
        try connection.send(postBytes(sentPayload("b")))
        try service.startNext()
        #expect(try connection.readAnswer().status == 200)
        #expect(try service.server.log().records.count == 2)
    }
}
