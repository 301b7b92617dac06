// Each key by itself: what its values may be, at and beyond every bound, and the exact words of a refusal.

import CallbackReceiver
import Logging
import Platform
import Testing

@testable import callback_receiver

@Suite("A setting")
struct SettingTests {
    /// nil where `text` is accepted, else what is said about it.
    private func refusal(_ key: String, _ text: String) throws -> String? {
        let setting = try #require(Setting.named(key))
        var configuration = Configuration()
        do throws(Refusal) {
            _ = try setting.apply(text, to: &configuration)
            return nil
        } catch {
            return error.text
        }
    }

    private func applied(_ key: String, _ text: String) throws -> (shown: String, configuration: Configuration) {
        let setting = try #require(Setting.named(key))
        var configuration = Configuration()
        let shown = try setting.apply(text, to: &configuration)
        return (shown, configuration)
    }

    @Test("the table holds exactly the keys that act, each once")
    func keys() {
        #expect(
            Setting.all.map(\.key).sorted() == [
                "api.authentication", "api.listen", "callback.authentication", "callback.body-bytes-max",
                "callback.keys", "callback.keys-file", "callback.listen", "callback.path", "callback.signature-age-seconds-max",
                "callback.signing-secrets", "callback.signing-secrets-file", "callback.users", "callback.users-file", "client.token-file", "client.url", "expectations.overdue-after-seconds", "log.directory", "log.free-bytes-min",
                "log.retention.bytes-max", "log.retention.days", "log.segment-bytes-max", "logging.access", "logging.format", "logging.level", "quarantine.bytes-max", "server.connections-max",
                "server.connections-per-address-max", "server.loops", "server.proxy-protocol",
                "server.timeouts.body-seconds", "server.timeouts.drain-seconds",
                "server.timeouts.header-seconds", "server.timeouts.idle-seconds", "server.trusted-proxies",
            ])
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
    }

    @Test("the name in the environment is the key in capitals with underscores")
    func environmentNames() {
        #expect(Setting.named("callback.listen")?.environmentName == "CALLBACK_RECEIVER_CALLBACK_LISTEN")
        #expect(
            Setting.named("server.timeouts.idle-seconds")?.environmentName
                == "CALLBACK_RECEIVER_SERVER_TIMEOUTS_IDLE_SECONDS")
    }

    @Test("the table's defaults are those of the server's configuration, whatever it held before")
    func defaults() throws {
        var configuration = Configuration()
        configuration.server.callbackListen = .init(host: "x", port: 1)
        configuration.server.apiListen = .init(host: "x", port: 1)
        configuration.server.callbackPath = ""
        configuration.server.callbackBodyBytesMax = 0
        configuration.server.callbackKeys = [Secret([1])]
        configuration.server.callbackSigningSecrets = [Secret([1])]
        configuration.server.callbackUsers = [Secret([1])]
        configuration.server.callbackSignatureAgeSecondsMax = 1
        configuration.secretFiles = SecretFilePaths(callbackKeys: "x", callbackSigningSecrets: "x", callbackUsers: "x")
        configuration.server.quarantineBytesMax = 0
        configuration.server.callbackAuthenticationNone = true
        configuration.server.apiAuthenticationNone = true
        configuration.server.logDirectory = ""
        configuration.server.logSegmentBytesMax = 0
        configuration.server.logRetentionDays = 1
        configuration.server.logRetentionBytesMax = 1
        configuration.server.logFreeBytesMin = 0
        configuration.server.overdueAfterSeconds = 0
        configuration.server.loops = 0
        configuration.server.connectionsMax = 1
        configuration.server.connectionsPerAddressMax = 1
        configuration.server.trustedProxies = [try IPNetwork("::1")]
        configuration.server.hasProxyHeaders = true
        configuration.server.headerSeconds = 0
        configuration.server.bodySeconds = 0
        configuration.server.idleSeconds = 0
        configuration.server.drainSeconds = 0
        configuration.logLevel = .critical
        for setting in Setting.all {
            let shown = try setting.apply(setting.standard, to: &configuration)
            #expect(shown == setting.standard, "\(setting.key)")
        }
        #expect(configuration.server.loops >= 1)
        var expected = Configuration()
        expected.server.loops = configuration.server.loops
        #expect(configuration == expected)
    }

    /// Key, least, most, one below, one above.
    static let sizeBounds: [(String, String, String, String, String)] = [
        ("callback.body-bytes-max", "1KiB", "16MiB", "1023", "16777217"),
        ("quarantine.bytes-max", "1MiB", "1024GiB", "1048575", "1099511627777"),
        ("log.segment-bytes-max", "1MiB", "2GiB", "1048575", "2147483649"),
        ("log.retention.bytes-max", "2MiB", "1048576GiB", "2097151", "1125899906842625"),
    ]

    @Test("a size is accepted at its bounds and refused beyond them", arguments: sizeBounds)
    func sizes(key: String, least: String, most: String, below: String, above: String) throws {
        #expect(try refusal(key, least) == nil)
        #expect(try refusal(key, most) == nil)
        #expect(try refusal(key, below) == "\(below) is too small; the least is \(least)")
        #expect(try refusal(key, above) == "\(above) is too large; the most is \(most)")
    }

    @Test("the space kept free may be nothing, and at most 1024GiB")
    func freeSpace() throws {
        #expect(try applied("log.free-bytes-min", "0").configuration.server.logFreeBytesMin == 0)
        #expect(try refusal("log.free-bytes-min", "1024GiB") == nil)
        #expect(try refusal("log.free-bytes-min", "1025GiB") == "1025GiB is too large; the most is 1024GiB")
    }

    @Test("retention acts where it is set, and is none again where that is said")
    func retention() throws {
        #expect(try applied("log.retention.days", "30").configuration.server.logRetentionDays == 30)
        #expect(try applied("log.retention.bytes-max", "2GiB").configuration.server.logRetentionBytesMax == 2_147_483_648)
        #expect(try applied("log.retention.bytes-max", "none").shown == "none")
        #expect(
            try refusal("log.retention.bytes-max", "30 days")
                == "\"30 days\" is no size; write none, or 2MiB to 1048576GiB")
    }

    @Test("a timeout is 1 to 3600 seconds", arguments: ["header", "body", "idle", "drain"])
    func timeouts(name: String) throws {
        let key = "server.timeouts.\(name)-seconds"
        #expect(try refusal(key, "1") == nil)
        #expect(try refusal(key, "3600") == nil)
        #expect(try refusal(key, "0") == "0 is too small; the least is 1")
        #expect(try refusal(key, "3601") == "3601 is too large; the most is 3600")
        let standard = try #require(Setting.named(key)).standard
        for text in ["10s", "-1", "+1", "1.5", "010", "1e3", "auto", " 1", "99999999999999999999"] {
            #expect(
                try refusal(key, text) == "\"\(text)\" is no number of seconds; write for example \(standard)")
        }
    }

    @Test("each timeout acts on its own value")
    func timeoutsAreNotConfused() throws {
        #expect(try applied("server.timeouts.header-seconds", "99").configuration.server.headerSeconds == 99)
        #expect(try applied("server.timeouts.body-seconds", "99").configuration.server.bodySeconds == 99)
        #expect(try applied("server.timeouts.idle-seconds", "99").configuration.server.idleSeconds == 99)
        #expect(try applied("server.timeouts.drain-seconds", "99").configuration.server.drainSeconds == 99)
    }

    @Test(
        "a count is within its bounds, or the one word",
        arguments: [
            ("server.loops", 64, "auto"), ("server.connections-max", 1_000_000, "auto"),
            ("server.connections-per-address-max", 1_000_000, "none"), ("log.retention.days", 36_500, "none"),
            ("callback.signature-age-seconds-max", 31_536_000, "none"),
        ])
    func counts(key: String, most: Int, word: String) throws {
        #expect(try refusal(key, "1") == nil)
        #expect(try refusal(key, "\(most)") == nil)
        #expect(try refusal(key, word) == nil)
        #expect(try refusal(key, "0") == "0 is too small; the least is 1")
        #expect(try refusal(key, "\(most + 1)") == "\(most + 1) is too large; the most is \(most)")
        for other in ["many", word == "auto" ? "none" : "auto"] {
            #expect(try refusal(key, other) == "\"\(other)\" is no number; write \(word), or 1 to \(most)")
        }
    }

    @Test("loops and connections act")
    func countsAct() throws {
        #expect(try applied("server.loops", "7").configuration.server.loops == 7)
        #expect(try applied("server.connections-max", "7").configuration.server.connectionsMax == 7)
        #expect(try applied("server.connections-max", "auto").configuration.server.connectionsMax == nil)
        let perAddress = try applied("server.connections-per-address-max", "7").configuration.server
        #expect(perAddress.connectionsPerAddressMax == 7 && perAddress.connectionsMax == nil)
    }

    @Test("proxies are addresses and networks, shown as one writes them")
    func networks() throws {
        let key = "server.trusted-proxies"
        let (shown, configuration) = try applied(key, "10.0.0.0/8, 192.0.2.7/32,2001:DB8::/32,::ffff:192.0.2.8")
        #expect(shown == "10.0.0.0/8, 192.0.2.7, 2001:db8::/32, 192.0.2.8")
        #expect(configuration.server.trustedProxies.map(\.text) == ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "192.0.2.8"])
        #expect(try applied(key, "none").configuration.server.trustedProxies == [])
        let many = (0..<65).map { "192.0.2.\($0)" }
        #expect(try applied(key, many.prefix(64).joined(separator: ",")).configuration.server.trustedProxies.count == 64)
        #expect(try refusal(key, many.joined(separator: ",")) == "has 65 entries; the most is 64: join them to networks")
    }

    @Test("what is no network is refused with what was probably meant")
    func noNetworks() throws {
        let key = "server.trusted-proxies"
        let example = "write for example 127.0.0.1, 10.0.0.0/8, or none"
        for (text, entry) in [
            ("localhost", "localhost"), ("127.1", "127.1"), ("127.0.0.1:80", "127.0.0.1:80"), ("[::1]", "[::1]"), ("127.0.0.1,", ""),
            (",", ""), ("127.0.0.1,none", "none"), ("127.0.0.1 ::1", "127.0.0.1 ::1"), ("127.0.0.1 ,::1", "127.0.0.1 "), ("*", "*"),
        ] {
            #expect(try refusal(key, text) == "\"\(entry)\" is no address and no network; \(example)")
        }
        #expect(try refusal(key, "10.0.0.0/33") == "\"10.0.0.0/33\" has no prefix of 0 to 32 bits behind its slash; \(example)")
        #expect(try refusal(key, "::/129") == "\"::/129\" has no prefix of 0 to 128 bits behind its slash; \(example)")
        #expect(
            try refusal(key, "::1, 10.1.2.3/8")
                == "\"10.1.2.3/8\" has bits behind its prefix; write 10.0.0.0/8 for that network, or the address alone")
    }

    @Test("the PROXY header is expected where it says true, exactly")
    func proxyHeaders() throws {
        #expect(try applied("server.proxy-protocol", "true").configuration.server.hasProxyHeaders)
        #expect(try !applied("server.proxy-protocol", "false").configuration.server.hasProxyHeaders)
        for text in ["yes", "True", "on", "v2", "1"] {
            #expect(try refusal("server.proxy-protocol", text) == "\"\(text)\" is not possible; write one of: false, true")
        }
    }

    @Test("a size takes plain bytes and KiB, MiB, GiB, and is shown in the largest unit that divides it")
    func sizeSpellings() throws {
        for (text, bytes, shown) in [
            ("65536", 65_536, "64KiB"), ("64KiB", 65_536, "64KiB"), ("64 KiB", 65_536, "64KiB"),
            ("1MiB", 1_048_576, "1MiB"), ("1025KiB", 1_049_600, "1025KiB"), ("65537", 65_537, "65537"),
        ] {
            let (given, configuration) = try applied("callback.body-bytes-max", text)
            #expect(given == shown)
            #expect(configuration.server.callbackBodyBytesMax == bytes)
        }
        #expect(try applied("log.segment-bytes-max", "1GiB").configuration.server.logSegmentBytesMax == 1_073_741_824)
    }

    @Test(
        "what could be read two ways is no size",
        arguments: [
            "abc", "64KB", "64kib", "64K", "1.5MiB", "-1", "+1", "0100", "64  KiB", "KiB", " 64", "64 ", "1_000",
            "9223372036854775808", "9223372036854775807GiB", "٦٤",
        ])
    func noSizes(text: String) throws {
        #expect(
            try refusal("callback.body-bytes-max", text) == "\"\(text)\" is no size; write for example 64KiB")
    }

    @Test("a choice is one of its words, exactly", arguments: ["callback.authentication", "api.authentication"])
    func choices(key: String) throws {
        #expect(try refusal(key, "required") == nil)
        #expect(try refusal(key, "none") == nil)
        for text in ["None", "false", "off", "required "] {
            #expect(try refusal(key, text) == "\"\(text)\" is not possible; write one of: required, none")
        }
    }

    @Test("authentication is switched off only where it is said, and only there")
    func authenticationActs() throws {
        let callback = try applied("callback.authentication", "none").configuration.server
        #expect(callback.callbackAuthenticationNone && !callback.apiAuthenticationNone)
        let api = try applied("api.authentication", "none").configuration.server
        #expect(api.apiAuthenticationNone && !api.callbackAuthenticationNone)
        #expect(try !applied("api.authentication", "required").configuration.server.apiAuthenticationNone)
    }

    @Test("every level of logging can be set", arguments: Logger.Level.allCases)
    func levels(level: Logger.Level) throws {
        #expect(try applied("logging.level", level.rawValue).configuration.logLevel == level)
    }

    @Test("an unknown level is refused with those there are")
    func unknownLevel() throws {
        #expect(
            try refusal("logging.level", "verbose")
                == "\"verbose\" is not possible; write one of: trace, debug, info, notice, warning, error, critical")
    }

    @Test("no key takes an empty value", arguments: Setting.all.map(\.key))
    func empty(key: String) throws {
        let standard = try #require(Setting.named(key)).standard
        #expect(try refusal(key, "") == "has no value; write for example \(standard)")
    }

    @Test("the path of the callback loses one trailing slash")
    func trailingSlash() throws {
        let (shown, configuration) = try applied("callback.path", "/hooks/crisp/")
        #expect(shown == "/hooks/crisp")
        #expect(configuration.server.callbackPath == "/hooks/crisp")
        #expect(try applied("callback.path", "/").shown == "/")
    }

    @Test(
        "a path that no request could name, or two could, is refused",
        arguments: [
            ("callback", "\"callback\" does not begin with a slash; write for example /callback"),
            ("/a b", "\"/a b\" has characters other than visible ASCII without %; write for example /callback"),
            ("/%61", "\"/%61\" has characters other than visible ASCII without %; write for example /callback"),
            ("/é", "\"/é\" has characters other than visible ASCII without %; write for example /callback"),
            ("/a\n", "\"/a\\u{a}\" has characters other than visible ASCII without %; write for example /callback"),
            ("/a#b", "has a query or fragment; write only the path, for example /callback"),
            ("//a", "\"//a\" has an empty part, . or ..; write for example /callback"),
            ("/a//", "\"/a//\" has an empty part, . or ..; write for example /callback"),
            ("/a/../b", "\"/a/../b\" has an empty part, . or ..; write for example /callback"),
            ("/.", "\"/.\" has an empty part, . or ..; write for example /callback"),
        ])
    func paths(text: String, expected: String) throws {
        #expect(try refusal("callback.path", text) == expected)
    }

    @Test("a path is at most 1024 bytes")
    func longPath() throws {
        #expect(try refusal("callback.path", "/" + String(repeating: "a", count: 1_023)) == nil)
        #expect(
            try refusal("callback.path", "/" + String(repeating: "a", count: 1_024))
                == "is longer than 1024 bytes; write for example /callback")
    }

    @Test("no error repeats what may be a secret")
    func secrets() throws {
        for (key, text) in [
            ("callback.path", "/callback?key=hunter2"), ("callback.path", "callback?key=hunter2"),
            ("callback.listen", "http://user:hunter2@host/"), ("callback.body-bytes-max", "key=hunter2"),
        ] {
            let said = try #require(try refusal(key, text))
            #expect(!said.contains("hunter2"), "\(said)")
        }
    }

    @Test("an error repeats a bounded excerpt")
    func longValue() throws {
        let said = try #require(try refusal("callback.body-bytes-max", String(repeating: "x", count: 5_000)))
        #expect(said == "\"\(String(repeating: "x", count: 64))…\" is no size; write for example 64KiB")
    }

    @Test("a directory is a path as it is; what only a shell expands is refused")
    func directories() throws {
        #expect(try applied("log.directory", "/var/lib/a b: #é").configuration.server.logDirectory == "/var/lib/a b: #é")
        let home = "~ is not expanded here; write the path in full, for example /var/lib/callback-receiver"
        #expect(try refusal("log.directory", "~/data") == home)
        #expect(try refusal("log.directory", "~") == home)
        #expect(
            try refusal("log.directory", "/a\u{0}b")
                == "\"/a\\u{0}b\" has control characters; write for example /var/lib/callback-receiver")
        #expect(try refusal("log.directory", String(repeating: "d", count: 3_072)) == nil)
        #expect(
            try refusal("log.directory", String(repeating: "d", count: 3_073))
                == "is longer than 3072 bytes; use a shorter path")
    }
}
