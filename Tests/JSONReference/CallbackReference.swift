// API.md §3 read a second time, slowly: from a whole tree, with strings, by someone who does not know the decoder.
//
// Promises: one function for each line of the contract, in its order. What it says of a body is what the
// decoder has to say.
// Must not know: the decoder, tokens, offsets.

import CrispCallback

/// What the contract says of a body.
package enum ReferenceVerdict: Equatable {
    case notJSON, nestedTooDeep, notAnObject, noRequestID
    case taken(requestID: String, ReferenceAnswers)
}

package struct ReferenceAnswers: Equatable {
    package var status: CallbackStatus
    package var fingerprint: String?
    package var whatsappMessageID: String?
    package var sessionID: String?
    package var message: String?
    package var reason: String?
    package var code: UInt64?

    package init(
        status: CallbackStatus, fingerprint: String?, whatsappMessageID: String?, sessionID: String?, message: String?,
        reason: String?, code: UInt64?
    ) {
        self.status = status
        self.fingerprint = fingerprint
        self.whatsappMessageID = whatsappMessageID
        self.sessionID = sessionID
        self.message = message
        self.reason = reason
        self.code = code
    }
}

package struct CallbackReference {
    private let top: JSONTree
    private let data: JSONTree

    package static func verdict(_ body: [UInt8]) -> ReferenceVerdict {
        switch JSONTreeParser.parse(body) {
        case .failure(.tooDeep): return .nestedTooDeep
        case .failure: return .notJSON
        case .success(let tree):
            guard case .object = tree else { return .notAnObject }
            let reference = CallbackReference(tree)
            guard let requestID = reference.first("request_id", requestID) else { return .noRequestID }
            return .taken(requestID: requestID, reference.answers)
        }
    }

    package init(_ top: JSONTree) {
        self.top = top
        if let data = top["data"], case .object = data { self.data = data } else { data = .null }
    }

    package var answers: ReferenceAnswers {
        ReferenceAnswers(
            status: status, fingerprint: first("crisp_fingerprint", wholeNumber),
            whatsappMessageID: first("whatsapp_message_id", identifier), sessionID: first("session_id", identifier),
            message: message, reason: first("reason", nonEmpty), code: code)
    }

    /// The first usable value of a field: at the top, then in data.
    private func first<Value>(_ name: String, _ usable: (JSONTree) -> Value?) -> Value? {
        top[name].flatMap(usable) ?? data[name].flatMap(usable)
    }

    private func error(of place: JSONTree) -> JSONTree? {
        if let error = place["error"], error != .null { return error }
        guard case .array(let errors) = place["errors"] else { return nil }
        return errors.first
    }

    /// The same for a field of the errors.
    private func firstOfErrors<Value>(_ name: String, _ usable: (JSONTree) -> Value?) -> Value? {
        error(of: top)?[name].flatMap(usable) ?? error(of: data)?[name].flatMap(usable)
    }

    private var status: CallbackStatus {
        for place in [top, data] {
            switch error(of: place) {
            case .yes, .object: return .failed
            case .string(let units) where !units.isEmpty: return .failed
            default: continue
            }
        }
        if first("whatsapp_message_id", identifier) != nil { return .sent }
        if first("message", nonEmpty) != nil { return .failed }
        return .unrecognized
    }

    private var message: String? {
        first("message", nonEmpty) ?? firstOfErrors("message", nonEmpty)
            ?? error(of: top).flatMap(nonEmpty) ?? error(of: data).flatMap(nonEmpty) ?? first("reason", nonEmpty)
    }

    private var code: UInt64? {
        if let code = first("code", codeNumber) ?? firstOfErrors("code", codeNumber) { return code }
        // Every text between "(#" and the next ")", in order.
        var rest = Substring(message ?? "").unicodeScalars
        while let start = rest.firstIndex(of: "(") {
            rest = rest[rest.index(after: start)...]
            guard rest.first == "#", let end = rest.firstIndex(of: ")") else { continue }
            let digits = String(rest[rest.index(after: rest.startIndex)..<end])
            if isDigits(digits), digits.count <= 18 { return UInt64(digits) }
        }
        return nil
    }
}

private func isDigits(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { "0123456789".unicodeScalars.contains($0) }
}

private func isPaired(_ units: [UInt16]) -> Bool {
    String(validating: units, as: UTF16.self) != nil
}

private func requestID(_ tree: JSONTree) -> String? {
    guard case .string(let units) = tree, (1...256).contains(units.count),
        units.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    return String(decoding: units, as: UTF16.self)
}

private func identifier(_ tree: JSONTree) -> String? {
    guard case .string(let units) = tree, isPaired(units) else { return nil }
    let text = String(decoding: units, as: UTF16.self)
    return (1...512).contains(text.utf8.count) ? text : nil
}

private func wholeNumber(_ tree: JSONTree) -> String? {
    switch tree {
    case .number(let number):
        return isDigits(number.hasPrefix("-") ? String(number.dropFirst()) : number) ? number : nil
    case .string(let units):
        let text = String(decoding: units, as: UTF16.self)
        return isDigits(text) && (text == "0" || !text.hasPrefix("0")) ? text : nil
    default: return nil
    }
}

private func codeNumber(_ tree: JSONTree) -> UInt64? {
    guard let number = wholeNumber(tree), !number.hasPrefix("-"), number.count <= 18 else { return nil }
    return UInt64(number)
}

private func nonEmpty(_ tree: JSONTree) -> String? {
    guard case .string(let units) = tree, !units.isEmpty else { return nil }
    return String(decoding: units, as: UTF16.self)
}
