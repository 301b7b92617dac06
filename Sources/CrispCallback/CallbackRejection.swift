// Why a body is no callback: the peer is wrong, and one table says what it is answered.
//
// Promises: `detail` says what to do about it and holds no byte of the body (DESIGN invariant 9); strings are
// for people, the cases are for branching.
// Must not know: how an answer is written, or that refused bodies are kept.

/// Why a body posted to the callback endpoint is refused (API.md §3).
public enum CallbackRejection: Error, Sendable, Equatable {
    /// The body is not JSON: it breaks a rule of RFC 8259 at `offset`, in bytes from its beginning.
    case notJSON(offset: Int, JSONFault)
    /// The body is JSON, but its value is no object.
    case notAnObject
    /// The array or object that opens at `offset` is nested deeper than `JSONScanner.depthMax`.
    case nestedTooDeep(offset: Int)
    /// The body is a JSON object, and neither it nor its `data` has a usable `request_id`.
    case noRequestID

    /// The rejection of a body that the scanner refused.
    init(_ rejection: JSONRejection) {
        switch rejection {
        case .malformed(let offset, let fault): self = .notJSON(offset: offset, fault)
        case .nestedTooDeep(let offset): self = .nestedTooDeep(offset: offset)
        }
    }

    /// The HTTP status that answers it (API.md §3; RFC 9110 §15.5.1, §15.5.21).
    public var status: UInt16 {
        switch self {
        case .notJSON, .notAnObject, .nestedTooDeep: 400
        case .noRequestID: 422
        }
    }

    /// What is wrong and what to do, for the person who reads the answer.
    public var detail: String {
        switch self {
        case .notJSON(let offset, let fault):
            "The body is not JSON: at byte \(offset), \(fault.description). Send one JSON object (RFC 8259) in UTF-8."
        case .notAnObject:
            "The body is JSON, but not an object. Send one JSON object with a request_id."
        case .nestedTooDeep(let offset):
            "At byte \(offset) the body nests arrays and objects more than \(JSONScanner.depthMax) deep. Send a flatter object."
        case .noRequestID:
            "The body has no usable request_id. Send it as a string of 1 to \(CallbackBounds.requestIDBytesMax) visible ASCII characters, at the top or in data."
        }
    }
}
