// Which request gets which answer: every route with every method, on every listener, for whoever asks (API.md §3 to §5).
//
// Promises: the table below is the contract's; nothing here opens a socket.

import Testing
import TestSupport

@testable import CallbackReceiver

@Suite("Routes")
struct RouteTableTests {
    private static let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]

    struct Row: CustomTestStringConvertible, Sendable {
        let target: String
        /// To an allowed method; nil: a callback to be appended.
        let status: Int?
        let allow: String
        var testDescription: String { target }
    }

    private static let both: [Row] = [
        Row(target: "/callback", status: nil, allow: "POST"), Row(target: "/callback/", status: nil, allow: "POST"),
        Row(target: "/%63allback?key=secret", status: nil, allow: "POST"),
        Row(target: "/healthz", status: 200, allow: "GET, HEAD"), Row(target: "/readyz", status: 200, allow: "GET, HEAD"),
        Row(target: "/openapi.json", status: 200, allow: "GET, HEAD"), Row(target: "/", status: 200, allow: "GET, HEAD"),
        Row(target: "/page.css", status: 200, allow: "GET, HEAD"), Row(target: "/page.js", status: 200, allow: "GET, HEAD"),
        Row(target: "/metrics", status: 200, allow: "GET, HEAD"),
        Row(target: "/v1/requests", status: 200, allow: "GET, HEAD"), Row(target: "/v1/statistics", status: 200, allow: "GET, HEAD"),
        Row(target: "/v1/events", status: 200, allow: "GET, HEAD"), Row(target: "/v1/export", status: 200, allow: "GET, HEAD"),
        Row(target: "/v1/requests/unknown", status: 404, allow: "GET, HEAD, PUT"),
        Row(target: "/v1/requests/unknown/callbacks", status: 404, allow: "GET, HEAD"),
    ]
    private static let nowhere = [
        "//", "/page.html", "/page.js/", "/callback//", "/callback/x", "/Callback", "/healthz/", "/healthz/x", "/v1", "/v1/requests/", "/v1/statistics/", "/v1/nothing", "/requests",
        "/v1/requests/a/", "/v1/requests/a/b", "/v1/requests/a/callbacks/", "/v2/requests/a", "/v1%2Frequests%2Fa", "/metrics/", "/metrics/x", "/../callback",
    ]

    @Test("each method on each path: its answer, or 405 with Allow, or 501", arguments: both)
    func methods(row: Row) throws {
        let step = try RouterStep()
        for method in Self.methods {
            let body = Array(callback("a").utf8)
            let (answer, prepared) = try step.route(requestBytes(method, row.target, body: method == "TRACE" ? nil : body))
            if row.allow.split(separator: ", ").contains(Substring(method)) {
                #expect((prepared != nil) == (row.status == nil))
                // A callback is no announcement.
                if let status = row.status { #expect(answer.status == (method == "PUT" ? 422 : status), "\(method) \(row.target): \(answer)") }
            } else {
                #expect(answer.status == (method == "BREW" ? 501 : 405), "\(method) \(row.target)")
                #expect(answer.fields["Allow"] == (method == "BREW" ? nil : row.allow))
                try expectProblem(answer, instance: String(row.target.prefix { $0 != "?" }))
            }
        }
    }

    @Test("nothing is at any other path", arguments: nowhere)
    func nothingThere(target: String) throws {
        let step = try RouterStep()
        for method in ["GET", "POST"] {
            let answer = try step.answer(requestBytes(method, target, body: Array(callback("a").utf8)))
            #expect(answer.status == 404)
            try expectProblem(answer, instance: target)
        }
    }

    @Test("OPTIONS * is at no path")
    func asterisk() throws {
        #expect(try RouterStep().answer(requestBytes("OPTIONS", "*")).status == 404)
    }

    @Test("a listener for callbacks serves nothing else, one for the API no callback")
    func roles() throws {
        let step = try RouterStep()
        for row in Self.both {
            let bytes = requestBytes(row.status == nil ? "POST" : "GET", row.target, body: Array(callback("a").utf8))
            let (onCallback, prepared) = try step.route(bytes, role: .callback)
            #expect((prepared != nil) == (row.status == nil))
            if row.status != nil { #expect(onCallback.status == 404, "\(row.target)") }
            let (onAPI, none) = try step.route(bytes, role: .api)
            #expect(none == nil)
            #expect(onAPI.status == row.status ?? 404, "\(row.target)")
        }
    }

    @Test("the callback path may be / or nested, each with and without a slash behind", arguments: [
        ("/", ["/"], ["//", "/callback"]),
        ("/hooks/crisp", ["/hooks/crisp", "/hooks/crisp/", "/hooks/cri%73p"], ["/hooks", "/hooks/", "/hooks%2Fcrisp", "/hooks/crisp//", "/hooks/crisp/x"]),
    ])
    func callbackPath(path: String, matching: [String], others: [String]) throws {
        let step = try RouterStep { $0.callbackPath = path }
        for target in matching { #expect(try step.route(postBytes(callback("a"), to: target)).1 != nil, "\(target)") }
        for target in others { #expect(try step.answer(postBytes(callback("a"), to: target)).status == 404, "\(target)") }
        #expect(try step.get("/healthz").status == 200)
    }

    @Test("a % without two digits is a 400, wherever it stands", arguments: ["/%", "/%4", "/%zz", "/callback%", "/v1/requests/%4"])
    func wrongEncoding(target: String) throws {
        let answer = try RouterStep().get(target)
        #expect(answer.status == 400)
        try expectProblem(answer, instance: target)
    }

    struct Asker: CustomTestStringConvertible, Sendable {
        let host: String?
        var fields: [String] = []
        let isAllowed: Bool
        var testDescription: String { "\(host ?? "none") \(fields)" }
    }

    @Test("only who is on this machine may ask; probes need nothing (API.md §4)", arguments: [
        Asker(host: "127.0.0.1", isAllowed: true), Asker(host: "127.0.0.1:8080", isAllowed: true), Asker(host: "localhost", isAllowed: true),
        Asker(host: "LOCALHOST:80", isAllowed: true), Asker(host: "[::1]", isAllowed: true), Asker(host: "127.9.9.9", isAllowed: true),
        Asker(host: "example.com", isAllowed: false), Asker(host: "127.0.0.1.example.com", isAllowed: false),
        Asker(host: "localhost.example.com", isAllowed: false), Asker(host: "10.0.0.1", isAllowed: false), Asker(host: "", isAllowed: false),
        Asker(host: "localhost", fields: ["Forwarded: for=1.2.3.4"], isAllowed: false),
        Asker(host: "localhost", fields: ["via: 1.1 proxy"], isAllowed: false),
        Asker(host: "localhost", fields: ["X-Forwarded-For: 1.2.3.4"], isAllowed: false),
        Asker(host: "localhost", fields: ["x-forwarded-anything:"], isAllowed: false),
        Asker(host: "localhost", fields: ["X-Forwarded: no hyphen behind"], isAllowed: true),
    ])
    func access(asker: Asker) throws {
        let step = try RouterStep()
        for target in ["/v1/requests/a", "/v1/requests/a/callbacks"] {
            let answer = try step.answer(requestBytes("GET", target, host: asker.host, fields: asker.fields))
            #expect(answer.status == (asker.isAllowed ? 404 : 401))
            if !asker.isAllowed {
                #expect(answer.fields["WWW-Authenticate"]?.hasPrefix("Basic realm=") == true)
                try expectProblem(answer, instance: target)
            }
            // Who may not ask does not learn what may be done either.
            let put = try step.answer(requestBytes("PUT", target, host: asker.host, fields: asker.fields, body: Array("[]".utf8)))
            #expect(put.status == (!asker.isAllowed ? 401 : target.hasSuffix("callbacks") ? 405 : 400))
        }
        #expect(try step.answer(requestBytes("GET", "/healthz", host: asker.host, fields: asker.fields)).status == 200)
        #expect(try step.answer(requestBytes("GET", "/readyz", host: asker.host, fields: asker.fields)).status == 200)
        let open = try RouterStep { $0.apiAuthenticationNone = true }
        #expect(try open.answer(requestBytes("GET", "/v1/requests/a", host: asker.host, fields: asker.fields)).status == 404)
    }
}

/// A problem document of RFC 9457 with this instance, and nothing else of the request.
func expectProblem(_ answer: RoutedAnswer, instance: String?, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let problem = try answer.object()
    #expect(answer.contentType == "application/problem+json", sourceLocation: sourceLocation)
    #expect(answer.fields["Cache-Control"] == "no-store", sourceLocation: sourceLocation)
    #expect(problem.string("type") == "about:blank", sourceLocation: sourceLocation)
    #expect(problem.integer("status") == answer.status, sourceLocation: sourceLocation)
    #expect(problem.string("title")?.isEmpty == false && problem.string("detail")?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(problem.string("instance") == instance, sourceLocation: sourceLocation)
    #expect(!answer.body.contains("secret"), sourceLocation: sourceLocation)
}
