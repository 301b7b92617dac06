// A configuration taken up by a server that runs: SIGHUP, `systemctl reload`.
//
//     SIGHUP ─▶ read again ─┬─ wrong ─────────────────────────────▶ said; the one in force stays
//                           └─ right ─▶ loops, log, tokens take it ─▶ said, with what a restart is needed for
//
// Promises: no connection ends because of it; every loop goes by the old configuration until it goes by the new one, whole.
// What would open the server to strangers, where it listens now, is refused. One at a time; those asked for meanwhile are
// one. Must not know: where a configuration comes from.

import Dispatch
import HTTPWire
import Logging
import Platform
import Synchronization

/// What came of reading the configuration again.
public struct RereadConfiguration: Sendable {
    /// What is in force afterwards: what cannot change at run time is as it was.
    public var server: ServerConfiguration
    /// The keys that have changed and need a restart.
    public var keysForRestart: [String]
    /// Called once it is in force.
    public var takenUp: @Sendable () -> Void

    /// Of these.
    public init(server: ServerConfiguration, keysForRestart: [String], takenUp: @escaping @Sendable () -> Void) {
        self.server = server
        self.keysForRestart = keysForRestart
        self.takenUp = takenUp
    }
}

/// Why a configuration is not taken up: a line for each problem, saying what to do.
public struct RereadFailure: Error, Sendable {
    /// A line for each, for people.
    public var problems: [String]
    /// Of these lines.
    public init(problems: [String]) { self.problems = problems }
}

extension Server {
    /// A loop that is busy takes it up when it comes to it; so long it is waited for.
    private static let takeUpSeconds = 5

    /// Whether callbacks must prove where they are from, by the configuration in force.
    fileprivate var asksForProof: Bool { inForce.withLock { $0.configuration.asksForProof } }

    /// Goes by `configuration` from now on, but for where it listens, where its log is and how many loops it has.
    func takeUp(_ configuration: ServerConfiguration) throws(ServerFailure) {
        try Listening.check(places, configuration)
        let options = Self.logOptions(configuration)
        let connectionsMax = connectionsMax(configuration)
        log.takeUp(options)
        tokens.reload()
        let (context, isNarrowed) = inForce.withLock { context in
            let isNarrowed = context.configuration.apiAuthenticationNone && !configuration.apiAuthenticationNone
            context.router = context.router.takingUp(configuration, logOptions: options, connectionsMax: connectionsMax)
            context.limits = HTTPLimits(bodyBytesMax: configuration.callbackBodyBytesMax)
            context.admission = context.admission.takingUp(configuration)
            context.connectionsMax = connectionsMax
            context.configuration = configuration
            return (context, isNarrowed)
        }
        let taken = DispatchGroup()
        for handle in handles where handle.connectionCount != nil {
            handle.post(.takeUp(context))
            // Behind it: whoever follows without a token and asks again finds the door closed.
            if isNarrowed { handle.post(.accessNarrowed) }
            taken.enter()
            handle.post(.alive { taken.leave() })
        }
        _ = taken.wait(timeout: .now() + .seconds(Self.takeUpSeconds))
    }
}

/// Reloads that are asked for by a signal.
final class Reloads: Sendable {
    /// Problems that are said one by one.
    private static let problemsMax = 10

    private struct State {
        var server: Server?
        var isAsked = false
        var isEnded = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "reload")
    private let service: ServiceManager
    private let logger: Logger
    private let reread: @Sendable () throws(RereadFailure) -> RereadConfiguration

    init(service: ServiceManager, logger: Logger, reread: @escaping @Sendable () throws(RereadFailure) -> RereadConfiguration) {
        self.service = service
        self.logger = logger
        self.reread = reread
    }

    /// One is wanted: at once, or as soon as there is a server.
    func ask() {
        let isFirst = state.withLock { state in
            defer { state.isAsked = true }
            return !state.isAsked
        }
        if isFirst { queue.async { self.run() } }
    }

    /// The server is there.
    func begin(_ server: Server) {
        state.withLock { $0.server = server }
        if state.withLock({ $0.isAsked }) { queue.async { self.run() } }
    }

    /// The server stops.
    func end() { state.withLock { $0.isEnded = true } }

    private func run() {
        let server = state.withLock { state -> Server? in
            guard state.isAsked, !state.isEnded, let server = state.server else { return nil }
            state.isAsked = false
            return server
        }
        guard let server else { return }
        service.reloading()
        let problems: [String]
        do throws(RereadFailure) {
            let configuration = try reread()
            problems = takeUp(configuration, server)
        } catch {
            problems = error.problems
        }
        for problem in problems.prefix(Self.problemsMax) {
            logger.error("the new configuration is not taken up, the one in force stays", metadata: ["problem": "\(problem)"])
        }
        service.reloaded(problems.first.map { "the configuration was read again and is not taken up: \($0)" } ?? "")
    }

    private func takeUp(_ configuration: RereadConfiguration, _ server: Server) -> [String] {
        let askedForProof = server.asksForProof
        do throws(ServerFailure) {
            try server.takeUp(configuration.server)
        } catch {
            return [error.description]
        }
        configuration.takenUp()
        logger.notice("the configuration was read again and is in force")
        if askedForProof, !server.asksForProof {
            logger.warning("callbacks need no proof of origin any more: whoever reaches the callback URL may post (callback.keys)")
        }
        if !configuration.keysForRestart.isEmpty {
            logger.warning(
                "some of what has changed needs a restart, and is as before until then",
                metadata: ["keys": "\(configuration.keysForRestart.joined(separator: ", "))"])
        }
        return []
    }
}
