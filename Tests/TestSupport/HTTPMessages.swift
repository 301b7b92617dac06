// HTTP/1.1 messages as a test sees them: a request as bytes to send, an answer as read.
//
// Promises: a request is exactly what the test asked for, so that malformed ones can be made; an
// answer keeps its fields in order and its body as bytes.
// Must not know: sockets, or what a field means to the server.

import Foundation

/// One answer (RFC 9112 §4).
public struct Answer: Sendable {
    /// `HTTP/1.1`, as it stood in the status line.
    public let version: String
    public let status: Int
    /// Field lines in order, names as sent.
    public let fields: [(name: String, value: String)]
    public let body: [UInt8]

    /// The same head with a body that a test has read itself.
    public func with(body: [UInt8]) -> Answer { Answer(version: version, status: status, fields: fields, body: body) }

    /// The value of the first field of that name (names are compared without case), or nil.
    public subscript(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object whose values keep their digits.
    /// - Throws: `TestFailure.unreadable` when it is none.
    public func object() throws -> RawJSON { try RawJSON(object: text) }

    /// Whether the answer announces the end of the connection (RFC 9112 §9.6).
    public var announcesClose: Bool {
        (self["Connection"] ?? "").lowercased().split(separator: ",").contains { $0.trimmingCharacters(in: .whitespaces) == "close" }
    }
}

/// The bytes of one request with a `Content-Length` where there is a body.
/// - Parameters:
///   - fields: whole field lines, `Name: value`, without the line end.
///   - host: the `Host` field's value; nil sends none.
public func requestBytes(
    _ method: String, _ target: String, host: String? = "127.0.0.1", fields: [String] = [],
    body: [UInt8]? = nil, version: String = "HTTP/1.1"
) -> [UInt8] {
    var head = "\(method) \(target) \(version)\r\n"
    if let host { head += "Host: \(host)\r\n" }
    for field in fields { head += field + "\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    return Array((head + "\r\n").utf8) + (body ?? [])
}

/// The bytes of one POST with a JSON body.
public func postBytes(_ json: String, to target: String = "/callback", fields: [String] = []) -> [UInt8] {
    requestBytes("POST", target, fields: ["Content-Type: application/json"] + fields, body: Array(json.utf8))
}

/// Every byte of a path segment percent-encoded, so that no server reads structure into it (RFC 3986 §2.1).
public func percentEncoded(_ segment: String) -> String {
    segment.utf8.map { "%" + (String($0, radix: 16, uppercase: true).count == 1 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        .joined()
}
