// The table of all configuration keys that act in this version, in the order in which people read them.
//
// Promises: a key that is not here does not exist; it is refused, never ignored, because a secret or a
// limit that does not act would be worse than none. Bounds and defaults stand here and nowhere else.
// Must not know: how a text is read (Setting) or found (ConfigurationFile, Resolution).

import CallbackReceiver
import Logging
import Platform

extension Setting {
    private static let kibibyte: Int64 = 1_024
    private static let mebibyte = 1_024 * kibibyte
    private static let gibibyte = 1_024 * mebibyte

    /// What a timeout may be: a second, to an hour.
    private static let timeoutSeconds = 1...3_600
    /// A year: longer is `none`.
    private static let signatureAgeSecondsMax = 31_536_000
    private static let loopsMax = 64
    private static let connectionsMax = 1_000_000
    /// A century: longer is `none`.
    private static let retentionDaysMax = 36_500

    static let all: [Setting] = [
        Setting(
            key: "callback.listen", kind: .listen { $0.server.callbackListen = $1 }, standard: "127.0.0.1:8080",
            meaning: "Where Crisp's callbacks arrive. Equal to api.listen: one listener serves both."),
        Setting(
            key: "callback.path", kind: .path { $0.server.callbackPath = $1 }, standard: "/callback",
            meaning: "The path of the callback URL; with a trailing slash it is accepted too."),
        Setting(
            key: "callback.body-bytes-max",
            kind: .size(kibibyte...16 * mebibyte) { $0.server.callbackBodyBytesMax = Int($1) }, standard: "64KiB",
            meaning: "The longest callback that is taken."),
        Setting(
            key: "callback.keys", kind: .secrets(.plain) { $0.server.callbackKeys = $1 }, standard: nothing,
            meaning: "What ?key= of the callback URL must be, any one of them; none: it is not looked at."),
        Setting(
            key: "callback.keys-file", kind: .file { $0.secretFiles.callbackKeys = $1 }, standard: nothing,
            meaning: "A file with more of them, one a line."),
        Setting(
            key: "callback.signing-secrets", kind: .secrets(.plain) { $0.server.callbackSigningSecrets = $1 }, standard: nothing,
            meaning: "What X-Crisp-Signature must be made with, any one of them; none: it is not looked at."),
        Setting(
            key: "callback.signing-secrets-file", kind: .file { $0.secretFiles.callbackSigningSecrets = $1 }, standard: nothing,
            meaning: "A file with more of them, one a line."),
        Setting(
            key: "callback.users", kind: .secrets(.credentials) { $0.server.callbackUsers = $1 }, standard: nothing,
            meaning: "user:password that the callback URL must carry (HTTP Basic), any one of them; none: it is not looked at."),
        Setting(
            key: "callback.users-file", kind: .file { $0.secretFiles.callbackUsers = $1 }, standard: nothing,
            meaning: "A file with more of them, one a line."),
        Setting(
            key: "callback.signature-age-seconds-max",
            kind: .count(1...signatureAgeSecondsMax, or: nothing) { $0.server.callbackSignatureAgeSecondsMax = $1 }, standard: nothing,
            meaning: "How far a signature's timestamp may be from now. A replay is harmless, and a limit loses late retries; none: any."),
        Setting(
            key: "callback.authentication",
            kind: .choice(["required", "none"]) { $0.server.callbackAuthenticationNone = $1 == "none" },
            standard: "required",
            meaning: "required: beyond loopback callbacks must prove their origin (callback.keys, ...). none: anyone may post."),
        Setting(
            key: "api.listen", kind: .listen { $0.server.apiListen = $1 }, standard: "127.0.0.1:8080",
            meaning: "Where the delivery-status API answers."),
        Setting(
            key: "api.authentication",
            kind: .choice(["required", "none"]) { $0.server.apiAuthenticationNone = $1 == "none" },
            standard: "required",
            meaning: "required: the API asks for a token, but on loopback before the first is created. none: anyone may ask."),
        Setting(
            key: "client.url", kind: .url(or: automatic) { $0.client.url = $1 }, standard: automatic,
            meaning: "The server that status and follow ask; auto: http:// and api.listen."),
        Setting(
            key: "client.token-file", kind: .file { $0.client.tokenFile = $1 }, standard: nothing,
            meaning: "The file with the token that they show: identifier and key, as token create prints them."),
        Setting(
            key: "log.directory", kind: .directory { $0.server.logDirectory = $1 }, standard: "./callback-data",
            meaning: "Where the log of callbacks is kept."),
        Setting(
            key: "log.segment-bytes-max",
            kind: .size(mebibyte...2 * gibibyte) { $0.server.logSegmentBytesMax = $1 }, standard: "128MiB",
            meaning: "A file of the log is closed, and the next one begun, before it grows beyond this."),
        Setting(
            key: "log.retention.days",
            kind: .count(1...retentionDaysMax, or: nothing) { $0.server.logRetentionDays = $1 }, standard: nothing,
            meaning: "Callbacks older than this many days are removed, whole files of the log at a time; none: never."),
        Setting(
            key: "log.retention.bytes-max",
            kind: .sizeLimit(2 * mebibyte...1_048_576 * gibibyte) { $0.server.logRetentionBytesMax = $1 }, standard: nothing,
            meaning: "The oldest files of the log are removed while all together are larger than this; none: never."),
        Setting(
            key: "log.free-bytes-min",
            kind: .size(0...1_024 * gibibyte) { $0.server.logFreeBytesMin = $1 }, standard: "64MiB",
            meaning: "With less free space than this on its disk, callbacks are refused with 503."),
        Setting(
            key: "quarantine.bytes-max",
            kind: .size(mebibyte...1_024 * gibibyte) { $0.server.quarantineBytesMax = $1 }, standard: "64MiB",
            meaning: "What callbacks that were refused may take on the disk; the oldest go first."),
        Setting(
            key: "expectations.overdue-after-seconds",
            kind: .seconds(1...604_800) { $0.server.overdueAfterSeconds = $1 }, standard: "300",
            meaning: "How long after it was announced a request without a callback is overdue, where PUT names no time; in seconds."),
        Setting(
            key: "server.loops",
            kind: .count(1...loopsMax, or: automatic) { $0.server.loops = $1 ?? min(Processors.count, loopsMax) }, standard: automatic,
            meaning: "How many loops serve connections; auto: one for each processor."),
        Setting(
            key: "server.connections-max",
            kind: .count(1...connectionsMax, or: automatic) { $0.server.connectionsMax = $1 }, standard: automatic,
            meaning: "How many connections are open at once; auto: as the descriptor limit allows."),
        Setting(
            key: "server.connections-per-address-max",
            kind: .count(1...connectionsMax, or: nothing) { $0.server.connectionsPerAddressMax = $1 }, standard: nothing,
            meaning: "How many of them one client address (IPv6: one /64) may have open; trusted proxies as many as they like."),
        Setting(
            key: "server.trusted-proxies",
            kind: .networks(countMax: ServerConfiguration.trustedProxiesMax) { $0.server.trustedProxies = $1 },
            standard: nothing,
            meaning: "The proxies whose Forwarded or X-Forwarded-For says who the client is, for example [127.0.0.1, 10.0.0.0/8]."),
        Setting(
            key: "server.proxy-protocol",
            kind: .choice(["false", "true"]) { $0.server.hasProxyHeaders = $1 == "true" }, standard: "false",
            meaning: "true: connections from trusted proxies begin with a PROXY header (version 1 or 2), all others do not."),
        Setting(
            key: "server.timeouts.header-seconds",
            kind: .seconds(timeoutSeconds) { $0.server.headerSeconds = $1 }, standard: "10",
            meaning: "How long the header of a request may take to arrive, in seconds."),
        Setting(
            key: "server.timeouts.body-seconds",
            kind: .seconds(timeoutSeconds) { $0.server.bodySeconds = $1 }, standard: "30",
            meaning: "How long the body of a request may take to arrive, in seconds."),
        Setting(
            key: "server.timeouts.idle-seconds",
            kind: .seconds(timeoutSeconds) { $0.server.idleSeconds = $1 }, standard: "75",
            meaning: "How long a connection may rest between requests, in seconds."),
        Setting(
            key: "server.timeouts.drain-seconds",
            kind: .seconds(timeoutSeconds) { $0.server.drainSeconds = $1 }, standard: "30",
            meaning: "How long a stop waits for requests under way, in seconds."),
        Setting(
            key: "logging.level",
            kind: .choice(Logger.Level.allCases.map(\.rawValue)) {
                if let level = Logger.Level(rawValue: $1) { $0.logLevel = level }
            },
            standard: "info",
            meaning: "The least severe event that is written to standard error."),
        Setting(
            key: "logging.format",
            kind: .choice(LineFormat.allCases.map(\.rawValue)) {
                if let format = LineFormat(rawValue: $1) { $0.logFormat = format }
            },
            standard: "logfmt",
            meaning: "How events are written: logfmt, for people and grep, or json, an object a line."),
        Setting(
            key: "logging.access",
            kind: .choice(["false", "true"]) { $0.server.logsAccess = $1 == "true" }, standard: "false",
            meaning: "true: each request that is answered is an event, of level info: method, path, status, peer, milliseconds; no query."),
    ]

    /// The setting of that name.
    static func named(_ key: String) -> Setting? { all.first { $0.key == key } }

    /// Every section: `callback`, `server`, `server.timeouts`.
    static let sections: Set<String> = Set(
        all.flatMap { setting in
            let parts = setting.key.split(separator: ".")
            return (1..<parts.count).map { parts.prefix($0).joined(separator: ".") }
        })
}
