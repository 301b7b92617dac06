// The fields of one place of a payload (the top, or its `data`), and which values are usable.
//
// Promises: API.md §3, the table of fields. Only usable values are kept; a member named twice counts as it
// came last, usable or not. Nothing is copied: a field is a token, its place in the text.
// Must not know: how the two places are weighed against each other; that belongs to `CallbackEnvelope`.

/// The error of a place: what its `error`, or the first element of its `errors`, says.
struct CallbackError: Sendable {
    /// The value, whatever it is; nil where there is none.
    var value: JSONToken?
    /// Its `message` and `code`, where it is an object and they are usable.
    var message: JSONToken?
    var code: JSONToken?

    /// True, an object (even an empty one) or a non-empty string (API.md §3, the table of outcomes).
    var isFailure: Bool {
        guard let value else { return false }
        return value.kind == .yes || value.kind == .object || value.isNonEmptyString
    }

    /// The error as a string, where it is one and not empty.
    var text: JSONToken? { value?.isNonEmptyString == true ? value : nil }

    /// Absent, or null: then `errors` is looked at.
    var isNothing: Bool { value == nil || value?.kind == .null }

    /// Reads the value at the cursor. `depth` arrays and objects are open around it.
    @inline(never)
    init(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>, depth: Int) throws(JSONRejection) {
        guard scanner.peek(bytes) == UInt8(ascii: "{") else {
            value = try scanner.value(bytes, depth: depth)
            return
        }
        let start = scanner.at
        var name = try scanner.firstName(bytes)
        while let token = name {
            let member = CallbackMember(token, bytes)
            let value = try scanner.value(bytes, depth: depth + 1)
            switch member {
            case .message: message = value.isNonEmptyString ? value : nil
            case .code: code = value.isCode(bytes) ? value : nil
            default: break
            }
            name = try scanner.nextName(bytes)
        }
        value = JSONToken(.object, start, scanner.at)
    }

    init() {}
}

/// The usable fields of the top, or of `data`.
struct CallbackPlace: Sendable {
    private(set) var requestID: JSONToken?
    private(set) var whatsappMessageID: JSONToken?
    private(set) var sessionID: JSONToken?
    private(set) var crispFingerprint: JSONToken?
    private(set) var message: JSONToken?
    private(set) var reason: JSONToken?
    private(set) var code: JSONToken?
    private var ownError = CallbackError()
    private var firstOfErrors = CallbackError()

    /// Its `error`, or, where that is absent or null, the first element of its `errors` array.
    var error: CallbackError { ownError.isNothing ? firstOfErrors : ownError }

    /// Reads the value of `member`, at the cursor. `depth` arrays and objects are open around it.
    mutating func read(
        _ member: CallbackMember, _ scanner: inout JSONScanner, _ bytes: Span<UInt8>, depth: Int
    ) throws(JSONRejection) {
        switch member {
        case .error:
            ownError = try CallbackError(&scanner, bytes, depth: depth)
            return
        case .errors:
            firstOfErrors = try Self.firstElement(&scanner, bytes, depth: depth)
            return
        default: break
        }
        let value = try scanner.value(bytes, depth: depth)
        switch member {
        case .requestID: requestID = value.isRequestID(bytes) ? value : nil
        case .whatsappMessageID: whatsappMessageID = value.isIdentifier(bytes) ? value : nil
        case .sessionID: sessionID = value.isIdentifier(bytes) ? value : nil
        case .crispFingerprint: crispFingerprint = value.isWholeNumber(bytes) ? value : nil
        case .message: message = value.isNonEmptyString ? value : nil
        case .reason: reason = value.isNonEmptyString ? value : nil
        case .code: code = value.isCode(bytes) ? value : nil
        case .error, .errors, .data, .unknown: break
        }
    }

    /// The first element of the array at the cursor, as an error; none where it is empty or no array.
    @inline(never)
    private static func firstElement(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>, depth: Int
    ) throws(JSONRejection) -> CallbackError {
        // The first element is read ahead by a cursor of its own; what counts as the array's end and its
        // grammar is then the scanner's to say, as for any other value.
        var ahead = scanner
        let array = try scanner.value(bytes, depth: depth)
        guard array.kind == .array else { return CallbackError() }
        ahead.at += 1
        ahead.skipWhiteSpace(bytes)
        guard ahead.peek(bytes) != UInt8(ascii: "]") else { return CallbackError() }
        return try CallbackError(&ahead, bytes, depth: depth + 1)
    }
}
