// A loop: one epoll set, run by one block that occupies one serial Dispatch queue.
//
//     wait ─▶ for each ready descriptor: accept │ read ─▶ parse ─▶ route ─▶ answer │ write on
//       ▲                                                            ├─▶ log.append … acknowledgement ─▶ answer
//       │                                                            └─▶ query queue … answer ─▶ answer
//       └──── mailbox, deadlines ◀────────────────────────────────────────────────────────┘
//
// Promises: everything of a connection happens on its loop. Tokens carry a generation, tickets a serial number,
// never a descriptor: descriptors are reused. Every open connection has one deadline,
// or an exchange that has one.
// Must not know: what routes answer, how the log stores.

import CallbackLog
import HTTPWire
import Logging
import Platform

/// What every loop of a server shares: one value, which a reload replaces by another.
struct LoopContext: Sendable {
    var router: Router
    let queries: QueryQueues
    let following: Following
    let refusalKeeper: any RefusalKeeper
    var limits: HTTPLimits
    var configuration: ServerConfiguration
    let handles: [LoopHandle]
    var connectionsMax: Int
    var admission: Admission
    let logger: Logger
    /// Monotonic milliseconds; tests turn it.
    let clock: @Sendable () -> Int64
    /// Called once by each loop, when it has drained or was stopped.
    let loopEnded: @Sendable () -> Void
}

/// A loop on its way to its queue. There it is taken out and is a local value from then on: nothing else can reach it,
/// which the compiler then knows, so that no access to what it owns has to be checked while it runs.
final class ReadyLoop {
    private var loop: Loop?

    init(_ loop: consuming Loop) { self.loop = loop }

    /// Runs until the server stops. Occupies the queue. Once.
    func run() {
        guard var running = loop.take() else { return }
        running.run()
    }
}

struct Loop {
    /// What one read takes at most. Larger bodies come in several.
    static let readBytesMax = 64 * 1_024
    /// With so much unsent, a connection's further requests wait (pipelining without reading).
    static let unsentBytesMax = 64 * 1_024
    /// Requests of one connection that are served before the next connection has its turn: a peer that sends many at
    /// once must not keep the others waiting. At ten microseconds each, a third of a millisecond.
    static let turnExchangesMax = 32
    /// So much content made counts as one more, whether it is sent or was only asked about (HEAD): a page of a MiB is a
    /// turn of its own.
    static let turnBytesPerExchange = 32 * 1_024
    /// Buffers larger than this are given back after use.
    static let keptBytesMax = 256 * 1_024
    /// Heads, bodies and waiting input of requests that are not whole, of all connections of a loop: a thousand of the
    /// largest callbacks at once. Beyond, whoever has been sending for longest is refused (invariant 7).
    static let heldBytesMax = 64 * 1_024 * 1_024
    /// A connection over HTTP/2 that alone holds more of it than this is the one to refuse.
    static let heldShareBytesMax = 1_024 * 1_024
    /// Answers that peers have not taken, of all connections of a loop: a hundred of the largest pages. Beyond, whoever has
    /// kept us waiting for longest is left.
    static let unsentInAllBytesMax = 128 * 1_024 * 1_024
    /// What a closing peer may still send us before we stop listening to it.
    static let lingerBytesMax = 1_024 * 1_024

    private static let wakeupToken = UInt64.max
    static let listenerToken = UInt64.max - 1_024

    /// Replaced whole by a reload.
    private(set) var context: LoopContext
    let index: Int
    let recipient: Int
    let events: EventSet
    var slots: [Connection?] = []
    var freeSlots: [Int] = []
    var deadlines: Deadlines
    /// Read for each event: after a quiet time the reading before it is long past.
    var now: Int64
    /// When the drain began; nil before.
    var drainBegan: Int64?
    var isDraining: Bool { drainBegan != nil }
    /// Callbacks and announcements that the log has.
    var exchanges = Exchanges()
    /// Exchanges that something else answers later.
    var deferrals = Deferrals()
    /// Of those, who waits for which request, by its hash.
    var waits: [UInt64: Set<UInt64>] = [:]
    /// Streams that go on when records arrive.
    var parkedStreams: Set<UInt64> = []
    /// How many wait for records or follow them.
    var followingCount = 0
    /// Raised whenever records have arrived.
    var advanceCount: UInt64 = 0
    var followingLine = AskingLine(), exportingLine = AskingLine()
    /// The tokens of HTTP/2 connections that have answers to write.
    var touched: [UInt64] = []
    /// Requests served in the present connection's turn.
    var turn = 0
    /// The tokens of connections that have had their turn, and have more to serve.
    var again: [UInt64] = []
    /// What all connections hold of requests, in bytes.
    var heldBytes = 0
    /// What all peers have not taken of answers, in bytes.
    var unsentBytes = 0
    /// Let go of when draining: with the last loop's the socket closes, and nobody is left waiting in its backlog.
    var listeners: [(listener: Listener, role: ListenerRole)]
    /// When the listeners are watched again; nil while they are.
    var listeningResumesAt: Int64?
    var refusalLog: RateLimitedLog

    // Storage that every request of the loop reuses.
    var readBuffer = [UInt8](repeating: 0, count: Loop.readBytesMax)
    var request = Request()
    var response = Response()
    var output: [UInt8] = []
    var scratch = RouteScratch()
    /// Of the request that `response` answers.
    var measure = Measure()
    let meters: LoopMeters

    var handle: LoopHandle { context.handles[index] }
    var turnedAwayCount = 0
    private var messages: [LoopMessage] = []
    private var generation: UInt32 = 0
    private(set) var isStopped = false
    private var dateSecond: Int64 = -1
    private var dateNow = HTTPDate(unixSeconds: 0)

    init(
        _ context: LoopContext, listeners: [(listener: Listener, role: ListenerRole)], index: Int, recipient: Int
    ) throws(SystemError) {
        self.context = context
        self.listeners = listeners
        self.index = index
        self.recipient = recipient
        meters = context.handles[index].meters
        let configuration = context.configuration
        now = context.clock()
        deadlines = Deadlines(
            idleSeconds: configuration.idleSeconds, headSeconds: configuration.headerSeconds, bodySeconds: configuration.bodySeconds)
        refusalLog = RateLimitedLog(context.logger)
        scratch.reader = RecordReader(disk: context.handles[index].disk)
        events = try EventSet()
        try events.add(context.handles[index].wakeup.descriptor, token: Self.wakeupToken, interest: .readable)
        try watchListeners()
    }

    /// Runs until the server stops. Occupies its queue.
    mutating func run() {
        while !isStopped, !(isDraining && handle.endIfEmpty()) {
            events.wait(timeoutMilliseconds: patienceMilliseconds) { token, ready in
                now = context.clock()
                handle(token, ready)
            }
            now = context.clock()
            takeTurns()
            while let (slot, kind) = deadlines.takeExpired(now: now) {
                if let connection = slots[slot] { expire(connection, slot, kind) }
            }
            answerExpired()
            answerDue()
            finishTouched()
            askOn()
            if let at = listeningResumesAt, at <= now { resumeListening() }
        }
        isStopped = true
        handle.end()
        for slot in slots.indices { close(slot) }
        takeMessages()
        context.loopEnded()
    }

    /// How long nothing can fall due; -1: for ever.
    private var patienceMilliseconds: Int32 {
        if !again.isEmpty { return 0 }
        var patience = deadlines.milliseconds(untilNextFrom: now)
        if let at = listeningResumesAt { patience = min(patience ?? .max, max(0, at - now)) }
        if let at = deferrals.dueAt { patience = min(patience ?? .max, max(0, at - now)) }
        if let at = exchanges.expiresAt { patience = min(patience ?? .max, max(0, at - now)) }
        return patience.map { Int32(clamping: $0 + 1) } ?? -1
    }

    private mutating func handle(_ token: UInt64, _ ready: Readiness) {
        if token == Self.wakeupToken {
            handle.wakeup.acknowledge()
            takeMessages()
        } else if token >= Self.listenerToken {
            // An event from before the drain may come after it.
            let number = Int(token - Self.listenerToken)
            if number < listeners.count { accept(from: listeners[number]) }
        } else {
            guard let connection = connection(of: token) else { return }
            serve(connection, slot(of: token), ready)
        }
    }

    private mutating func takeMessages() {
        handle.mailbox.take(into: &messages)
        for message in messages {
            switch message {
            case .acknowledgements(let list): answer(list)
            case .answer(let ticket, let response): answer(ticket, by: response)
            case .asked(let answers, let lane): answer(answers, of: lane)
            case .kept(let ticket, let isKept): answer(ticket, isKept: isKept)
            case .advanced: advance()
            case .connection(let newcomer):
                // What was handed over while we left is closed, not leaked.
                if isStopped { drop(newcomer) } else { open(newcomer) }
            case .newcomer(let newcomer, let hops): admit(newcomer, hops: hops)
            case .alive(let answer): answer()
            case .takeUp(let context): takeUp(context)
            case .accessNarrowed: endFollowers()
            case .drain: drain()
            case .stop: isStopped = true
            }
        }
        finishTouched()
    }

    /// Connections that are open go by it, too, but for what a session was made with.
    private mutating func takeUp(_ context: LoopContext) {
        self.context = context
        let configuration = context.configuration
        deadlines.takeUp(
            idleSeconds: configuration.idleSeconds, headSeconds: configuration.headerSeconds, bodySeconds: configuration.bodySeconds)
    }

    // MARK: connections

    /// A place for it is reserved already, unless it is only turned away. Nil where it cannot be watched.
    @discardableResult
    mutating func open(_ newcomer: Newcomer, isTurnedAway: Bool = false) -> Int? {
        Socket.setNoDelay(newcomer.fd)
        generation &+= 1
        // The two highest tokens are not connections'.
        if generation >= UInt32.max - 1 { generation = 1 }
        let connection = Connection(newcomer, generation: generation, isTurnedAway: isTurnedAway, limits: context.limits)
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(connection) } else { slots[slot] = connection }
        if isTurnedAway { turnedAwayCount += 1 }
        meters.countOpened()
        do throws(SystemError) {
            try events.add(newcomer.fd, token: token(connection, slot), interest: .readable)
        } catch {
            refusalLog.warning("connection closed: it cannot be watched", ["error": "\(error)"], now: now)
            close(slot)
            return nil
        }
        setDeadline(connection, slot)
        return slot
    }

    func token(_ connection: Connection, _ slot: Int) -> UInt64 {
        UInt64(connection.generation) << 32 | UInt64(slot)
    }

    func slot(of token: UInt64) -> Int { Int(truncatingIfNeeded: token & 0xFFFF_FFFF) }

    /// The connection that this token was given to; nil where it is gone, whoever has its slot now.
    func connection(of token: UInt64) -> Connection? {
        let slot = slot(of: token)
        guard slot < slots.count, let connection = slots[slot], connection.generation == UInt32(token >> 32) else { return nil }
        return connection
    }

    /// Closing the descriptor takes it out of the epoll set, too.
    mutating func close(_ slot: Int) {
        guard let connection = slots[slot] else { return }
        deadlines.clear(slot)
        slots[slot] = nil
        freeSlots.append(slot)
        abandonAll(connection)
        Socket.close(connection.fd)
        countClosed(connection)
        context.admission.release(connection.peer)
        heldBytes -= connection.heldBytes
        unsentBytes -= connection.unsentBytes
        if connection.isTurnedAway { turnedAwayCount -= 1 } else { handle.release() }
        // There is room again.
        if listeningResumesAt != nil { listeningResumesAt = now }
    }

    // MARK: small things

    mutating func date() -> HTTPDate {
        let second = Clock.wallMilliseconds() / 1_000
        if second != dateSecond {
            dateSecond = second
            dateNow = HTTPDate(unixSeconds: second)
        }
        return dateNow
    }
}
