// Our own load client: one thread, one epoll set, many connections that post callbacks, each of them a new one.
//
// Why not wrk or h2load: h2load sends one body again and again, which is a duplicate and appends nothing; and neither
// sends at a given rate whether it is answered or not. One client for both protocols makes them comparable, too.
//
//     warm-up ── measured ── drain: nothing more is asked; what is on its way may still be answered
//
// Promises: what was asked is answered, refused, reset or counted as unanswered; nothing is asked twice. A connection
// that ends is opened again, unless the server never answered on it.
// Must not know: what the answers are compared with.

import Platform

/// What a load asks for.
struct LoadPlan {
    enum Pace {
        /// As many requests as `depth` on each connection, always.
        case closedLoop
        /// So many a second, due whether or not the earlier ones were answered: what cannot be sent is dropped.
        case openLoop(perSecond: Double)
    }

    let connections: Int
    /// The most requests that wait for their answers on one connection.
    let depth: Int
    let pace: Pace
    let seconds: Int
    let series: UInt32
}

final class LoadClient<Peer: LoadPeer> {
    private static var warmUpNanoseconds: Int64 { 500_000_000 }
    private static var drainNanoseconds: Int64 { 5_000_000_000 }
    private static var readBytesMax: Int { 65_536 }
    /// A turn of an open loop: what becomes due in so long is sent at once. So one write carries
    /// several; else the client could not send twice what the server bears.
    private static var turnNanoseconds: Int64 { 2_000_000 }
    /// The most of a turn: a client that was away does not send all it missed at once.
    private static var turnMax: Int { 20_000 }

    private final class Connection {
        let fd: Int32
        var peer: Peer
        /// What was asked on it, by index.
        var asked: [(number: UInt64, at: Int64)] = []
        var inFlight = 0
        var wasAnswered = false
        var input: [UInt8] = []
        var output: [UInt8] = []
        var outputStart = 0
        var isWatchedForWriting = false

        init(fd: Int32, peer: Peer) {
            self.fd = fd
            self.peer = peer
        }
        deinit { Socket.close(fd) }
    }

    private let plan: LoadPlan
    private let port: UInt16
    private let events: EventSet
    private var connections: [Connection] = []
    private var readBuffer = [UInt8](repeating: 0, count: LoadClient.readBytesMax)
    private var tally: LoadTally
    private var now: Int64 = 0
    private var measuredFrom: Int64 = 0
    private var measuredUntil: Int64 = 0
    /// Of an open loop: requests due so far, when they were, and the connection whose turn it is.
    private var issued = 0
    private var issuedAt: Int64 = 0
    private var turn = 0
    private var failure: (any Error)?

    init(_ plan: LoadPlan, port: UInt16) throws {
        self.plan = plan
        self.port = port
        events = try EventSet()
        tally = LoadTally(seconds: Double(plan.seconds))
    }

    private var isInTime: Bool { now >= measuredFrom && now < measuredUntil }

    func run() throws -> LoadTally {
        for index in 0..<plan.connections { connections.append(try open(index)) }
        let start = Clock.monotonicNanoseconds()
        measuredFrom = start + Self.warmUpNanoseconds
        measuredUntil = measuredFrom + Int64(plan.seconds) * 1_000_000_000
        now = start
        for index in connections.indices { send(index) }
        while now < measuredUntil + Self.drainNanoseconds {
            if now >= measuredUntil, connections.allSatisfy({ $0.inFlight == 0 }) { break }
            var isPaced = false
            if case .openLoop(let perSecond) = plan.pace, now < measuredUntil {
                if now - issuedAt >= Self.turnNanoseconds { issue(due: Int(Double(now - start) / 1_000_000_000 * perSecond)) }
                isPaced = true
            }
            events.wait(timeoutMilliseconds: isPaced ? 1 : 100) { token, ready in
                now = Clock.monotonicNanoseconds()
                serve(Int(token), ready)
            }
            if let failure { throw failure }
            now = Clock.monotonicNanoseconds()
        }
        for connection in connections { tally.leave(inFlight: connection.inFlight) }
        return tally
    }

    private func open(_ index: Int) throws -> Connection {
        let fd = try Loopback.connect(port: port)
        Loopback.setNonBlocking(fd)
        let connection = Connection(fd: fd, peer: Peer(authority: "127.0.0.1:\(port)", series: plan.series))
        connection.peer.open(into: &connection.output)
        try events.add(fd, token: UInt64(index), interest: .readable)
        return connection
    }

    /// Sends what has become due at a rate, always as many on one connection, then as many on the next that has room
    /// for them: a server that holds some back does not get the others in smaller pieces for it, which cost it more.
    private func issue(due: Int) {
        let few = max(1, min(16, plan.depth / 2))
        issuedAt = now
        if due - issued > Self.turnMax { issued = due - Self.turnMax }
        var fullInARow = 0
        while due - issued >= few, fullInARow < connections.count {
            let index = turn
            turn = (turn + 1) % connections.count
            let connection = connections[index]
            guard connection.peer.room(inFlight: connection.inFlight, depth: plan.depth) >= few else {
                fullInARow += 1
                continue
            }
            fullInARow = 0
            issued += few
            for _ in 0..<few { ask(connection) }
            flush(index)
        }
        guard due - issued >= few else { return }
        tally.holdBack(due - issued, isInTime: isInTime)
        issued = due
    }

    private func ask(_ connection: Connection) {
        let number = tally.take(isInTime: isInTime)
        connection.asked.append((number, now))
        connection.inFlight += 1
        connection.peer.ask(number: number, into: &connection.output)
    }

    private func serve(_ index: Int, _ ready: Readiness) {
        let connection = connections[index]
        if ready.contains(.readable) || ready.contains(.hangup) {
            switch Socket.receive(connection.fd, into: &readBuffer, from: 0) {
            case .bytes(let count): receive(connection, count)
            case .wouldBlock: break
            case .end, .failed: return reopen(index)
            }
        }
        send(index)
    }

    private func receive(_ connection: Connection, _ count: Int) {
        do {
            if connection.input.isEmpty {
                let used = try receive(connection, readBuffer, count)
                if used < count { connection.input = Array(readBuffer[used..<count]) }
            } else {
                connection.input.append(contentsOf: readBuffer[..<count])
                let input = connection.input
                connection.input = []
                let used = try receive(connection, input, input.count)
                connection.input = Array(input[used...])
            }
        } catch { failure = error }
    }

    private func receive(_ connection: Connection, _ bytes: [UInt8], _ count: Int) throws -> Int {
        try connection.peer.receive(bytes, count: count, into: &connection.output) { answer in
            guard connection.asked.indices.contains(answer.index) else { return }
            let asked = connection.asked[answer.index]
            connection.inFlight -= 1
            connection.wasAnswered = true
            tally.add(answer, number: asked.number, nanoseconds: now - asked.at, isInTime: isInTime)
        }
    }

    /// Asks for as much as there is room for, where the loop is closed, and writes.
    private func send(_ index: Int) {
        let connection = connections[index]
        if case .closedLoop = plan.pace, now < measuredUntil {
            var room = connection.peer.room(inFlight: connection.inFlight, depth: plan.depth)
            while room > 0 {
                ask(connection)
                room -= 1
            }
        }
        flush(index)
    }

    private func flush(_ index: Int) {
        let connection = connections[index]
        if connection.outputStart < connection.output.count {
            switch Socket.send(connection.fd, connection.output, from: connection.outputStart) {
            case .bytes(let count): connection.outputStart += count
            case .wouldBlock: break
            case .failed: return reopen(index)
            }
        }
        if connection.outputStart == connection.output.count {
            connection.output.removeAll(keepingCapacity: true)
            connection.outputStart = 0
        }
        let isUnsent = !connection.output.isEmpty
        guard isUnsent != connection.isWatchedForWriting else { return }
        connection.isWatchedForWriting = isUnsent
        events.modify(connection.fd, token: UInt64(index), interest: isUnsent ? [.readable, .writable] : .readable)
    }

    private func reopen(_ index: Int) {
        let old = connections[index]
        events.remove(old.fd)
        tally.lose(inFlight: old.inFlight)
        guard old.wasAnswered else {
            failure = BenchmarkFailure("the server closed a connection on which it had answered nothing")
            return
        }
        old.inFlight = 0
        do {
            connections[index] = try open(index)
            // What it begins with goes out with its first request, or as soon as it may be written.
            connections[index].isWatchedForWriting = true
            events.modify(connections[index].fd, token: UInt64(index), interest: [.readable, .writable])
        } catch { failure = error }
    }
}
