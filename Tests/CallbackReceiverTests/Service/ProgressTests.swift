// Who counts as alive: the loops and the writer of a server in this process, whose disk is in the test's hands.
//
// Promises: a party that is held is held by a gate, and nothing waits for a time to pass.

import CallbackLog
import Dispatch
import HTTPWire
import Synchronization
import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Progress")
struct ProgressTests {
    private final class Answers: Sendable {
        private let state = Mutex<Set<String>>([])
        var names: Set<String> { state.withLock { $0 } }
        func add(_ name: String) { state.withLock { _ = $0.insert(name) } }
    }

    /// Asks every party.
    private func ask(_ running: RunningServer) -> (answers: Answers, parties: [Watchdog.Party]) {
        let answers = Answers()
        let parties = running.server.parties
        for party in parties { party.ask { answers.add(party.name) } }
        return (answers, parties)
    }

    @Test("every loop and the writer answer, idle or under load; nobody needs an excuse")
    func answering() throws {
        let running = try RunningServer { $0.loops = 2 }
        for round in 0..<3 {
            if round > 0 { #expect(try running.post("a-\(round)").status == 200) }
            let (answers, parties) = ask(running)
            #expect(parties.map(\.name) == ["loop 0", "loop 1", "writer"])
            try eventually("the answers", holds: { answers.names.count == 3 })
        }
    }

    @Test("a writer whose disk stalls is excused, and the loops answer")
    func stalledDisk() throws {
        let running = try RunningServer { $0.drainSeconds = 30 }
        running.disk.hold()
        let connection = try running.postHeld("a")
        let (answers, parties) = ask(running)
        try eventually("the loop's answer", holds: { answers.names == ["loop 0"] })
        #expect(parties[1].isExcused() && !answers.names.contains("writer"))
        #expect(!parties[0].isExcused(), "an excuse is for those who wait for the disk")
        running.disk.release()
        #expect(try connection.readAnswer().status == 200)
        try eventually("the writer's answer", holds: { answers.names.contains("writer") })
        #expect(!parties[1].isExcused())
    }

    @Test("a writer that hangs elsewhere is not excused")
    func hangingWriter() throws {
        let running = try RunningServer { $0.drainSeconds = 30 }
        let (gate, entered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // An observer that hangs hangs the writer's queue, outside of any call on the disk.
        running.log.addObserver { _ in
            entered.signal()
            gate.wait()
        }
        running.log.interest.add()
        let connection = try running.connect()
        try connection.send(postBytes(callback("a")))
        entered.wait()
        let (answers, parties) = ask(running)
        try eventually("the loop's answer", holds: { answers.names == ["loop 0"] })
        #expect(!parties[1].isExcused())
        running.log.interest.remove()
        gate.signal()
        #expect(try connection.readAnswer().status == 200)
        try eventually("the writer's answer", holds: { answers.names.contains("writer") })
    }

    @Test("a loop that hangs is not excused, and the others answer")
    func hangingLoop() throws {
        let (gate, entered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let running = try RunningServer(furtherRoute: { request, response in
            guard request.isEqual(request.path, "/hang") else { return nil }
            entered.signal()
            gate.wait()
            response.contentType = "text/plain"
            return .respond
        })
        let connection = try running.connect()
        try connection.send(requestBytes("GET", "/hang"))
        entered.wait()
        let (answers, parties) = ask(running)
        try eventually("the writer's answer", holds: { answers.names == ["writer"] })
        #expect(!parties[0].isExcused())
        gate.signal()
        #expect(try connection.readAnswer().status == 200)
        try eventually("the loop's answer", holds: { answers.names.contains("loop 0") })
    }

    @Test("loops that have ended need not answer")
    func ended() throws {
        let running = try RunningServer { $0.loops = 2 }
        #expect(running.stop())
        #expect(running.server.parties.dropLast().allSatisfy { $0.isExcused() })
    }
}
