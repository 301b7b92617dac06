// What a proxy tells: callback-receiver who connected, and nobody the key.
//
// Promises: the proxy is brought to say everything it has to say: about refusals, about a server that is away,
// hangs up or answers nonsense. An access log that says nothing at all would fail, too.
// Must not know: how a proxy's log looks.

import Foundation
import Testing
import TestSupport

@Suite("What a proxy tells", .enabled(if: Upstream.isAvailable, "no python3 with h2 (python3-h2)"))
struct SecrecyTests {
    /// In every query here, and nowhere else.
    private static let key = "5ecretKey7"

    @Test("the key is in nothing that a proxy writes", arguments: ProxyKind.installed)
    func key(kind: ProxyKind) throws {
        let upstream = try Upstream()
        let proxy = try Proxy(kind, upstream: upstream.port)
        let query = "?key=\(Self.key)"
        let place = try TemporaryDirectory()
        let large = try place.write(String(repeating: "x", count: 3_000_000), to: "large")
        let referer = ["--header", "Referer: https://\(Proxy.host)/callback\(query)", "--user-agent", "curl"]
        for version in SpokenVersion.allCases {
            #expect(try proxy.request(version, "/callback" + query, ["--data-binary", "{}"] + referer).status == 200)
            for target in ["/", "/callback%3Fkey=\(Self.key)", "/v1/requests/x", "/callback/../x", "//callback/"] {
                _ = try proxy.request(version, target + query, referer)
            }
            _ = try proxy.request(version, "/callback" + query, ["--data-binary", "@" + large])
            _ = try proxy.request(version, "/callback" + query, ["--header", "X: " + String(repeating: "x", count: 40_000)])
            _ = try proxy.request(version, "/callback" + query, ["--request", "NO SUCH METHOD"])
            for behaviour in ["close", "garbage"] {
                let answer = try proxy.post(version, "{}", to: "/callback\(query)&do=\(behaviour)")
                // HAProxy may close without a word, so that the client tries again.
                #expect(answer.status >= 500 || answer.status == 0, "\(behaviour): \(answer)")
            }
            // The client hangs up with its request half sent.
            let half = try proxy.start(version, "/callback" + query, ["--data-binary", "@" + large, "--limit-rate", "10k", "--max-time", "1"])
            _ = try Proxy.answer(half)
        }
        try upstream.child.kill9()
        let away = try SpokenVersion.allCases.map { try proxy.start($0, "/callback" + query, ["--data-binary", "{}"]) }
        for curl in away { #expect(try Proxy.answer(curl).status >= 500) }

        let texts = try proxy.stopAndCollect()
        for (name, text) in texts {
            let line = text.split(separator: "\n").first { $0.contains(Self.key) }
            #expect(line == nil, "in \(name)")
        }
        let log = texts.values.filter { $0.contains("POST") && $0.contains("127.0.0.1") && $0.contains("200") }
        #expect(!log.isEmpty, "no access log in \(texts.keys.sorted())")
    }

    @Test("X-Forwarded-For is who connected, whatever the client claims, and the query arrives whole", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func forwarded(kind: ProxyKind, version: SpokenVersion) throws {
        let upstream = try Upstream()
        let proxy = try Proxy(kind, upstream: upstream.port)
        let claims = [
            "X-Forwarded-For: 203.0.113.9", "x-forwarded-for: 203.0.113.10", "Forwarded: for=203.0.113.9", "forwarded: for=203.0.113.10",
            "X-Crisp-Signature: abc", "Authorization: Basic YTpi",
        ].flatMap { ["--header", $0] }
        #expect(try proxy.request(version, "/callback/?key=a%26b&x=%2F", claims + ["--data-binary", "{ }"]).status == 200)
        let seen = try #require(try upstream.requests().first)
        #expect(seen.method == "POST")
        #expect(["/callback?key=a%26b&x=%2F", "/callback/?key=a%26b&x=%2F"].contains(seen.target))
        #expect(seen.body == "{ }")
        #expect(seen.values(of: "x-forwarded-for") == ["127.0.0.1"])
        #expect(seen.values(of: "forwarded") == [])
        #expect(seen.values(of: "x-crisp-signature") == ["abc"])
        #expect(seen.values(of: "authorization") == ["Basic YTpi"])
        #expect(seen.version == kind.upstreamVersion)
    }

    @Test("a server that trusts the proxy names the client that the proxy names, in its own log", arguments: ProxyKind.installed, SpokenVersion.allCases)
    func trusted(kind: ProxyKind, version: SpokenVersion) throws {
        let server = try ServerProcess(configuration: "server:\n  trusted-proxies: [127.0.0.1]\n")
        let proxy = try Proxy(kind, upstream: server.port)
        let claims = ["--header", "X-Forwarded-For: 203.0.113.9", "--header", "Forwarded: for=203.0.113.9"]
        let answer = try proxy.request(version, "/callback?key=\(Self.key)", claims + ["--interface", "127.0.0.9", "--data-binary", "no JSON"])
        #expect(answer.status == 400, "\(answer)")
        let log = try eventually("the refusal in the log: \(server.child.standardError)") {
            server.child.standardError.contains("status=400") ? server.child.standardError : nil
        }
        #expect(log.contains("peer=127.0.0.9"), "\(log)")
        #expect(!log.contains("203.0.113.9"))
        #expect(!log.contains(Self.key))
    }

    @Test("a POST whose connection dies is sent again, whole", arguments: ProxyKind.installed.filter(\.sendsAgain), SpokenVersion.allCases)
    func again(kind: ProxyKind, version: SpokenVersion) throws {
        let upstream = try Upstream()
        let proxy = try Proxy(kind, upstream: upstream.port)
        // The first leaves a connection that is kept: what dies later is one like it.
        #expect(try proxy.post(version, "{}").status == 200)
        let answer = try proxy.post(version, #"{"a":1}"#, to: "/callback?key=secret&do=close-once")
        #expect(answer.status == 200, "\(answer)")
        #expect(try upstream.requests().map(\.body) == ["{}", #"{"a":1}"#, #"{"a":1}"#])
    }
}
