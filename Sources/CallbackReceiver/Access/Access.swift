// Who may ask the delivery-status API (API.md §4).
//
//     api.authentication: none ──────────────────────────────────────▶ everything
//     no token was ever created ─┬─ listener, peer and Host are loopback, and nothing says that
//                                │  a proxy forwarded it or another site's page sent it ─▶ everything (the open door)
//                                └─ else ──────────────────────────────────────▶ 401
//     tokens are needed ─┬─ right credentials ─┬─ scope suffices ─▶ what the scope allows
//                        │                     └─ else ──────────▶ 403
//                        ├─ no credentials, or tokens that cannot be read ──▶ 401
//                        └─ wrong credentials ─▶ 401; too many of them from one address ─▶ 429
//     granted, but it changes something, and a browser says that another site's page sent it ─▶ 403
//
// Promises: fails closed. A rebound DNS name, a proxy or a page in a browser does not open the door, and once a token was created nothing does.
// Right credentials are looked for first: nobody is refused because of what others guess. No answer tells an unknown
// identifier from a wrong key, neither by its words nor by the time it takes.
// Must not know: what is asked, where tokens are kept.

import CrispCallback
import HTTPWire
import Platform

struct Access: Sendable {
    enum Decision {
        case granted(AccessScopes)
        case refused(AccessRefusal)
    }

    private var anyoneMayAsk: Bool
    /// Every address that the API listens on is loopback.
    private let isOnLoopback: Bool
    private var proxies: TrustedProxies
    private let tokens: @Sendable () -> TokenTable
    /// Monotonic milliseconds.
    private let clock: @Sendable () -> Int64
    private let wrong = WrongCredentials()

    init(
        _ configuration: ServerConfiguration, isOnLoopback: Bool, clock: @escaping @Sendable () -> Int64,
        tokens: @escaping @Sendable () -> TokenTable
    ) {
        anyoneMayAsk = configuration.apiAuthenticationNone
        proxies = TrustedProxies(networks: configuration.trustedProxies)
        self.isOnLoopback = isOnLoopback
        self.clock = clock
        self.tokens = tokens
    }

    /// The same by another configuration; who sent wrong credentials before is not forgotten.
    func takingUp(_ configuration: ServerConfiguration) -> Access {
        var access = self
        access.anyoneMayAsk = configuration.apiAuthenticationNone
        access.proxies = TrustedProxies(networks: configuration.trustedProxies)
        return access
    }

    /// Whether `request`, over a connection from `peer`, may have what `scope` stands for.
    func decide(_ request: borrowing Request, from peer: IPAddress, needs scope: TokenScope) -> Decision {
        let decision = decideByRight(request, from: peer, needs: scope)
        if case .granted = decision, Self.isOfAnotherPage(request) { return .refused(.fromAnotherPage) }
        return decision
    }

    private func decideByRight(_ request: borrowing Request, from peer: IPAddress, needs scope: TokenScope) -> Decision {
        if anyoneMayAsk { return .granted(.all) }
        let table = tokens()
        if table.standing == .neverCreated {
            return isOnLoopback && peer.isLoopback && Self.isPlainlyLocal(request) ? .granted(.all) : .refused(.notFromHere)
        }
        guard let field = request.value(of: "authorization") else { return .refused(.credentialsMissing) }
        if table.standing == .unreadable { return .refused(.tokensUnreadable) }
        guard let token = token(request, field, in: table) else {
            let client = proxies.client(of: request, from: peer)
            return .refused(wrong.count(client, now: clock()).map { .tooManyWrong(retrySeconds: $0) } ?? .credentialsWrong)
        }
        let scopes = AccessScopes(token.scope)
        return scopes.contains(AccessScopes(asked: scope)) ? .granted(scopes) : .refused(.scopeTooNarrow(token.scope, needed: scope))
    }

    /// The token whose credentials stand in `field`; nil where they are none, or wrong.
    private func token(_ request: borrowing Request, _ field: Range<Int>, in table: TokenTable) -> Token? {
        // RFC 9110 §5.3: this field is no list, so two of them could be read in two ways.
        guard request.count(of: "authorization") == 1 else { return nil }
        var credentials: [UInt8] = []
        guard BasicCredentials.decode(request.head.span.extracting(field), into: &credentials),
            // RFC 7617 §2: the first colon ends the user's name.
            let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return table.token(identifier: credentials[..<colon], key: credentials[(colon + 1)...])
    }

    /// Its `Host` is this machine whatever any DNS server says, and no proxy says that it passed the request on, nor a browser
    /// that another site's page sent it.
    private static func isPlainlyLocal(_ request: borrowing Request) -> Bool {
        request.targetHost?.isLoopbackName ?? false
            && !request.hasField("forwarded") && !request.hasField("via") && !request.hasField(startingWith: "x-forwarded-")
            && isOfThisOrigin(request)
    }

    /// A browser that knows credentials sends them along with whatever any page has it send (CSRF). GET and HEAD change nothing, and
    /// no page of another site is shown what they answer. Fetch Metadata says it best (W3C, Sec-Fetch-Site), also behind a proxy that
    /// has another name; who says nothing of either is no browser.
    private static func isOfAnotherPage(_ request: borrowing Request) -> Bool {
        guard request.method != .get, request.method != .head else { return false }
        if let site = request.value(of: "sec-fetch-site") { return !["same-origin", "none"].contains(request.text(site)) }
        // The scheme is a proxy's that ends TLS.
        return !isOfThisOrigin(request, schemes: ["http://", "https://"])
    }

    /// RFC 6454 §7: a browser says whose page a request comes from; other programs say nothing.
    private static func isOfThisOrigin(_ request: borrowing Request, schemes: [String] = ["http://"]) -> Bool {
        guard let origin = request.value(of: "origin") else { return true }
        guard request.count(of: "origin") == 1, let host = request.targetHost else { return false }
        let field = request.head.span.extracting(origin)
        for scheme in schemes {
            var own = Array(scheme.utf8)
            own.append(request.head.span.extracting(host.name))
            if let port = host.port, !(scheme == "http://" && port == 80), !(scheme == "https://" && port == 443) {
                own.append(UInt8(ascii: ":"))
                own.append(decimal: UInt64(port))
            }
            if field.count == own.count && field.indices.allSatisfy({ field[$0] | 0x20 == own[$0] | 0x20 }) { return true }
        }
        return false
    }
}
