// API §4 and §7: the records of a request of every kind, over the API and in the log on disk.
//
// Promises: members and their order are those of API §7.
// Must not know: how the log is read.

import Foundation
import Testing
import TestSupport

@Suite("History of a request with all kinds of records")
struct HistoryTests {
    /// Announced, overdue, answered, announced again; the server it is on.
    private func eventful() throws -> (server: ServerProcess, identifier: String) {
        let server = try ServerProcess()
        _ = try server.put("eventful", #"{"overdue_after":1,"reference":"order-1042","metadata":{ "a" : 1.0 }}"#)
        try server.eventually("eventful", is: "overdue")
        _ = try server.post(#"{"request_id":"eventful", "message":"late"}"#)
        _ = try server.put("eventful", #"{"overdue_after":5}"#)
        return (server, "eventful")
    }

    @Test("records of all kinds come oldest first, each with its members")
    func kinds() throws {
        let (server, identifier) = try eventful()
        let records = try server.records(of: identifier)
        #expect(records.map { $0.string("kind") } == ["announcement", "overdue", "callback", "announcement"])
        let members = ["sequence", "received_at", "kind", "request_id"]
        #expect(records.map(\.names) == [
            members + ["overdue_after", "reference", "metadata"], members, members + ["status", "payload"],
            members + ["overdue_after", "reference", "metadata"],
        ])
        #expect(records.allSatisfy { $0.string("request_id") == identifier })
        let sequences = records.compactMap { $0.integer("sequence") }
        #expect(sequences == [1, 2, 3, 4])
        let times = try records.map { try milliseconds($0.string("received_at")) }
        #expect(times == times.sorted())
        #expect(records[0].integer("overdue_after") == 1 && records[0].string("reference") == "order-1042" && records[0]["metadata"] == #"{"a":1.0}"#)
        #expect(records[3].integer("overdue_after") == 5 && records[3]["reference"] == "null" && records[3]["metadata"] == "{}")
        #expect(records[2]["payload"] == #"{"request_id":"eventful","message":"late"}"#)
    }

    @Test("pages go over records of every kind")
    func pages() throws {
        let (server, identifier) = try eventful()
        var target = "/v1/requests/\(identifier)/callbacks?limit=1"
        var kinds: [String] = []
        for _ in 0..<5 {
            let answer = try server.get(target)
            let page = try answer.object()
            for record in try #require(page.array("callbacks")) { kinds.append(try #require(try RawJSON(object: record).string("kind"))) }
            guard let cursor = page.string("next") else { break }
            #expect(answer["Link"]?.contains("rel=\"next\"") == true)
            target = "/v1/requests/\(identifier)/callbacks?limit=1&cursor=\(percentEncoded(cursor))"
        }
        #expect(kinds == ["announcement", "overdue", "callback", "announcement"])
    }

    @Test("a request that was only announced has a history, too")
    func announcedOnly() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        _ = try server.put(identifier)
        #expect(try server.records(of: identifier).map { $0.string("kind") } == ["announcement"])
    }

    @Test("in the log each kind is a line as the format has it")
    func lines() throws {
        let (server, _) = try eventful()
        try server.terminate()
        let text = try server.directory.entries.filter { $0.hasSuffix(".jsonl") }
            .map { try String(contentsOfFile: server.directory.path(of: $0), encoding: .utf8) }.joined()
        let lines = text.split(separator: "\n").filter { $0.contains(#""sequence":"#) }.map {
            $0.replacing(/"received_at":"[^"]*"/, with: "T").replacing(/"durable":\d+,"crc32c":"[0-9a-f]{8}"/, with: "D")
        }
        #expect(lines == [
            #"{"sequence":1,T,"kind":"announcement","request_id":"eventful","overdue_after":1,"reference":"order-1042","metadata":{"a":1.0},D}"#,
            #"{"sequence":2,T,"kind":"overdue","request_id":"eventful",D}"#,
            #"{"sequence":3,T,"kind":"callback","request_id":"eventful","status":"failed","payload":{"request_id":"eventful","message":"late"},D}"#,
            #"{"sequence":4,T,"kind":"announcement","request_id":"eventful","overdue_after":5,"reference":null,"metadata":{},D}"#,
        ])
    }

    @Test("a request has at most 1000 records; what would be one more is 422")
    func thousand() throws {
        let server = try ServerProcess()
        _ = try server.put("full", #"{"reference":"r"}"#)
        try server.postAll((1..<1000).map { sentPayload("full", "w\($0)") })
        #expect(try server.records(of: "full").count == 1000)
        try expectProblem(try server.post(sentPayload("full", "one more")), 422)
        try expectProblem(try server.put("full", #"{"reference":"another"}"#), 422)
        // What appends nothing is no record more.
        #expect(try server.post(sentPayload("full", "w7")).status == 200)
        #expect(try server.put("full", #"{"reference":"r"}"#).status == 200)
        #expect(try server.records(of: "full").count == 1000)
    }
}
