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

/// Why a server could not start. The text says what to do.
public struct ServerFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
}

public final class Server: Sendable {
    /// Descriptors that are not connections': standard streams, what the log writes to, epoll sets, wake-ups, listeners.
    static let reservedDescriptors = 64
    /// Of a stop's time, what is left for the log's own end: its last batch and checkpoint.
    static let logEndMilliseconds = 500

    /// Where it listens, as bound: the callback's addresses first.
    public let addresses: [SocketAddress]
    private let log: CallbackLog
    private let handles: [LoopHandle]
    private let logger: Logger
    private let drainSeconds: Int
    private let running = DispatchGroup()

    /// Opens the log, listens, and serves.
    public convenience init(_ configuration: ServerConfiguration, logger: Logger) throws(ServerFailure) {
        let log: CallbackLog
        do throws(LogOpenFailure) {
            log = try CallbackLog.open(path: configuration.logDirectory, options: Self.logOptions(configuration)) { event in
                LogEvents.say(event, to: logger)
            }
        } catch {
            throw ServerFailure(description: "cannot open the log in \(configuration.logDirectory): \(error)")
        }
        try self.init(configuration, log: log, clock: Clock.coarseMilliseconds, logger: logger)
    }

    /// How a server of this configuration opens its log.
    public static func logOptions(_ configuration: ServerConfiguration) -> LogOptions {
        var options = LogOptions()
        options.segmentBytesMax = configuration.logSegmentBytesMax
        options.freeBytesMin = configuration.logFreeBytesMin
        options.retentionMilliseconds = configuration.logRetentionDays.map { Int64($0) * LogOptions.dayMilliseconds }
        options.retentionBytesMax = configuration.logRetentionBytesMax
        options.versions = RecordDescriber.versions
        options.describe = { RecordDescriber.describe($0, $1, into: &$2) }
        return options
    }

    /// Listens, and serves with a log that is open: its disk, and the loops' clock (monotonic milliseconds), are the
    /// caller's, so that a test can hold the one and turn the other, and add routes of its own.
    init(
        _ configuration: ServerConfiguration, log: CallbackLog, clock: @escaping @Sendable () -> Int64, logger: Logger,
        furtherRoute: Router.FurtherRoute? = nil, refusalKeeper: (any RefusalKeeper)? = nil
    ) throws(ServerFailure) {
        SignalListener.ignoreBrokenPipes()
        let descriptors = DescriptorLimit.raiseToHardLimit()
        self.log = log
        self.logger = logger
        drainSeconds = configuration.drainSeconds
        LogEvents.say(log.report, to: logger)

        let listeners = try Self.listen(configuration)
        addresses = listeners.map(\.listener.address)
        let available = max(1, descriptors - Self.reservedDescriptors - listeners.count - (3 + Loop.turnedAwayMax) * configuration.loops - min(CallbackLog.openFilesMax, descriptors / 4))
        let connectionsMax = min(configuration.connectionsMax ?? available, available)
        if let asked = configuration.connectionsMax, asked > available {
            logger.warning(
                "server.connections-max is more than the descriptor limit allows; raise LimitNOFILE",
                metadata: ["asked": "\(asked)", "in-force": "\(available)"])
        }
        do throws(SystemError) {
            var handles: [LoopHandle] = []
            for _ in 0..<configuration.loops { handles.append(try LoopHandle()) }
            self.handles = handles
            let running = self.running
            let tokens = TokenStore(configuration.logDirectory, logger: logger)
            let isOnLoopback = Self.isOnLoopback(listeners)
            Self.sayWhoMayAsk(configuration, isOnLoopback: isOnLoopback, tokens.table, to: logger)
            let access = Access(configuration, isOnLoopback: isOnLoopback, clock: clock) { tokens.table }
            let quarantine = Quarantine(logDirectory: configuration.logDirectory, bytesMax: configuration.quarantineBytesMax, logger: logger)
            let context = LoopContext(
                router: Router(
                    configuration: configuration, access: access, log: log, logOptions: Self.logOptions(configuration),
                    quarantine: quarantine, furtherRoute: furtherRoute),
                queries: QueryQueues(), following: Following(), refusalKeeper: refusalKeeper ?? quarantine,
                limits: HTTPLimits(bodyBytesMax: configuration.callbackBodyBytesMax), configuration: configuration,
                handles: handles, connectionsMax: connectionsMax, admission: Admission(configuration), logger: logger, clock: clock,
                loopEnded: { running.leave() })
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

    /// Listens on both addresses, or on one for both where they are the same.
    private static func listen(_ configuration: ServerConfiguration) throws(ServerFailure) -> [(listener: Listener, role: ListenerRole)] {
        var wanted: [(ServerConfiguration.Listen, ListenerRole, String)] = [(configuration.callbackListen, [.callback, .api], "--listen")]
        if configuration.apiListen != configuration.callbackListen {
            wanted = [(configuration.callbackListen, .callback, "callback.listen"), (configuration.apiListen, .api, "api.listen")]
        }
        var listeners: [(listener: Listener, role: ListenerRole)] = []
        for (listen, role, key) in wanted {
            let address = SocketAddress(host: listen.host, port: listen.port)
            do throws(SystemError) {
                listeners += try Listener.listen(on: address).map { ($0, role) }
            } catch {
                let remedy = error.isAddressInUse ? "another program listens there; stop it, or choose another port with \(key)" : "check \(key)"
                throw ServerFailure(description: "cannot listen on \(address.text): \(error); \(remedy)")
            }
        }
        return listeners
    }

    /// True where the API can be reached from this machine alone.
    private static func isOnLoopback(_ listeners: [(listener: Listener, role: ListenerRole)]) -> Bool {
        listeners.allSatisfy { !$0.role.contains(.api) || IPAddress($0.listener.address.host)?.isLoopback == true }
    }

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
        logger.notice("stopping: answering what was accepted", metadata: ["drain-seconds-max": "\(drainSeconds)"])
        let end = DispatchTime.now() + .seconds(drainSeconds)
        for handle in handles { handle.post(.drain) }
        if running.wait(timeout: end - .milliseconds(Self.logEndMilliseconds)) == .timedOut {
            logger.warning("closing connections that did not finish in time", metadata: ["connections": "\(openConnections)"])
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
        logger.notice("stopped", metadata: ["durable": "\(log.durable)"])
        return true
    }

    /// Connections that are open in all loops.
    var openConnections: Int { handles.reduce(0) { $0 + ($1.connectionCount ?? 0) } }

    /// Serves until SIGTERM or SIGINT, then stops and returns. Writes the addresses to standard output.
    public static func run(_ configuration: ServerConfiguration, logger: Logger) throws(ServerFailure) {
        let signals = DispatchQueue(label: "signals")
        let asked = DispatchSemaphore(value: 0)
        // Heard from before the first connection on: a stop right after the start is a stop in good order, too.
        let listener = SignalListener(SignalListener.terminationSignals, queue: signals) { _ in asked.signal() }
        let server = try Server(configuration, logger: logger)
        for address in server.addresses { StandardStream.output("listening on http://\(address.text)\n") }
        asked.wait()
        let isWhole = server.stop()
        withExtendedLifetime(listener) {}
        if !isWhole {
            throw ServerFailure(description: "the disk did not answer, so not everything accepted is stored; look at the disk of \(configuration.logDirectory)")
        }
    }
}
