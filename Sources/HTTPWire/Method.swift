// The request methods (RFC 9110 §9, RFC 5789) as values.
//
// Promises: exact and case-sensitive, as RFC 9110 §9.1 has it: `get` is not GET.
// Must not know: which of them a resource allows; that is the routes' to say.

/// A request method. Any token is a method; what is not listed is `other`.
public enum Method: Sendable, Equatable, CaseIterable {
    case get, head, post, put, delete, options, patch, trace, connect
    /// Another valid token; its bytes are at `Request.methodToken`.
    case other

    /// Recognizes the token at `range` of `bytes`, which has been checked to be one.
    init(token range: Range<Int>, in bytes: Span<UInt8>) {
        switch range.count {
        case 3 where bytes.equals("GET", at: range): self = .get
        case 3 where bytes.equals("PUT", at: range): self = .put
        case 4 where bytes.equals("POST", at: range): self = .post
        case 4 where bytes.equals("HEAD", at: range): self = .head
        case 5 where bytes.equals("PATCH", at: range): self = .patch
        case 5 where bytes.equals("TRACE", at: range): self = .trace
        case 6 where bytes.equals("DELETE", at: range): self = .delete
        case 7 where bytes.equals("OPTIONS", at: range): self = .options
        case 7 where bytes.equals("CONNECT", at: range): self = .connect
        default: self = .other
        }
    }
}
