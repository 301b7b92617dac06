// A log whose records a test has written before it is opened: of any kind, at any time.
//
// Promises: the lines are the room's own, in segments of so many records; closed and removed with its object.
// Must not know: what is asked of it.

import Foundation
import HTTPWire
import Logging
import Platform
import TestSupport

@testable import CallbackLog
@testable import CallbackReceiver

final class WrittenLog {
    enum Record {
        case callback(String, String)
        case announcement(String, after: Int = 300, reference: String? = nil, metadata: String = "{}", first: Int? = nil)
        case overdue(String)
        /// Of a kind that nobody knows.
        case strange(String)
        /// A line that was sound once.
        case damaged(String)
    }

    let log: CallbackLog
    private let router: Router
    private let directory: TemporaryDirectory

    /// Small, so that a stream has many pieces.
    private static let pieceBytesMax = 600

    /// A record each second, the first at second 1.
    static func moment(_ sequence: Int) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + Int64(sequence) * 1_000) }

    init(_ records: [Record], each: Int = 1_000) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        var lines: [UInt8] = []
        var first: UInt64 = 1
        func write() throws {
            try Data(lines).write(to: URL(fileURLWithPath: directory.path(of: SegmentName.name(first: first))))
            lines = []
        }
        for (index, record) in records.enumerated() {
            let sequence = UInt64(index + 1)
            if index > 0, index % each == 0 {
                try write()
                first = sequence
            }
            Self.append(record, sequence, to: &lines)
        }
        RecordFormat.appendCheckpoint(receivedAt: Self.moment(records.count), durable: UInt64(records.count), to: &lines)
        try write()
        var configuration = ServerConfiguration()
        configuration.logFreeBytesMin = 1
        let options = Server.logOptions(configuration)
        // It is the time of the last record: nothing more runs out.
        let now = Self.moment(records.count).milliseconds
        let time = LogTime(wallMilliseconds: { now }, monotonicMilliseconds: LogTime.system.monotonicMilliseconds, after: LogTime.system.after)
        log = try CallbackLog(directory: SystemDirectory(creating: directory.path), options: options, time: time)
        configuration.apiAuthenticationNone = true
        let access = Access(configuration, isOnLoopback: true, clock: { 0 }) { .neverCreated }
        let quarantine = Quarantine(logDirectory: directory.path, bytesMax: configuration.quarantineBytesMax, logger: Logger(label: "test"))
        router = Router(
            configuration: configuration, access: access, origin: CallbackOrigin(configuration, now: { 0 }), log: log, logOptions: options,
            quarantine: quarantine)
    }

    /// What is answered, at once, by a question, or piece by piece until nothing more comes for now.
    func get(_ target: String, fields: [String] = []) throws -> RoutedAnswer {
        var session = HTTP1Session(limits: HTTPLimits())
        var (request, response, scratch, position) = (Request(), Response(), RouteScratch(), 0)
        guard session.receive(requestBytes("GET", target, fields: fields).span, at: &position, into: &request) == .request else {
            throw TestFailure.unreadable("request \(target)")
        }
        guard let peer = IPAddress("127.0.0.1") else { throw TestFailure.unreadable("address") }
        let disposition = router.route(request, from: peer, role: .api, isDraining: false, isOverloaded: false, into: &response, using: &scratch)
        var queries = QueryScratch()
        if case .query(let query) = disposition { response = query.answer(&queries) }
        if case .stream(let stream) = disposition {
            var source = stream.source
            while case .bytes(let piece) = source.next(bytesMax: Self.pieceBytesMax, using: &queries) { response.body += piece }
        }
        return RouterStep.answer(response)
    }

    deinit { log.close() }

    private static func append(_ record: Record, _ sequence: UInt64, to lines: inout [UInt8]) {
        let moment = moment(Int(sequence))
        switch record {
        case .callback(let identifier, let payload):
            RecordFormat.appendCallback(
                sequence: sequence, receivedAt: moment, requestID: Array(identifier.utf8).span, status: .sent, payload: Array(payload.utf8).span,
                durable: sequence - 1, to: &lines)
        case .announcement(let identifier, let after, let reference, let metadata, let first):
            var members: [UInt8] = []
            let token = reference.map { Array("\"\($0)\"".utf8) }
            AnnouncementMembers.append(
                overdueAfterSeconds: after, reference: token?.span, metadata: Array(metadata.utf8).span, announcedAt: first.map { Self.moment($0) },
                to: &members)
            RecordFormat.append(
                .announcement, sequence: sequence, receivedAt: moment, requestID: Array(identifier.utf8).span, members: members.span, durable: sequence - 1, to: &lines)
        case .overdue(let identifier), .strange(let identifier), .damaged(let identifier):
            let start = lines.count
            let kind: StaticString = if case .overdue = record { "overdue" } else { "strange" }
            RecordFormat.appendHead(sequence: sequence, receivedAt: moment, kind: kind, requestID: Array(identifier.utf8).span, to: &lines)
            RecordFormat.finish(from: start, durable: sequence - 1, to: &lines)
            if case .damaged = record { lines[start + 5] ^= 1 }
        }
    }
}

func sent(_ identifier: String, _ message: String = "wamid.1", session: String? = nil, fingerprint: String? = nil) -> WrittenLog.Record {
    let more = (session.map { ",\"session_id\":\"\($0)\"" } ?? "") + (fingerprint.map { ",\"crisp_fingerprint\":\($0)" } ?? "")
    return .callback(identifier, "{\"request_id\":\"\(identifier)\",\"whatsapp_message_id\":\"\(message)\"\(more)}")
}

func failed(_ identifier: String, _ message: String = "no", code: Int? = nil) -> WrittenLog.Record {
    .callback(identifier, "{\"request_id\":\"\(identifier)\",\"message\":\"\(message)\"\(code.map { ",\"code\":\($0)" } ?? "")}")
}
