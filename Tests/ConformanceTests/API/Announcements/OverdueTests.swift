// API §4: announced, and no callback within the time allowed — a record of its own, across restarts.
//
// Promises: times are at least what was said; how much later something happens is not asserted.
// Must not know: what wakes the server.

import Foundation
import Testing
import TestSupport

@Suite("Requests that become overdue")
struct OverdueTests {
    private func kinds(_ server: ServerProcess, _ identifier: String) throws -> [String] {
        try server.records(of: identifier).compactMap { $0.string("kind") }
    }

    @Test("what nothing answers is overdue when its time is up, not before, and once")
    func overdue() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let announced = try server.put(identifier, #"{"overdue_after":1,"reference":"r"}"#).object()
        #expect(announced.string("status") == "pending")
        let request = try server.eventually(identifier, is: "overdue")
        #expect(try milliseconds(request.string("updated_at")) >= milliseconds(announced.string("overdue_at")))
        #expect(try #require(request.integer("sequence")) > (try #require(announced.integer("sequence"))))
        #expect(request.integer("callbacks") == 0 && request["received_at"] == "null" && request["failure"] == "null")
        for member in ["announced_at", "overdue_at", "reference", "metadata"] { #expect(request[member] == announced[member], "\(member)") }
        // Another one runs out meanwhile: the first is not recorded again.
        let other = Shared.freshIdentifier()
        _ = try server.put(other, #"{"overdue_after":1}"#)
        try server.eventually(other, is: "overdue")
        #expect(try kinds(server, identifier) == ["announcement", "overdue"])
    }

    @Test("given longer it is pending again; given less it is overdue at once")
    func longer() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let first = try server.put(identifier, #"{"overdue_after":1}"#).object()
        try server.eventually(identifier, is: "overdue")
        let longer = try server.put(identifier, #"{"overdue_after":604800}"#)
        #expect(longer.status == 200)
        let request = try longer.object()
        #expect(request.string("status") == "pending")
        #expect(request.string("announced_at") == first.string("announced_at"))
        #expect(try milliseconds(request.string("overdue_at")) == milliseconds(first.string("announced_at")) + 604_800_000)
        #expect(try server.status(of: identifier).object().string("status") == "pending")
        _ = try server.put(identifier, #"{"overdue_after":1}"#)
        try server.eventually(identifier, is: "overdue")
    }

    @Test("a callback ends it, and nothing makes it overdue afterwards")
    func answered() throws {
        let server = try Shared.server()
        let late = Shared.freshIdentifier(), early = Shared.freshIdentifier(), before = Shared.freshIdentifier()
        _ = try server.post(sentPayload(before))
        _ = try server.put(before, #"{"overdue_after":1}"#)
        _ = try server.put(early, #"{"overdue_after":1}"#)
        _ = try server.post(sentPayload(early))
        _ = try server.put(late, #"{"overdue_after":1}"#)
        try server.eventually(late, is: "overdue")
        _ = try server.post(failedPayload(late))
        #expect(try server.status(of: late).object().string("status") == "failed")
        #expect(try kinds(server, late) == ["announcement", "overdue", "callback"])
        #expect(try kinds(server, early) == ["announcement", "callback"])
        #expect(try kinds(server, before) == ["callback", "announcement"])
        // An announcement of what is answered changes nothing about that, however little time it gives.
        _ = try server.put(late, #"{"overdue_after":2}"#)
        #expect(try server.status(of: late).object().string("status") == "failed")
    }

    @Test("the time goes on across a stop, also where it runs out meanwhile", arguments: [SIGTERM, SIGKILL])
    func restart(signal: Int32) throws {
        let directory = try TemporaryDirectory()
        let first = try ServerProcess(directory: directory)
        let announced = try first.put("short", #"{"overdue_after":1,"reference":"r"}"#).object()
        _ = try first.put("medium", #"{"overdue_after":3}"#)
        _ = try first.put("long", #"{"overdue_after":600}"#)
        _ = try first.put("answered", #"{"overdue_after":1}"#)
        _ = try first.post(sentPayload("answered"))
        first.child.send(signal: signal)
        try first.child.waitForExit()
        // Its time is up while nobody runs.
        let due = try milliseconds(announced.string("overdue_at"))
        try eventually("its time is up") { Date().timeIntervalSince1970 * 1000 > Double(due) }

        let second = try ServerProcess(directory: directory)
        let request = try second.eventually("short", is: "overdue")
        for member in ["announced_at", "overdue_at", "reference"] { #expect(request[member] == announced[member], "\(member)") }
        try second.eventually("medium", is: "overdue")
        #expect(try second.status(of: "long").object().string("status") == "pending")
        #expect(try second.status(of: "answered").object().string("status") == "sent")
        #expect(try kinds(second, "answered") == ["announcement", "callback"])
        #expect(try kinds(second, "short") == ["announcement", "overdue"])
    }

    @Test("many run out, each once")
    func many() throws {
        let server = try ServerProcess()
        let connection = try HTTP2Connection(port: server.port)
        for batch in 0..<10 {
            let streams = try (0..<50).map { try connection.request("PUT", "/v1/requests/m\(batch * 50 + $0)", body: Array(#"{"overdue_after":1}"#.utf8)) }
            for stream in streams { #expect(try connection.answer(on: stream).status == 201) }
        }
        try eventually("all are overdue") { try server.identifiers("?status=overdue&limit=1000").count == 500 }
        for index in stride(from: 0, to: 500, by: 50) { #expect(try kinds(server, "m\(index)") == ["announcement", "overdue"]) }
    }
}
