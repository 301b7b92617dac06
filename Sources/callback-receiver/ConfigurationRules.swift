// What two keys may not mean together.
//
// Promises: nothing listens beyond loopback that asks for no proof, unless the configuration says so in so
// many words (fails closed: a host that is not certainly loopback counts as beyond it); the callback's path
// takes nothing away from the API where one address serves both; a PROXY header is expected from someone.
// Must not know: how a single value is read.

import CallbackReceiver

enum ConfigurationRules {
    /// Paths of the API (API description: /v1/…, operations, the page); `/v1` with everything below it.
    static let apiPaths = ["/", "/v1", "/healthz", "/readyz", "/metrics", "/openapi.json"]

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
        let callbackIsOpen = !server.callbackAuthenticationNone && !Listen.isLoopback(server.callbackListen.host)
        let apiIsOpen = !server.apiAuthenticationNone && !Listen.isLoopback(server.apiListen.host)
        if callbackIsOpen && apiIsOpen && isShared {
            refuse(
                "callback.listen", because: ["callback.authentication", "api.listen", "api.authentication"],
                "\(Listen.text(server.callbackListen)) is beyond loopback, and this version cannot check who posts "
                    + "or asks; listen on 127.0.0.1 behind a proxy, or set callback.authentication and "
                    + "api.authentication to none: then anyone who reaches it may post callbacks and read every request")
        } else if callbackIsOpen {
            refuse(
                "callback.listen", because: ["callback.authentication"],
                "\(Listen.text(server.callbackListen)) is beyond loopback, and this version cannot check who posts; "
                    + "listen on 127.0.0.1 behind a proxy, or set callback.authentication to none: "
                    + "then anyone who reaches it may post callbacks")
        }
        if apiIsOpen && !(callbackIsOpen && isShared) {
            refuse(
                "api.listen", because: ["api.authentication"],
                "\(Listen.text(server.apiListen)) is beyond loopback, and this version has no tokens for the API; "
                    + "listen on 127.0.0.1, or set api.authentication to none: "
                    + "then anyone who reaches it may read every request")
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

    private static func belongsToAPI(_ path: String) -> Bool {
        apiPaths.contains(path) || path.hasPrefix("/v1/")
    }
}
