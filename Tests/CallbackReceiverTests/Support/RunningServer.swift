// A server in this process: on a free port, in a directory of its own, its disk and its clock in the test's hands.
//
// Promises: stopped and removed with its object. Must not know: what a test is about.

import CallbackLog
import Dispatch
import Platform
import Synchronization
import TestSupport

@testable import CallbackReceiver

final class RunningServer {
    let server: Server
    let log: CallbackLog
    let disk: HeldDirectory
    let clock = TurnedClock()
    let lines = KeptLog()
    private let directory: TemporaryDirectory
    private var isStopped = false

    convenience init(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws { try self.init(furtherRoute: nil, configure) }

    init(
        furtherRoute: Router.FurtherRoute?, refusalKeeper: (any RefusalKeeper)? = nil,
        _ configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws {
        directory = try TemporaryDirectory()
        var configuration = ServerConfiguration()
        configuration.callbackListen = .init(host: "127.0.0.1", port: 0)
        configuration.apiListen = configuration.callbackListen
        configuration.logDirectory = directory.path
        configuration.logFreeBytesMin = 0
        configuration.drainSeconds = 1
        configure(&configuration)
        disk = try HeldDirectory(directory.path)
        // By the loops' clock: how long the disk has not answered is what they wait for.
        let time = LogTime(wallMilliseconds: LogTime.system.wallMilliseconds, monotonicMilliseconds: clock.read, after: LogTime.system.after)
        let logger = lines.logger
        log = try CallbackLog(directory: disk, options: Server.logOptions(configuration), time: time) { LogNotices.say($0, to: logger) }
        server = try Server(
            configuration, log: log, clock: clock.read, logger: logger, furtherRoute: furtherRoute, refusalKeeper: refusalKeeper)
    }

    deinit { stop() }

    @discardableResult
    func stop() -> Bool {
        guard !isStopped else { return true }
        isStopped = true
        return server.stop()
    }

    /// Stops beside the test, which goes on meanwhile; `wait` gives what `stop` returned.
    func beginStop() -> Stopping {
        isStopped = true
        return Stopping(server)
    }

    /// Of the log's directory.
    var path: String { directory.path }
    var port: UInt16 { server.addresses[0].port }

    func connect() throws -> RawConnection { try RawConnection(port: port) }

    /// False once nobody listens.
    var takesConnections: Bool { (try? connect()) != nil }

    func exchange(_ bytes: [UInt8]) throws -> Answer {
        let connection = try connect()
        try connection.send(bytes)
        return try connection.readAnswer()
    }

    func get(_ target: String) throws -> Answer { try exchange(requestBytes("GET", target)) }
    func post(_ identifier: String) throws -> Answer { try exchange(postBytes(callback(identifier))) }

    /// Events that the loops serve, and then look at the clock: nothing that is due stays undone.
    func stir() throws { for _ in 0..<3 { _ = try get("/healthz") } }

    /// Connections that the loops hold.
    var openConnections: Int { server.openConnections }

    /// What was sent is read; then the clock is turned, and noticed.
    func advance(seconds: Int) throws {
        try stir()
        clock.advance(seconds: seconds)
        try stir()
    }

    /// Posts, and returns when the callback stands before the held disk.
    func postHeld(_ identifier: String, behind more: [UInt8] = []) throws -> RawConnection {
        let connection = try connect()
        try connection.send(postBytes(callback(identifier)) + more)
        try eventually("a callback waits for the disk", holds: { disk.isHolding })
        return connection
    }
}

/// A stop under way.
final class Stopping: Sendable {
    private let group = DispatchGroup()
    private let isWhole = Atomic<Bool>(false)

    init(_ server: Server) {
        DispatchQueue(label: "stopping").async(group: group) { self.isWhole.store(server.stop(), ordering: .sequentiallyConsistent) }
    }

    func wait() -> Bool {
        group.wait()
        return isWhole.load(ordering: .sequentiallyConsistent)
    }
}

/// A valid callback.
func callback(_ identifier: String, _ message: String = "wamid.1") -> String {
    #"{"request_id":"\#(identifier)","whatsapp_message_id":"\#(message)"}"#
}
