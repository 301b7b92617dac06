// An answer as routes give it, and how HTTP/1.1 writes it (RFC 9112 §4, §5).
//
// Promises: one value serves many answers, and its body keeps its capacity; encoding allocates
// nothing but the output's growth. No value can end its line early: a control byte in it is written
// as a space (RFC 9110 §5.5), so that no answer can be split.
// Must not know: what is answered, or to which request.

/// An answer: status, fields, body.
public struct Response: Sendable {
    /// The status, 200 to 599 (interim answers are the session's).
    public var status: UInt16 = 200

    /// The body's media type, e.g. `application/json`. Not sent where the body is empty.
    public var contentType: StaticString = ""

    /// Further fields, in this order. Not Date, Content-Type, Content-Length, Connection or
    /// Transfer-Encoding: those are the session's.
    public var fields: [Field] = []

    /// The content. For HEAD it is that of GET, and is counted but not sent.
    public var body: [UInt8] = []

    /// A field of the answer.
    public struct Field: Sendable {
        /// The name, a token (RFC 9110 §5.1), in the case it is to be sent in.
        public var name: StaticString
        /// The value. Literals cost nothing, nor do up to 15 bytes.
        public var value: String

        /// A field.
        public init(name: StaticString, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// An empty answer with status 200.
    public init() {}

    /// Forgets the answer, and keeps the capacity for the next.
    public mutating func reset() {
        status = 200
        contentType = ""
        fields.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: true)
    }

    /// What the answer says about the connection (RFC 9112 §9.3, §9.6).
    enum Connection { case unsaid, close, keepAlive }

    /// How the recipient finds the content's end (RFC 9112 §6.3): by the body's length, by chunks, or with the connection's.
    enum Framing { case length, chunked, untilClose }

    /// RFC 9110 §8.6, §15.3.5, §15.4.5: neither 204 nor 304 has content; a length is not sent either.
    var hasContent: Bool { status != 204 && status != 304 }

    /// Appends status line, fields and body; where its framing is no length, the content follows piece by piece.
    borrowing func encode(
        date: HTTPDate, connection: Connection, framing: Framing = .length, omitsBody: Bool, into output: inout [UInt8]
    ) {
        precondition(200...599 ~= status, "a final status")
        if status == 200 {
            // What nearly every answer begins with, in one piece.
            output.append("HTTP/1.1 200 OK\r\nDate: ")
        } else {
            output.append("HTTP/1.1 ")
            output.appendDecimal(Int(status))
            output.append(Byte.space)
            output.append(Response.reason(of: status))
            output.append("\r\nDate: ")
        }
        date.append(to: &output)
        if hasContent {
            if !body.isEmpty || framing != .length, contentType.utf8CodeUnitCount > 0 {
                output.append("\r\nContent-Type: ")
                output.append(contentType)
            }
            switch framing {
            case .length:
                output.append("\r\nContent-Length: ")
                output.appendDecimal(body.count)
            case .chunked: output.append("\r\nTransfer-Encoding: chunked")
            case .untilClose: break
            }
        }
        for field in fields {
            output.append("\r\n")
            output.append(field.name)
            output.append(": ")
            for byte in field.value.utf8 {
                output.append(Byte.isFieldContent(byte) ? byte : Byte.space)
            }
        }
        switch connection {
        case .unsaid: output.append("\r\n\r\n")
        case .close: output.append("\r\nConnection: close\r\n\r\n")
        case .keepAlive: output.append("\r\nConnection: keep-alive\r\n\r\n")
        }
        if hasContent, !omitsBody { output.append(body.span) }
    }

    /// The phrases of RFC 9110 §15 and RFC 6585; empty for others, which the grammar allows.
    public static func reason(of status: UInt16) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: ""
        }
    }
}
