// The proof of origin on the callback route: each kind, all kinds together, and what a refusal says and does not say.

import CrispCallback
import Foundation
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("A callback's origin")
struct CallbackOriginTests {
    private static func secrets(_ texts: String...) -> [Secret] { texts.map { Secret(Array($0.utf8)) } }

    private func status(_ step: RouterStep, _ target: String, _ fields: [String] = [], body: String = callback("a")) throws -> Int {
        let (answer, prepared) = try step.route(postBytes(body, to: target, fields: fields))
        return prepared == nil ? answer.status : 200
    }

    private func signature(_ secret: String, _ timestamp: String, _ body: String) -> [String] {
        let code = HMACSHA256.code(key: Array(secret.utf8).span, message: Array("[\(timestamp);\(body)]".utf8).span)
        let digits = code.map { String(format: "%02x", $0) }.joined()
        return ["X-Crisp-Signature: \(digits)", "X-Crisp-Request-Timestamp: \(timestamp)"]
    }

    @Test("the key of the URL is any one of those configured, once, percent-decoded")
    func key() throws {
        let step = try RouterStep { $0.callbackKeys = Self.secrets("secret-one", "ä+ &/") }
        for target in ["/callback?key=secret-one", "/callback/?a=b&key=secret-one", "/callback?key=%73ecret-one&x", "/callback?key=%C3%A4+%20%26/"] {
            #expect(try status(step, target) == 200, "\(target)")
        }
        for target in [
            "/callback", "/callback?", "/callback?key", "/callback?key=", "/callback?key=secret-on", "/callback?key=secret-onee", "/callback?KEY=secret-one",
            "/callback?key=secret-one&key=secret-one", "/callback?key=wrong&key=secret-one", "/callback?key=secret-one%", "/callback?key=secret-one%20",
        ] {
            #expect(try status(step, target) == 401, "\(target)")
        }
    }

    @Test("Basic credentials are any of those configured, in one field")
    func users() throws {
        let step = try RouterStep { $0.callbackUsers = Self.secrets("crisp:pass:word", "other:x") }
        for credentials in ["crisp:pass:word", "other:x"] { #expect(try status(step, "/callback", [basic(credentials)]) == 200) }
        for fields in [[], [basic("crisp:pass")], [basic("crisp:pass:word"), basic("crisp:pass:word")], ["Authorization: Bearer x"], [basic("other:x") + "="]] {
            let answer = try step.route(postBytes(callback("a"), fields: fields)).0
            #expect(answer.status == 401)
            #expect(answer.fields["WWW-Authenticate"] == "Basic realm=\"callback\", charset=\"UTF-8\"")
        }
    }

    @Test("a signature is over timestamp and raw body, by any of the secrets, not too far from now where that is asked")
    func signatures() throws {
        let body = "  " + callback("a") + " "
        let seconds = RouterStep.now / 1_000
        let step = try RouterStep {
            $0.callbackSigningSecrets = Self.secrets("s1", "s2")
            $0.callbackSignatureAgeSecondsMax = 60
        }
        for secret in ["s1", "s2"] {
            for timestamp in ["\(seconds)", "\(seconds - 59)", "\(RouterStep.now + 59_000)"] {
                #expect(try status(step, "/callback", signature(secret, timestamp, body), body: body) == 200)
            }
            #expect(try status(step, "/callback", signature(secret, "\(seconds - 62)", body), body: body) == 401)
        }
        let right = signature("s1", "\(seconds)", body)
        #expect(try status(step, "/callback", signature("s3", "\(seconds)", body), body: body) == 401)
        #expect(try status(step, "/callback", right, body: callback("a")) == 401)
        #expect(try status(step, "/callback", [right[0]], body: body) == 401)
        #expect(try status(step, "/callback", [right[1]], body: body) == 401)
        #expect(try status(step, "/callback", right + [right[0]], body: body) == 401)
    }

    @Test("every kind that is configured must be proved, and the refusal names the one that is not")
    func all() throws {
        let step = try RouterStep {
            $0.callbackKeys = Self.secrets("secret-key")
            $0.callbackUsers = Self.secrets("u:secret-password")
            $0.callbackSigningSecrets = Self.secrets("secret-signing")
        }
        let key = "/callback?key=secret-key"
        let signed = signature("secret-signing", "1", callback("a"))
        #expect(try status(step, key, [basic("u:secret-password")] + signed) == 200)
        for (target, fields, text) in [
            ("/callback", [basic("u:secret-password")] + signed, "the URL has no parameter key"), (key, signed, "no field Authorization"),
            (key, [basic("u:secret-password")], "no field X-Crisp-Signature"), (key, [basic("u:wrong")] + signed, "the Basic credentials are none of callback.users"),
            ("/callback?key=secret-wrong", [], "the key in the URL is none of callback.keys"),
        ] {
            let answer = try step.route(postBytes(callback("a"), to: target, fields: fields)).0
            #expect(answer.status == 401 && answer.body.contains(text), "\(answer.body)")
            // Among others: that "secret" is nowhere in it.
            try expectProblem(answer, instance: "/callback")
            #expect(answer.fields["WWW-Authenticate"] != nil)
        }
    }

    @Test("it is asked for after the method and overload, and before the body is looked at; the API asks for none")
    func order() throws {
        let step = try RouterStep { $0.callbackKeys = Self.secrets("secret-key") }
        #expect(try step.get("/callback").status == 405)
        #expect(try status(step, "/callback", body: "no JSON") == 401)
        #expect(try status(step, "/callback?key=secret-key", body: "no JSON") == 400)
        #expect(try step.route(postBytes(callback("a")), isOverloaded: true).0.status == 503)
        #expect(try step.get("/v1/requests/a").status == 404)
        #expect(try step.get("/healthz").status == 200)
    }

    @Test("the first refusal is a warning that names what was missing; all of them are counted, and no line shows a secret")
    func logged() throws {
        let server = try RunningServer { $0.callbackKeys = Self.secrets("secret-key") }
        for target in ["/callback", "/callback?key=secret-wrong", "/callback?key=secret-key"] {
            _ = try server.exchange(postBytes(callback("a"), to: target))
        }
        server.stop()
        let refusals = server.lines.lines.filter { $0.contains("refused") }
        #expect(refusals.count == 2)
        #expect(refusals.first?.hasPrefix("warning a callback was refused because nothing proves where it is from") == true)
        #expect(refusals.first?.contains("reason=the URL has no parameter key") == true)
        #expect(refusals.last?.contains("reason=the key in the URL is none of callback.keys") == true)
        #expect(!server.lines.lines.joined().contains("secret-"))
    }

    @Test("a secret out of the configuration prints as nothing, however it is printed")
    func hidden() {
        var configuration = ServerConfiguration()
        configuration.callbackKeys = Self.secrets("secret-key")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret-key") && !text.contains("115, 101, 99"))
        }
    }
}
