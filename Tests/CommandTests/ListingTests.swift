// `config show` and the sample file: both are configuration files themselves, and agree with the table.

import Testing

@testable import callback_receiver

@Suite("What config show prints")
struct ListingTests {
    private func resolve(_ yaml: String?, path: String = "f", flags: [FlagValue] = []) -> Resolution {
        Resolution(
            file: yaml.map { ConfigurationFile(path: path, bytes: Array($0.utf8)) }, environment: [:], flags: flags)
    }

    @Test("is every key with its value and origin, aligned")
    func text() {
        let flags = [FlagValue(key: "log.directory", name: "--data-directory", text: "/var/lib/a b")]
        let resolution = Resolution(
            file: ConfigurationFile(path: "/etc/c.yaml", bytes: Array("callback:\n  listen: '[::1]:1'\n".utf8)),
            environment: [
                "CALLBACK_RECEIVER_CALLBACK_KEYS": "hunter2,hunter3",
                "CALLBACK_RECEIVER_SERVER_LOOPS": "3", "CALLBACK_RECEIVER_SERVER_TRUSTED_PROXIES": "10.0.0.0/8,::1, 192.0.2.7/32",
            ], flags: flags)
        #expect(
            ConfigurationListing.text(of: resolution.entries) == """
                callback:
                  listen: "[::1]:1"                                # /etc/c.yaml:2
                  path: /callback                                  # default
                  body-bytes-max: 64KiB                            # default
                  keys: (hidden, 2)                                # environment CALLBACK_RECEIVER_CALLBACK_KEYS
                  keys-file: none                                  # default
                  signing-secrets: none                            # default
                  signing-secrets-file: none                       # default
                  users: none                                      # default
                  users-file: none                                 # default
                  signature-age-seconds-max: none                  # default
                  authentication: required                         # default
                api:
                  listen: 127.0.0.1:8080                           # default
                  authentication: required                         # default
                client:
                  url: auto                                        # default
                  token-file: none                                 # default
                log:
                  directory: "/var/lib/a b"                        # flag --data-directory
                  segment-bytes-max: 128MiB                        # default
                  retention:
                    days: none                                     # default
                    bytes-max: none                                # default
                  free-bytes-min: 64MiB                            # default
                quarantine:
                  bytes-max: 64MiB                                 # default
                expectations:
                  overdue-after-seconds: 300                       # default
                server:
                  loops: 3                                         # environment CALLBACK_RECEIVER_SERVER_LOOPS
                  connections-max: auto                            # default
                  connections-per-address-max: none                # default
                  trusted-proxies: [10.0.0.0/8, "::1", 192.0.2.7]  # environment CALLBACK_RECEIVER_SERVER_TRUSTED_PROXIES
                  proxy-protocol: false                            # default
                  timeouts:
                    header-seconds: 10                             # default
                    body-seconds: 30                               # default
                    idle-seconds: 75                               # default
                    drain-seconds: 30                              # default
                logging:
                  level: info                                      # default
                  format: logfmt                                   # default
                  access: false                                    # default

                """)
    }

    @Test(
        "loads as the same configuration",
        arguments: [
            "", "callback: {listen: '[::1]:1', path: '/a:b,{c}[d]&*!|>\"`'}", "log: {directory: \"null\"}",
            "log: {directory: \"a: b # c\"}", "log: {directory: \"- x\"}", "log: {directory: \"ends:\"}",
            "log: {directory: \"\\\"\\\\ \"}", "log: {directory: \"\\u2028\\ufeffé\"}", "log: {directory: '123'}",
            "log: {directory: ' x '}", "log: {directory: '%x'}", "log: {directory: '.'}", "log: {directory: '---'}",
            "log: {directory: '/'}", "log: {directory: '...'}",
            "server: {loops: 2, connections-max: 9, timeouts: {idle-seconds: 1}}\nlogging: {level: trace}",
            "server: {trusted-proxies: ['::1', 10.0.0.0/8, '2001:db8::/32', '::'], proxy-protocol: true, connections-per-address-max: 3}",
            "client: {url: 'http://[::1]:8080', token-file: /etc/token}", "log: {retention: {days: 30, bytes-max: 3GiB}}", "log: {retention: {days: none}}",
            "server: {trusted-proxies: ['::/0']}", "server: {trusted-proxies: 127.0.0.1}", "server: {trusted-proxies: []}",
        ])
    func roundTrip(yaml: String) {
        let first = resolve(yaml)
        #expect(first.problems == [])
        let again = resolve(ConfigurationListing.text(of: first.entries))
        #expect(again.problems == [])
        #expect(again.configuration == first.configuration)
        #expect(again.entries.map(\.text) == first.entries.map(\.text))
    }

    @Test("says how many secrets there are, and is refused where that stands in the place of secrets")
    func secrets() {
        let first = resolve("callback: {keys: [hunter2, hunter3], users: 'u:hunter2'}")
        let text = ConfigurationListing.text(of: first.entries)
        #expect(!text.contains("hunter"))
        #expect(
            resolve(text).problems.map(\.line) == ["keys", "users"].enumerated().map { index, name in
                "f:\(index == 0 ? 5 : 9): callback.\(name): is what config show prints in the place of secrets; write the secrets themselves"
            })
    }

    @Test("stays loadable whatever the file is called")
    func hostilePath() {
        let shown = resolve("callback: {path: /a}", path: "x\ncallback: {path: /evil}\u{7}")
        let again = resolve(ConfigurationListing.text(of: shown.entries))
        #expect(again.problems == [])
        #expect(again.configuration.server.callbackPath == "/a")
    }

    @Test("the help describes every key")
    func help() {
        let help = Config.helpMessage(columns: 1_000)
        for setting in Setting.all {
            #expect(help.contains("\(setting.key): \(setting.bounds); default \(setting.standard)"), "\(setting.key)")
            #expect(help.contains(setting.meaning), "\(setting.key)")
        }
    }
}
