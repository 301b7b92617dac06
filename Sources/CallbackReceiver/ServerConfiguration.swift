// What the server must know before it starts: one value, complete and within its bounds.
//
// Promises: a plain value. Whoever makes one has checked the bounds named here and the rule that nothing
// unproved listens beyond loopback; the server does not ask again. The defaults of `init()` are those of
// the configuration keys (a test of the command compares the two).
// Must not know: keys, flags, environment variables, YAML. How a value was found is the command's matter.

import Platform

/// The complete configuration of a server.
public struct ServerConfiguration: Sendable, Equatable {
    /// Where to listen, as an operator writes it: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `systemd:callback`.
    public enum Listen: Sendable, Equatable {
        /// A host name or a literal address, an IPv6 address without its brackets; port 0 asks for a free one.
        case address(SocketAddress)
        /// The sockets of this name that the service manager hands over.
        case handed(name: String)

        /// An address.
        public init(host: String, port: UInt16) { self = .address(SocketAddress(host: host, port: port)) }

        /// As it is written: IPv6 in brackets.
        public var text: String {
            switch self {
            case .address(let address): address.text
            case .handed(let name): Self.handedPrefix + name
            }
        }

        /// What the text of one that is handed over begins with.
        public static let handedPrefix = "systemd:"
    }

    /// Where the callback endpoint listens. Equal to `apiListen`: one listener serves both.
    public var callbackListen = Listen(host: "127.0.0.1", port: 8_080)
    /// Where the delivery-status API listens.
    public var apiListen = Listen(host: "127.0.0.1", port: 8_080)

    /// The path of the callback endpoint: begins with a slash, does not end with one (unless it is `/`),
    /// visible ASCII without `?`, `#` and `%`. The same path with a trailing slash is meant too.
    public var callbackPath = "/callback"
    /// The longest body accepted; 1 KiB to 16 MiB. Longer ones are answered 413.
    public var callbackBodyBytesMax = 65_536
    /// What the parameter `key` of the callback URL may be; empty: it is not asked for. At most `secretsMax` of each kind.
    public var callbackKeys: [Secret] = []
    /// What callbacks may be signed with.
    public var callbackSigningSecrets: [Secret] = []
    /// `user:password`, of HTTP Basic.
    public var callbackUsers: [Secret] = []
    /// How far a signature's timestamp may be from now, in seconds; 1 to 31,536,000. nil: it is not looked at.
    public var callbackSignatureAgeSecondsMax: Int?
    /// True where the configuration says in so many words that anyone may post; then none of the proofs above is there.
    public var callbackAuthenticationNone = false
    /// True where the configuration says in so many words that anyone may ask.
    public var apiAuthenticationNone = false

    /// The directory of the log; relative to the working directory unless it begins with a slash.
    public var logDirectory = "./callback-data"
    /// A segment is sealed before it would grow beyond this; 1 MiB to 2 GiB.
    public var logSegmentBytesMax: Int64 = 134_217_728
    /// Sealed segments whose newest record is older than this many days are removed; 1 to 36,500. nil: never.
    public var logRetentionDays: Int?
    /// While the segments together are larger than this, the oldest sealed one is removed; 2 MiB to 1,024 TiB. nil: never.
    public var logRetentionBytesMax: Int64?
    /// Below this much free space callbacks are answered 503; 0 to 1 TiB.
    public var logFreeBytesMin: Int64 = 67_108_864

    /// How long after its announcement a request without a callback is overdue, where PUT names no time, in seconds; 1 to
    /// 604,800.
    public var overdueAfterSeconds = 300

    /// What refused bodies may take of the disk, in bytes; 1 MiB to 1 TiB.
    public var quarantineBytesMax: Int64 = 67_108_864

    /// How many loops serve connections; 1 to 64.
    public var loops = 1
    /// How many connections are open at once; 1 to 1,000,000. nil: as the descriptor limit allows.
    public var connectionsMax: Int?
    /// How many of them one client address may have; 1 to 1,000,000. nil: as many as there are.
    public var connectionsPerAddressMax: Int?

    /// The networks of the proxies whose word on their clients counts; at most `trustedProxiesMax`.
    public var trustedProxies: [IPNetwork] = []
    /// True where connections from `trustedProxies` begin with a PROXY header; then there are some.
    public var hasProxyHeaders = false

    /// How long a request's header may take to arrive, in seconds; 1 to 3600.
    public var headerSeconds = 10
    /// How long a request's body may take to arrive, in seconds; 1 to 3600.
    public var bodySeconds = 30
    /// How long a connection may rest between requests, in seconds; 1 to 3600.
    public var idleSeconds = 75
    /// How long a stop waits for what was accepted, in seconds; 1 to 3600.
    public var drainSeconds = 30

    /// True where each request that is answered is a line of the log.
    public var logsAccess = false

    /// Each is compared for each callback: enough for changing one after the other.
    public static let secretsMax = 64

    /// Looked through for each connection: more is no list of proxies one runs.
    public static let trustedProxiesMax = 64

    /// The defaults, with one loop: how many processors there are is for the caller to say.
    public init() {}
}
