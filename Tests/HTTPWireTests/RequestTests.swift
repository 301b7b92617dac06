// What a well-formed request becomes, however its bytes arrive.

import Testing

@testable import HTTPWire

@Suite("A well-formed request is read")
struct RequestTests {
    /// The one request that these bytes are.
    private func single(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Seen {
        let seen = outcome(text, sourceLocation: sourceLocation)
        #expect(seen.refusal == nil, sourceLocation: sourceLocation)
        #expect(seen.requests.count == 1, sourceLocation: sourceLocation)
        #expect(seen.awaiting == .idle, sourceLocation: sourceLocation)
        return try #require(seen.requests.first, sourceLocation: sourceLocation)
    }

    @Test("a callback has its method, target, fields and body")
    func callback() throws {
        let request = try single(
            "POST /callback?key=a%20b HTTP/1.1\r\nHost: receiver.example:8080\r\ncontent-length: 7\r\n"
                + "X-Empty:\r\nX-Spaced: \t a \t b\t \r\nX-Text:caf\u{e9}\r\n\r\n{\"a\":1}")
        #expect(request.method == .post)
        #expect(request.path == "/callback")
        #expect(request.query == "key=a%20b")
        #expect(request.authority == "receiver.example:8080")
        #expect(!request.isHTTP10)
        #expect(!request.isLoopback)
        #expect(request.body == Array("{\"a\":1}".utf8))
        #expect(
            request.fields == [
                "Host=receiver.example:8080", "content-length=7", "X-Empty=", "X-Spaced=a \t b", "X-Text=caf\u{e9}",
            ])
    }

    @Test(
        "a method is exact and case-sensitive",
        arguments: [
            ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
            ("OPTIONS", .options), ("PATCH", .patch), ("TRACE", .trace), ("get", .other), ("POSTS", .other),
            ("PROPFIND", .other), ("!#$%&'*+-.^_`|~09", .other), ("GOT", .other),
        ])
    func methods(token: String, method: Method) throws {
        #expect(try single("\(token) / HTTP/1.1\r\nHost: a\r\n\r\n").method == method)
    }

    @Test(
        "a target is split at its first question mark, and left as it is",
        arguments: [
            ("/", "/", nil as String?), ("/a/b", "/a/b", nil), ("/?", "/", ""), ("/a?b?c", "/a", "b?c"),
            ("//a", "//a", nil), ("/%2e%zz/../x", "/%2e%zz/../x", nil), ("/a\"<>\\^`{|}", "/a\"<>\\^`{|}", nil),
            ("http://h", "/", nil), ("http://h/", "/", nil), ("HTTPS://h:1/a?b", "/a", "b"),
            ("http://h?q", "/", "q"), ("http://h?q/r", "/", "q/r"),
        ])
    func targets(target: String, path: String, query: String?) throws {
        let request = try single("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(request.path == path)
        #expect(request.query == query)
    }

    @Test("the authority of an absolute-form target wins over Host")
    func absoluteForm() throws {
        let request = try single("GET http://localhost:81/a HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        #expect(request.authority == "localhost:81")
        #expect(request.isLoopback)
        let rebound = try single("GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(rebound.authority == "evil.example")
        #expect(!rebound.isLoopback)
    }

    @Test("the asterisk is a target of OPTIONS")
    func asterisk() throws {
        #expect(try single("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path == "*")
    }

    @Test("an empty Host is valid and names nothing")
    func emptyHost() throws {
        let request = try single("GET / HTTP/1.1\r\nHost: \r\n\r\n")
        #expect(request.authority == nil)
        #expect(!request.isLoopback)
    }

    @Test("HTTP/1.0 needs no Host")
    func version10() throws {
        let request = try single("GET / HTTP/1.0\r\n\r\n")
        #expect(request.isHTTP10)
        #expect(request.authority == nil)
    }

    @Test("up to two empty lines before a request are ignored")
    func emptyLines() throws {
        #expect(try single("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n").path == "/a")
    }

    @Test("without Content-Length and Transfer-Encoding there is no body", arguments: ["POST", "PUT", "GET"])
    func noBody(method: String) throws {
        #expect(try single("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n").body == [])
        #expect(try single("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n").body == [])
    }

    @Test("pipelined requests come one by one, each with its own body")
    func pipelined() {
        let seen = outcome(
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
                + "GET /2?x HTTP/1.1\r\nHost: b\r\n\r\n\r\n"
                + "POST /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n"
                + "DELETE /4 HTTP/1.1\r\nHost: d\r\nX: y\r\n\r\nGET /5")
        #expect(seen.requests.map(\.path) == ["/1", "/2", "/3", "/4"])
        #expect(seen.requests.map(\.query) == [nil, "x", nil, nil])
        #expect(seen.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["one", "", "three", ""])
        #expect(seen.requests.map(\.authority) == ["a", "b", "c", "d"])
        #expect(seen.requests.last?.fields == ["Host=d", "X=y"])
        #expect(seen.awaiting == .head)
        #expect(!seen.mustClose)
    }

    @Test("nothing is read after the request that closes the connection")
    func afterClose() {
        let first = "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let seen = outcome(first + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(seen.requests.map(\.path) == ["/1"])
        #expect(seen.mustClose)
        #expect(seen.consumedBytes == first.utf8.count)
    }

    @Test("fields are found whatever their case, the first first, and all of a name")
    func lookup() {
        var connection = Connection(HTTPLimits())
        connection.feed("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nVIA: x\r\nvia: y\r\nVia:\r\n\r\n".utf8)
        let request = connection.request
        #expect(request.value(of: "via").map { request.text($0) } == "x")
        var values: [String] = []
        request.forEachValue(of: "via") { values.append(request.text($0)) }
        #expect(values == ["x", "y", ""])
        #expect(request.count(of: "via") == 3)
        #expect(request.hasField("host") && !request.hasField("hos") && !request.hasField("hosts"))
        #expect(request.hasField(startingWith: "x-forwarded-") && !request.hasField(startingWith: "x-forwarded-x"))
        #expect(request.value(of: "host").map { request.isEqual($0, "a") } == true)
        #expect(Array(request.bytes(request.path)) == Array("/".utf8))
    }
}
