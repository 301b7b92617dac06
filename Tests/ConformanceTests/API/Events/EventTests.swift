// API §4: GET /v1/events — one event for each record, as it becomes durable, and going on where one stopped.
//
// Promises: events are read by the rules of WHATWG HTML; data is compared with what GET answers, word for word.
// Must not know: how the server learns of a record.

import Foundation
import Testing
import TestSupport

@Suite("Events")
struct EventTests {
    @Test("without a position the stream begins with the next record, and brings each as it is answered")
    func next() throws {
        let server = try ServerProcess()
        _ = try server.post(sentPayload("before"))
        let stream = try EventStream(server)
        #expect(stream.head["Content-Type"]?.hasPrefix("text/event-stream") == true)
        #expect(stream.head["Cache-Control"] == "no-store" && stream.head["Content-Length"] == nil)
        #expect(try !stream.hasEvent(milliseconds: 100))
        for (identifier, payload) in [("a", sentPayload("a")), ("b", failedPayload("b", code: 131_026)), ("c", #"{"request_id":"c"}"#)] {
            let receipt = try server.post(payload).object()
            let event = try #require(try stream.next())
            #expect(event.name == receipt.string("status"))
            #expect(event.sequence == receipt.integer("sequence"))
            #expect(event.data == (try server.status(of: identifier).text))
        }
    }

    @Test("announcements and time that runs out are events, too")
    func kinds() throws {
        let server = try ServerProcess()
        let stream = try EventStream(server)
        let announced = try server.put("a", #"{"overdue_after":1,"reference":"r"}"#).text
        let first = try #require(try stream.next())
        #expect(first.name == "pending" && first.data == announced)
        let second = try #require(try stream.next())
        #expect(second.name == "overdue")
        #expect(second.data == (try server.status(of: "a").text))
        _ = try server.post(sentPayload("a"))
        #expect(try stream.next()?.name == "sent")
        let again = try server.put("a", #"{"overdue_after":1}"#).text
        let last = try #require(try stream.next())
        #expect(last.name == "sent" && last.data == again)
    }

    @Test("a retry and an announcement that changes nothing are no events")
    func duplicates() throws {
        let server = try ServerProcess()
        let stream = try EventStream(server)
        for _ in 0..<3 {
            _ = try server.post(sentPayload("a"))
            _ = try server.put("b")
        }
        _ = try server.post(sentPayload("c"))
        let events = try stream.next(3)
        #expect(try events.map { try $0.object().string("request_id") } == ["a", "b", "c"])
        #expect(events.map(\.sequence) == [1, 2, 3])
    }

    @Test("an id is the log's and the sequence, and the log's stays across restarts")
    func ids() throws {
        let directory = try TemporaryDirectory()
        var logs: Set<String?> = []
        for round in 0..<2 {
            let server = try ServerProcess(directory: directory)
            let stream = try EventStream(server)
            let receipt = try server.post(sentPayload("a\(round)")).object()
            let event = try #require(try stream.next())
            #expect(event.id == "\(event.logID ?? "")-\(try #require(receipt.integer("sequence")))")
            logs.insert(event.logID)
            try server.terminate()
        }
        #expect(logs.count == 1 && logs.first??.isEmpty == false)
        let other = try ServerProcess()
        _ = try other.post(sentPayload("a"))
        #expect(try !logs.contains(EventStream(other, "?after=0").next()?.logID))
    }

    /// A server with a history, and what its events are.
    private func history() throws -> (server: ServerProcess, names: [String], identifiers: [String]) {
        let server = try ServerProcess()
        _ = try server.put("a", #"{"overdue_after":600,"reference":"r"}"#)
        _ = try server.post(failedPayload("a", message: "first"))
        _ = try server.post(sentPayload("b"))
        _ = try server.post(sentPayload("a"))
        _ = try server.put("b")
        _ = try server.post(#"{"request_id":"c"}"#)
        return (server, ["pending", "failed", "sent", "sent", "sent", "unrecognized"], ["a", "a", "b", "a", "b", "c"])
    }

    @Test("from the beginning it is all of it, each request as of its record")
    func fromTheBeginning() throws {
        let (server, names, identifiers) = try history()
        let events = try EventStream(server, "?after=0").next(6)
        #expect(events.map(\.name) == names && events.map(\.sequence) == [1, 2, 3, 4, 5, 6])
        let objects = try events.map { try $0.object() }
        #expect(objects.map { $0.string("request_id") } == identifiers)
        #expect(objects.map { $0.string("status") } == names)
        #expect(objects.map { $0.integer("sequence") } == [1, 2, 3, 4, 5, 6])
        #expect(objects.map { $0.integer("callbacks") } == [0, 1, 1, 2, 1, 1])
        #expect(objects[0]["received_at"] == "null" && objects[1].object("failure")?.string("message") == "first")
        #expect(objects[2]["announced_at"] == "null" && objects[4]["announced_at"] != "null")
        #expect(objects.allSatisfy { Set($0.names) == StatusTests.members })
    }

    @Test("it goes on behind an id or a bare sequence, in the query or in Last-Event-ID", arguments: ["id", "sequence"], ["after", "Last-Event-ID"])
    func resume(form: String, place: String) throws {
        let (server, names, _) = try history()
        let all = try EventStream(server, "?after=0").next(6)
        for position in 1...5 {
            let value = form == "id" ? try #require(all[position - 1].id) : "\(position)"
            let stream = try place == "after" ? EventStream(server, "?after=\(value)") : EventStream(server, fields: ["Last-Event-ID: \(value)"])
            let rest = try stream.next(6 - position)
            #expect(rest == Array(all[position...]) && rest.map(\.name) == Array(names[position...]))
        }
    }

    @Test("behind the newest it waits for the next")
    func atTheEnd() throws {
        let (server, _, _) = try history()
        let stream = try EventStream(server, "?after=6")
        #expect(try !stream.hasEvent(milliseconds: 100))
        _ = try server.post(sentPayload("d"))
        #expect(try stream.next()?.sequence == 7)
    }

    @Test("Last-Event-ID, which a browser sends by itself, wins over the query")
    func both() throws {
        let (server, _, _) = try history()
        #expect(try EventStream(server, "?after=1", fields: ["Last-Event-ID: 4"]).next()?.sequence == 5)
    }

    @Test("whoever comes back again and again under load has each event once, and none is missing", arguments: ["HTTP/1.1", "HTTP/1.0"])
    func underLoad(version: String) throws {
        let server = try ServerProcess()
        let total = 1500
        let load = try server.connect(timeoutSeconds: 60)
        var posted = 0, found: [Int] = []
        var last: String?
        while found.count < total {
            let stream = try EventStream(server, last == nil ? "?after=0" : "", fields: last.map { ["Last-Event-ID: \($0)"] } ?? [], version: version)
            for _ in 0..<min(150, total - found.count) {
                if posted < total, posted <= found.count + 50 {
                    try load.send((0..<50).flatMap { postBytes(sentPayload("load\(posted + $0)")) })
                    for _ in 0..<50 { #expect(try load.readAnswer().status == 200) }
                    posted += 50
                }
                let event = try #require(try stream.next())
                found.append(try #require(event.sequence))
                last = event.id
            }
        }
        #expect(found == Array(1...total))
    }

    @Test("over HTTP/2 a stream of events is one stream among others")
    func http2() throws {
        let (server, names, _) = try history()
        let connection = try HTTP2Connection(port: server.port)
        let stream = try connection.request("GET", "/v1/events?after=0")
        func events() -> [ServerSentEvent] {
            var parser = EventParser()
            parser.take(connection.streams[stream]?.body ?? [])
            return parser.events
        }
        try connection.read { _ in events().count == 6 }
        #expect(events().map(\.name) == names)
        #expect(try connection.post(sentPayload("d")).status == 200)
        try connection.read { _ in events().count == 7 }
        #expect(events().last?.data == (try server.status(of: "d").text))
        #expect(connection.streams[stream]?.isEnded == false)
        // Given up, it costs the others nothing.
        try connection.send(.reset(stream, .cancel))
        #expect(try connection.exchange("GET", "/healthz").status == 200)
    }

    @Test("HEAD is answered with the head alone, and the connection goes on")
    func head() throws {
        let connection = try Shared.server().connect()
        try connection.send(requestBytes("HEAD", "/v1/events") + requestBytes("GET", "/healthz"))
        let head = try connection.readAnswer(toHEAD: true)
        #expect(head.status == 200 && head["Content-Type"]?.hasPrefix("text/event-stream") == true)
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("many followers each see everything, and stop when the server does")
    func many() throws {
        let server = try ServerProcess()
        let streams = try (0..<100).map { _ in try EventStream(server) }
        for index in 1...5 { _ = try server.post(sentPayload("m\(index)")) }
        for stream in streams { #expect(try stream.next(5).map(\.sequence) == [1, 2, 3, 4, 5]) }
        server.child.send(signal: SIGTERM)
        for stream in streams { #expect(try stream.next() == nil) }
        #expect(try server.child.waitForExit() == .exited(0))
    }
}
