// API §2: two addresses, so that what the internet reaches serves nothing but the callback.
//
// Promises: each side is asked for everything the other serves.
// Must not know: which line comes first; the two loopback hosts tell them apart.

import Foundation
import Testing
import TestSupport

@Suite("Two addresses")
struct ListenerTests {
    @Test("the callback address serves only the callback, the API address everything else")
    func separate() throws {
        let server = try ServerProcess(
            listen: nil,
            configuration: """
                callback:
                  listen: 127.0.0.1:0
                api:
                  listen: 127.0.0.2:0
                """,
            addressCount: 2)
        #expect(server.addresses.count == 2)
        let callback = try #require(server.addresses.first { $0.host == "127.0.0.1" })
        let api = try #require(server.addresses.first { $0.host == "127.0.0.2" })

        func exchange(_ address: ServerProcess.Address, _ bytes: [UInt8]) throws -> Answer {
            let connection = try RawConnection(host: address.host, port: address.port)
            try connection.send(bytes)
            return try connection.readAnswer()
        }
        #expect(try exchange(callback, postBytes(sentPayload("x"))).status == 200)
        #expect(try exchange(api, requestBytes("GET", "/v1/requests/x")).status == 200)
        #expect(try exchange(api, requestBytes("GET", "/healthz")).status == 200)
        #expect(try exchange(api, requestBytes("GET", "/readyz")).status == 200)
        for target in ["/", "/page.css", "/page.js", "/v1/requests/x", "/v1/requests/x/callbacks", "/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/requests"] {
            try expectProblem(try exchange(callback, requestBytes("GET", target)), 404, instance: target)
        }
        for target in ["/callback", "/callback/"] {
            try expectProblem(try exchange(api, postBytes(sentPayload("y"), to: target)), 404, instance: target)
        }
        #expect(try exchange(api, requestBytes("GET", "/v1/requests/y")).status == 404)
    }

    /// Whether this machine has an IPv6 loopback address.
    private static let hasIPv6 = FileManager.default.contents(atPath: "/proc/net/if_inet6")?.isEmpty == false

    @Test("an IPv6 address is written in brackets", .enabled(if: hasIPv6, "no IPv6 here"))
    func version6() throws {
        let server = try ServerProcess(listen: "[::1]:0")
        #expect(server.addresses[0].host == "[::1]")
        #expect(server.child.standardOutput == "listening on http://[::1]:\(server.port)\n")
    }
}
