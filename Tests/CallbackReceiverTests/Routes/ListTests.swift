// Lists and statistics of a log with records of every kind (API.md §4), as the routes give them on the query queue.
//
// Promises: what is expected is told by the test alone, from the records. Must not know: indexes.

import HTTPWire
import Testing
import TestSupport

@testable import CallbackLog
@testable import CallbackReceiver

@Suite("Lists and statistics")
struct ListTests {
    /// By newest record: c a e d b f.
    private static let records: [WrittenLog.Record] = [
        sent("a", "w.old", session: "s1"), .announcement("b", after: 2, reference: "o-1"), failed("c", "(#132000) wrong template"), .announcement("d", reference: "o-2"),
        sent("f", "w.f", session: "s1", fingerprint: "163239623329114"), .overdue("b"), .callback("d", #"{"request_id":"d"}"#), .announcement("e", reference: "o-1"),
        sent("a", "w.new", session: "s2"), failed("c", "nobody knows"), .announcement("f", reference: "o-3"),
    ]
    private static let newestFirst = ["f", "c", "a", "e", "d", "b"]

    private func whole(_ written: WrittenLog) throws -> WrittenLog {
        try eventually("it is known what is superseded", holds: { (try? written.get("/v1/statistics").status) == 200 })
        if Self.records.count == Int(written.log.durable) { try eventually("it is known what is open", holds: { written.log.openAnnouncements == 2 }) }
        return written
    }

    private func identifiers(_ written: WrittenLog, _ query: String) throws -> [String] {
        let page = try written.get("/v1/requests?" + query).object()
        return try #require(page.array("requests")).compactMap { try RawJSON(object: $0).string("request_id") }
    }

    static let filters: [(String, [String])] = [
        ("", newestFirst), ("status=sent", ["f", "a"]), ("status=failed", ["c"]), ("status=unrecognized", ["d"]), ("status=pending", ["e"]), ("status=overdue", ["b"]),
        ("class=unknown", ["c"]), ("class=template", []), ("class=unknown&status=sent", []), ("reference=o-1", ["e", "b"]), ("reference=o-2", ["d"]),
        ("reference=o-1&status=overdue", ["b"]), ("reference=o-3", ["f"]), ("session_id=s1", ["f"]), ("session_id=s2", ["a"]), ("whatsapp_message_id=w.old", []),
        ("whatsapp_message_id=w.new", ["a"]), ("crisp_fingerprint=163239623329114", ["f"]), ("crisp_fingerprint=163239623329114&session_id=s2", []),
        ("since=2023-11-14T22:13:29Z", ["f", "c", "a"]), ("until=2023-11-14T22:13:29Z", ["e", "d", "b"]), ("since=2023-11-14T22:13:28Z&until=2023-11-14T22:13:30Z", ["a", "e"]),
    ]

    @Test("each filter, whatever segments the records are in", arguments: [1, 4, 100])
    func filter(each: Int) throws {
        let written = try whole(WrittenLog(Self.records, each: each))
        for (query, expected) in Self.filters { #expect(try identifiers(written, query) == expected, "\(query)") }
    }

    @Test("pages follow each other, by cursor and by link, and end", arguments: [1, 2, 5, 6], ["", "status=sent&", "reference=o-1&"])
    func pages(limit: Int, query: String) throws {
        let written = try whole(WrittenLog(Self.records, each: 3))
        let expected = try identifiers(written, query)
        var seen: [String] = []
        var target: String? = "/v1/requests?\(query)limit=\(limit)"
        while let next = target, seen.count <= expected.count {
            let answer = try written.get(next)
            let page = try answer.object()
            let elements = try #require(page.array("requests"))
            #expect(elements.count <= limit)
            seen += try elements.compactMap { try RawJSON(object: $0).string("request_id") }
            target = page.string("next").map { "/v1/requests?\(query)limit=\(limit)&cursor=\($0)" }
            #expect(answer.fields["Link"] == target.map { "<\($0)>; rel=\"next\"" })
        }
        #expect(seen == expected && target == nil)
    }

    @Test("a cursor is good for its filters and its log alone, and not made up")
    func cursors() throws {
        let written = try whole(WrittenLog(Self.records))
        let cursor = try #require(try written.get("/v1/requests?limit=1").object().string("next"))
        #expect(try written.get("/v1/requests?limit=3&cursor=\(cursor)").status == 200)
        for query in ["status=sent&cursor=\(cursor)", "cursor=\(cursor)0", "cursor=1\(cursor)", "cursor=11.11.0000000000000000", "cursor=11", "cursor=", "cursor=.."] {
            let answer = try written.get("/v1/requests?" + query)
            #expect(answer.status == 400, "\(query)")
            try expectProblem(answer, instance: "/v1/requests")
        }
        #expect(try WrittenLog(Self.records).get("/v1/requests?cursor=\(cursor)").status == 400)
    }

    @Test("a link is a valid reference, whatever stood in the query")
    func link() throws {
        let written = try whole(WrittenLog([sent("a", session: "x y"), sent("b", session: "x y")]))
        let answer = try written.get("/v1/requests?session_id=x%20y&&limit=1")
        let cursor = try #require(try answer.object().string("next"))
        #expect(answer.fields["Link"] == "</v1/requests?session_id=x%20y&limit=1&cursor=\(cursor)>; rel=\"next\"")
    }

    @Test("statistics count each request once, by its present state, in the interval of its newest record", arguments: [1, 4, 100])
    func statistics(each: Int) throws {
        let written = try whole(WrittenLog(Self.records, each: each))
        let answer = try written.get("/v1/statistics?interval=minute").object()
        #expect(answer.names == ["interval", "buckets", "unknown", "announced_open"] && answer.string("interval") == "minute")
        #expect(
            answer.array("buckets") == [
                #"{"start":"2023-11-14T22:13:00.000Z","sent":2,"failed":1,"unrecognized":1,"pending":1,"overdue":1,"classes":{"unknown":1}}"#
            ])
        #expect(answer.array("unknown") == [#"{"message":"nobody knows","count":1,"last_at":"2023-11-14T22:13:30.000Z"}"#])
        #expect(answer.integer("announced_open") == 2)
        let part = try written.get("/v1/statistics?since=2023-11-14T22:13:30Z&interval=day").object()
        #expect(
            part.array("buckets") == [
                #"{"start":"2023-11-14T00:00:00.000Z","sent":1,"failed":1,"unrecognized":0,"pending":0,"overdue":0,"classes":{"unknown":1}}"#
            ])
        #expect(part.integer("announced_open") == 2)
    }

    @Test("who is overdue and announced again without more time is overdue still, in lists and in counts")
    func overdueStill() throws {
        let written = try whole(
            WrittenLog([
                .announcement("a", after: 1), .overdue("a"), .announcement("a", after: 1, reference: "r"), .announcement("b", after: 1), .overdue("b"),
                .announcement("b", after: 900),
            ]))
        #expect(try identifiers(written, "status=overdue") == ["a"])
        #expect(try identifiers(written, "status=pending") == ["b"])
        let bucket = try #require(try written.get("/v1/statistics").object().array("buckets")?.first)
        #expect(bucket.contains(#""pending":1,"overdue":1,"#), "\(bucket)")
    }

    @Test("nothing of nothing")
    func empty() throws {
        let written = try whole(WrittenLog([]))
        #expect(try written.get("/v1/requests").body == #"{"requests":[],"next":null}"#)
        #expect(try written.get("/v1/statistics").body == #"{"interval":"hour","buckets":[],"unknown":[],"announced_open":0}"#)
    }

    @Test("the most frequent unknown text comes first, and the newest among equals")
    func unknownTexts() {
        var texts = UnknownTexts()
        for (text, second) in [("a", 1), ("b", 2), ("b", 5), ("c", 3), ("d", 4), ("d", 1)] {
            texts.note(Array("\"\(text)\"".utf8), at: Timestamp(milliseconds: Int64(second) * 1_000))
        }
        texts.note(Array(repeating: 65, count: UnknownTexts.bytesMax), at: Timestamp(milliseconds: 0))
        var body: [UInt8] = []
        texts.append(to: &body)
        let order = String(decoding: body, as: UTF8.self).matches(of: /"message":"(.)","count":(\d)/).map { "\($0.1)\($0.2)" }
        #expect(order == ["b2", "d2", "c1", "a1"])
    }

    @Test("an export has the requests of the list with the same filters, oldest first, each as GET answers it", arguments: [1, 4, 100])
    func export(each: Int) throws {
        let written = try whole(WrittenLog(Self.records, each: each))
        for (query, expected) in Self.filters {
            let answer = try written.get("/v1/export?" + query)
            #expect(answer.contentType == "application/jsonl" && answer.fields["Content-Disposition"] == "attachment; filename=\"requests.jsonl\"")
            let lines = answer.body.split(separator: "\n").map(String.init)
            #expect(try lines.map { try RawJSON(object: $0).string("request_id") } == expected.reversed(), "\(query)")
            #expect(try lines.allSatisfy { try written.get("/v1/requests/\(RawJSON(object: $0).string("request_id") ?? "")").body == $0 })
            let rows = try written.get("/v1/export?format=csv&" + query).body.components(separatedBy: "\r\n")
            #expect(rows.first?.hasPrefix("request_id,status,") == true && rows.last == "")
            #expect(rows.dropFirst().dropLast().map { $0.prefix { $0 != "," } } == expected.reversed().map { $0[...] }, "\(query)")
        }
        for query in ["limit=1", "cursor=x", "format=xml", "status=x"] { #expect(try written.get("/v1/export?" + query).status == 400) }
    }

    @Test("events begin where they are asked to, in the query or by Last-Event-ID")
    func events() throws {
        let written = try whole(WrittenLog(Self.records, each: 4))
        func sequences(_ query: String, _ fields: [String] = []) throws -> [String] {
            let answer = try written.get("/v1/events" + query, fields: fields)
            #expect(answer.status == 200 && answer.contentType == "text/event-stream" && answer.fields["Cache-Control"] == "no-store")
            return answer.body.matches(of: /id: [0-9a-f]{32}-(\d+)\nevent: (\w+)\n/).map { $0.2 == "gap" ? "gap \($0.1)" : "\($0.1)" }
        }
        #expect(try sequences("") == [])
        #expect(try sequences("?after=0") == (1...11).map { "\($0)" })
        #expect(try sequences("?after=\(written.log.logID)-9") == ["10", "11"])
        #expect(try sequences("?after=3", ["Last-Event-ID: 10"]) == ["11"])
        #expect(try sequences("", ["Last-Event-ID: nonsense"]).first == "gap 0")
        #expect(try sequences("?after=12") == ["gap 11"])
        let wrong = try written.get("/v1/events?after=x")
        #expect(wrong.status == 400)
        try expectProblem(wrong, instance: "/v1/events")
    }
}
