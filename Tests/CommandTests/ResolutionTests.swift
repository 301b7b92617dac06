// All sources together: who wins, who is said to have won, and what keys may not mean together.

import CallbackReceiver
import Testing

@testable import callback_receiver

@Suite("The configuration in force")
struct ResolutionTests {
    private func resolve(
        _ yaml: String? = nil, _ environment: [String: String] = [:], _ flags: [FlagValue] = []
    ) -> Resolution {
        Resolution(
            file: yaml.map { ConfigurationFile(path: "f", bytes: Array($0.utf8)) }, environment: environment,
            flags: flags)
    }

    private func entry(_ key: String, in resolution: Resolution) -> Resolution.Entry? {
        resolution.entries.first { $0.key == key }
    }

    @Test("flag wins over environment, environment over file, file over default")
    func precedence() {
        let yaml = "callback:\n  path: /file\n"
        let environment = ["CALLBACK_RECEIVER_CALLBACK_PATH": "/environment"]
        let flag = FlagValue(key: "callback.path", name: "--callback-path", text: "/flag")
        let cases: [(Resolution, String, Origin)] = [
            (resolve(), "/callback", .standard),
            (resolve(yaml), "/file", .file(path: "f", line: 2)),
            (resolve(yaml, environment), "/environment", .environment(name: "CALLBACK_RECEIVER_CALLBACK_PATH")),
            (resolve(yaml, environment, [flag]), "/flag", .flag(name: "--callback-path")),
            (resolve(yaml, [:], [flag]), "/flag", .flag(name: "--callback-path")),
        ]
        for (resolution, path, origin) in cases {
            #expect(resolution.problems == [])
            #expect(resolution.configuration.server.callbackPath == path)
            #expect(entry("callback.path", in: resolution) == .init(key: "callback.path", text: path, origin: origin))
        }
    }

    @Test("every key can be set from the environment, and from the file", arguments: Setting.all.map(\.key))
    func everyKey(key: String) throws {
        let setting = try #require(Setting.named(key))
        let text =
            switch setting.kind {
            case .listen: "localhost:1"
            case .path: "/other"
            case .directory, .file: "/other"
            case .url: "http://127.0.0.1:1"
            case .size, .sizeLimit: "2MiB"
            case .seconds: "33"
            case .count: "33"
            case .networks: "10.0.0.0/8"
            case .secrets(let form, _): form == .plain ? "hunter2" : "user:hunter2"
            case .choice: key == "logging.level" ? "error" : key == "logging.format" ? "json" : ["server.proxy-protocol", "logging.access"].contains(key) ? "true" : "none"
            }
        // A PROXY header needs someone to send it, an age a signature.
        let base =
            switch key {
            case "server.proxy-protocol": ["CALLBACK_RECEIVER_SERVER_TRUSTED_PROXIES": "::1"]
            case "callback.signature-age-seconds-max": ["CALLBACK_RECEIVER_CALLBACK_SIGNING_SECRETS": "s"]
            default: [String: String]()
            }
        let fromEnvironment = resolve(nil, base.merging([setting.environmentName: text]) { $1 })
        #expect(fromEnvironment.problems == [])
        #expect(
            entry(key, in: fromEnvironment)
                == .init(key: key, text: setting.isSecret ? "(hidden, 1)" : text, origin: .environment(name: setting.environmentName)))
        #expect(fromEnvironment.configuration != resolve().configuration)

        let parts = key.split(separator: ".")
        let yaml = parts.enumerated().map { String(repeating: " ", count: $0) + "\($1):" }.joined(separator: "\n")
        let fromFile = resolve("\(yaml) \(text)\n", base)
        #expect(entry(key, in: fromFile)?.origin == .file(path: "f", line: parts.count))
        #expect(fromFile.configuration == fromEnvironment.configuration)
    }

    @Test("an impossible value is said also where a stronger source overrides it")
    func overridden() {
        let flag = FlagValue(key: "callback.path", name: "--callback-path", text: "/flag")
        #expect(
            resolve("callback:\n  path: x\n", [:], [flag]).problems.map(\.line) == [
                "f:2: callback.path: \"x\" does not begin with a slash; write for example /callback"
            ])
    }

    @Test("a wrong variable is named, and its value is not repeated where the variable is unknown")
    func environmentProblems() {
        let environment = [
            "CALLBACK_RECEIVER_CALLBACK_LISTN": "hunter2", "CALLBACK_RECEIVER_TLS_KEY": "hunter2",
            "CALLBACK_RECEIVER_CONFIG": "hunter2", "CALLBACK_RECEIVER_SERVER_LOOPS": "0",
            "CALLBACK_RECEIVER_SERVICE_HOST": "10.0.0.1", "CALLBACK_RECEIVER_SERVICE_PORT_HTTP": "80", "CALLBACK_RECEIVER_PORT": "tcp://10.0.0.1:80",
            "CALLBACK_RECEIVER_PORT_80_TCP_ADDR": "10.0.0.1",
            "CALLBACK_RECEIVER_CALLBACK_PATH": "", "PATH": "/bin", "CALLBACK": "x", "callback_receiver_x": "x",
        ]
        let unknown = "unknown variable, or not supported by this version; unset it (config show prints every key there is)"
        #expect(
            resolve(nil, environment).problems.map(\.line) == [
                "CALLBACK_RECEIVER_CALLBACK_LISTN: unknown variable; did you mean CALLBACK_RECEIVER_CALLBACK_LISTEN?",
                "CALLBACK_RECEIVER_CALLBACK_PATH: has no value; write for example /callback",
                "CALLBACK_RECEIVER_CONFIG: \(unknown)",
                "CALLBACK_RECEIVER_SERVER_LOOPS: 0 is too small; the least is 1",
                "CALLBACK_RECEIVER_TLS_KEY: \(unknown)",
            ])
    }

    // MARK: Rules between keys

    private static let callbackTail =
        "is beyond loopback, and nothing proves who posts; set callback.keys (or callback.users, callback.signing-secrets), "
        + "listen on 127.0.0.1 behind a proxy, or set callback.authentication to none: then anyone who reaches it may post callbacks"

    static let rules: [(String, [String])] = [
        ("callback: {listen: 0.0.0.0:1}", ["f:1: callback.listen: 0.0.0.0:1 \(callbackTail)"]),
        ("callback: {listen: 0.0.0.0:1, authentication: none}", []),
        ("callback: {listen: '[::]:1'}", ["f:1: callback.listen: [::]:1 \(callbackTail)"]),
        ("callback: {listen: example.org:1}", ["f:1: callback.listen: example.org:1 \(callbackTail)"]),
        ("api: {listen: 0.0.0.0:1}", []),
        ("callback: {listen: 0.0.0.0:2}\napi: {listen: 0.0.0.0:1}", ["f:1: callback.listen: 0.0.0.0:2 \(callbackTail)"]),
        ("callback: {listen: 0.0.0.0:1}\napi: {listen: 0.0.0.0:1}", ["f:1: callback.listen: 0.0.0.0:1 \(callbackTail)"]),
        ("callback: {listen: 0.0.0.0:1, keys: hunter2}", []),
        ("callback: {listen: 0.0.0.0:1, users: ['a:hunter2']}", []),
        ("callback: {listen: 0.0.0.0:1, signing-secrets: [hunter2], signature-age-seconds-max: 60}", []),
        ("callback: {listen: 0.0.0.0:1, keys-file: /keys}", []),
        ("callback: {listen: 0.0.0.0:1, keys: none, users-file: none}", ["f:1: callback.listen: 0.0.0.0:1 \(callbackTail)"]),
        (
            "callback: {keys-file: /keys, authentication: none}",
            ["f:1: callback.authentication: none says that anyone may post, and callback.keys-file asks for a proof; remove one of the two"]
        ),
        (
            "callback: {signature-age-seconds-max: 60, keys: hunter2}",
            ["f:1: callback.signature-age-seconds-max: is about signatures, and none is asked for; set callback.signing-secrets, or remove this"]
        ),
        ("callback: {listen: '[::1]:1'}\napi: {listen: 127.9.9.9:1}", []),
    ]

    @Test("no callback is taken beyond loopback unproved, unless the configuration says so", arguments: rules)
    func loopback(yaml: String, expected: [String]) {
        #expect(resolve(yaml).problems.map(\.line) == expected)
    }

    @Test("a PROXY header is expected of trusted proxies, so there must be some; where they are refused nothing more is said")
    func proxyHeaders() {
        #expect(
            resolve("server: {proxy-protocol: true}").problems.map(\.line) == [
                "f:1: server.proxy-protocol: the header is taken from trusted proxies only, and there are none; "
                    + "name them in server.trusted-proxies, for example [127.0.0.1], or set this to false"
            ])
        #expect(resolve("server: {proxy-protocol: true, trusted-proxies: [127.0.0.1]}").problems == [])
        #expect(
            resolve("server: {proxy-protocol: true, trusted-proxies: [x]}").problems.map(\.line) == [
                "f:1: server.trusted-proxies: \"x\" is no address and no network; write for example 127.0.0.1, 10.0.0.0/8, or none"
            ])
    }

    @Test("a flag that listens beyond loopback is named in the one line about it")
    func flagBeyondLoopback() {
        let flags = ["callback.listen", "api.listen"].map { FlagValue(key: $0, name: "--listen", text: "0.0.0.0:1") }
        #expect(resolve(nil, [:], flags).problems.map(\.line) == ["--listen: 0.0.0.0:1 \(Self.callbackTail)"])
    }

    @Test("a rule does not add to what is wrong with a value itself")
    func noFollowUp() {
        #expect(
            resolve("callback: {listen: 0.0.0.0:1, authentication: nein}").problems.map(\.line) == [
                "f:1: callback.authentication: \"nein\" is not possible; write one of: required, none"
            ])
    }

    @Test(
        "on one address the callback takes no path of the API; on two it may",
        arguments: ["/", "/v1", "/v1/", "/v1/x", "/healthz", "/readyz", "/metrics", "/openapi.json"])
    func collisions(path: String) {
        let shown = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        #expect(
            resolve("callback: {path: \(path)}").problems.map(\.line) == [
                "f:1: callback.path: \"\(shown)\" belongs to the API, which listens on the same address; "
                    + "choose another path, for example /callback, or give api.listen an address of its own"
            ])
        #expect(resolve("callback: {path: \(path)}\napi: {listen: 127.0.0.1:9}").problems == [])
    }

    @Test("a path that only looks like one of the API is free", arguments: ["/v1x", "/v2", "/healthz/x", "/V1"])
    func noCollision(path: String) {
        #expect(resolve("callback: {path: \(path)}").problems == [])
    }
}
