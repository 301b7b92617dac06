// The body of PUT /v1/requests/{request_id} (API.md §4): what a business says of a request that Crisp has just accepted.
//
//     member           value                                              left out
//     overdue_after    a whole number of seconds, 1 to 604,800            as configured
//     reference        a string of 1 to 128 bytes in UTF-8, or null       null
//     metadata         an object, at most 4 KiB without white space       {}
//
// Promises: strict: a member of another name or kind is refused, never passed over, since a misspelt one would be lost.
// A member named twice counts as it came last, as in callbacks. metadata keeps every byte but white space between tokens.
// Must not know: records, HTTP beyond a status.

import CallbackLog
import CrispCallback

/// Why a body announces nothing.
enum AnnouncementRejection: Error, Equatable {
    case notJSON(JSONRejection)
    case notAnObject
    case unknownMember, overdueAfter, reference, metadata
    case metadataTooLong

    /// RFC 9110 §15.5.1, §15.5.21.
    var status: UInt16 {
        switch self {
        case .notJSON, .notAnObject: 400
        default: 422
        }
    }

    var detail: String {
        switch self {
        case .notJSON(.malformed(let offset, let fault)):
            "The body is not JSON: at byte \(offset), \(fault.description). Send one JSON object (RFC 8259) in UTF-8, or nothing."
        case .notJSON(.nestedTooDeep(let offset)):
            "At byte \(offset) the body nests arrays and objects more than \(JSONScanner.depthMax) deep. Send a flatter object."
        case .notAnObject: "The body is JSON, but not an object. Send one JSON object, or nothing."
        case .unknownMember: "The body has a member that is not known here. There are: overdue_after, reference, metadata."
        case .overdueAfter: "overdue_after is a whole number of seconds from 1 to \(Announcement.overdueAfterSecondsMax)."
        case .reference:
            "reference is a string of 1 to \(Announcement.referenceBytesMax) bytes in UTF-8 without half a surrogate pair, or null."
        case .metadata: "metadata is a JSON object."
        case .metadataTooLong: "metadata is longer than \(Announcement.metadataBytesMax) bytes without white space."
        }
    }
}

struct Announcement {
    static let overdueAfterSecondsMax = 604_800
    static let referenceBytesMax = 128
    static let metadataBytesMax = 4_096

    private(set) var overdueAfterSeconds: Int
    /// A JSON string token, escaped as little as JSON allows.
    private(set) var reference: [UInt8]?
    /// A compact JSON object.
    private(set) var metadata: [UInt8] = Array("{}".utf8)

    /// Reads `body`; an empty one says nothing, and that is an announcement, too.
    /// - Parameter standard: what `overdue_after` is where it is left out.
    init(_ body: Span<UInt8>, overdueAfterSeconds standard: Int) throws(AnnouncementRejection) {
        overdueAfterSeconds = standard
        guard !body.isEmpty else { return }
        var members = try Self.members(of: body)
        // What is no JSON is said before what its members are.
        var fault: AnnouncementRejection?
        while let member = try Self.next(&members, body) {
            do throws(AnnouncementRejection) {
                try take(member, body)
            } catch {
                fault = fault ?? error
            }
        }
        if let fault { throw fault }
    }

    private static func members(of body: Span<UInt8>) throws(AnnouncementRejection) -> JSONMembers {
        let members: JSONMembers?
        do throws(JSONRejection) {
            members = try JSONMembers(body)
        } catch {
            throw .notJSON(error)
        }
        guard let members else { throw .notAnObject }
        return members
    }

    private static func next(_ members: inout JSONMembers, _ body: Span<UInt8>) throws(AnnouncementRejection) -> JSONMember? {
        do throws(JSONRejection) {
            return try members.next(body)
        } catch {
            throw .notJSON(error)
        }
    }

    private mutating func take(_ member: JSONMember, _ body: Span<UInt8>) throws(AnnouncementRejection) {
        let value = member.value
        let text = body.extracting(value.range)
        if member.isNamed("overdue_after", in: body) {
            guard value.kind == .integer, let seconds = Self.seconds(text) else { throw .overdueAfter }
            overdueAfterSeconds = seconds
        } else if member.isNamed("reference", in: body) {
            reference = value.kind == .null ? nil : try Self.reference(value, body)
        } else if member.isNamed("metadata", in: body) {
            guard value.kind == .object else { throw .metadata }
            var compact: [UInt8] = []
            JSONText.appendCompact(text, to: &compact)
            guard compact.count <= Self.metadataBytesMax else { throw .metadataTooLong }
            metadata = compact
        } else {
            throw .unknownMember
        }
    }

    /// JSON has no leading zeros, so that six digits say all there is.
    private static func seconds(_ text: Span<UInt8>) -> Int? {
        guard text.count <= 6 else { return nil }
        var seconds = 0
        for index in text.indices {
            guard text[index] &- 48 < 10 else { return nil }
            seconds = seconds * 10 + Int(text[index] - 48)
        }
        return 1...overdueAfterSecondsMax ~= seconds ? seconds : nil
    }

    private static func reference(_ value: JSONValue, _ body: Span<UInt8>) throws(AnnouncementRejection) -> [UInt8] {
        guard value.kind == .string, !value.hasLoneSurrogate else { throw .reference }
        var text: [UInt8] = []
        JSONString.appendUnescaped(value.range, of: body, to: &text)
        guard 1...referenceBytesMax ~= text.count else { throw .reference }
        var token: [UInt8] = []
        token.append(jsonString: text.span)
        return token
    }
}
