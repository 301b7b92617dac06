// What two keys may not mean together.
//
// Promises: callbacks are not taken beyond loopback without any proof, unless the configuration says so in so many words
// (fails closed: a host that is not certainly loopback counts as beyond it), and it does not say so where a proof is asked
// for; the callback's path takes nothing away from the API where one address serves both; an age is asked of signatures
// that are asked for, a PROXY header of someone. The API may listen anywhere: beyond loopback it answers tokens alone.
// Must not know: how a single value is read.

import CallbackReceiver

enum ConfigurationRules {
    /// Paths of the API (API description: /v1/…, operations, the page); `/v1` with everything below it.
    static let apiPaths = ["/", "/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/page.css", "/page.js"]

    /// - Parameter unreadable: keys whose value was refused already; rules about them say nothing more.
    static func problems(
        of configuration: Configuration, origins: [String: Origin], unreadable: Set<String>
    ) -> [Problem] {
        let server = configuration.server
        var problems: [Problem] = []

        func refuse(_ key: String, because others: [String], _ text: String) {
            guard unreadable.isDisjoint(with: [key] + others) else { return }
            problems.append(Problem(origin: origins[key] ?? .standard, key: key, text: text))
        }

        let isShared = server.callbackListen == server.apiListen
        // Where a socket of systemd is bound is not known before it is there: the server looks (Listening).
        if !server.callbackAuthenticationNone, !isProved(configuration), case .address(let address) = server.callbackListen,
            !Listen.isLoopback(address.host)
        {
            refuse(
                "callback.listen", because: ["callback.authentication"] + proofKeys,
                "\(server.callbackListen.text) is \(Listening.unproved)")
        }
        if server.callbackAuthenticationNone, let key = proofKeys.first(where: { isSet($0, configuration) }) {
            refuse(
                "callback.authentication", because: proofKeys,
                "none says that anyone may post, and \(key) asks for a proof; remove one of the two")
        }
        if server.callbackSignatureAgeSecondsMax != nil, !signingKeys.contains(where: { isSet($0, configuration) }) {
            refuse(
                "callback.signature-age-seconds-max", because: signingKeys,
                "is about signatures, and none is asked for; set callback.signing-secrets, or remove this")
        }
        if isShared, belongsToAPI(server.callbackPath) {
            refuse(
                "callback.path", because: ["callback.listen", "api.listen"],
                "\(quoted(server.callbackPath)) belongs to the API, which listens on the same address; "
                    + "choose another path, for example /callback, or give api.listen an address of its own")
        }
        if server.hasProxyHeaders, server.trustedProxies.isEmpty {
            refuse(
                "server.proxy-protocol", because: ["server.trusted-proxies"],
                "the header is taken from trusted proxies only, and there are none; name them in "
                    + "server.trusted-proxies, for example [127.0.0.1], or set this to false")
        }
        return problems
    }

    /// The keys that ask for a proof of origin.
    private static let proofKeys = [
        "callback.keys", "callback.keys-file", "callback.signing-secrets", "callback.signing-secrets-file", "callback.users",
        "callback.users-file",
    ]
    private static let signingKeys = ["callback.signing-secrets", "callback.signing-secrets-file"]

    private static func isProved(_ configuration: Configuration) -> Bool { proofKeys.contains { isSet($0, configuration) } }

    private static func isSet(_ key: String, _ configuration: Configuration) -> Bool {
        switch key {
        case "callback.keys": !configuration.server.callbackKeys.isEmpty
        case "callback.signing-secrets": !configuration.server.callbackSigningSecrets.isEmpty
        case "callback.users": !configuration.server.callbackUsers.isEmpty
        case "callback.keys-file": configuration.secretFiles.callbackKeys != nil
        case "callback.signing-secrets-file": configuration.secretFiles.callbackSigningSecrets != nil
        case "callback.users-file": configuration.secretFiles.callbackUsers != nil
        default: false
        }
    }

    private static func belongsToAPI(_ path: String) -> Bool {
        apiPaths.contains(path) || path.hasPrefix("/v1/")
    }
}
