// GET /openapi.json is true: every answer that it documents is given, has the shape that it documents, and no other is given.
//
// Promises: the real server answers; a Python validator of other people's compares. What is documented and exercised by
// nothing here fails.
// Must not know: the document's text.

import Foundation
import Testing
import TestSupport

@Suite("The OpenAPI document")
struct DocumentTests {
    private static let hasPython = OpenAPIProgram.python != nil

    @Test("is served as JSON, and names each status by its number", .enabled(if: hasPython, "no .build/python-venv (Tests/run makes it)"))
    func served() throws {
        let answer = try Shared.server().get("/openapi.json")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"]?.hasPrefix("application/json") == true && answer["Cache-Control"] == "no-store")
        #expect(try answer.object().string("openapi")?.hasPrefix("3.1.") == true)
        let result = try OpenAPIProgram.validate(answer.text, [])
        #expect(result.array("problems") == [])
        let operations = Set(try #require(result.array("documented")).map { $0.split(separator: " ").prefix(2).joined(separator: " ").dropFirst() })
        #expect(operations == Set(DocumentedOperation.all.map { "\($0.method) \($0.path)"[...] }))
    }

    @Test("every documented answer is given and looks as documented, and nothing else is", .enabled(if: hasPython, "no .build/python-venv (Tests/run makes it)"))
    func truth() throws {
        let directory = try TemporaryDirectory()
        let write = try Token.create(in: directory, name: "write", scope: "write"), metrics = try Token.create(in: directory, name: "metrics", scope: "metrics")
        let server = try ServerProcess(
            directory: directory,
            configuration: """
                callback:
                  keys: [\(DocumentedOperation.key)]
                server:
                  timeouts:
                    header-seconds: 1
                    body-seconds: 1
                """)
        var exchanges: [DocumentedExchange] = []
        func record(_ operation: DocumentedOperation, _ bytes: [UInt8]) throws {
            exchanges.append(DocumentedExchange(method: operation.method, path: operation.path, answer: try exchange(server, operation, bytes)))
        }
        try panorama(server, write)
        // Slow ones first, all at once.
        let slow = try DocumentedOperation.all.map { operation in
            let connection = try server.connect()
            try connection.send(operation.unfinished)
            return (operation, connection)
        }
        for operation in DocumentedOperation.all {
            let (token, other) = operation.scope == "metrics" ? (metrics, write) : (write, metrics)
            let authorized = operation.needsToken ? [token.field] : []
            try record(operation, operation.bytes(authorized))
            try record(operation, operation.bytes(authorized))
            try record(operation, operation.tooLarge(authorized))
            try record(operation, operation.bytes(authorized, query: "long=" + String(repeating: "x", count: 9_000)))
            try record(operation, operation.bytes(authorized + (0..<80).map { "X-\($0): y" }))
            if let query = operation.wrongQuery { try record(operation, operation.bytes(authorized, query: query)) }
            if operation.needsToken {
                try record(operation, operation.bytes())
                try record(operation, operation.bytes([other.field]))
            }
        }
        for (operation, target, body) in further {
            try record(operation, operation.bytes(operation.needsToken ? [write.field] : [], target: target, body: body))
        }
        for (operation, connection) in slow {
            exchanges.append(DocumentedExchange(method: operation.method, path: operation.path, answer: try connection.readAnswer()))
        }
        exchanges += try unavailable() + unreadable() + guessed()

        let document = try server.get("/openapi.json", write).text
        let result = try OpenAPIProgram.validate(document, exchanges)
        let problems = try #require(result.array("problems"))
        #expect(problems == [], "\(problems.joined(separator: "\n"))")
        let missing = Set(try #require(result.array("documented"))).subtracting(try #require(result.array("exercised")))
        #expect(missing == [])
    }

    /// One exchange; of an event stream what there is, since it has no end.
    private func exchange(_ server: ServerProcess, _ operation: DocumentedOperation, _ bytes: [UInt8]) throws -> Answer {
        let connection = try server.connect()
        try connection.send(bytes, toleratingClose: true)
        guard operation.path == "/v1/events" else { return try connection.readAnswer() }
        let head = try connection.readHead()
        guard head.status == 200 else {
            let length = head["Content-Length"].flatMap { Int($0) } ?? 0
            return head.with(body: try connection.readBytes(length) ?? [])
        }
        var body: [UInt8] = []
        while !String(decoding: body, as: UTF8.self).contains("\"request_id\":\"odd\""), let chunk = try connection.readChunk() { body += chunk }
        return head.with(body: body)
    }

    /// Requests of each status, and refused callbacks.
    private func panorama(_ server: ServerProcess, _ token: Token) throws {
        let target = "/callback?key=\(DocumentedOperation.key)"
        for payload in [sentPayload("known"), failedPayload("limited", code: 131_049), #"{"request_id":"strange"}"#, failedPayload("odd", message: "xyzzy")] {
            #expect(try server.post(payload, to: target).status == 200)
        }
        _ = try server.put("known", #"{"overdue_after":1,"reference":"r","metadata":{"a":1}}"#, fields: [token.field])
        _ = try server.put("late", #"{"overdue_after":1}"#, fields: [token.field])
        try eventually("it is overdue") { try server.get("/v1/requests/late", token).object().string("status") == "overdue" }
        _ = try server.post("\u{1}", to: target)
    }

    /// What is right or wrong in ways of its own.
    private var further: [(operation: DocumentedOperation, target: String, body: String?)] {
        func operation(_ method: String, _ path: String) -> DocumentedOperation {
            DocumentedOperation.all.first { $0.method == method && $0.path == path } ?? DocumentedOperation.all[0]
        }
        let post = operation("post", "/callback"), put = operation("put", "/v1/requests/{request_id}")
        let get = operation("get", "/v1/requests/{request_id}"), callbacks = operation("get", "/v1/requests/{request_id}/callbacks")
        return [
            (post, post.target, "x"), (post, post.target, "{}"), (post, "/callback?key=wrong", sentPayload("known")), (post, post.target, failedPayload("another", code: 132_000)),
            (put, put.target, "x"), (put, put.target, #"{"overdue_after":0}"#), (put, "/v1/requests/known", #"{"reference":"s"}"#), (put, "/v1/requests/%20", "{}"),
            (get, "/v1/requests/nobody", nil), (get, "/v1/requests/late", nil), (get, "/v1/requests/limited", nil), (get, "/v1/requests/strange", nil), (get, "/v1/requests/announced", nil),
            (get, "/v1/requests/%", nil), (callbacks, "/v1/requests/nobody/callbacks", nil), (callbacks, "/v1/requests/late/callbacks?limit=1", nil),
            (operation("get", "/v1/requests"), "/v1/requests?limit=1", nil), (operation("get", "/v1/requests"), "/v1/requests?class=unknown", nil),
            (operation("get", "/v1/export"), "/v1/export?format=csv", nil), (operation("get", "/v1/quarantine"), "/v1/quarantine?limit=1", nil),
        ]
    }

    /// 503 of every operation: a server that has as many connections as it may, none of which rests.
    private func unavailable() throws -> [DocumentedExchange] {
        let server = try ServerProcess(configuration: "server:\n  connections-max: 1\n")
        let busy = try server.connect()
        try busy.send(Array("POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".utf8))
        // 100: its body is waited for, so that it does not rest.
        #expect(busy.isReadable(milliseconds: 10_000))
        let exchanges = try DocumentedOperation.all.map { operation in
            let connection = try server.connect()
            try connection.send(operation.bytes(), toleratingClose: true)
            return DocumentedExchange(method: operation.method, path: operation.path, answer: try connection.readAnswer())
        }
        withExtendedLifetime(busy) {}
        return exchanges
    }

    /// 429 of the operations that need a token: too many wrong ones came before.
    private func guessed() throws -> [DocumentedExchange] {
        let directory = try TemporaryDirectory()
        _ = try Token.create(in: directory, scope: "read")
        let server = try ServerProcess(directory: directory)
        let wrong = Token.field("wrong", "wrong")
        let connection = try server.connect()
        try connection.send((0..<200).flatMap { _ in requestBytes("GET", "/v1/requests", fields: [wrong]) }, toleratingClose: true)
        for _ in 0..<200 { _ = try connection.readAnswer() }
        // One in a second is looked at, so each asks twice.
        return try DocumentedOperation.all.filter(\.needsToken).flatMap { operation in
            try (0..<2).map { _ in
                DocumentedExchange(method: operation.method, path: operation.path, answer: try server.exchange(operation.bytes([wrong])))
            }
        }
    }

    /// 500 of the operations that read records: one of them is changed on the disk under the server.
    private func unreadable() throws -> [DocumentedExchange] {
        let server = try ServerProcess()
        _ = try server.post(failedPayload("known", message: "xyzzy"))
        let name = try #require(server.directory.entries.first { $0.hasSuffix(".jsonl") })
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: server.directory.path(of: name)))
        let place = try #require(try handle.readToEnd()?.range(of: Data("xyzzy".utf8))?.lowerBound)
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: Data("XYZZY".utf8))
        try handle.close()
        return try DocumentedOperation.all.filter { Self.reading.contains($0.path) && $0.method == "get" }.map {
            DocumentedExchange(method: $0.method, path: $0.path, answer: try server.exchange($0.bytes()))
        }
    }

    private static let reading = ["/v1/requests/{request_id}", "/v1/requests/{request_id}/callbacks"]
}
