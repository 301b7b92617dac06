// Errors as every route answers them: RFC 9457, `application/problem+json`.
//
// Promises: `detail` says what to do; `instance` is the path without its query, which may hold a secret
// (invariant 9). No path of the machine, no payload.
// Must not know: which route failed.

import HTTPWire

enum Problem {
    /// Seconds in `Retry-After` where the log is blocked: it is probed once a second, an operator takes longer.
    static let blockedRetrySeconds = "10"
    /// While an index is made: a segment of the default size takes less than a second.
    static let indexingRetrySeconds = "1"
    /// Seconds in `Retry-After` where too much waits: the next batch is there within one.
    static let overloadRetrySeconds = "1"

    /// Makes `response` a problem. `instance` is the raw path of the target, where the head was understood.
    static func fill(_ response: inout Response, status: UInt16, detail: String, instance: ArraySlice<UInt8>?) {
        response.reset()
        response.status = status
        response.contentType = "application/problem+json"
        response.fields.append(Response.Field(name: "Cache-Control", value: "no-store"))
        response.body.append("{\"type\":\"about:blank\",\"title\":\"")
        response.body.append(Response.reason(of: status))
        response.body.append("\",\"status\":")
        response.body.append(decimal: UInt64(status))
        response.body.append(",\"detail\":")
        response.body.append(jsonString: detail)
        if let instance {
            response.body.append(",\"instance\":")
            response.body.append(jsonString: Array(instance).span)
        }
        response.body.append("}")
    }

    /// For a request: the instance is its path.
    static func fill(_ response: inout Response, status: UInt16, detail: String, for request: borrowing Request) {
        fill(&response, status: status, detail: detail, instance: request.isHeadComplete ? request.bytes(request.path) : nil)
    }
}
