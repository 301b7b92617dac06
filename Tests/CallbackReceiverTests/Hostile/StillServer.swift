// A server in this process whose time stands still until a test turns it, however slow the machine is.
//
// Promises: nothing falls due but by `advance`, and then everything that is due is done when it returns. Stopped with its
// object. Must not know: what attacks it.

import CallbackLog
import Synchronization
import Testing
import TestSupport

@testable import CallbackReceiver

final class StillServer {
    private final class Time: Sendable {
        let milliseconds = Atomic<Int64>(1_000_000)
    }

    let server: Server
    let log: CallbackLog
    let disk: HeldDirectory
    private let time = Time()
    private let directory: TemporaryDirectory
    private let client: RawConnection
    private var served = 0

    convenience init(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws { try self.init(furtherRoute: nil, configure) }

    init(furtherRoute: Router.FurtherRoute?, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        var configuration = ServerConfiguration()
        configuration.callbackListen = .init(host: "127.0.0.1", port: 0)
        configuration.apiListen = configuration.callbackListen
        configuration.logDirectory = directory.path
        configuration.logFreeBytesMin = 0
        configuration.drainSeconds = 1
        configure(&configuration)
        disk = try HeldDirectory(directory.path)
        log = try CallbackLog(directory: disk, options: Server.logOptions(configuration))
        let time = time
        server = try Server(configuration, log: log, clock: { time.milliseconds.load(ordering: .sequentiallyConsistent) }, logger: KeptLog().logger,
            furtherRoute: furtherRoute)
        client = try RawConnection(port: server.addresses[0].port)
        try serveClient()
    }

    deinit {
        disk.release()
        server.stop()
    }

    var port: UInt16 { server.addresses[0].port }
    func connect() throws -> RawConnection { try RawConnection(port: port) }

    /// Connections beside the client's.
    var strangers: Int { server.openConnections - 1 }

    /// What was sent is read; the clock is turned, and noticed.
    func advance(seconds: Int) throws {
        try stir()
        time.milliseconds.add(Int64(seconds) * 1_000, ordering: .sequentiallyConsistent)
        try stir()
    }

    /// Events that the loop serves, and then looks at the clock. Whoever means well sends them.
    func stir() throws {
        for _ in 0..<3 { try askClient() }
    }

    /// The client that means well asks, on the connection that it has had all along.
    func askClient(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try client.send(requestBytes("GET", "/healthz"))
        let answer = try client.readAnswer()
        #expect(answer.status == 200 && !answer.announcesClose, "\(answer.text)", sourceLocation: sourceLocation)
    }

    /// Its callback, durable.
    func serveClient(sourceLocation: SourceLocation = #_sourceLocation) throws {
        served += 1
        try client.send(postBytes(callback("good-\(served)")))
        let answer = try client.readAnswer()
        #expect(answer.status == 200 && !answer.announcesClose, "\(answer.text)", sourceLocation: sourceLocation)
    }

    /// Its callback, in two pieces: the server reads the first and waits for the other.
    func serveClientInTwo(sourceLocation: SourceLocation = #_sourceLocation) throws {
        served += 1
        let bytes = postBytes(callback("good-\(served)"))
        try client.send(Array(bytes.dropLast(10)))
        _ = try get("/healthz")
        try client.send(Array(bytes.suffix(10)))
        let answer = try client.readAnswer()
        #expect(answer.status == 200 && !answer.announcesClose, "\(answer.text)", sourceLocation: sourceLocation)
    }

    /// A newcomer asks.
    func get(_ target: String) throws -> Answer { try exchange(requestBytes("GET", target)) }

    func exchange(_ bytes: [UInt8]) throws -> Answer {
        let connection = try connect()
        try connection.send(bytes)
        return try connection.readAnswer()
    }

    /// Callbacks of 50 kB for one request, about 1 MiB when they are asked for: as large as a page may be.
    func fillPage() throws {
        for number in 0..<20 {
            #expect(try exchange(postBytes(callback("page", String(repeating: "z", count: 50_000 + number)))).status == 200)
        }
    }

    static let page = "/v1/requests/page/callbacks"
}
