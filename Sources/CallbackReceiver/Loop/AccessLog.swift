// The access log, where `logging.access` wants one: a line for each request that was answered.
//
//     event="request answered" method=POST milliseconds=0.213 path=/callback peer=192.0.2.7 protocol=HTTP/1.1 request-id=… status=200
//
// Promises: written when the answer is handed to its connection. Never a query, a field or a body (invariant 9): what a line has of a
// stranger's bytes is method, path and, of a callback that was decoded, its request_id. Costs nothing where it is not wanted.
// Must not know: how lines are written. Whoever reads them too slowly misses some, and holds up nobody.

import HTTPWire
import Logging
import Platform

/// What was asked for, as a line of the log has it: never the query, and not more than a line holds.
struct LoggedTarget {
    /// The first bytes of a path; no route has one that is longer.
    static let pathBytesMax = 1_024
    static let methodBytesMax = 32

    let method: String
    let path: String

    /// Nil where the head is not whole: its ranges lead nowhere then.
    init?(_ request: borrowing Request) {
        guard request.isHeadComplete else { return nil }
        method = String(decoding: request.bytes(request.methodToken).prefix(Self.methodBytesMax), as: UTF8.self)
        path = String(decoding: request.bytes(request.path).prefix(Self.pathBytesMax), as: UTF8.self)
    }

    /// Of a request that is gone by now.
    init(_ prepared: PreparedAppend) {
        method = "\(prepared.method)"
        path = String(decoding: prepared.path.prefix(Self.pathBytesMax), as: UTF8.self)
    }
}

/// What a line says of a request, until its answer is known.
final class AccessEntry {
    private let target: LoggedTarget?
    private let peer: IPAddress
    /// Of a callback or an announcement, once it is decoded.
    var requestID: String?

    init(_ request: borrowing Request, peer: IPAddress) {
        target = LoggedTarget(request)
        self.peer = peer
    }

    /// - Parameter nanoseconds: from when the request was whole; nil where it never was.
    func say(_ status: UInt16, nanoseconds: Int64?, version: MeteredProtocol, to logger: Logger) {
        var metadata: Logger.Metadata = [
            "status": .stringConvertible(status), "method": "\(target?.method ?? "")", "path": "\(target?.path ?? "")", "peer": "\(peer)", "protocol": "\(version.name)",
        ]
        // To a microsecond.
        if let nanoseconds { metadata["milliseconds"] = .stringConvertible((Double(nanoseconds) / 1_000).rounded() / 1_000) }
        if let requestID { metadata["request-id"] = "\(requestID)" }
        logger.info("request answered", metadata: metadata)
    }
}

extension Loop {
    /// The loop's `request` is the one that `measure` is of.
    mutating func noteAccess(_ connection: Connection) {
        if context.configuration.logsAccess { measure.access = AccessEntry(request, peer: client(connection)) }
    }
}
