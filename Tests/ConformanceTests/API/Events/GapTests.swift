// API §4: where the position is gone by retention, ahead, of another log or damaged, a gap event says how it goes on.
//
// Promises: what comes behind a gap begins with the sequence that the gap named.
// Must not know: why a position is gone.

import Foundation
import Testing
import TestSupport

@Suite("Gaps in the events")
struct GapTests {
    /// A server with five records, and its log's id.
    private func server() throws -> (server: ServerProcess, logID: String) {
        let server = try ServerProcess()
        try server.postAll((1...5).map { sentPayload("r\($0)") })
        return (server, try #require(try EventStream(server, "?after=0").next()?.logID))
    }

    /// Expects a gap that leads to a sequence.
    private func expectGap(
        _ event: ServerSentEvent?, after: String, next: Int, logID: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let event = try #require(event, sourceLocation: sourceLocation)
        #expect(event.name == "gap" && event.id == "\(logID)-\(next - 1)", "\(event)", sourceLocation: sourceLocation)
        let data = try event.object()
        #expect(data.names == ["after", "next"], sourceLocation: sourceLocation)
        #expect(data.string("after") == after && data.integer("next") == next, "\(event.data)", sourceLocation: sourceLocation)
    }

    @Test("a position ahead of the log", arguments: ["6", "1000", "18446744073709551615"])
    func ahead(after: String) throws {
        let (server, logID) = try server()
        let stream = try EventStream(server, "?after=\(after)")
        try expectGap(try stream.next(), after: after, next: 6, logID: logID)
        _ = try server.post(sentPayload("more"))
        #expect(try stream.next()?.sequence == 6)
        let withID = try EventStream(server, "?after=\(logID)-7")
        try expectGap(try withID.next(), after: "\(logID)-7", next: 7, logID: logID)
    }

    @Test("a position in another log, wherever it is said", arguments: ["after", "Last-Event-ID"])
    func otherLog(place: String) throws {
        let (server, logID) = try server()
        let id = String(logID.reversed()) + "x-3"
        let other = try #require(try { () -> ServerSentEvent? in
            let other = try ServerProcess()
            _ = try other.post(sentPayload("a"))
            return try EventStream(other, "?after=0").next()
        }()?.id)
        let value = place == "after" ? other : id
        let stream = try place == "after" ? EventStream(server, "?after=\(value)") : EventStream(server, fields: ["Last-Event-ID: \(value)"])
        try expectGap(try stream.next(), after: value, next: 1, logID: logID)
        #expect(try stream.next(5).map(\.sequence) == [1, 2, 3, 4, 5])
    }

    @Test("a Last-Event-ID that is none counts as of another log, since a client cannot help it", arguments: ["nonsense", "-1", "1-", "a-b"])
    func unreadableField(value: String) throws {
        let (server, logID) = try server()
        let stream = try EventStream(server, fields: ["Last-Event-ID: \(value)"])
        try expectGap(try stream.next(), after: value, next: 1, logID: logID)
        #expect(try stream.next()?.sequence == 1)
    }

    @Test("an after that is none is 400 and named", arguments: ["", "nonsense", "-1", "1-", "1.5", "99999999999999999999999", "%20"])
    func unreadableParameter(value: String) throws {
        let answer = try Shared.server().get("/v1/events?after=\(value)")
        try expectProblem(answer, 400, instance: "/v1/events")
        #expect(try answer.object().string("detail")?.contains("after") == true, "\(answer.text)")
    }

    @Test("a parameter that there is not, or twice, is 400", arguments: ["since=1", "after=1&after=2", "After=1", "last-event-id=3"])
    func parameters(query: String) throws { try expectProblem(try Shared.server().get("/v1/events?\(query)"), 400, instance: "/v1/events") }

    @Test("a position that retention took")
    func retention() throws {
        let server = try ServerProcess(configuration: "log:\n  segment-bytes-max: 1MiB\n  retention:\n    bytes-max: 2MiB\n")
        let padding = String(repeating: "p", count: 50_000)
        try server.postAll((1...120).map { failedPayload("r\($0)", message: "\($0) \(padding)") })
        let first = try eventually("the oldest segments are gone") {
            server.directory.entries.filter { $0.hasSuffix(".jsonl") }.first.flatMap { Int($0.prefix(20)) }.flatMap { $0 > 60 ? $0 : nil }
        }
        let stream = try EventStream(server, "?after=3")
        let gap = try #require(try stream.next())
        let next = try #require(try gap.object().integer("next"))
        #expect(next >= first)
        try expectGap(gap, after: "3", next: next, logID: try #require(gap.logID))
        #expect(try stream.next()?.sequence == next)
    }

    @Test("a record that is damaged is a gap between its neighbours")
    func damage() throws {
        let directory = try TemporaryDirectory()
        let first = try ServerProcess(directory: directory)
        try first.postAll((1...5).map { sentPayload("r\($0)", "mark\($0)") })
        try first.terminate()
        let name = try #require(directory.entries.first { $0.hasSuffix(".jsonl") })
        let text = try String(contentsOfFile: directory.path(of: name), encoding: .utf8)
        try Data(text.replacing("mark3", with: "mark!").utf8).write(to: URL(fileURLWithPath: directory.path(of: name)))

        let server = try ServerProcess(directory: directory)
        let stream = try EventStream(server, "?after=0")
        #expect(try stream.next(2).map(\.sequence) == [1, 2])
        let gap = try #require(try stream.next())
        #expect(gap.name == "gap")
        #expect(try gap.object().integer("next") == 4 && gap.sequence == 3)
        #expect(try stream.next(2).map(\.sequence) == [4, 5])
    }
}
