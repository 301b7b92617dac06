// A reader of server-sent events, by the rules of WHATWG HTML §9.2, over either protocol.
//
// Promises: an event comes out once its blank line is there; comments and unfinished events do not count as events.
// Must not know: what an event is about.

import TestSupport

/// One event.
struct ServerSentEvent: Equatable {
    var id: String?
    var name = "message"
    var data = ""

    /// The number at the end of the id.
    var sequence: Int? { id.flatMap { $0.split(separator: "-").last }.flatMap { Int($0) } }
    /// The id but for the sequence.
    var logID: String? { id.flatMap { id in id.lastIndex(of: "-").map { String(id[..<$0]) } } }

    func object() throws -> RawJSON { try RawJSON(object: data) }
}

/// Bytes in, events out.
struct EventParser {
    private(set) var events: [ServerSentEvent] = []
    private(set) var comments = 0
    private var rest: [UInt8] = []
    private var open = ServerSentEvent()
    private var hasData = false
    /// Of the stream: an event without an id has the one before it (§9.2.6).
    private var lastID: String?

    mutating func take(_ bytes: [UInt8]) {
        rest += bytes
        while let end = rest.firstIndex(of: 10) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest.removeFirst(end + 1)
            takeLine(line.hasSuffix("\r") ? String(line.dropLast()) : line)
        }
    }

    private mutating func takeLine(_ line: String) {
        guard !line.isEmpty else {
            if hasData {
                open.id = lastID
                events.append(open)
            }
            open = ServerSentEvent()
            hasData = false
            return
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? (parts[1].hasPrefix(" ") ? String(parts[1].dropFirst()) : String(parts[1])) : ""
        switch parts[0] {
        case "": comments += 1
        case "id": lastID = value
        case "event": open.name = value
        case "data":
            open.data += (hasData ? "\n" : "") + value
            hasData = true
        default: break
        }
    }
}

/// A stream of events over HTTP/1.
final class EventStream {
    let head: Answer
    private let connection: RawConnection
    private var parser = EventParser()
    private var taken = 0
    private(set) var hasEnded = false

    /// Asks, and reads the answer's head.
    init(_ server: ServerProcess, _ query: String = "", fields: [String] = [], version: String = "HTTP/1.1") throws {
        connection = try server.connect()
        try connection.send(requestBytes("GET", "/v1/events" + query, fields: ["Accept: text/event-stream"] + fields, version: version))
        head = try connection.readHead()
        guard head.status == 200 else { throw TestFailure.unreadable("the event stream: \(head.status)") }
    }

    /// Whether an event comes within so long. An id alone, which is where a reader that loses the stream goes on, is none.
    func hasEvent(milliseconds: Int32) throws -> Bool {
        while taken == parser.events.count, connection.isReadable(milliseconds: milliseconds) {
            guard let bytes = try connection.readChunk() else { break }
            parser.take(bytes)
        }
        return taken < parser.events.count
    }

    /// The next event, once it is there; nil at the end of the stream.
    func next() throws -> ServerSentEvent? {
        while taken == parser.events.count {
            guard let bytes = try head["Transfer-Encoding"] == "chunked" ? connection.readChunk() : connection.readSome() else {
                hasEnded = true
                return nil
            }
            parser.take(bytes)
        }
        taken += 1
        return parser.events[taken - 1]
    }

    /// So many events more.
    /// - Throws: where the stream ends before.
    func next(_ count: Int) throws -> [ServerSentEvent] {
        try (0..<count).map { index in
            guard let event = try next() else { throw TestFailure.unreadable("the stream ended after \(index) of \(count) events") }
            return event
        }
    }

    /// Whether something comes within that time, were it only a part of an event.
    func isReadable(milliseconds: Int32) -> Bool { connection.isReadable(milliseconds: milliseconds) }
}
