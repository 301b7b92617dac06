// Exchanges with a running server through its own API: one request on a connection of its own.
//
// Promises: every wait is bounded; an answer is whole or a failure; a body is bounded. No secret is in any text.
// Must not know: what is asked, what an answer means.

import CallbackReceiver
import Platform

/// Why there is no answer.
enum ClientFailure: Error, Equatable {
    /// The end of a sentence that begins with the server's URL.
    case unanswered(String)
    /// The wait was given up from outside.
    case interrupted

    init(_ error: SystemError, doing what: String) {
        self = error.isCancelled ? .interrupted : .unanswered("\(what): \(error.reason)")
    }
}

/// A whole answer.
struct ClientAnswer {
    let status: Int
    let retryAfterSeconds: Int?
    let body: [UInt8]

    /// False where a 404 says that there is no delivery-status API: another server's, or one of the callback's own address.
    var isAboutRequest: Bool { AnswerObject(body).map { $0.string("detail")?.hasPrefix(Router.callbacksOnly) != true } ?? body.isEmpty }

    /// What its problem document says (RFC 9457), for a person; else the status alone.
    var problem: String {
        let detail = AnswerObject(body)?.string("detail").map { ": \(ErrorText.line($0))" } ?? ""
        return "answers \(status)\(detail)"
    }
}

struct Client {
    let url: ServerURL
    /// The value of Authorization; nil where there is no token.
    let authorization: String?
    let interruption: Interruption

    /// A server that is there answers its handshake sooner.
    static let connectMilliseconds = 10_000
    /// What an answer takes, beside what it was asked to wait.
    static let answerMilliseconds = 30_000
    /// An answer to `status` has a failure message in it, which a callback's body bounds.
    static let bodyBytesMax = EventReader.eventBytesMax

    /// The answer to a GET of `target`; each part of it may take so long to come.
    func get(_ target: String, milliseconds: Int = answerMilliseconds) throws(ClientFailure) -> ClientAnswer {
        try open(target, accept: "application/json", milliseconds: milliseconds).whole(milliseconds: milliseconds)
    }

    /// The answer to a POST to `target`, without content.
    func post(_ target: String, milliseconds: Int = answerMilliseconds) throws(ClientFailure) -> ClientAnswer {
        let stream = try open(target, method: "POST", accept: "application/json", fields: [("Content-Length", "0")], milliseconds: milliseconds)
        return try stream.whole(milliseconds: milliseconds)
    }

    /// Asks for `target`, and waits for the head of the answer.
    func open(
        _ target: String, method: String = "GET", accept: String, fields: [(String, String)] = [], milliseconds: Int
    ) throws(ClientFailure) -> ClientStream {
        let connection: ClientConnection
        do throws(SystemError) {
            connection = try ClientConnection(to: url.address, milliseconds: Self.connectMilliseconds, interruption: interruption)
        } catch {
            throw ClientFailure(error, doing: "cannot be reached")
        }
        var all = [("Host", url.authority), ("User-Agent", "callback-receiver/\(Command.version)"), ("Accept", accept), ("Connection", "close")]
        if let authorization { all.append(("Authorization", authorization)) }
        all += fields
        let head = "\(method) \(target) HTTP/1.1\r\n" + all.map { "\($0.0): \($0.1)\r\n" }.joined() + "\r\n"
        do throws(SystemError) {
            try connection.send(Array(head.utf8), milliseconds: Self.answerMilliseconds)
        } catch {
            throw ClientFailure(error, doing: "does not take the request")
        }
        let stream = ClientStream(connection)
        while stream.status == nil { try stream.advance(milliseconds: milliseconds) }
        return stream
    }
}

/// An answer that is arriving.
final class ClientStream {
    private static let readBytesMax = 64 * 1_024

    private let connection: ClientConnection
    private var reader = AnswerReader()
    private var buffer = [UInt8](repeating: 0, count: readBytesMax)

    var status: Int? { reader.status }
    var isDone: Bool { reader.isDone }

    init(_ connection: ClientConnection) { self.connection = connection }

    /// Waits for more of it, so long at most.
    func advance(milliseconds: Int) throws(ClientFailure) {
        let received: ClientConnection.Received
        do throws(SystemError) {
            received = try connection.receive(into: &buffer, milliseconds: milliseconds)
        } catch {
            throw ClientFailure(error, doing: "breaks the connection")
        }
        switch received {
        case .bytes(let count):
            do throws(AnswerFault) { try reader.take(buffer[..<count]) } catch { throw .unanswered(error.text) }
        case .end: if !reader.end() { throw .unanswered("closes the connection before its answer is whole") }
        case .timedOut: throw .unanswered("does not answer in time")
        case .interrupted: throw .interrupted
        }
    }

    /// What came of the body since the last time.
    func takeBody() -> [UInt8] { reader.takeBody() }

    /// The answer to its end.
    func whole(milliseconds: Int) throws(ClientFailure) -> ClientAnswer {
        while !reader.isDone {
            guard reader.body.count <= Client.bodyBytesMax else { throw .unanswered("sends an answer that is too long") }
            try advance(milliseconds: milliseconds)
        }
        return ClientAnswer(status: reader.status ?? 0, retryAfterSeconds: reader.retryAfterSeconds, body: reader.takeBody())
    }
}
