// The members of an announcement, as they stand in its line (RecordFormat.swift) between `request_id` and `durable`.
//
//     bytes                                              what
//     "overdue_after":                                   seconds
//     1…6 digits
//     ,"reference":                                      null, or a JSON string
//     null | "…"
//     ,"metadata":                                       a JSON object without white space between its tokens
//     {…}
//     ,"announced_at":"                                  only where retention recorded it again, since the request's first
//     RFC 3339, 24 bytes, and a quote                    announcement went with its segment: when that was made
//
// Valid are members that stand in this order, whole. What is inside of strings and objects is not looked at.
// Must not know: which request announces, what the members are for.

import Platform

/// What an announcement says: where its tokens stand in the bytes that it was read from.
public struct AnnouncementMembers: Sendable {
    /// How long its callback may take, in seconds from the request's first announcement: at most six digits.
    public let overdueAfterSeconds: Int
    /// A string token, quotes included; nil where there is none.
    public let reference: Range<Int>?
    /// An object, brackets included.
    public let metadata: Range<Int>
    /// Of the first announcement, where this one does not say it by its own time.
    public let announcedAt: Timestamp?
    /// All but `announced_at`: two announcements whose bytes here are equal say the same.
    let content: Range<Int>

    /// More digits than any `overdue_after` has.
    private static let digitsMax = 6
    /// `,"announced_at":"2026-05-20T18:20:25.031Z"`
    private static let announcedAtBytes = 17 + Timestamp.byteCount + 1

    /// Nil where `members` are not as above. The ranges are offsets into them.
    public init?(_ members: Span<UInt8>) {
        var position = 0
        func take(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard members.count - position >= count, ByteSearch.isEqual(members, at: position, to: text) else { return false }
            position += count
            return true
        }
        guard take("\"overdue_after\":") else { return nil }
        let digits = position
        var seconds = 0
        while position < members.count, members[position] &- 48 < 10 {
            seconds = seconds * 10 + Int(members[position] - 48)
            position += 1
            guard position - digits <= Self.digitsMax else { return nil }
        }
        guard position > digits, take(",\"reference\":") else { return nil }
        if take("null") {
            reference = nil
        } else {
            guard let end = Self.stringEnd(members, position) else { return nil }
            reference = position..<end
            position = end
        }
        guard take(",\"metadata\":") else { return nil }
        // An object ends with a bracket, so that a quote at the end is that of `announced_at`.
        var end = members.count
        if members[end - 1] == 0x22 {
            end -= Self.announcedAtBytes
            guard end > position, ByteSearch.isEqual(members, at: end, to: ",\"announced_at\":\""),
                let time = Timestamp(parsing: members.extracting((end + 17)..<(members.count - 1)))
            else { return nil }
            announcedAt = time
        } else {
            announcedAt = nil
        }
        guard end - position >= 2, members[position] == 0x7B, members[end - 1] == 0x7D else { return nil }
        metadata = position..<end
        content = 0..<end
        overdueAfterSeconds = seconds
    }

    /// Behind the closing quote of the string whose opening one is at `start`.
    private static func stringEnd(_ members: Span<UInt8>, _ start: Int) -> Int? {
        guard start < members.count, members[start] == 0x22 else { return nil }
        var position = start + 1
        while position < members.count {
            switch members[position] {
            case 0x22: return position + 1
            case 0x5C: position += 2
            default: position += 1
            }
        }
        return nil
    }

    /// Appends members as above. `reference` is a string token, `metadata` a compact object.
    public static func append(
        overdueAfterSeconds: Int, reference: Span<UInt8>?, metadata: Span<UInt8>, announcedAt: Timestamp?, to output: inout [UInt8]
    ) {
        output.append("\"overdue_after\":")
        output.append(decimal: UInt64(max(0, overdueAfterSeconds)))
        output.append(",\"reference\":")
        if let reference { output.append(reference) } else { output.append("null") }
        output.append(",\"metadata\":")
        output.append(metadata)
        if let announcedAt { append(announcedAt: announcedAt, to: &output) }
    }

    /// Appends what one that retention records again has behind the rest.
    static func append(announcedAt: Timestamp, to output: inout [UInt8]) {
        output.append(",\"announced_at\":\"")
        announcedAt.append(to: &output)
        output.append(0x22)
    }
}
