// Who may post a callback: the three proofs, with several secrets each, and everything that is none.

import CrispCallback
import Foundation
import Testing

@Suite("proof of origin")
struct ProofOfOriginTests {
    private static let now: Int64 = 1_779_301_225_000
    private static let body = #"{"request_id":"6ea55176-25c7-4ae1-9bd2-7e03dfbb4b8e","whatsapp_message_id":"wamid.1"}"#

    private func proof(
        keys: [String] = [], users: [String] = [], secrets: [String] = [], ageSecondsMax: Int? = nil
    ) -> ProofOfOrigin {
        ProofOfOrigin(
            keys: keys.map { Array($0.utf8) }, users: users.map { Array($0.utf8) }, signingSecrets: secrets.map { Array($0.utf8) },
            signatureAgeSecondsMax: ageSecondsMax)
    }

    private func evidence(
        key: String? = nil, authorization: String? = nil, signature: String? = nil, timestamp: String? = nil
    ) -> OriginEvidence {
        // Slices of something longer, as fields are of a head.
        func slice(_ text: String) -> ArraySlice<UInt8> { ([0x20] + Array(text.utf8) + [0x20])[1..<text.utf8.count + 1] }
        return OriginEvidence(
            key: key.map { Array($0.utf8) }, authorization: authorization.map { slice($0) }, signature: signature.map { slice($0) },
            timestamp: timestamp.map { slice($0) })
    }

    private func basic(_ credentials: String) -> String { "Basic \(Data(credentials.utf8).base64EncodedString())" }

    @Test("without a secret of any kind nothing is asked for, and that can be told")
    func none() {
        let proof = proof()
        #expect(!proof.isConfigured && proof.refusal(evidence(), body: [], now: Self.now) == nil)
        #expect(self.proof(keys: ["k"]).isConfigured && self.proof(users: ["u:p"]).isConfigured && self.proof(secrets: ["s"]).isConfigured)
    }

    @Test("any of the keys opens, and nothing else")
    func keys() {
        let proof = proof(keys: ["first key", "second key", "\u{1F511}"])
        for key in ["first key", "second key", "\u{1F511}"] {
            #expect(proof.refusal(evidence(key: key), body: [], now: Self.now) == nil)
        }
        for key in ["", "first", "first key ", "First key", "third key", "first keysecond key", "first key\0"] {
            #expect(proof.refusal(evidence(key: key), body: [], now: Self.now) == .keyWrong, "\(key)")
        }
        #expect(proof.refusal(evidence(authorization: basic("first key:")), body: [], now: Self.now) == .keyMissing)
    }

    @Test("any of the users opens, with the whole of user and password")
    func users() {
        let proof = proof(users: ["crisp:pass:word", "zoë:пароль", "u:"])
        for user in ["crisp:pass:word", "zoë:пароль", "u:"] {
            #expect(proof.refusal(evidence(authorization: basic(user)), body: [], now: Self.now) == nil)
        }
        for user in ["crisp:pass", "crisp:pass:word:", "Crisp:pass:word", "u:p", ":", "zoe:пароль"] {
            #expect(proof.refusal(evidence(authorization: basic(user)), body: [], now: Self.now) == .credentialsWrong, "\(user)")
        }
        #expect(proof.refusal(evidence(key: "crisp:pass:word"), body: [], now: Self.now) == .credentialsMissing)
    }

    @Test(
        "an Authorization that is not Basic, or could be read in two ways, has no credentials",
        arguments: [
            "", "Basic", "Basic ", "BasicdTpw", "Basic\tdTpw", "Bearer dTpw", "Basic dTp", "Basic dTpw=", "Basic dTpw ", "Basic dTpw dTpw",
            "Basic dT=w", "Basic ====", "Basic dTp3cA", "Basic dTp3cB==", "Basic dTp3cHd=", "Basic dXB3", "Basic dTp\u{E9}", "Basic dTp_",
        ])
    func malformed(field: String) {
        // What a lenient reader would make of them.
        let proof = proof(users: ["u:p", "u:wp", "u:wpw", "upw"])
        #expect(proof.refusal(evidence(authorization: field), body: [], now: Self.now) == .credentialsMissing)
    }

    @Test("the scheme is Basic in any case, before one space or more; padding may be two, one or none")
    func schemes() {
        let proof = proof(users: ["u:p", "u:wp", "u:wpw"])
        for field in ["Basic dTpw", "basic dTpw", "BASIC   dTpw", "Basic dTp3cA==", "Basic dTp3cHc="] {
            #expect(proof.refusal(evidence(authorization: field), body: [], now: Self.now) == nil, "\(field)")
        }
    }

    /// Made by: printf '[%s;%s]' TIMESTAMP BODY | openssl dgst -sha256 -hmac SECRET
    private static let vectors: [(secret: String, timestamp: String, body: String, signature: String)] = [
        ("signing secret one", "1779301225", body, "44a97de9da7829fca819b188b49bb573a6c6820b04131b1f40e8ee227a246a93"),
        ("signing secret two", "1779301225031", body, "82875cd7432d081355c6fcf3f4441823f0ec9012c11031b9ce23d435d71bfba9"),
        ("signing secret one", "1779301225", "", "4aa23354062435caa032ad946e4cbfd8abc3bc89c1b1bc18b228d530fef8be2e"),
        ("kéy", "1779301225", "\u{FEFF}{\"a\": \"é][\"}\n", "92530a34d9db55f3db7a44f0d57077cc3df70c6c3f27d4ddac9ac0a610001eb9"),
        (String(repeating: "x", count: 100), "", "", "3eb51643400df5aae16fb22bfaaf10d2c147b6d1967b5a83102349c654344d67"),
    ]

    @Test("signatures are those that openssl computes, under any of the secrets, in either case", arguments: vectors.indices)
    func signatures(number: Int) {
        let vector = Self.vectors[number]
        let body = Array(vector.body.utf8)
        for secrets in [[vector.secret], ["another", vector.secret], [vector.secret, "another"]] {
            for signature in [vector.signature, vector.signature.uppercased()] {
                let proved = evidence(signature: signature, timestamp: vector.timestamp)
                #expect(proof(secrets: secrets).refusal(proved, body: body, now: Self.now) == nil)
            }
        }
        #expect(
            proof(secrets: ["another"]).refusal(evidence(signature: vector.signature, timestamp: vector.timestamp), body: body, now: Self.now)
                == .signatureWrong)
    }

    @Test("another byte in signature, timestamp or body, or another length, and it is no signature")
    func tampered() {
        let vector = Self.vectors[0]
        let proof = proof(secrets: ["other", vector.secret])
        let body = Array(vector.body.utf8)
        func refusal(_ signature: String, _ timestamp: String, _ body: [UInt8]) -> ProofOfOrigin.Refusal? {
            proof.refusal(evidence(signature: signature, timestamp: timestamp), body: body, now: Self.now)
        }
        #expect(refusal(vector.signature, vector.timestamp, body) == nil)
        for index in vector.signature.indices {
            let digit = vector.signature[index] == "0" ? "1" : "0"
            #expect(refusal(vector.signature.replacingCharacters(in: index...index, with: digit), vector.timestamp, body) == .signatureWrong)
        }
        for index in body.indices {
            var other = body
            other[index] ^= 1
            #expect(refusal(vector.signature, vector.timestamp, other) == .signatureWrong)
        }
        for timestamp in ["", "1779301226", "01779301225", "1779301225 "] {
            #expect(refusal(vector.signature, timestamp, body) == .signatureWrong)
        }
        for signature in ["", "4", String(vector.signature.dropLast()), vector.signature + "0", "sha256=" + vector.signature, "g" + vector.signature.dropFirst()] {
            #expect(refusal(signature, vector.timestamp, body) == .signatureWrong, "\(signature)")
        }
        #expect(refusal(vector.signature, vector.timestamp, body + [0x0A]) == .signatureWrong)
        #expect(proof.refusal(evidence(timestamp: vector.timestamp), body: body, now: Self.now) == .signatureMissing)
        #expect(proof.refusal(evidence(signature: vector.signature), body: body, now: Self.now) == .timestampMissing)
    }

    private func sign(_ timestamp: String, _ body: String = body, _ secret: String = "s") -> OriginEvidence {
        let code = HMACSHA256.code(key: Array(secret.utf8).span, message: Array("[\(timestamp);\(body)]".utf8).span)
        return evidence(signature: code.map { String(format: "%02x", $0) }.joined(), timestamp: timestamp)
    }

    @Test(
        "with an age limit the timestamp counts, in seconds or milliseconds, before and after now",
        arguments: [
            ("1779301225", nil), ("1779301225000", nil), ("1779301165", nil), ("1779301164", .timestampTooFar), ("1779301285", nil),
            ("1779301286", .timestampTooFar), ("1779301165000", nil), ("1779301164999", .timestampTooFar), ("1779301285001", .timestampTooFar),
            ("0", .timestampTooFar), ("99999999999", .timestampTooFar), ("100000000000", .timestampTooFar),
            ("999999999999999", .timestampTooFar), ("1000000000000000", .timestampUnreadable), ("", .timestampUnreadable),
            ("-1779301225", .timestampUnreadable), ("1779301225.0", .timestampUnreadable), ("2026-05-20T18:20:25Z", .timestampUnreadable),
        ] as [(String, ProofOfOrigin.Refusal?)])
    func age(timestamp: String, refusal: ProofOfOrigin.Refusal?) {
        let body = Array(Self.body.utf8)
        #expect(proof(secrets: ["s"], ageSecondsMax: 60).refusal(sign(timestamp), body: body, now: Self.now) == refusal)
        #expect(proof(secrets: ["s"]).refusal(sign(timestamp), body: body, now: Self.now) == nil, "without a limit it is only signed")
    }

    @Test("every kind that has secrets must be proved; the first that is not is named")
    func together() {
        let proof = proof(keys: ["k"], users: ["u:p"], secrets: ["s"])
        let body = Array(Self.body.utf8)
        var all = sign("1779301225")
        all.key = Array("k".utf8)
        all.authorization = Array(basic("u:p").utf8)[...]
        #expect(proof.refusal(all, body: body, now: Self.now) == nil)
        var without = all
        without.key = nil
        #expect(proof.refusal(without, body: body, now: Self.now) == .keyMissing)
        without = all
        without.authorization = nil
        #expect(proof.refusal(without, body: body, now: Self.now) == .credentialsMissing)
        without = all
        without.signature = nil
        #expect(proof.refusal(without, body: body, now: Self.now) == .signatureMissing)
        #expect(proof.refusal(evidence(), body: body, now: Self.now) == .keyMissing)
    }

    @Test("an empty secret proves nothing, and leaves its kind closed")
    func empty() {
        let body = Array(Self.body.utf8)
        #expect(proof(keys: [""]).refusal(evidence(key: ""), body: body, now: Self.now) == .keyWrong)
        #expect(proof(users: [""]).refusal(evidence(authorization: basic(":")), body: body, now: Self.now) == .credentialsWrong)
        #expect(proof(secrets: [""]).refusal(sign("1", Self.body, ""), body: body, now: Self.now) == .signatureWrong)
    }

    @Test("what is said of a refusal holds nothing of secrets or evidence")
    func said() {
        for refusal in ProofOfOrigin.Refusal.allCases { #expect(!refusal.description.isEmpty && refusal.description == refusal.rawValue) }
    }

    @Test("the openssl of this machine computes the same signatures", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func openssl() throws {
        for length in [0, 1, 62, 63, 64, 65, 300] {
            let body = String(repeating: "é{", count: length / 3) + String(repeating: "x", count: length % 3)
            let secret = "secret \(length)"
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = ["dgst", "-sha256", "-hmac", secret]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data("[1779301225;\(body)]".utf8))
            try input.fileHandleForWriting.close()
            let line = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            let signature = String(line.suffix(65).prefix(64))
            let proved = evidence(signature: signature, timestamp: "1779301225")
            #expect(proof(secrets: [secret]).refusal(proved, body: Array(body.utf8), now: Self.now) == nil, "\(line)")
        }
    }
}

extension ProofOfOrigin {
    /// A span cannot stand in an expectation.
    fileprivate func refusal(_ evidence: OriginEvidence, body: [UInt8], now: Int64) -> Refusal? {
        refusal(evidence, body: body.span, nowMilliseconds: now)
    }
}
