// Who may ask the delivery-status API (API.md §4).
//
// There are no tokens yet, so the API is either open in so many words (`api.authentication: none`) or
// behind the open door for trying it out: the listener is on loopback, `Host` is a loopback name or address,
// and nothing says that a proxy forwarded the request. A rebound DNS name or a proxy must not open it.
// Promises: fails closed. Must not know: what is asked.

import HTTPWire

enum Access {
    static let challenge = Response.Field(name: "WWW-Authenticate", value: "Basic realm=\"callback-receiver\", charset=\"UTF-8\"")
    static let refusal = """
        This API answers only a request from this machine itself: a Host of localhost or a loopback address, and no \
        Forwarded, Via or X-Forwarded-* field. Ask it there, or set api.authentication: none if anyone may ask.
        """

    /// True where `request` may be answered.
    static func isAllowed(_ request: borrowing Request, anyoneMayAsk: Bool) -> Bool {
        if anyoneMayAsk { return true }
        return request.targetHost?.isLoopbackName ?? false
            && !request.hasField("forwarded") && !request.hasField("via") && !request.hasField(startingWith: "x-forwarded-")
    }
}
