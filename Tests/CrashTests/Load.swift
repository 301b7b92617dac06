// A client that keeps posting until its server is killed, and remembers what it was promised.
//
// Promises: one thread, one poll loop, a seeded generator, so that a run can be told by its seed.
// Must not know: how the server stores anything.

import Foundation
import Glibc
import TestSupport

/// What the server owes over all its lives.
struct Promises {
    /// Payload sent, and the sequence answered with 200, by request_id.
    var acknowledged: [String: (payload: String, sequence: Int)] = [:]
    /// Those whose answer said that they were the first copy.
    private var acknowledgedFirst: Set<String> = []
    /// Payload sent and not answered, by request_id: it may be there, whole, or not.
    var unanswered: [String: String] = [:]
    /// Answers that contradict each other, in words.
    var violations: [String] = []
    /// Whether 503 is an answer: where faults are injected.
    var mayBeRefused = false
    /// The number of identifiers drawn so far.
    var drawn = 0

    mutating func note(_ identifier: String, _ payload: String, _ answer: Answer) {
        // Refused, and perhaps written all the same: nothing is owed, nothing forbidden.
        if mayBeRefused, answer.status == 503 { return }
        guard answer.status == 200, let object = try? answer.object(), let sequence = object.integer("sequence") else {
            violations.append("\(identifier): answered \(answer.status) \(answer.text)")
            return
        }
        // A duplicate in flight may be answered on its connection before the first copy is on another.
        let repeated = object["duplicate"] != "true" && !acknowledgedFirst.insert(identifier).inserted
        if let earlier = acknowledged[identifier], earlier.sequence != sequence || repeated {
            violations.append("\(identifier): acknowledged as \(earlier.sequence), then \(answer.text)")
        }
        if object.string("request_id") != identifier { violations.append("\(identifier): answered \(answer.text)") }
        unanswered[identifier] = nil
        acknowledged[identifier] = (payload, sequence)
    }
}

/// Several connections, each with at most one post under way.
struct Load {
    private struct Client {
        let connection: RawConnection
        var pending: (identifier: String, payload: String)?
    }

    private var clients: [Client]

    init(_ server: ServerProcess, connections: Int) throws {
        clients = try (0..<connections).map { _ in Client(connection: try server.connect(timeoutSeconds: 5)) }
    }

    /// Posts as fast as answers come, kills the server at the given moment, and takes in what was still answered.
    mutating func run(
        killing server: ServerProcess, afterMilliseconds: Int, promises: inout Promises, using generator: inout SeededGenerator
    ) throws {
        let deadline = Deadline(seconds: Double(afterMilliseconds) / 1000)
        while !deadline.hasPassed {
            for index in clients.indices { try step(index, &promises, &generator) }
        }
        server.child.send(signal: SIGKILL)
        try server.child.waitForExit()
        // What had left the server before its end counts: the client has it in its receive buffer.
        for index in clients.indices {
            guard let pending = clients[index].pending, let answer = try? clients[index].connection.readAnswer() else { continue }
            promises.note(pending.identifier, pending.payload, answer)
        }
    }

    private mutating func step(_ index: Int, _ promises: inout Promises, _ generator: inout SeededGenerator) throws {
        if let pending = clients[index].pending {
            guard clients[index].connection.isReadable(milliseconds: 0) else { return }
            promises.note(pending.identifier, pending.payload, try clients[index].connection.readAnswer())
            clients[index].pending = nil
        }
        let (identifier, payload) = draw(&promises, &generator)
        clients[index].pending = (identifier, payload)
        try clients[index].connection.send(postBytes(payload))
    }

    /// A new callback mostly; sometimes a retry of one that was acknowledged or left unanswered.
    private func draw(_ promises: inout Promises, _ generator: inout SeededGenerator) -> (String, String) {
        let choice = UInt8.random(in: 0..<20, using: &generator)
        // Names, not dictionary order, so that the seed decides.
        let earlier = "crash-\(Int.random(in: 0...promises.drawn, using: &generator))"
        if choice == 0, let known = promises.acknowledged[earlier] { return (earlier, known.payload) }
        if choice <= 2, let unknown = promises.unanswered[earlier] { return (earlier, unknown) }
        let identifier = "crash-\(promises.drawn)"
        promises.drawn += 1
        let padding = String(repeating: "p", count: Int.random(in: 0..<600, using: &generator))
        let payload = #"{"request_id":"\#(identifier)","whatsapp_message_id":"w","padding":"\#(padding)"}"#
        promises.unanswered[identifier] = payload
        return (identifier, payload)
    }
}
