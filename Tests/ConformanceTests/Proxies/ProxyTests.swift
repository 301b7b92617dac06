// The examples in deploy/proxies, each in the real program, before the real server.
//
// Promises: each test has a proxy and a server of its own; whatever the proxy wrote is searched for the key.
// A proxy that is not installed is named as skipped by its checking test.
// Must not know: how an example reaches its end.

import Foundation
import Testing
import TestSupport

@Suite("Behind a proxy")
struct ProxyTests {
    private static func check(_ kind: ProxyKind) throws {
        let result = try Proxy.check(kind)
        #expect(result.status == .exited(0), "\(result.output)\(result.error)")
    }

    // These three say which proxies are missing; the tests below run with those that are there.
    @Test("nginx takes its example", .enabled(if: ProxyKind.nginx.isInstalled, "no nginx (nginx-light), openssl or curl"))
    func checkNginx() throws { try Self.check(.nginx) }
    @Test("Caddy takes its example", .enabled(if: ProxyKind.caddy.isInstalled, "no caddy, openssl or curl"))
    func checkCaddy() throws { try Self.check(.caddy) }
    @Test("HAProxy takes its example", .enabled(if: ProxyKind.haproxy.isInstalled, "no haproxy, openssl or curl"))
    func checkHAProxy() throws { try Self.check(.haproxy) }

    @Test("a callback is stored and answered, over HTTP/1.1 and HTTP/2", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func stored(kind: ProxyKind, version: SpokenVersion) throws {
        let server = try ServerProcess()
        let proxy = try Proxy(kind, upstream: server.port)
        for (target, duplicate) in [("/callback?key=secret", "false"), ("/callback?key=secret", "true"), ("/callback/?key=secret", "true"), ("/callback", "true")] {
            let answer = try proxy.post(version, sentPayload("a"), to: target)
            #expect(answer.status == 200, "\(target): \(answer)")
            #expect(answer.version == version.number)
            #expect(answer.body == #"{"request_id":"a","status":"sent","sequence":1,"duplicate":\#(duplicate)}"#)
        }
        #expect(try server.log().records.map(\.requestIdentifier) == ["a"])
    }

    @Test("nothing but the callback is reached, however the path is spelt", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func onlyTheCallback(kind: ProxyKind, version: SpokenVersion) throws {
        // One address for everything: it is the proxy alone that stands before the API.
        let server = try ServerProcess()
        let proxy = try Proxy(kind, upstream: server.port)
        #expect(try proxy.post(version, sentPayload("hidden")).status == 200)
        #expect(try server.get("/v1/requests/hidden").status == 200)
        let targets = [
            "/v1/requests/hidden", "/v1/requests/hidden/callbacks", "/healthz", "/readyz", "/metrics", "/openapi.json", "/",
            "/callback/../v1/requests/hidden", "/callback/..%2fv1/requests/hidden", "/callback%2f..%2fv1/requests/hidden",
            "/callback/%2e%2e/v1/requests/hidden", "//v1/requests/hidden", "/callback//v1/requests/hidden", "/callback/v1/requests/hidden",
            "/v1/requests/hidden?/callback", "/v1/requests/hidden%3f/callback", "/callback;/../v1/requests/hidden", "/callback%00/v1/requests/hidden",
        ]
        for target in targets {
            for more in [[], ["--header", "Host: 127.0.0.1"]] {
                let answer = try proxy.request(version, target, more)
                #expect([400, 404, 421].contains(answer.status), "\(target) \(more): \(answer)")
                #expect(!answer.body.contains("hidden"), "\(target) \(more): \(answer)")
            }
        }
    }

    @Test("a callback for another host is stored or refused, never just answered", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func otherHost(kind: ProxyKind, version: SpokenVersion) throws {
        let server = try ServerProcess()
        let proxy = try Proxy(kind, upstream: server.port)
        let answer = try proxy.request(version, "/callback", ["--header", "Host: other.example.com", "--data-binary", sentPayload("a")])
        let records = try server.log().records.count
        #expect((answer.status == 200) == (records == 1), "\(answer), \(records) records")
    }

    @Test("a body of 64 KiB passes, a longer one is 413", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func bodies(kind: ProxyKind, version: SpokenVersion) throws {
        let server = try ServerProcess()
        let proxy = try Proxy(kind, upstream: server.port)
        let place = try TemporaryDirectory()
        for (bytes, status) in [(65_536, 200), (65_537, 413), (200_000, 413)] {
            let start = #"{"request_id":"large","whatsapp_message_id":"w","padding":""#
            let file = try place.write(start + String(repeating: "p", count: bytes - start.utf8.count - 2) + "\"}", to: "body")
            for more in [[], ["--header", "Transfer-Encoding: chunked"]] where version == .http1 || more.isEmpty {
                let answer = try proxy.request(version, "/callback?key=secret", ["--data-binary", "@" + file] + more)
                #expect(answer.status == status, "\(bytes) bytes \(more): \(answer)")
            }
        }
        #expect(try server.log().records.count == 1)
    }

    @Test("a server that was killed and started anew gets the next callback", arguments: ProxyKind.installed)
    func restart(kind: ProxyKind) throws {
        let first = try ServerProcess()
        let proxy = try Proxy(kind, upstream: first.port)
        for version in SpokenVersion.allCases { #expect(try proxy.post(version, sentPayload("before-\(version.number)")).status == 200) }
        try first.child.kill9()
        let second = try ServerProcess(directory: first.directory, listen: "127.0.0.1:\(first.port)")
        for version in SpokenVersion.allCases { #expect(try proxy.post(version, sentPayload("after-\(version.number)")).status == 200) }
        #expect(try second.log().records.map(\.requestIdentifier) == ["before-1.1", "before-2", "after-1.1", "after-2"])
    }

    @Test("a callback that comes while the server does not run waits for it", arguments: ProxyKind.installed.filter(\.waitsForRestart), SpokenVersion.allCases)
    func whileDown(kind: ProxyKind, version: SpokenVersion) throws {
        let first = try ServerProcess()
        let proxy = try Proxy(kind, upstream: first.port)
        try first.child.kill9()
        let place = try TemporaryDirectory()
        let trace = place.path(of: "trace")
        let curl = try proxy.start(version, "/callback?key=secret", ["--data-binary", sentPayload("waiting"), "--trace-ascii", trace])
        try eventually("the callback to be sent") {
            String(decoding: FileManager.default.contents(atPath: trace) ?? Data(), as: UTF8.self).contains("=> Send data")
        }
        #expect(curl.exitStatus == nil)
        let second = try ServerProcess(directory: first.directory, listen: "127.0.0.1:\(first.port)")
        let answer = try Proxy.answer(curl)
        #expect(answer.status == 200, "\(answer)")
        #expect(try second.log().records.map(\.requestIdentifier) == ["waiting"])
    }

    @Test("200 callbacks one after another and 200 at a time are each stored once", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func many(kind: ProxyKind, version: SpokenVersion) throws {
        let server = try ServerProcess()
        let proxy = try Proxy(kind, upstream: server.port)
        let identifiers = (0..<400).map { "many-\($0)" }
        var statuses = try proxy.postMany(version, identifiers.prefix(200).map { sentPayload($0) }, atATime: 1)
        statuses += try proxy.postMany(version, identifiers.suffix(200).map { sentPayload($0) }, atATime: 50)
        #expect(statuses == Array(repeating: "200", count: 400))
        let log = try server.log()
        #expect(log.violations() == [])
        #expect(log.records.compactMap(\.requestIdentifier).sorted() == identifiers.sorted())
    }

    @Test("HAProxy may speak HTTP/2 to the server", .enabled(if: ProxyKind.haproxy.isInstalled, "no haproxy, openssl or curl"), arguments: SpokenVersion.allCases)
    func haproxyHTTP2(version: SpokenVersion) throws {
        let server = try ServerProcess()
        let proxy = try Proxy(.haproxy, upstream: server.port, serverOption: " proto h2")
        let identifiers = (0..<200).map { "many-\($0)" }
        #expect(try proxy.postMany(version, identifiers.map { sentPayload($0) }, atATime: 50) == Array(repeating: "200", count: 200))
        // An answer that comes before all of the body was sent: the stream goes on for a while, so that it is not lost.
        let place = try TemporaryDirectory()
        let large = try place.write(sentPayload("large", String(repeating: "x", count: 200_000)), to: "body")
        for _ in 0..<10 {
            #expect(try proxy.request(version, "/callback?key=secret", ["--data-binary", "@" + large]).status == 413)
        }
        try server.child.kill9()
        let second = try ServerProcess(directory: server.directory, listen: "127.0.0.1:\(server.port)")
        #expect(try proxy.post(version, sentPayload("after")).status == 200)
        #expect(try second.log().records.compactMap(\.requestIdentifier).sorted() == (identifiers + ["after"]).sorted())
    }
}
