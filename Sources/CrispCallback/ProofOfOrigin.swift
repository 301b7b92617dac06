// Whether a callback comes from who may post it (API.md §3, proof of origin): a key in the URL, Basic credentials, a signature.
//
// Promises: fails closed: each kind that has secrets must be proved, by any one of them; a kind without secrets is not
// asked for; an empty secret proves nothing. Every secret of a kind is compared, in constant time, whether an earlier one
// fits or not, so that the time taken tells neither which it was nor how much of a guess was right. Keys and credentials are
// kept as digests alone. What is said of a refusal never holds a secret or what was sent in its place.
// Must not know: HTTP, where secrets are configured, what a callback says.

/// What came with a callback to prove its origin; nil for what did not come.
public struct OriginEvidence: Sendable {
    /// The value of the parameter `key`, percent-decoded.
    public var key: [UInt8]?
    /// The value of the field Authorization.
    public var authorization: ArraySlice<UInt8>?
    /// The values of X-Crisp-Signature and X-Crisp-Request-Timestamp.
    public var signature: ArraySlice<UInt8>?
    /// That of X-Crisp-Request-Timestamp; nil where there is none.
    public var timestamp: ArraySlice<UInt8>?

    /// What a request brought; nil for what it did not.
    public init(
        key: [UInt8]? = nil, authorization: ArraySlice<UInt8>? = nil, signature: ArraySlice<UInt8>? = nil,
        timestamp: ArraySlice<UInt8>? = nil
    ) {
        self.key = key
        self.authorization = authorization
        self.signature = signature
        self.timestamp = timestamp
    }
}

/// The secrets that prove a callback's origin, and the check.
public struct ProofOfOrigin: Sendable {
    /// Why a callback is refused, said by the first kind that is not proved.
    public enum Refusal: String, Sendable, CaseIterable {
        case keyMissing = "the URL has no parameter key"
        case keyWrong = "the key in the URL is none of callback.keys"
        case credentialsMissing = "there is no field Authorization with Basic credentials that can be read, or more than one"
        case credentialsWrong = "the Basic credentials are none of callback.users"
        case signatureMissing = "there is no field X-Crisp-Signature, or more than one"
        case timestampMissing = "there is no field X-Crisp-Request-Timestamp, or more than one"
        case signatureWrong = "X-Crisp-Signature is not the signature of timestamp and body by any of callback.signing-secrets"
        case timestampUnreadable = "X-Crisp-Request-Timestamp is no number of seconds or milliseconds"
        case timestampTooFar = "X-Crisp-Request-Timestamp is further from now than callback.signature-age-seconds-max"

        /// For a log line or an answer: the end of a sentence.
        public var description: String { rawValue }
    }

    private let keys: [[UInt8]]
    private let users: [[UInt8]]
    private let signingSecrets: [[UInt8]]
    private let signatureAgeSecondsMax: Int?

    /// - Parameters:
    ///   - keys: what `key` may be.
    ///   - users: `user:password`, each.
    ///   - signingSecrets: what a signature may be made with.
    ///   - signatureAgeSecondsMax: how far a signature's timestamp may be from now, before or after; nil: any.
    public init(keys: [[UInt8]], users: [[UInt8]], signingSecrets: [[UInt8]], signatureAgeSecondsMax: Int?) {
        self.keys = keys.map(Self.kept)
        self.users = users.map(Self.kept)
        self.signingSecrets = signingSecrets
        self.signatureAgeSecondsMax = signatureAgeSecondsMax
    }

    /// Whether any kind has secrets. Where none has, nothing is proved and nothing refused: whether that is meant is for
    /// the configuration to say.
    public var isConfigured: Bool { !(keys.isEmpty && users.isEmpty && signingSecrets.isEmpty) }

    /// Why the callback is refused; nil where every kind that has secrets is proved.
    ///
    /// - Parameters:
    ///   - body: the raw body, byte for byte as it came.
    ///   - nowMilliseconds: since 1970.
    public func refusal(_ evidence: OriginEvidence, body: Span<UInt8>, nowMilliseconds: Int64) -> Refusal? {
        keyRefusal(evidence.key) ?? credentialsRefusal(evidence.authorization)
            ?? signatureRefusal(evidence, body: body, nowMilliseconds: nowMilliseconds)
    }

    // MARK: Keys and credentials

    private func keyRefusal(_ key: [UInt8]?) -> Refusal? {
        guard !keys.isEmpty else { return nil }
        guard let key else { return .keyMissing }
        return Self.isAny(of: keys, key) ? nil : .keyWrong
    }

    private func credentialsRefusal(_ field: ArraySlice<UInt8>?) -> Refusal? {
        guard !users.isEmpty else { return nil }
        var credentials: [UInt8] = []
        guard let field, BasicCredentials.decode(field.span, into: &credentials) else { return .credentialsMissing }
        return Self.isAny(of: users, credentials) ? nil : .credentialsWrong
    }

    /// How a secret is kept: its digest, so that all have one length. Of an empty one, nothing, which no digest equals.
    private static func kept(_ secret: [UInt8]) -> [UInt8] { secret.isEmpty ? [] : SHA256.digest(secret.span) }

    private static func isAny(of secrets: [[UInt8]], _ given: [UInt8]) -> Bool {
        let digest = SHA256.digest(given.span)
        var isFound = false
        for secret in secrets where ConstantTime.isEqual(secret.span, digest.span) { isFound = true }
        return isFound
    }

    // MARK: Signatures

    private func signatureRefusal(_ evidence: OriginEvidence, body: Span<UInt8>, nowMilliseconds: Int64) -> Refusal? {
        guard !signingSecrets.isEmpty else { return nil }
        guard let signature = evidence.signature else { return .signatureMissing }
        guard let timestamp = evidence.timestamp else { return .timestampMissing }
        guard let code = Self.code(signature.span), isSigned(timestamp.span, body, by: code) else { return .signatureWrong }
        // Only what is signed is worth reading.
        guard let signatureAgeSecondsMax else { return nil }
        guard let moment = Self.milliseconds(timestamp.span) else { return .timestampUnreadable }
        let seconds = ((moment - nowMilliseconds).magnitude + 999) / 1_000
        return seconds <= signatureAgeSecondsMax ? nil : .timestampTooFar
    }

    /// HMAC-SHA256 over `[`, the timestamp as it came, `;`, the raw body and `]`.
    private func isSigned(_ timestamp: Span<UInt8>, _ body: Span<UInt8>, by code: [UInt8]) -> Bool {
        let marks: [UInt8] = [UInt8(ascii: "["), UInt8(ascii: ";"), UInt8(ascii: "]")]
        var isFound = false
        for secret in signingSecrets where !secret.isEmpty {
            var message = HMACSHA256(key: secret.span)
            message.add(marks.span.extracting(0..<1))
            message.add(timestamp)
            message.add(marks.span.extracting(1..<2))
            message.add(body)
            message.add(marks.span.extracting(2..<3))
            let expected = message.end()
            if ConstantTime.isEqual(expected.span, code.span) { isFound = true }
        }
        return isFound
    }

    /// The bytes of a signature: 64 hexadecimal digits, of either case, since both say the same; nothing else.
    private static func code(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count == 2 * SHA256.byteCount else { return nil }
        var code: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = hexDigit(text[index]), let low = hexDigit(text[index + 1]) else { return nil }
            code.append(high << 4 | low)
        }
        return code
    }

    private static func hexDigit(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): letter - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): letter - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Up to this it is seconds (to the year 5138), from it on milliseconds (since 1973).
    private static let millisecondsMin: Int64 = 100_000_000_000
    private static let timestampDigitsMax = 15

    /// A timestamp of decimal digits, in milliseconds since 1970.
    private static func milliseconds(_ text: Span<UInt8>) -> Int64? {
        guard 1...timestampDigitsMax ~= text.count else { return nil }
        var number: Int64 = 0
        for index in text.indices {
            guard text[index] &- UInt8(ascii: "0") < 10 else { return nil }
            number = number * 10 + Int64(text[index] - UInt8(ascii: "0"))
        }
        return number < millisecondsMin ? number * 1_000 : number
    }
}
