// The router as the pure step that it is: a request as bytes in, an answer out. No socket, no loop.
//
// Promises: the request is read by the real session, the answer is looked at as the route gave it; `append` puts a
// callback into the log and waits until it is durable.

import CallbackLog
import HTTPWire
import Logging
import Platform
import Synchronization
import TestSupport

@testable import CallbackReceiver

/// What a route answered.
struct RoutedAnswer {
    var status = 0
    var contentType = ""
    var fields: [String: String] = [:]
    var body = ""
    func object() throws -> RawJSON { try RawJSON(object: body) }
}

final class RouterStep {
    let log: CallbackLog
    let disk: HeldDirectory
    let router: Router
    /// What wrong credentials are limited by.
    let clock = TurnedClock()
    /// What the time is for signatures, in milliseconds.
    static let now: Int64 = 1_779_301_225_031
    /// Whom requests are from.
    var peer = "127.0.0.1"
    private let directory: TemporaryDirectory
    private let recipient: Int
    private let acknowledged = Acknowledged()
    private var nextTicket: UInt64 = 0
    private var scratch = RouteScratch()

    private final class Acknowledged: Sendable {
        let outcomes = Mutex<[UInt64: AppendOutcome]>([:])
    }

    convenience init(tokens: [Token], isOnLoopback: Bool = true, _ configure: (inout ServerConfiguration) -> Void = { _ in }) throws {
        try self.init(table: TokenTable(tokens), isOnLoopback: isOnLoopback, configure)
    }

    init(
        table: TokenTable = .neverCreated, isOnLoopback: Bool = true, _ configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws {
        directory = try TemporaryDirectory()
        var configuration = ServerConfiguration()
        configuration.logFreeBytesMin = 1
        configure(&configuration)
        disk = try HeldDirectory(directory.path)
        let options = Server.logOptions(configuration)
        log = try CallbackLog(directory: disk, options: options)
        let access = Access(configuration, isOnLoopback: isOnLoopback, clock: clock.read) { table }
        let quarantine = Quarantine(logDirectory: directory.path, bytesMax: configuration.quarantineBytesMax, logger: Logger(label: "test"))
        let origin = CallbackOrigin(configuration, now: { RouterStep.now })
        router = Router(
            configuration: configuration, access: access, origin: origin, log: log, logOptions: options, quarantine: quarantine)
        let acknowledged = acknowledged
        recipient = log.addRecipient { list in
            acknowledged.outcomes.withLock { for each in list { $0[each.ticket] = each.outcome } }
        }
    }

    deinit {
        disk.release()
        log.close()
    }

    func request(_ bytes: [UInt8]) throws -> Request {
        var session = HTTP1Session(limits: HTTPLimits())
        var request = Request()
        var position = 0
        guard session.receive(bytes.span, at: &position, into: &request) == .request else {
            throw TestFailure.unreadable("request \(String(decoding: bytes, as: UTF8.self))")
        }
        return request
    }

    func route(_ bytes: [UInt8], role: ListenerRole = [.callback, .api], isDraining: Bool = false, isOverloaded: Bool = false) throws -> (
        RoutedAnswer, PreparedCallback?
    ) {
        guard let address = IPAddress(peer) else { throw TestFailure.unreadable("address \(peer)") }
        var response = Response()
        let disposition = router.route(
            try request(bytes), from: address, role: role, isDraining: isDraining, isOverloaded: isOverloaded, into: &response, using: &scratch)
        switch disposition {
        case .append(.callback(let prepared)): return (RoutedAnswer(), prepared)
        case .append(let announcement): return (try append(announcement), nil)
        case .query(let query):
            var lent = QueryScratch()
            return (Self.answer(query.answer(&lent)), nil)
        default: return (Self.answer(response), nil)
        }
    }

    /// What is answered at once, or by a question.
    func answer(_ bytes: [UInt8], role: ListenerRole = [.callback, .api], isDraining: Bool = false) throws -> RoutedAnswer {
        try route(bytes, role: role, isDraining: isDraining).0
    }

    func get(_ target: String) throws -> RoutedAnswer { try answer(requestBytes("GET", target)) }

    /// Routes a callback, appends it and answers.
    func post(_ json: String, to target: String = "/callback") throws -> RoutedAnswer {
        let (refused, prepared) = try route(postBytes(json, to: target))
        guard let prepared else { return refused }
        return try append(.callback(prepared))
    }

    func put(_ identifier: String, _ json: String = "") throws -> RoutedAnswer {
        try answer(requestBytes("PUT", "/v1/requests/\(percentEncoded(identifier))", body: Array(json.utf8)))
    }

    /// Appends, waits until it is durable, and answers.
    private func append(_ prepared: PreparedAppend) throws -> RoutedAnswer {
        nextTicket += 1
        let ticket = nextTicket
        guard log.append(prepared.submission(recipient: recipient, ticket: ticket)) else { throw TestFailure.unreadable("the log took nothing") }
        let outcome: AppendOutcome = try eventually("an acknowledgement") {
            acknowledged.outcomes.withLock { $0[ticket] }
        }
        var response = Response()
        switch prepared {
        case .callback(let callback): Router.answer(callback, outcome, into: &response)
        case .announcement(let announcement):
            var lent = QueryScratch()
            if let query = announcement.answer(outcome, &response) { response = query.answer(&lent) }
        }
        return Self.answer(response)
    }

    static func answer(_ response: Response) -> RoutedAnswer {
        RoutedAnswer(
            status: Int(response.status), contentType: "\(response.contentType)",
            fields: Dictionary(response.fields.map { ("\($0.name)", $0.value) }, uniquingKeysWith: { $0 + ", " + $1 }),
            body: String(decoding: response.body, as: UTF8.self))
    }
}
