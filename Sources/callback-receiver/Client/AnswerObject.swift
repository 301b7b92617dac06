// A JSON object that a server answered, read member by member.
//
// Promises: whatever the bytes, nil or an object in valid grammar; of a member named twice the last one counts.
// Must not know: which members an answer has.

import CrispCallback

struct AnswerObject {
    private let bytes: [UInt8]

    /// Nil where the bytes are no JSON object.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        do throws(JSONRejection) {
            guard var members = try JSONMembers(bytes.span) else { return nil }
            while try members.next(bytes.span) != nil {}
        } catch {
            return nil
        }
    }

    /// The member's value as it stands in the text; nil where there is none, or null.
    func text(_ name: StaticString) -> String? {
        value(name).map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    /// The member's value where that is a string, without escapes.
    func string(_ name: StaticString) -> String? {
        guard let value = value(name), value.kind == .string else { return nil }
        var text: [UInt8] = []
        JSONString.appendUnescaped(value.range, of: bytes.span, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The member's value where that is an object.
    func object(_ name: StaticString) -> AnswerObject? {
        guard let value = value(name), value.kind == .object else { return nil }
        return AnswerObject(Array(bytes[value.range]))
    }

    private func value(_ name: StaticString) -> JSONValue? {
        var found: JSONValue?
        do throws(JSONRejection) {
            guard var members = try JSONMembers(bytes.span) else { return nil }
            while let member = try members.next(bytes.span) {
                if member.isNamed(name, in: bytes.span) { found = member.value }
            }
        } catch {
            return nil
        }
        return found?.kind == .null ? nil : found
    }
}
