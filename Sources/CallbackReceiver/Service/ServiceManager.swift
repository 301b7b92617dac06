// What the service manager is told of a server: systemd's protocol, spoken directly (sd_notify(3)).
//
//     starting ──ready──▶ serving ◀──reloaded── reloading
//        │                   ├─ WATCHDOG=1 while all make progress (Watchdog), STATUS with each of them
//        │ EXTEND_TIMEOUT    └──stopping──▶ stopping: STOPPING, EXTEND_TIMEOUT, how many connections are left
//        └─ while it works
//
// Promises: nothing here can harm the server: messages are sent from a queue of its own, and one that cannot be sent is
// said once and left out. Without a service manager nothing happens and no timer runs. Safe from any thread.
// Must not know: how a datagram is sent, what a loop or the log is beyond what it asks them.

import Dispatch
import Logging
import Platform

/// What systemd is told of the process, and when (sd_notify(3)); without NOTIFY_SOCKET nothing is told.
public final class ServiceManager: Sendable {
    /// While a start goes on, it is looked at so often; it may then take `startExtensionMilliseconds` more.
    public static let startLookMilliseconds = 5_000
    static let startExtensionMilliseconds = 30_000
    /// Less of the processors than this between two looks, and the start hangs: reading a log at 1 MB/s takes more.
    static let startWorkNanoseconds: Int64 = 1_000_000
    /// How often a stop says how many connections are left.
    static let stopLookMilliseconds = 1_000
    /// What a stop may take beside its time for connections.
    static let stopExtensionMilliseconds = 5_000
    /// The end of the process waits so long for what is to be told.
    static let farewellMilliseconds = 2_000
    /// Shorter than any watchdog that somebody sets, longer than what a tick costs.
    static let tickMillisecondsMin: Int64 = 10

    enum Phase { case idle, starting, serving, stopping }

    /// What belongs to the queue.
    final class State {
        var phase = Phase.idle
        var server: Server?
        var watchdog: Watchdog?
        /// What follows the status, until the next reload.
        var remark = ""
        var toldStatus = ""
        /// At the last look of a start.
        var workedNanoseconds: Int64 = 0
        var hasFailed = false
    }

    private let socket: NotifySocket?
    private let watchdogMicroseconds: Int64?
    private let startLookMilliseconds: Int
    private let logger: Logger
    private let state: Confined<State>

    /// For a process that was given this environment.
    public init(_ environment: ServiceEnvironment, logger: Logger, startLookMilliseconds: Int = ServiceManager.startLookMilliseconds) {
        var socket: NotifySocket?
        if let address = environment.notifyAddress {
            do throws(SystemError) {
                socket = try NotifySocket(address)
            } catch {
                logger.warning("the service manager cannot be told anything; the server runs all the same", metadata: ["error": "\(error)"])
            }
        }
        self.socket = socket
        watchdogMicroseconds = environment.watchdogMicroseconds
        self.startLookMilliseconds = startLookMilliseconds
        self.logger = logger
        state = Confined(State(), to: DispatchQueue(label: "service"))
    }

    // MARK: what becomes of the server

    /// It is on its way; `doing` says what it is at.
    func starting(_ doing: String) {
        perform {
            $0.phase = .starting
            self.send([], status: doing, $0)
            $0.workedNanoseconds = Clock.processorNanoseconds()
            self.later(self.startLookMilliseconds) { self.lookAtStart($0) }
        }
    }

    /// It listens.
    func ready(_ server: Server) {
        perform {
            $0.phase = .serving
            $0.server = server
            self.send(["READY=1"], status: self.status($0), $0)
            if let watchdogMicroseconds = self.watchdogMicroseconds { self.watch(server, within: watchdogMicroseconds, $0) }
        }
    }

    /// It could not start, or ends for want of something.
    public func failed(_ why: String) { perform { self.send([], status: why, $0) } }

    func reloading() {
        perform {
            guard $0.phase == .serving else { return }
            self.send(
                ["RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonicNanoseconds() / 1_000)"], status: "taking up the configuration", $0)
        }
    }

    /// - Parameter remark: what is to be known of it; empty where all is well.
    func reloaded(_ remark: String) {
        perform {
            guard $0.phase == .serving else { return }
            $0.remark = remark
            self.send(["READY=1"], status: self.status($0), $0)
        }
    }

    /// Something that the status says has changed.
    func changed() { perform { if $0.phase == .serving { self.send([], status: self.status($0), $0) } } }

    /// - Parameter drainSeconds: what connections may take.
    func stopping(drainSeconds: Int) {
        perform {
            $0.phase = .stopping
            let milliseconds = drainSeconds * 1_000 + Self.stopExtensionMilliseconds
            self.send(["STOPPING=1", "EXTEND_TIMEOUT_USEC=\(milliseconds * 1_000)"], status: self.status($0), $0)
            self.lookAtStop($0)
        }
    }

    /// Nothing more is to be told; waits until all that was is, or `farewellMilliseconds`.
    public func end() {
        guard socket != nil else { return }
        let told = DispatchSemaphore(value: 0)
        perform {
            $0.watchdog?.end()
            $0.watchdog = nil
            $0.phase = .idle
            $0.server = nil
            told.signal()
        }
        _ = told.wait(timeout: .now() + .milliseconds(Self.farewellMilliseconds))
    }

    // MARK: on the queue

    private func perform(_ body: @escaping @Sendable (State) -> Void) {
        guard socket != nil else { return }
        state.queue.async { [state] in state.withValue(body) }
    }

    private func later(_ milliseconds: Int, _ body: @escaping @Sendable (State) -> Void) {
        state.queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [state] in state.withValue(body) }
    }

    /// Lines, and the status where it is another than was told before.
    private func send(_ lines: [String], status: String, _ state: State) {
        // A message has a line for each name: none of ours may begin another.
        let status = status.split(whereSeparator: \.isNewline).joined(separator: " ")
        let isNew = status != state.toldStatus
        state.toldStatus = status
        let lines = lines + (isNew ? ["STATUS=\(status)"] : [])
        guard !lines.isEmpty else { return }
        do throws(SystemError) {
            try socket?.send(lines.joined(separator: "\n"))
        } catch {
            guard !state.hasFailed else { return }
            state.hasFailed = true
            logger.warning("the service manager could not be told something; the server runs on", metadata: ["error": "\(error)"])
        }
    }

    private func status(_ state: State) -> String {
        guard let server = state.server else { return state.toldStatus }
        guard state.phase == .stopping else { return server.serviceStatus + (state.remark.isEmpty ? "" : "; " + state.remark) }
        let connections = server.openConnections
        return connections > 0 ? "stopping: \(Counted.text(connections, "connection")) to be answered" : "stopping: the end of the log is written"
    }

    // MARK: time

    private func lookAtStart(_ state: State) {
        guard state.phase == .starting else { return }
        let worked = Clock.processorNanoseconds()
        if worked - state.workedNanoseconds >= Self.startWorkNanoseconds {
            send(["EXTEND_TIMEOUT_USEC=\(Self.startExtensionMilliseconds * 1_000)"], status: state.toldStatus, state)
        }
        state.workedNanoseconds = worked
        later(startLookMilliseconds) { self.lookAtStart($0) }
    }

    private func lookAtStop(_ state: State) {
        guard state.phase == .stopping else { return }
        send([], status: status(state), state)
        later(Self.stopLookMilliseconds) { self.lookAtStop($0) }
    }

    /// Half of what it may take: one message may be late (sd_watchdog_enabled(3)).
    private func watch(_ server: Server, within microseconds: Int64, _ state: State) {
        let tick = Int(clamping: max(Self.tickMillisecondsMin, microseconds / 2_000))
        let confined = self.state
        let watchdog = Watchdog(
            server.parties, tickMilliseconds: tick,
            feed: { [unowned state] in
                // The status with it, where it has changed: no timer of its own wakes anybody for that.
                self.send(["WATCHDOG=1"], status: self.status(state), state)
            },
            complain: { names in
                self.logger.error("no progress: the service manager is not told that the server is alive", metadata: ["waits-for": "\(names)"])
            },
            later: { milliseconds, body in
                confined.queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
                    confined.withValue { if let watchdog = $0.watchdog { body(watchdog) } }
                }
            })
        state.watchdog = watchdog
        watchdog.tick()
    }
}
