// A stop: what was accepted is answered, then everything ends.
//
// Promises: each claim of API.md §3 about draining, with the disk and the clock in the test's hands.
// Must not know: signals; those are the process's.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Draining")
struct DrainTests {
    @Test("a callback in flight is stored and answered with Connection: close, and the log is whole")
    func inFlight() throws {
        let running = try RunningServer { $0.drainSeconds = 30 }
        running.disk.hold()
        let connection = try running.postHeld("a")
        let stopping = running.beginStop()
        try eventually("the listener is closed", holds: { !running.takesConnections })
        #expect(!connection.isReadable(milliseconds: 0))
        running.disk.release()
        let answer = try connection.readAnswer()
        #expect(answer.status == 200 && answer.announcesClose)
        #expect(try connection.readToEnd() == [])
        #expect(stopping.wait())
        #expect(running.log.durable == 1)
    }

    @Test("requests behind one in flight are answered before the end, whenever they came", arguments: [true, false])
    func pipelined(isAfterStop: Bool) throws {
        let running = try RunningServer { $0.drainSeconds = 30 }
        running.disk.hold()
        let behind = postBytes(callback("b")) + requestBytes("GET", "/v1/requests/b")
        let connection = try running.postHeld("a", behind: isAfterStop ? [] : behind)
        let stopping = running.beginStop()
        try eventually("the listener is closed", holds: { !running.takesConnections })
        if isAfterStop { try connection.send(behind) }
        running.disk.release()
        var answers: [Answer] = []
        for _ in 0..<3 { answers.append(try connection.readAnswer()) }
        #expect(answers.map(\.status) == [200, 200, 200])
        #expect(answers.map(\.announcesClose) == [false, false, true])
        #expect(try connection.readToEnd() == [])
        #expect(stopping.wait())
        #expect(running.log.durable == 2)
    }

    @Test("an idle connection has two seconds for a request that was on its way; then it is closed")
    func idle() throws {
        let running = try RunningServer { $0.drainSeconds = 30 }
        let late = try running.connect()
        let silent = try running.connect()
        try running.stir()
        let stopping = running.beginStop()
        try eventually("the listener is closed", holds: { !running.takesConnections })
        #expect(!silent.isReadable(milliseconds: 0))
        try late.send(postBytes(callback("late")))
        let answer = try late.readAnswer()
        #expect(answer.status == 200 && answer.announcesClose)
        // Nobody stirs the loops but their own clocks: two real seconds, at most.
        running.clock.advance(seconds: 3)
        #expect(try silent.readToEnd() == [])
        #expect(try late.readToEnd() == [])
        #expect(stopping.wait())
    }

    @Test("a connection in the backlog is served; afterwards there is nobody to connect to")
    func listener() throws {
        let running = try RunningServer {
            $0.drainSeconds = 30
            $0.loops = 2
        }
        let connections = try (0..<50).map { number in
            let connection = try running.connect()
            try connection.send(postBytes(callback("id-\(number)")))
            return connection
        }
        let stopping = running.beginStop()
        for (number, connection) in connections.enumerated() {
            #expect(try connection.readAnswer().object().string("request_id") == "id-\(number)")
        }
        #expect(stopping.wait())
        #expect(!running.takesConnections)
        #expect(running.openConnections == 0)
        #expect(running.log.durable == 50)
    }

    @Test("within the shortest drain, whoever sits on a half request cannot hold the stop")
    func shortest() throws {
        let running = try RunningServer { $0.drainSeconds = 1 }
        let stuck = try running.connect()
        try stuck.send(Array(postBytes(callback("a")).dropLast(3)))
        try running.stir()
        #expect(running.stop())
        #expect(try stuck.readToEnd() == [])
        #expect(running.openConnections == 0)
    }

    @Test("a disk that hangs cannot hold the stop either; the stop says that not everything is stored")
    func hangingDisk() throws {
        let running = try RunningServer { $0.drainSeconds = 1 }
        running.disk.hold()
        let connection = try running.postHeld("a")
        #expect(!running.stop())
        #expect(running.disk.isHolding, "the stop did not wait for the disk")
        #expect(try connection.readToEnd() == [], "and said nothing of what is not stored (invariant 1)")
        // The late word of the log finds nobody, and nothing breaks.
        running.disk.release()
        try eventually("the disk's word came", holds: { running.log.durable == 1 })
    }

    @Test("stopping twice is stopping once")
    func twice() throws {
        let running = try RunningServer()
        _ = try running.post("a")
        #expect(running.server.stop())
        #expect(running.server.stop())
    }

    @Test("every descriptor is given back", arguments: [1, 2])
    func descriptors(loops: Int) throws {
        let running = try RunningServer { $0.loops = loops }
        let mine = try (0..<30).map { _ in try running.connect() }
        for connection in mine {
            try connection.send(requestBytes("GET", "/healthz"))
            #expect(try connection.readAnswer().status == 200)
        }
        #expect(running.openConnections == 30)
        #expect(running.stop())
        // A descriptor that is open would keep its peer waiting.
        for connection in mine { #expect(try connection.readToEnd() == []) }
        #expect(running.openConnections == 0)
    }
}
