// The proof of origin on the callback route (API.md §3): what of a request is evidence, and what is answered without it.
//
//     method (405, 501) ─▶ overload (503) ─▶ origin (401) ─▶ decoding (400, 422) ─▶ log (200, 503)
//
// What HTTP itself refuses (400, 408, 413, 414, 431) comes before all of these: of a body that is too long there is no
// signature to look at. It is answered so, and the proof says only as what its body is kept. Overload comes before the proof, since refusing has to cost less than what there is too much of.
// Promises: fails closed: what stands there twice, or is encoded wrongly, proves nothing. An answer names the proof that is
// missing or wrong, and holds nothing of what was sent (invariant 9).
// Must not know: how a proof is checked (ProofOfOrigin), which file secrets came from.

import CrispCallback
import HTTPWire
import Platform
import Synchronization

final class CallbackOrigin: Sendable {
    private let proof: ProofOfOrigin
    private let challenge: Response.Field
    /// Milliseconds since 1970; tests turn it.
    private let now: @Sendable () -> Int64
    private let hasRefused = Atomic<Bool>(false)

    init(_ configuration: ServerConfiguration, now: @escaping @Sendable () -> Int64 = { Clock.wallMilliseconds() }) {
        proof = ProofOfOrigin(
            keys: configuration.callbackKeys.map(\.bytes), users: configuration.callbackUsers.map(\.bytes),
            signingSecrets: configuration.callbackSigningSecrets.map(\.bytes),
            signatureAgeSecondsMax: configuration.callbackSignatureAgeSecondsMax)
        // RFC 9110 §15.5.2: a 401 has a challenge. Only one of the proofs has a scheme of HTTP's own.
        let scheme = !configuration.callbackUsers.isEmpty ? "Basic" : configuration.callbackKeys.isEmpty ? "Crisp-Signature" : "Key"
        let charset = scheme == "Basic" ? ", charset=\"UTF-8\"" : ""
        challenge = Response.Field(name: "WWW-Authenticate", value: "\(scheme) realm=\"callback\"\(charset)")
        self.now = now
    }

    /// Whether a proof is asked for.
    var isAsked: Bool { proof.isConfigured }

    /// Why the callback is refused; nil where its origin is proved, or no proof is configured.
    /// - Parameter isWhole: false where not all of its body came: then no signature is one of it.
    func refusal(of request: borrowing Request, isWhole: Bool = true) -> ProofOfOrigin.Refusal? {
        guard proof.isConfigured else { return nil }
        let evidence = OriginEvidence(
            key: Self.key(request), authorization: Self.single("authorization", request),
            signature: isWhole ? Self.single("x-crisp-signature", request) : nil, timestamp: Self.single("x-crisp-request-timestamp", request))
        return proof.refusal(evidence, body: request.body.span, nowMilliseconds: now())
    }

    /// Makes `response` the 401 for it.
    func fill(_ response: inout Response, _ refusal: ProofOfOrigin.Refusal, for request: borrowing Request) {
        Problem.fill(&response, status: 401, detail: "The callback was not taken: \(refusal.description).", for: request)
        response.fields.append(challenge)
    }

    /// True once: the first refusal of a server is worth a line of its own, as it may be our configuration that is wrong.
    func isFirstRefusal() -> Bool { !hasRefused.exchange(true, ordering: .relaxed) }

    /// The value of the parameter `key`, decoded. Of one that is there twice or is encoded wrongly, no bytes: it is there,
    /// and proves nothing.
    private static func key(_ request: borrowing Request) -> [UInt8]? {
        var parameters = QueryParameters(of: request.query)
        var key: [UInt8]?
        while let parameter = parameters.next(in: request.head.span) {
            guard request.isEqual(parameter.name, "key") else { continue }
            if key != nil { return [] }
            var value: [UInt8] = []
            key = PercentEncoding.decode(request.head.span, at: parameter.value, into: &value) ? value : []
        }
        return key
    }

    /// The value of a field; nil where it is missing. None of these is a list, so of two neither counts (RFC 9110 §5.3).
    private static func single(_ name: StaticString, _ request: borrowing Request) -> ArraySlice<UInt8>? {
        guard request.count(of: name) == 1 else { return nil }
        return request.value(of: name).map { request.bytes($0) }
    }
}
