// API §3, proof of origin: a key in the URL, Basic credentials, a signature; each kind that is configured must be proved.
//
// Promises: signatures are made by openssl on the command line; every refusal has an accepted neighbour.
// Must not know: how secrets are compared.

import Foundation
import Testing
import TestSupport

@Suite("Proof of origin")
struct ProofOfOriginTests {
    private static let hasOpenSSL = InstalledProgram.path(of: "openssl") != nil

    private func server(_ yaml: String) throws -> ServerProcess { try ServerProcess(configuration: "callback:\n" + yaml) }

    private func expectRefused(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectProblem(answer, 401, sourceLocation: sourceLocation)
        #expect(answer["WWW-Authenticate"] != nil, "RFC 9110 §15.5.2", sourceLocation: sourceLocation)
    }

    /// Posts a fresh callback.
    private func post(_ server: ServerProcess, _ target: String = "/callback", fields: [String] = []) throws -> Answer {
        try server.exchange(postBytes(sentPayload(Shared.freshIdentifier()), to: target, fields: fields))
    }

    @Test("any of the keys in the URL proves it, and nothing else")
    func keys() throws {
        let server = try server("  keys: [first-key-0123456789, \"second key/+&=%\"]\n")
        for target in ["/callback?key=first-key-0123456789", "/callback/?key=first-key-0123456789", "/callback?key=second%20key%2F%2B%26%3D%25", "/callback?x=1&key=first-key-0123456789"] {
            #expect(try post(server, target).status == 200, "\(target)")
        }
        for target in [
            "/callback", "/callback?key=", "/callback?key", "/callback?key=wrong", "/callback?key=first-key-012345678", "/callback?key=first-key-01234567890",
            "/callback?KEY=first-key-0123456789", "/callback?Key=first-key-0123456789", "/callback?x=first-key-0123456789", "/callback?key=FIRST-KEY-0123456789", "/callback?keyfirst-key-0123456789",
        ] {
            try expectRefused(try post(server, target))
        }
        try expectRefused(try post(server, fields: ["Key: first-key-0123456789", "Authorization: Basic first-key-0123456789"]))
        #expect(try server.get("/healthz").status == 200)
    }

    @Test("any of the users proves it (RFC 7617)")
    func users() throws {
        let server = try server("  users: [\"crisp:s3cret-password\", \"other:with:colons é\"]\n")
        for (user, password) in [("crisp", "s3cret-password"), ("other", "with:colons é")] {
            #expect(try post(server, fields: [Token.field(user, password)]).status == 200)
        }
        for field in [
            Token.field("crisp", "wrong"), Token.field("other", "s3cret-password"), Token.field("", ""), Token.field("crisp", ""), "X: y",
            "Authorization: Bearer s3cret-password", "Authorization: Basic ????", Token.field("crisp:s3cret-password", ""), Token.field("CRISP", "s3cret-password"),
        ] {
            let answer = try post(server, fields: [field])
            try expectRefused(answer)
            #expect(answer["WWW-Authenticate"]?.hasPrefix("Basic") == true)
        }
    }

    /// Hex HMAC-SHA256 by openssl, over what Crisp signs.
    private func signature(_ body: String, timestamp: String, secret: String) throws -> String {
        let place = try TemporaryDirectory()
        let file = try place.write("[\(timestamp);\(body)]", to: "signed")
        let run = try InstalledProgram.run(try #require(InstalledProgram.path(of: "openssl")), ["dgst", "-sha256", "-hmac", secret, "-hex", file])
        return try #require(run.output.split { $0.isWhitespace }.last.map(String.init))
    }

    private func signed(_ body: String, _ signature: String?, _ timestamp: String?) -> [UInt8] {
        postBytes(
            body,
            fields: (signature.map { ["X-Crisp-Signature: \($0)"] } ?? []) + (timestamp.map { ["X-Crisp-Request-Timestamp: \($0)"] } ?? []))
    }

    @Test("a signature over timestamp and raw body proves it", .enabled(if: hasOpenSSL, "no openssl"))
    func signatures() throws {
        let server = try server("  signing-secrets: [secret-one-abcdef, secret-two-abcdef]\n")
        for (secret, timestamp) in [("secret-one-abcdef", "1763850031"), ("secret-two-abcdef", "1763850031500"), ("secret-one-abcdef", "")] {
            // What is signed are the bytes, white space and all.
            let body = "{ \"request_id\" : \"\(Shared.freshIdentifier())\" , \"a\" : \"é\" }\n"
            let right = try signature(body, timestamp: timestamp, secret: secret)
            #expect(try server.exchange(signed(body, right, timestamp)).status == 200, "\(timestamp)")
            #expect(try server.exchange(signed(body, right.uppercased(), timestamp)).status == 200)
            try expectRefused(try server.exchange(signed(body, nil, timestamp)))
            try expectRefused(try server.exchange(signed(body, String(right.dropLast()), timestamp)))
            try expectRefused(try server.exchange(signed(body, right + "00", timestamp)))
            try expectRefused(try server.exchange(signed(body, String(repeating: "0", count: 64), timestamp)))
            try expectRefused(try server.exchange(signed(body, "", timestamp)))
            try expectRefused(try server.exchange(signed(body + " ", right, timestamp)))
            try expectRefused(try server.exchange(signed(body, right, timestamp + "1")))
            try expectRefused(try server.exchange(signed(body, try signature(body, timestamp: timestamp, secret: "another"), timestamp)))
        }
        try expectRefused(try post(server))
    }

    @Test("an age limit takes what is young enough, in seconds or milliseconds, and refuses the rest", .enabled(if: hasOpenSSL, "no openssl"))
    func age() throws {
        let secret = "secret-one-abcdef"
        let server = try server("  signing-secrets: [\(secret)]\n  signature-age-seconds-max: 300\n")
        let now = Int(Date().timeIntervalSince1970)
        for (timestamp, isTaken) in [
            ("\(now)", true), ("\(now)000", true), ("\(now - 200)", true), ("\(now - 400)", false), ("\(now - 400)000", false), ("", false), ("x", false), ("0", false),
            ("\(now).5", false), ("-\(now)", false), ("99999999999999999999", false),
        ] {
            let body = sentPayload(Shared.freshIdentifier())
            let answer = try server.exchange(signed(body, try signature(body, timestamp: timestamp, secret: secret), timestamp))
            #expect(answer.status == (isTaken ? 200 : 401), "\(timestamp)")
        }
        let body = sentPayload(Shared.freshIdentifier())
        try expectRefused(try server.exchange(signed(body, try signature(body, timestamp: "", secret: secret), nil)))
    }

    @Test("every kind that is configured must be proved", .enabled(if: hasOpenSSL, "no openssl"))
    func all() throws {
        let server = try server("  keys: [key-0123456789abc]\n  users: [\"crisp:password-0123\"]\n  signing-secrets: [secret-one-abcdef]\n")
        let body = sentPayload(Shared.freshIdentifier())
        let fields = [Token.field("crisp", "password-0123"), "X-Crisp-Signature: \(try signature(body, timestamp: "1", secret: "secret-one-abcdef"))", "X-Crisp-Request-Timestamp: 1"]
        for missing in 0..<2 {
            var some = fields
            some.remove(at: missing)
            try expectRefused(try server.exchange(postBytes(body, to: "/callback?key=key-0123456789abc", fields: some)))
        }
        try expectRefused(try server.exchange(postBytes(body, fields: fields)))
        #expect(try server.exchange(postBytes(body, to: "/callback?key=key-0123456789abc", fields: fields)).status == 200)
    }

    @Test("over HTTP/2 it is the same")
    func http2() throws {
        let server = try server("  keys: [key-0123456789abc]\n")
        let connection = try HTTP2Connection(port: server.port)
        let body = Array(sentPayload("a").utf8)
        try expectRefused(try connection.exchange("POST", "/callback", body: body))
        #expect(try connection.exchange("POST", "/callback?key=key-0123456789abc", body: body).status == 200)
    }

    @Test("a secret may stand in a file of its own, one a line")
    func file() throws {
        let place = try TemporaryDirectory()
        let file = try place.write("key-in-a-file-0001\nkey-in-a-file-0002\n", to: "keys")
        let server = try server("  keys-file: \(file)\n")
        for key in ["key-in-a-file-0001", "key-in-a-file-0002"] { #expect(try post(server, "/callback?key=\(key)").status == 200) }
        try expectRefused(try post(server))
    }

    @Test("what is not proved is not stored, says nothing of a duplicate, and no secret is told anybody")
    func secrecy() throws {
        let server = try ServerProcess(
            configuration: "callback:\n  keys: [key-0123456789abc]\n  users: [\"crisp:password-0123\"]\n", environment: ["CALLBACK_RECEIVER_LOGGING_LEVEL": "trace"])
        let payload = sentPayload("proved")
        let answers = [
            try server.post(payload, to: "/callback?key=key-0123456789abc"),
            try server.exchange(postBytes(payload, to: "/callback?key=key-0123456789abc", fields: [Token.field("crisp", "password-0123")])),
            try server.post(payload), try server.post("x", to: "/callback?key=wrong-key-4567"), try server.get("/callback?key=key-0123456789abc"),
        ]
        #expect(answers.map(\.status) == [401, 200, 401, 401, 405])
        #expect(try server.status(of: "proved").object().integer("callbacks") == 1)
        let shown = try runToExit(["config", "show"], environment: ["CALLBACK_RECEIVER_CALLBACK_KEYS": "key-0123456789abc"])
        try server.terminate()
        for text in answers.map(\.text) + [server.child.standardError, server.child.standardOutput, shown.output, shown.error] {
            for secret in ["key-0123456789abc", "password-0123", "wrong-key-4567"] { #expect(!text.contains(secret), "\(text)") }
        }
        // The first refusal is said, with what was missing.
        #expect(server.child.standardError.contains("level=warning"))
    }

    @Test("beyond loopback a configured proof suffices, and then the API needs a token")
    func beyondLoopback() throws {
        let server = try ServerProcess(listen: "0.0.0.0:0", configuration: "callback:\n  keys: [key-0123456789abc]\n")
        func exchange(_ bytes: [UInt8]) throws -> Answer {
            let connection = try RawConnection(port: server.port)
            try connection.send(bytes)
            return try connection.readAnswer()
        }
        #expect(try exchange(postBytes(sentPayload("a"), to: "/callback?key=key-0123456789abc")).status == 200)
        try expectRefused(try exchange(postBytes(sentPayload("a"))))
        try expectRefused(try exchange(requestBytes("GET", "/v1/requests/a")))
        let token = try Token.create(in: server.directory)
        try eventually("the token counts") { try exchange(requestBytes("GET", "/v1/requests/a", fields: [token.field])).status == 200 }
    }
}
