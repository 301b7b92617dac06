// Every bound of the HTTP/1.1 reader, in one place.
//
// Promises: nothing a peer sends makes the reader hold, scan or count more than what is named here.
// Must not know: where the figures come from (a configuration sets that of the body), sockets, clocks.

/// What one request may cost. Each bound has the refusal that answers the request beyond it.
public struct HTTPLimits: Sendable, Equatable {
    /// The longest request line in bytes, without its CRLF. Beyond: 414.
    /// RFC 9112 §3 recommends that at least 8,000 be supported.
    public var requestLineBytesMax = 8_192

    /// The longest head in bytes: request line, fields and every CRLF, the last included. Beyond: 431.
    /// Twice the request line leaves room for what proxies and browsers add; it is also the most
    /// that a connection has to keep of an incomplete head.
    public var headBytesMax = 16_384

    /// The most field lines in a head. Beyond: 431. Browsers send about 20, proxies add about 10.
    public var fieldsMax = 64

    /// The largest body in bytes, declared or received. Beyond: 413.
    /// 64 KiB is a hundred times the usual callback.
    public var bodyBytesMax: Int

    /// Limits with the default bounds for the head.
    public init(bodyBytesMax: Int = 65_536) {
        self.bodyBytesMax = bodyBytesMax
    }

    /// The longest method. Beyond: 501 (RFC 9112 §3). The longest registered one
    /// (UPDATEREDIRECTREF) has 17 bytes.
    static let methodBytesMax = 32

    /// The empty lines forgiven before a request line (RFC 9112 §2.2 asks for at least one, since
    /// old clients send one after a body). Beyond: 400.
    static let emptyLinesMax = 2

    /// The digits of a chunk size, leading zeros included: as many as 64 bits have. Beyond: 400.
    static let chunkSizeDigitsMax = 16

    /// The longest chunk-size line with its extensions, without its CRLF. Beyond: 400.
    static let chunkLineBytesMax = 256

    /// The most bytes of chunk extensions in a whole body (RFC 9112 §7.1.1 asks for a limit): tiny
    /// chunks with long extensions are work without content. Beyond: 400.
    static let chunkExtensionBytesMax = 16_384

    /// The longest trailer section in bytes, every CRLF included. Beyond: 431.
    static let trailerBytesMax = 8_192

    /// The largest `headBytesMax` that may be configured: positions in a head are kept in 32 bits.
    static let headBytesCeiling = 1 << 20
}
