// API §4, who may ask: tokens, their scopes, and the door that closes with the first of them.
//
// Promises: tokens are made with the command, beside a running server or before it; a wait for a change of tokens is
// bounded, and never asserted to be short.
// Must not know: where and how tokens are kept, but that no file holds a key.

import Foundation
import Testing
import TestSupport

@Suite("Tokens")
struct TokenTests {
    private static let reads = [
        "/v1/requests", "/v1/requests/known", "/v1/requests/known/callbacks", "/v1/statistics", "/v1/export?format=jsonl", "/v1/quarantine", "/openapi.json",
    ]

    /// A server that was started with tokens of all scopes.
    private static let guarded = Result {
        let directory = try TemporaryDirectory()
        let tokens = try ["read", "write", "metrics"].map { ($0, try Token.create(in: directory, name: $0, scope: $0)) }
        let server = try ServerProcess(directory: directory)
        _ = try server.post(sentPayload("known"))
        return (server: server, tokens: Dictionary(uniqueKeysWithValues: tokens))
    }

    private func expectChallenge(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectProblem(answer, 401, sourceLocation: sourceLocation)
        #expect(answer["WWW-Authenticate"]?.hasPrefix("Basic realm=") == true, "\(answer.fields)", sourceLocation: sourceLocation)
    }

    @Test("read may ask everything and write nothing", arguments: reads)
    func read(target: String) throws {
        let (server, tokens) = try Self.guarded.get()
        let token = try #require(tokens["read"])
        #expect(try server.get(target, token).status == 200)
        try expectChallenge(try server.get(target))
        try expectProblem(try server.put("new", fields: [token.field]), 403)
    }

    @Test("write may ask and announce", arguments: reads)
    func write(target: String) throws {
        let (server, tokens) = try Self.guarded.get()
        let token = try #require(tokens["write"])
        #expect(try server.get(target, token).status == 200)
        let identifier = Shared.freshIdentifier()
        #expect(try server.put(identifier, fields: [token.field]).status == 201)
        try expectChallenge(try server.put(identifier))
    }

    @Test("metrics may do neither", arguments: reads)
    func metrics(target: String) throws {
        let (server, tokens) = try Self.guarded.get()
        let token = try #require(tokens["metrics"])
        try expectProblem(try server.get(target, token), 403, instance: String(target.prefix { $0 != "?" }))
        try expectProblem(try server.put("new", fields: [token.field]), 403)
    }

    @Test("metrics are for metrics alone")
    func metricsAlone() throws {
        let (server, tokens) = try Self.guarded.get()
        #expect(try server.get("/metrics", try #require(tokens["metrics"])).status == 200)
        for scope in ["read", "write"] { try expectProblem(try server.get("/metrics", try #require(tokens[scope])), 403, instance: "/metrics") }
        try expectChallenge(try server.get("/metrics"))
    }

    @Test("events are for read, too")
    func events() throws {
        let (server, tokens) = try Self.guarded.get()
        #expect(try EventStream(server, "?after=0", fields: [try #require(tokens["read"]).field]).next()?.sequence == 1)
        try expectChallenge(try server.get("/v1/events"))
        try expectProblem(try server.get("/v1/events", try #require(tokens["metrics"])), 403)
    }

    @Test("who follows the log is asked for credentials anew when a token is revoked, or the first one created")
    func narrowed() throws {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory)
        func follow(_ fields: [String]) throws -> (stream: EventStream, waiting: RawConnection) {
            let stream = try EventStream(server, "", fields: fields)
            let waiting = try server.connect()
            try waiting.send(requestBytes("GET", "/v1/requests/nobody?wait=50", fields: fields))
            #expect(!waiting.isReadable(milliseconds: 200))
            return (stream, waiting)
        }
        func expectEnd(_ following: (stream: EventStream, waiting: RawConnection)) throws {
            #expect(try following.stream.next() == nil && following.stream.hasEnded)
            #expect(try following.waiting.readAnswer().status == 404)
        }
        let open = try follow([])
        let first = try Token.create(in: directory, name: "first")
        try expectEnd(open)
        let second = try Token.create(in: directory, name: "second")
        let (before, other) = (try follow([first.field]), try follow([second.field]))
        let http2 = try HTTP2Connection(port: server.port)
        let stream = try http2.request("GET", "/v1/events", fields: [("authorization", String(first.field.dropFirst("Authorization: ".count)))])
        try http2.read { _ in http2.streams[stream]?.body.isEmpty == false }
        #expect(try Token.command(["revoke", first.identifier], in: directory).status == .exited(0))
        for following in [before, other] { try expectEnd(following) }
        try http2.read { _ in http2.streams[stream]?.isEnded == true }
        try expectChallenge(try server.get("/v1/events", first))
        #expect(try EventStream(server, "?after=0", fields: [second.field]).head.status == 200)
    }

    @Test("whoever may not ask is not told what there is", arguments: ["/v1/requests/known", "/v1/requests/unknown", "/v1/requests?status=nope", "/v1/requests/known?wait=x"])
    func secrecy(target: String) throws {
        let (server, tokens) = try Self.guarded.get()
        try expectChallenge(try server.get(target))
        try expectProblem(try server.get(target, try #require(tokens["metrics"])), 403)
    }

    @Test("the probes need none, nor does the callback", arguments: ["/healthz", "/readyz"])
    func probes(target: String) throws {
        let (server, _) = try Self.guarded.get()
        #expect(try server.get(target).status == 200)
        #expect(try server.exchange(requestBytes("GET", target, fields: [Token.field("nobody", "nothing")])).status == 200)
        #expect(try server.post(sentPayload(Shared.freshIdentifier())).status == 200)
    }

    @Test("with a token Host and proxies do not matter")
    func proxied() throws {
        let (server, tokens) = try Self.guarded.get()
        let fields = [try #require(tokens["read"]).field, "X-Forwarded-For: 192.0.2.7", "Via: 1.1 proxy"]
        #expect(try server.exchange(requestBytes("GET", "/v1/requests/known", host: "api.example", fields: fields)).status == 200)
    }

    @Test("what is no token is 401")
    func wrong() throws {
        let (server, tokens) = try Self.guarded.get()
        let read = try #require(tokens["read"]), write = try #require(tokens["write"])
        let encoded = Data("\(read.identifier):\(read.key)".utf8).base64EncodedString()
        let fields = [
            Token.field(read.identifier, "wrong"), Token.field("wrong", read.key), Token.field(read.identifier, write.key), Token.field(read.identifier, ""),
            Token.field("", ""), Token.field(read.identifier, read.key + "x"), Token.field(read.identifier, String(read.key.dropLast())),
            Token.field(read.identifier, read.key.uppercased() == read.key ? read.key.lowercased() : read.key.uppercased()),
            Token.field(read.key, read.identifier), "Authorization: Bearer \(read.key)", "Authorization: Basic", "Authorization: Basic !!!!",
            "Authorization: Basic \(Data(read.identifier.utf8).base64EncodedString())", "Authorization: \(encoded)", "Authorization: Basic \(encoded) x", "Authorization:",
        ]
        for field in fields {
            let answer = try server.exchange(requestBytes("GET", "/v1/requests/known", fields: [field]))
            #expect(answer.status == 401, "\(field)")
            #expect(!answer.text.contains(read.key))
        }
        // RFC 9110 §11.1: a scheme's name has no case.
        for scheme in ["basic", "BASIC", "Basic "] {
            #expect(try server.exchange(requestBytes("GET", "/v1/requests/known", fields: ["Authorization: \(scheme) \(encoded)"])).status == 200)
        }
    }

    @Test("wrong credentials, however many, never keep a valid one out")
    func flood() throws {
        // One of its own: who asks others wrongly must not be told 429 for this.
        let directory = try TemporaryDirectory()
        let tokens = try Dictionary(uniqueKeysWithValues: ["read", "write"].map { ($0, try Token.create(in: directory, name: $0, scope: $0)) })
        let server = try ServerProcess(directory: directory)
        _ = try server.post(sentPayload("known"))
        let connection = try server.connect()
        for _ in 0..<20 {
            try connection.send((0..<50).flatMap { requestBytes("GET", "/v1/requests/known", fields: [Token.field("wrong\($0)", "wrong")]) }, toleratingClose: true)
            for _ in 0..<50 { #expect(try connection.readAnswer().status != 200) }
        }
        #expect(try server.get("/v1/requests/known", try #require(tokens["read"])).status == 200)
        #expect(try server.get("/v1/requests/known", try #require(tokens["write"])).status == 200)
    }

    @Test("over HTTP/2 it is the same")
    func http2() throws {
        let (server, tokens) = try Self.guarded.get()
        let connection = try HTTP2Connection(port: server.port)
        let field = ("authorization", String(try #require(tokens["read"]).field.dropFirst("Authorization: ".count)))
        #expect(try connection.exchange("GET", "/v1/requests/known", fields: [field]).status == 200)
        try expectChallenge(try connection.exchange("GET", "/v1/requests/known"))
        try expectProblem(try connection.exchange("PUT", "/v1/requests/known", fields: [field], body: []), 403)
    }

    @Test("a running server takes up a new token and a revoked one, and the door stays shut when the last is gone")
    func live() throws {
        let server = try ServerProcess()
        _ = try server.post(sentPayload("known"))
        #expect(try server.get("/v1/requests/known").status == 200)
        let token = try Token.create(in: server.directory, scope: "write")
        try eventually("the door is shut") { try server.get("/v1/requests/known").status == 401 }
        #expect(try server.get("/v1/requests/known", token).status == 200)
        let second = try Token.create(in: server.directory, name: "second")
        try eventually("the second counts") { try server.get("/v1/requests/known", second).status == 200 }
        #expect(try server.put("new", fields: [second.field]).status == 403)

        #expect(try Token.command(["revoke", token.identifier], in: server.directory).status == .exited(0))
        try eventually("the first is gone") { try server.get("/v1/requests/known", token).status == 401 }
        #expect(try server.get("/v1/requests/known", second).status == 200)
        #expect(try Token.command(["revoke", second.identifier], in: server.directory).status == .exited(0))
        try eventually("the second is gone") { try server.get("/v1/requests/known", second).status == 401 }
        #expect(try server.get("/v1/requests/known").status == 401)
        try server.terminate()
        let again = try ServerProcess(directory: server.directory)
        #expect(try again.get("/v1/requests/known").status == 401)
        #expect(try again.get("/v1/requests/known", second).status == 401)
    }

    @Test("a tokens file that cannot be read opens nothing", arguments: ["", "not what was written", "directory"])
    func unreadable(content: String) throws {
        let directory = try TemporaryDirectory()
        let before = Set(directory.entries)
        let token = try Token.create(in: directory)
        let made = Set(directory.entries).subtracting(before)
        for name in made where !name.hasSuffix(".jsonl") {
            if content == "directory" {
                try FileManager.default.removeItem(atPath: directory.path(of: name))
                try FileManager.default.createDirectory(atPath: directory.path(of: name), withIntermediateDirectories: false)
            } else {
                try directory.write(content, to: name)
            }
        }
        // It may refuse to start; if it does start, nobody is let in.
        guard let server = try? ServerProcess(directory: directory) else { return }
        #expect(try server.get("/v1/requests/x").status == 401)
        #expect(try server.get("/v1/requests/x", token).status == 401)
    }

    @Test("api.authentication: none lets everybody in, in so many words")
    func none() throws {
        let directory = try TemporaryDirectory()
        let token = try Token.create(in: directory, scope: "metrics")
        let server = try ServerProcess(directory: directory, configuration: "api:\n  authentication: none\n")
        #expect(try server.exchange(requestBytes("GET", "/v1/requests/x", host: "api.example", fields: ["Via: 1.1 proxy"])).status == 404)
        #expect(try server.put("x", fields: [token.field]).status == 201)
    }
}
