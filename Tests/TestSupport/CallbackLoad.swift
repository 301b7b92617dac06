// Clients that keep posting to a server, and remember what it promised them.
//
// Promises: each connection has at most one callback under way; what was answered 200 is owed for ever, what was answered
// 503 is owed nothing and is sent again later; every other answer is a violation. A seed decides the order of callbacks.
// Must not know: how the server stores anything, or why it refuses.

import Foundation

/// Callbacks posted over the lives of one log's servers.
public struct CallbackLoad: Sendable {
    /// One callback that was answered 200.
    public struct Promise: Sendable {
        public let payload: String
        /// What the answer said. Retries may be told another one only where `mayStoreTwice`.
        public fileprivate(set) var sequences: Set<Int>
        /// Whether an answer said that it was the first copy. A duplicate under way may be answered on its connection
        /// before the first copy is on another.
        fileprivate var isFirstTold: Bool
    }

    /// By request_id.
    public private(set) var acknowledged: [String: Promise] = [:]
    /// In the order in which they were first acknowledged.
    public private(set) var order: [String] = []
    /// Payloads last answered 503, by request_id.
    public private(set) var refused: [String: String] = [:]
    /// Payloads that were never answered, by request_id: they may be there, whole, or not.
    public private(set) var unanswered: [String: String] = [:]
    /// How often the answer was 503.
    public private(set) var refusalCount = 0
    /// How many answers were a duplicate's.
    public private(set) var duplicateCount = 0
    /// What the server may never do, in words.
    public private(set) var violations: [String] = []
    /// Whether a retry may be stored as if it were new: while an index is being rebuilt.
    public var mayStoreTwice = false

    /// Retries are of one of that many callbacks drawn last: where retention takes older ones.
    public var retriedMax = Int.max

    private let prefix: String
    private let paddingBytes: ClosedRange<Int>
    private var generator: SeededGenerator
    private var drawn = 0

    /// - Parameters:
    ///   - prefix: with which each request_id begins.
    ///   - paddingBytes: how much longer than 60 bytes a payload is.
    public init(prefix: String = "load", paddingBytes: ClosedRange<Int> = 0...600, seed: UInt64 = 1) {
        self.prefix = prefix
        self.paddingBytes = paddingBytes
        generator = SeededGenerator(seed: seed)
    }

    /// One connection and what is under way on it.
    private struct Client {
        var connection: RawConnection
        var pending: (identifier: String, payload: String)?
    }

    /// How a run ends.
    public enum End { case answered, killed }

    /// Posts as fast as answers come until the condition holds; then waits for the answers under way, or kills the server.
    /// - Throws: `TestFailure.timeout` when it does not hold in time.
    public mutating func run(
        on server: ServerProcess, connections: Int = 8, ending: End = .answered, withinSeconds seconds: Double = 30,
        until isDone: (CallbackLoad) throws -> Bool
    ) throws {
        try run(
            connections: connections, withinSeconds: seconds, connect: { try server.connect() }, said: { server.child.standardError },
            killing: ending == .killed ? { try server.child.kill9() } : nil, until: isDone)
    }

    /// The same on whichever server `connect` leads to; `said` tells what it said, `kill` is called at the end.
    public mutating func run(
        connections: Int, withinSeconds seconds: Double = 30, connect: () throws -> RawConnection, said: () -> String,
        killing kill: (() throws -> Void)? = nil, until isDone: (CallbackLoad) throws -> Bool
    ) throws {
        var clients = try (0..<connections).map { _ in Client(connection: try connect(), pending: nil) }
        let deadline = Deadline(seconds: seconds)
        while try !isDone(self) {
            guard !deadline.hasPassed else {
                throw TestFailure.timeout(
                    "the load; \(acknowledged.count) acknowledged, \(refusalCount) refused; it said: \(said().suffix(1_000))")
            }
            for index in clients.indices {
                if clients[index].pending == nil {
                    let next = draw()
                    clients[index].pending = next
                    try clients[index].connection.send(postBytes(next.payload))
                }
                // The first one is waited for, so that an idle round costs nothing.
                guard clients[index].connection.isReadable(milliseconds: index == 0 ? 1 : 0) else { continue }
                let answer = try clients[index].connection.readAnswer()
                note(answer, clients[index].pending)
                clients[index].pending = nil
                if answer.announcesClose { clients[index].connection = try connect() }
            }
        }
        try kill?()
        for client in clients {
            guard let pending = client.pending else { continue }
            do {
                // What left the server before its end counts: it is in the receive buffer.
                note(try client.connection.readAnswer(), pending)
            } catch where kill != nil {
                unanswered[pending.identifier] = pending.payload
            }
        }
    }

    /// A new callback mostly; sometimes a retry of one refused, unanswered or acknowledged.
    private mutating func draw() -> (identifier: String, payload: String) {
        let choice = Int.random(in: 0..<16, using: &generator)
        // Names, not dictionary order, so that the seed decides.
        let earlier = "\(prefix)-\(Int.random(in: max(0, drawn - min(drawn, retriedMax))...drawn, using: &generator))"
        if choice < 4, let payload = refused[earlier] ?? unanswered[earlier] { return (earlier, payload) }
        if choice == 0, let promise = acknowledged[earlier] { return (earlier, promise.payload) }
        let identifier = "\(prefix)-\(drawn)"
        drawn += 1
        let padding = String(repeating: "p", count: Int.random(in: paddingBytes, using: &generator))
        return (identifier, #"{"request_id":"\#(identifier)","whatsapp_message_id":"w","padding":"\#(padding)"}"#)
    }

    private mutating func note(_ answer: Answer, _ pending: (identifier: String, payload: String)?) {
        guard let (identifier, payload) = pending else { return }
        let object = try? answer.object()
        if answer.status == 503 {
            refusalCount += 1
            if acknowledged[identifier] == nil { refused[identifier] = payload }
            if answer["Retry-After"].flatMap({ Int($0) }) ?? 0 < 1 { violations.append("\(identifier): 503 without Retry-After: \(answer.fields)") }
            if object?.string("detail")?.isEmpty != false { violations.append("\(identifier): 503 without a reason: \(answer.text)") }
            return
        }
        guard answer.status == 200, let sequence = object?.integer("sequence"), object?.string("request_id") == identifier else {
            violations.append("\(identifier): answered \(answer.status) \(answer.text)")
            return
        }
        refused[identifier] = nil
        unanswered[identifier] = nil
        if object?["duplicate"] == "true" { duplicateCount += 1 }
        let isFirst = object?["duplicate"] != "true"
        guard let earlier = acknowledged[identifier] else {
            acknowledged[identifier] = Promise(payload: payload, sequences: [sequence], isFirstTold: isFirst)
            order.append(identifier)
            return
        }
        acknowledged[identifier]?.sequences.insert(sequence)
        if isFirst { acknowledged[identifier]?.isFirstTold = true }
        if !mayStoreTwice, !earlier.sequences.contains(sequence) || isFirst && earlier.isFirstTold {
            violations.append("\(identifier): acknowledged as \(earlier.sequences), then \(answer.text)")
        }
    }

    /// The same promises but for those whose bytes the test took away.
    public func without(_ lost: Set<String>) -> CallbackLoad {
        var rest = self
        rest.order.removeAll { lost.contains($0) }
        for identifier in lost { rest.acknowledged[identifier] = nil }
        return rest
    }
}
