// The tokens of a moment, as loops look them up.
//
// Promises: immutable. A look-up hashes what was presented and compares one digest in constant time, whether or not the
// identifier is known. Must not know: files, who asks.

import CrispCallback

struct TokenTable: Sendable {
    enum Standing: Sendable {
        /// No tokens file has ever existed.
        case neverCreated
        /// These are all there are; perhaps none any more.
        case kept
        /// There are some, or were, and they cannot be read: nothing is allowed.
        case unreadable
    }

    let standing: Standing
    private let tokens: [UInt64: Token]

    static let neverCreated = TokenTable(standing: .neverCreated, tokens: [:])
    static let unreadable = TokenTable(standing: .unreadable, tokens: [:])

    /// The tokens that a file holds: no identifier stands in it twice.
    init(_ tokens: [Token]) {
        self.init(standing: .kept, tokens: Dictionary(tokens.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first }))
    }

    private init(standing: Standing, tokens: [UInt64: Token]) {
        self.standing = standing
        self.tokens = tokens
    }

    /// Whether whoever had access by `earlier` has it by this one, too.
    func allowsAll(of earlier: TokenTable) -> Bool {
        switch earlier.standing {
        case .neverCreated: standing == .neverCreated
        case .unreadable: true
        case .kept: standing == .kept && earlier.tokens.allSatisfy { tokens[$0.key] == $0.value }
        }
    }

    /// What the key of an unknown identifier is compared with.
    private static let nobody = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// The token of this identifier, where `key` is its key.
    func token(identifier: ArraySlice<UInt8>, key: ArraySlice<UInt8>) -> Token? {
        let token = Token.number(identifier: identifier.span).flatMap { tokens[$0] }
        let digest = SHA256.digest(key.span)
        let expected = token?.digest ?? Self.nobody
        return ConstantTime.isEqual(digest.span, expected.span) ? token : nil
    }
}
