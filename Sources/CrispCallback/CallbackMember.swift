// The member names that mean something in a callback, and how a name is told from another.
//
// Promises: a name counts by its value, so one written with escapes (`request\u005fid`, RFC 8259 §8.3) is the
// same name. Exact case; no normalization.
// Must not know: what the values may be; that belongs to `CallbackPlace`.

/// Bounds of the fields (API.md §3, the table of fields).
public enum CallbackBounds {
    /// Most bytes of a `request_id`, unescaped. At least one.
    public static let requestIDBytesMax = 256
    /// Most bytes in UTF-8 of a `whatsapp_message_id` or `session_id`, unescaped. At least one.
    public static let identifierBytesMax = 512
    /// Most digits of a failure code.
    public static let codeDigitsMax = 18
}

/// A member that the decoder looks at, or any other.
enum CallbackMember: UInt8, Sendable, CaseIterable {
    case requestID, whatsappMessageID, sessionID, crispFingerprint
    case message, reason, code, error, errors, data
    case unknown

    /// The name as the payload spells it; empty for `unknown`.
    var name: StaticString {
        switch self {
        case .requestID: "request_id"
        case .whatsappMessageID: "whatsapp_message_id"
        case .sessionID: "session_id"
        case .crispFingerprint: "crisp_fingerprint"
        case .message: "message"
        case .reason: "reason"
        case .code: "code"
        case .error: "error"
        case .errors: "errors"
        case .data: "data"
        case .unknown: ""
        }
    }

    /// The member that the scanned name `token` stands for.
    init(_ token: JSONToken, _ bytes: Span<UInt8>) {
        guard !token.isEscaped else {
            self = Self.unescaped(token, bytes)
            return
        }
        let content = token.content
        // Length and one byte leave one name to compare with, or none.
        let candidate: CallbackMember
        switch content.count {
        case 4: candidate = bytes[content.lowerBound] == UInt8(ascii: "d") ? .data : .code
        case 5: candidate = .error
        case 6: candidate = bytes[content.lowerBound] == UInt8(ascii: "r") ? .reason : .errors
        case 7: candidate = .message
        case 10: candidate = bytes[content.lowerBound] == UInt8(ascii: "r") ? .requestID : .sessionID
        case 17: candidate = .crispFingerprint
        case 19: candidate = .whatsappMessageID
        default:
            self = .unknown
            return
        }
        let name = candidate.name
        for index in 0..<content.count where bytes[content.lowerBound + index] != name.byte(at: index) {
            self = .unknown
            return
        }
        self = candidate
    }

    /// The same for a name with escapes: rare, so each name is tried.
    private static func unescaped(_ token: JSONToken, _ bytes: Span<UInt8>) -> CallbackMember {
        var raw: UInt8 = 0
        while let member = CallbackMember(rawValue: raw), member != .unknown {
            if member.isNamed(token, bytes) { return member }
            raw += 1
        }
        return .unknown
    }

    private func isNamed(_ token: JSONToken, _ bytes: Span<UInt8>) -> Bool {
        var letters = JSONUnescaping(token.content)
        for index in 0..<name.utf8CodeUnitCount where letters.next(bytes) != name.byte(at: index) { return false }
        return letters.next(bytes) == nil
    }
}
