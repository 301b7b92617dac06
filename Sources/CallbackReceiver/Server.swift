// The server as a whole: opened in order, stopped in order.
//
//     start:  log (recovery) ─▶ listeners ─▶ loops ─▶ "listening on …"
//     stop:   listeners leave the loops ─▶ loops answer what they accepted ─▶ last checkpoint ─▶ exit 0
//
// Promises: nothing listens before the log is whole; nothing ends before what was accepted is durable, or
// `server.timeouts.drain-seconds` are over. Must not know: where the configuration came from.

import CallbackLog
import CrispCallback
import Dispatch
import HTTPWire
import Logging
import Platform
import Synchronization

/// Why a server could not start. The text says what to do.
public struct ServerFailure: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do, for people.
    public let description: String
    /// True where the configuration has to be changed, or what it speaks of has to be there: starting again does not help.
    public var isAboutConfiguration = false
}

/// The server, from its sockets to its log.
public final class Server: Sendable {
    /// Descriptors that are not connections': standard streams, what the log writes to, epoll sets, wake-ups, listeners.
    static let reservedDescriptors = 64
    /// Of a stop's time, what is left for the log's own end: its last batch and checkpoint.
    static let logEndMilliseconds = 500

    /// Where it listens, as bound: the callback's addresses first.
    public var addresses: [SocketAddress] { places.map(\.address) }
    let places: [ListeningPlace]
    let log: CallbackLog
    let handles: [LoopHandle]
    let tokens: TokenStore
    private let logger: Logger
    /// What all loops go by.
    let inForce: Mutex<LoopContext>
    /// Descriptors that are there for connections.
    private let connectionsAvailable: Int
    private let running = DispatchGroup()

    /// Opens the log, listens, and serves. `observe` hears of what the log has to tell.
    public convenience init(
        _ configuration: ServerConfiguration, handed sockets: [ServiceEnvironment.HandedSocket] = [], logger: Logger,
        observe: @escaping @Sendable (LogNotice) -> Void = { _ in }
    ) throws(ServerFailure) {
        let log: CallbackLog
        do throws(LogOpenFailure) {
            log = try CallbackLog.open(path: configuration.logDirectory, options: Self.logOptions(configuration)) { event in
                LogNotices.say(event, to: logger)
                observe(event)
            }
        } catch {
            throw ServerFailure(description: "cannot open the log in \(configuration.logDirectory): \(error)")
        }
        try self.init(configuration, handed: sockets, log: log, clock: Clock.coarseMilliseconds, logger: logger)
    }

    /// How a server of this configuration opens its log.
    public static func logOptions(_ configuration: ServerConfiguration) -> LogOptions {
        var options = LogOptions()
        options.segmentBytesMax = configuration.logSegmentBytesMax
        options.freeBytesMin = configuration.logFreeBytesMin
        options.retentionMilliseconds = configuration.logRetentionDays.map { Int64($0) * LogOptions.dayMilliseconds }
        options.retentionBytesMax = configuration.logRetentionBytesMax
        options.openFilesMax = openFilesMax(of: DescriptorLimit.raiseToHardLimit())
        options.versions = RecordDescriber.versions
        options.describe = { RecordDescriber.describe($0, $1, into: &$2) }
        return options
    }

    /// Listens, and serves with a log that is open: its disk, and the loops' clock (monotonic milliseconds), are the
    /// caller's, so that a test can hold the one and turn the other, and add routes of its own.
    init(
        _ configuration: ServerConfiguration, handed sockets: [ServiceEnvironment.HandedSocket] = [], log: CallbackLog, clock: @escaping @Sendable () -> Int64, logger: Logger,
        furtherRoute: Router.FurtherRoute? = nil, refusalKeeper: (any RefusalKeeper)? = nil
    ) throws(ServerFailure) {
        SignalListener.ignoreBrokenPipes()
        DispatchTimers.prepare()
        let descriptors = DescriptorLimit.raiseToHardLimit()
        self.log = log
        self.logger = logger
        LogNotices.say(log.report, to: logger)

        let listeners = try Listening.listen(configuration, handed: sockets)
        for name in Listening.unused(configuration, of: sockets) {
            logger.warning(
                "a socket of systemd is not listened on, so whoever connects to it waits for ever; name it in the configuration, or take it out of the socket unit",
                metadata: ["socket": "systemd:\(name)"])
        }
        places = listeners.map { ListeningPlace(address: $0.listener.address, role: $0.role) }
        let available = max(1, descriptors - Self.reservedDescriptors - listeners.count - (3 + Loop.turnedAwayMax) * configuration.loops - Self.openFilesMax(of: descriptors))
        connectionsAvailable = available
        let connectionsMax = Self.connectionsMax(configuration, available: available, logger)
        do throws(SystemError) {
            var handles: [LoopHandle] = []
            for _ in 0..<configuration.loops { handles.append(try LoopHandle()) }
            self.handles = handles
            let running = self.running
            let tokens = TokenStore(configuration.logDirectory, logger: logger) { [handles] in
                for handle in handles { handle.post(.accessNarrowed) }
            }
            self.tokens = tokens
            let isOnLoopback = Listening.isOnLoopback(places)
            Self.sayWhoMayAsk(configuration, isOnLoopback: isOnLoopback, tokens.table, to: logger)
            let access = Access(configuration, isOnLoopback: isOnLoopback, clock: clock) { tokens.table }
            let quarantine = Quarantine(logDirectory: configuration.logDirectory, bytesMax: configuration.quarantineBytesMax, logger: logger)
            let following = Following()
            let scrape = Scrape(
                log: log, logOptions: Self.logOptions(configuration), quarantine: quarantine, handles: handles, following: following,
                connectionsMax: connectionsMax)
            let context = LoopContext(
                router: Router(
                    configuration: configuration, access: access, log: log, logOptions: Self.logOptions(configuration),
                    quarantine: quarantine, scrape: scrape, furtherRoute: furtherRoute),
                queries: QueryQueues(), following: following, refusalKeeper: refusalKeeper ?? quarantine,
                limits: HTTPLimits(bodyBytesMax: configuration.callbackBodyBytesMax), configuration: configuration,
                handles: handles, connectionsMax: connectionsMax, admission: Admission(configuration), logger: logger, clock: clock,
                loopEnded: { running.leave() })
            inForce = Mutex(context)
            var loops: [Confined<ReadyLoop>] = []
            for (index, handle) in handles.enumerated() {
                let recipient = log.addRecipient { handle.post(.acknowledgements($0)) }
                let loop = try Loop(context, listeners: listeners, index: index, recipient: recipient)
                loops.append(Confined(ReadyLoop(loop), to: DispatchQueue(label: "loop.\(index)")))
            }
            log.addObserver { [handles] advance in
                for handle in handles { handle.advance(advance.requestHashes) }
            }
            // All or none: a loop that runs is stopped by `stop` only.
            for loop in loops {
                running.enter()
                loop.queue.async { loop.withValue { $0.run() } }
            }
        } catch {
            throw ServerFailure(description: "cannot start a loop: \(error)")
        }
    }

    /// What the log keeps open for reading, of so many descriptors.
    private static func openFilesMax(of descriptors: Int) -> Int { min(CallbackLog.openFilesMax, descriptors / 4) }

    /// How many connections there may be at once.
    private static func connectionsMax(_ configuration: ServerConfiguration, available: Int, _ logger: Logger) -> Int {
        if let asked = configuration.connectionsMax, asked > available {
            logger.warning(
                "server.connections-max is more than the descriptor limit allows; raise LimitNOFILE",
                metadata: ["asked": .stringConvertible(asked), "in-force": .stringConvertible(available)])
        }
        return min(configuration.connectionsMax ?? available, available)
    }

    func connectionsMax(_ configuration: ServerConfiguration) -> Int { Self.connectionsMax(configuration, available: connectionsAvailable, logger) }

    /// What an operator should know of before somebody asks.
    private static func sayWhoMayAsk(_ configuration: ServerConfiguration, isOnLoopback: Bool, _ table: TokenTable, to logger: Logger) {
        if configuration.apiAuthenticationNone {
            if table.standing != .neverCreated {
                logger.warning("there are tokens, but api.authentication is none: anyone may ask and announce")
            }
        } else if table.standing == .neverCreated, !isOnLoopback {
            logger.warning(
                "the API listens beyond loopback and no token was created yet: it answers nobody until one is; callback-receiver token create --name NAME")
        }
    }

    /// Stops in good order, within `server.timeouts.drain-seconds` unless the log's last words take longer than
    /// `logEndMilliseconds`.
    /// - Returns: true once everything accepted is on disk; false where the disk did not answer in time. What was
    ///   acknowledged is on disk in either case (invariant 1).
    @discardableResult
    public func stop() -> Bool {
        let drainSeconds = inForce.withLock { $0.configuration.drainSeconds }
        logger.notice("stopping: answering what was accepted", metadata: ["drain-seconds-max": .stringConvertible(drainSeconds)])
        let end = DispatchTime.now() + .seconds(drainSeconds)
        for handle in handles { handle.post(.drain) }
        if running.wait(timeout: end - .milliseconds(Self.logEndMilliseconds)) == .timedOut {
            logger.warning("closing connections that did not finish in time", metadata: ["connections": .stringConvertible(openConnections)])
            for handle in handles { handle.post(.stop) }
        }
        if running.wait(timeout: end) == .success { for handle in handles { handle.closeLeftovers() } }
        // Not here: a disk that hangs would hold this thread, too.
        let closing = DispatchGroup()
        DispatchQueue(label: "log.end").async(group: closing) { [log] in log.close() }
        guard closing.wait(timeout: max(end, .now() + .milliseconds(Self.logEndMilliseconds))) == .success else {
            logger.critical("the disk does not answer; what was not acknowledged may not be stored")
            return false
        }
        logger.notice("stopped", metadata: ["durable": .stringConvertible(log.durable)])
        return true
    }

    /// Connections that are open in all loops.
    var openConnections: Int { handles.reduce(0) { $0 + ($1.connectionCount ?? 0) } }
}
