// API §4: GET /v1/export — the same filters, oldest first, streamed; one request a line.
//
// Promises: CSV is read by RFC 4180, quotes and line breaks included; an export is larger than what a socket buffers.
// Must not know: how large a piece is.

import Testing
import TestSupport

/// The records of a CSV text (RFC 4180).
func csvRecords(_ text: String) -> [[String]] {
    var records: [[String]] = []
    var record: [String] = []
    var field = ""
    var isQuoted = false
    var scalars = Array(text.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
        if isQuoted {
            if scalar == "\"", scalars.first == "\"" {
                field.unicodeScalars.append(scalar)
                scalars.removeFirst()
            } else if scalar == "\"" {
                isQuoted = false
            } else {
                field.unicodeScalars.append(scalar)
            }
        } else if scalar == "\"" {
            isQuoted = true
        } else if scalar == "," || scalar == "\n" {
            record.append(field)
            field = ""
            if scalar == "\n" {
                records.append(record)
                record = []
            }
        } else if scalar != "\r" {
            field.unicodeScalars.append(scalar)
        }
    }
    return records
}

@Suite("Export")
struct ExportTests {
    private static let started = Result { try Panorama() }
    private var server: ServerProcess { get throws { try Self.started.get().server } }

    @Test("JSON Lines: each request once, oldest first, as GET answers it")
    func lines() throws {
        let answer = try server.get("/v1/export?format=jsonl")
        #expect(answer.status == 200 && answer["Cache-Control"] == "no-store")
        #expect(answer.text.hasSuffix("\n"))
        let lines = answer.text.split(separator: "\n").map(String.init)
        #expect(try lines == Panorama.newestFirst.reversed().map { try server.status(of: $0).text })
    }

    @Test("CSV: a header row, request_id first, one record for each request")
    func csv() throws {
        let answer = try server.get("/v1/export?format=csv")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"]?.hasPrefix("text/csv") == true)
        let records = csvRecords(answer.text)
        let header = try #require(records.first)
        #expect(header.first == "request_id")
        #expect(records.dropFirst().map { $0.first } == Panorama.newestFirst.reversed())
        #expect(records.allSatisfy { $0.count == header.count })
        let status = try #require(header.firstIndex(of: "status"))
        #expect(records.dropFirst().map { $0[status] } == Panorama.newestFirst.reversed().map { Panorama.status[$0] })
        // A text with commas, quotes and a line feed comes back whole.
        let odd = try #require(records.first { $0.first == "odd" })
        let message = try #require(try server.status(of: "odd").object().object("failure")?.string("message"))
        #expect(message.contains("\n") && odd.contains(message))
        // And what was announced is there.
        #expect(records.first { $0.first == "pending" }?.contains("order-1042") == true)
    }

    @Test("the filters are those of the list", arguments: [
        "status=failed", "status=pending", "status=overdue", "class=template", "class=billing", "reference=order-7", "session_id=session_a",
        "whatsapp_message_id=wamid.new", "crisp_fingerprint=163239623329114", "session_id=session_a&status=sent", "until=2020-01-01T00:00:00Z",
    ])
    func filters(query: String) throws {
        let expected = try Array(server.identifiers("?" + query).reversed())
        let lines = try server.get("/v1/export?format=jsonl&\(query)").text.split(separator: "\n")
        #expect(try lines.compactMap { try RawJSON(object: String($0)).string("request_id") } == expected)
        #expect(try csvRecords(server.get("/v1/export?format=csv&\(query)").text).dropFirst().map { $0.first } == expected)
    }

    @Test("times bound it as they bound the list")
    func times() throws {
        let bound = try #require(try server.requests()[4].string("updated_at"))
        for name in ["since", "until"] {
            let lines = try server.get("/v1/export?format=jsonl&\(name)=\(bound)").text.split(separator: "\n")
            #expect(try lines.compactMap { try RawJSON(object: String($0)).string("request_id") } == server.identifiers("?\(name)=\(bound)").reversed())
        }
    }

    @Test("what cannot be read is 400, and the problem names it", arguments: [
        ("format=xml", "format"), ("format=", "format"), ("format=jsonl&format=csv", "format"), ("format=jsonl&status=nope", "status"), ("format=csv&class=nope", "class"),
        ("format=csv&since=x", "since"), ("format=jsonl&limit=5", ""), ("format=jsonl&cursor=x", ""), ("format=jsonl&unknown=1", ""), ("format=jsonl&crisp_fingerprint=x", "crisp_fingerprint"),
    ])
    func unreadable(query: String, name: String) throws {
        let answer = try server.get("/v1/export?" + query)
        try expectProblem(answer, 400, instance: "/v1/export")
        let detail = try answer.object().string("detail") ?? ""
        #expect(name.isEmpty || detail.contains(name), "\(detail)")
    }

    /// A server whose export is some megabytes.
    private static let large = Result {
        let server = try ServerProcess(configuration: "log:\n  segment-bytes-max: 4MiB\n")
        let padding = String(repeating: "p", count: 1500)
        try server.postAll((0..<4000).map { failedPayload("e\($0)", message: "\($0) \(padding)") })
        // Half of them again: they move to the end.
        try server.postAll((0..<2000).map { failedPayload("e\($0)", message: "\($0) again \(padding)") })
        return server
    }

    /// In the order of their newest records.
    private static let largeOrder = (Array(2000..<4000) + Array(0..<2000)).map { "e\($0)" }

    @Test("an export of megabytes is whole, over HTTP/1.1 in chunks, HTTP/1.0 until the close, and HTTP/2", arguments: ["HTTP/1.1", "HTTP/1.0", "HTTP/2"])
    func large(version: String) throws {
        let server = try Self.large.get()
        let answer: Answer
        if version == "HTTP/2" {
            answer = try HTTP2Connection(port: server.port, timeoutSeconds: 60).exchange("GET", "/v1/export?format=jsonl")
        } else {
            let connection = try server.connect(timeoutSeconds: 60)
            try connection.send(requestBytes("GET", "/v1/export?format=jsonl", version: version))
            answer = try connection.readAnswer()
            #expect(answer["Transfer-Encoding"] == (version == "HTTP/1.1" ? "chunked" : nil))
            if version == "HTTP/1.1" {
                try connection.send(requestBytes("GET", "/healthz"))
                #expect(try connection.readAnswer().status == 200)
            }
        }
        #expect(answer.status == 200 && answer.body.count > 6_000_000)
        let found = answer.text.split(separator: "\n").compactMap { $0.firstMatch(of: /^\{"request_id":"([^"]*)"/).map { String($0.1) } }
        // Others post to this server meanwhile.
        #expect(found.filter { $0.hasPrefix("e") } == Self.largeOrder)
    }

    @Test("a client that takes it slowly gets it whole, and others are served meanwhile")
    func slowly() throws {
        let server = try Self.large.get()
        let connection = try server.connect(timeoutSeconds: 60)
        try connection.send(requestBytes("GET", "/v1/export?format=csv"))
        #expect(connection.isReadable(milliseconds: 10_000))
        for index in 0..<20 { #expect(try server.post(sentPayload("meanwhile-\(index)")).status == 200) }
        #expect(try server.get("/v1/requests?limit=10").status == 200)
        let records = csvRecords(try connection.readAnswer().text)
        // What arrived after it began may be there or not; what was there before is, once.
        #expect(records.dropFirst().compactMap(\.first).filter { $0.hasPrefix("e") } == Self.largeOrder)
    }

    @Test("HEAD is answered with the head alone")
    func head() throws {
        let connection = try server.connect()
        try connection.send(requestBytes("HEAD", "/v1/export?format=csv") + requestBytes("GET", "/healthz"))
        let head = try connection.readAnswer(toHEAD: true)
        #expect(head.status == 200 && head["Content-Type"]?.hasPrefix("text/csv") == true)
        #expect(try connection.readAnswer().status == 200)
    }

    @Test("nothing there is nothing but the header")
    func empty() throws {
        let server = try ServerProcess()
        #expect(try server.get("/v1/export?format=jsonl").body.isEmpty)
        #expect(try csvRecords(server.get("/v1/export?format=csv").text).count == 1)
    }
}
