// A server as a process: from its start to its last word, with the signals and the service manager in between.
//
//     start ─▶ "listening on …" ─▶ READY ─▶ SIGHUP: reload … SIGTERM, SIGINT: stop ─▶ return
//
// Promises: signals are heard from before the first connection on; standard output has the addresses and nothing else.
// Must not know: where the configuration comes from.

import CallbackLog
import Dispatch
import Logging
import Platform

extension Server {
    /// What `run` listens to.
    public static let signals = SignalListener.terminationSignals + [SignalListener.reloadSignal]

    /// Serves until SIGTERM or SIGINT, then stops and returns. `reread` reads the configuration anew.
    public static func run(
        _ configuration: ServerConfiguration, in environment: ServiceEnvironment, service: ServiceManager, logger: Logger,
        reread: @escaping @Sendable () throws(RereadFailure) -> RereadConfiguration
    ) throws(ServerFailure) {
        let signalQueue = DispatchQueue(label: "signals")
        let asked = DispatchSemaphore(value: 0)
        let reloads = Reloads(service: service, logger: logger, reread: reread)
        // A stop right after the start is a stop in good order, too.
        let listener = SignalListener(Self.signals, queue: signalQueue) { signal in
            if signal == SignalListener.reloadSignal { reloads.ask() } else { asked.signal() }
        }
        service.starting("opening the log in \(configuration.logDirectory)")
        let server = try Server(configuration, handed: environment.sockets, logger: logger) { event in
            switch event {
            case .blocked, .unblocked, .stalled, .answered: service.changed()
            default: break
            }
        }
        for address in server.addresses { StandardStream.output("listening on http://\(address.text)\n") }
        service.ready(server)
        reloads.begin(server)
        asked.wait()
        reloads.end()
        service.stopping(drainSeconds: server.inForce.withLock { $0.configuration.drainSeconds })
        let isWhole = server.stop()
        withExtendedLifetime(listener) {}
        if !isWhole {
            throw ServerFailure(description: "the disk did not answer, so not everything accepted is stored; look at the disk of \(configuration.logDirectory)")
        }
    }

    /// For people who ask the service manager.
    var serviceStatus: String {
        let place = "listening on " + addresses.map { "http://\($0.text)" }.joined(separator: ", ")
        if let block = log.block { return "callbacks are refused with 503: \(block); \(place)" }
        if let stall = log.stallMilliseconds { return "the disk has not answered for \((stall + 500) / 1_000) s, callbacks are refused with 503; \(place)" }
        return "\(Counted.text(log.recordCount, "record")); \(place)"
    }

    /// Who has to make progress.
    var parties: [Watchdog.Party] {
        let loops = handles.enumerated().map { index, handle in
            Watchdog.Party(
                name: "loop \(index)", ask: { handle.post(.alive($0)) },
                isExcused: { handle.disk.isWaiting || handle.connectionCount == nil })
        }
        let writer = Watchdog.Party(name: "writer", ask: { [log] in log.askWriter($0) }, isExcused: { [log] in log.isWriterAtDisk })
        return loops + [writer]
    }
}
