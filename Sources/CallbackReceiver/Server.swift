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
    /// Descriptors that are not connections': standard streams, the log's segments, epoll sets, wake-ups, listeners.
    static let reservedDescriptors = 64

    /// Where it listens, as bound: the callback's addresses first.
    public let addresses: [SocketAddress]
    private let log: CallbackLog
    private let handles: [LoopHandle]
    private let logger: Logger
    private let drainSeconds: Int
    private let running = DispatchGroup()

    /// Opens the log, listens, and serves.
    public init(_ configuration: ServerConfiguration, logger: Logger) throws(ServerFailure) {
        SignalListener.ignoreBrokenPipes()
        let descriptors = DescriptorLimit.raiseToHardLimit()
        self.logger = logger
        drainSeconds = configuration.drainSeconds
        var logOptions = LogOptions()
        logOptions.segmentBytesMax = configuration.logSegmentBytesMax
        logOptions.freeBytesMin = configuration.logFreeBytesMin
        do throws(LogOpenFailure) {
            log = try CallbackLog.open(path: configuration.logDirectory, options: logOptions) { event in
                LogEvents.say(event, to: logger)
            }
        } catch {
            throw ServerFailure(description: "cannot open the log in \(configuration.logDirectory): \(error)")
        }
        LogEvents.say(log.report, to: logger)

        let listeners = try Self.listen(configuration)
        addresses = listeners.map(\.listener.address)
        let available = max(1, descriptors - Self.reservedDescriptors - listeners.count - 3 * configuration.loops - log.report.segments)
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
            let context = LoopContext(
                router: Router(configuration: configuration, log: log, logOptions: logOptions),
                limits: HTTPLimits(bodyBytesMax: configuration.callbackBodyBytesMax), configuration: configuration,
                listeners: listeners, handles: handles, connectionsMax: connectionsMax, logger: logger,
                loopEnded: { running.leave() })
            for (index, handle) in handles.enumerated() {
                let recipient = log.addRecipient { handle.post(.acknowledgements($0)) }
                let queue = DispatchQueue(label: "loop.\(index)")
                let loop = Confined(try Loop(context, index: index, recipient: recipient), to: queue)
                running.enter()
                queue.async { loop.withValue { $0.run() } }
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

    /// Stops in good order and returns once everything accepted is on disk.
    public func stop() {
        logger.notice("stopping: answering what was accepted", metadata: ["drain-seconds-max": "\(drainSeconds)"])
        for handle in handles { handle.post(.drain) }
        // The last half second is for the log's own end.
        if running.wait(timeout: .now() + .milliseconds(drainSeconds * 1_000 - 500)) == .timedOut {
            logger.warning("closing connections that did not finish in time", metadata: ["connections": "\(openConnections)"])
            for handle in handles { handle.post(.stop) }
            _ = running.wait(timeout: .now() + .seconds(1))
        }
        log.close()
        logger.notice("stopped", metadata: ["durable": "\(log.durable)"])
    }

    private var openConnections: Int { handles.reduce(0) { $0 + $1.connectionCount.load(ordering: .relaxed) } }

    /// Serves until SIGTERM or SIGINT, then stops and returns. Writes the addresses to standard output.
    public static func run(_ configuration: ServerConfiguration, logger: Logger) throws(ServerFailure) {
        let signals = DispatchQueue(label: "signals")
        let asked = DispatchSemaphore(value: 0)
        // Heard from before the first connection on: a stop right after the start is a stop in good order, too.
        let listener = SignalListener(SignalListener.terminationSignals, queue: signals) { _ in asked.signal() }
        let server = try Server(configuration, logger: logger)
        for address in server.addresses { StandardStream.output("listening on http://\(address.text)\n") }
        asked.wait()
        server.stop()
        withExtendedLifetime(listener) {}
    }
}
