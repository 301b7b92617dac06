// Every operation of the document with a request that is right, and how it is made wrong in each way it documents.
//
// Promises: nothing is taken from the document but paths: a new operation in it fails the test until it stands here.
// Must not know: what an answer looks like.

import TestSupport

struct DocumentedOperation: Sendable {
    let method: String
    /// As the document has it.
    let path: String
    /// A target that is answered 2xx, `known` being a request that is known.
    let target: String
    var body: String?
    /// A query that is 400, where there is one.
    var wrongQuery: String? = "nonsense=1"
    var needsToken = true
    /// Of the token that it takes; another one may not ask.
    var scope = "write"

    static let all = [
        DocumentedOperation(method: "post", path: "/callback", target: "/callback?key=\(key)", body: sentPayload("known"), wrongQuery: nil, needsToken: false),
        DocumentedOperation(method: "get", path: "/v1/requests/{request_id}", target: "/v1/requests/known"),
        DocumentedOperation(method: "put", path: "/v1/requests/{request_id}", target: "/v1/requests/announced", body: "{}"),
        DocumentedOperation(method: "get", path: "/v1/requests/{request_id}/callbacks", target: "/v1/requests/known/callbacks"),
        DocumentedOperation(method: "get", path: "/v1/requests", target: "/v1/requests"),
        DocumentedOperation(method: "get", path: "/v1/events", target: "/v1/events?after=0"),
        DocumentedOperation(method: "get", path: "/v1/statistics", target: "/v1/statistics"),
        DocumentedOperation(method: "get", path: "/v1/export", target: "/v1/export?format=jsonl"),
        DocumentedOperation(method: "get", path: "/v1/quarantine", target: "/v1/quarantine"),
        DocumentedOperation(method: "post", path: "/v1/quarantine/requeue", target: "/v1/quarantine/requeue"),
        DocumentedOperation(method: "get", path: "/healthz", target: "/healthz", wrongQuery: nil, needsToken: false),
        DocumentedOperation(method: "get", path: "/readyz", target: "/readyz", wrongQuery: nil, needsToken: false),
        DocumentedOperation(method: "get", path: "/", target: "/", wrongQuery: nil),
        DocumentedOperation(method: "get", path: "/page.css", target: "/page.css", wrongQuery: nil),
        DocumentedOperation(method: "get", path: "/page.js", target: "/page.js", wrongQuery: nil),
        DocumentedOperation(method: "get", path: "/metrics", target: "/metrics", wrongQuery: nil, scope: "metrics"),
        DocumentedOperation(method: "get", path: "/openapi.json", target: "/openapi.json", wrongQuery: nil),
    ]

    /// Of the server that is asked.
    static let key = "key-0123456789abcdef"

    /// The request, whole.
    func bytes(_ fields: [String] = [], query: String? = nil, target: String? = nil, body: String? = nil) -> [UInt8] {
        let target = target ?? self.target
        let whole = query.map { target + (target.contains("?") ? "&" : "?") + $0 } ?? target
        return requestBytes(method.uppercased(), whole, fields: fields, body: (body ?? self.body).map { Array($0.utf8) })
    }

    /// Its head, with more content announced than anybody takes.
    func tooLarge(_ fields: [String]) -> [UInt8] { requestBytes(method.uppercased(), target, fields: fields + ["Content-Length: 99999999"]) }

    /// Its head up to where it stops for ever.
    var unfinished: [UInt8] { Array("\(method.uppercased()) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n".utf8) }
}
