// The members of an announcement: written and read back, and nothing read that is not so.

import Testing

@testable import CallbackLog

@Suite("Members of an announcement")
struct AnnouncementMembersTests {
    private static let whole = [
        #""overdue_after":300,"reference":null,"metadata":{}"#, #""overdue_after":1,"reference":"order-1042","metadata":{"a":[1,"x"]}"#,
        #""overdue_after":604800,"reference":"\"\\","metadata":{"announced_at":"2026-05-20T18:20:25.031Z"}"#,
        #""overdue_after":5,"reference":"a","metadata":{},"announced_at":"2026-05-20T18:20:25.031Z""#,
    ]

    @Test("what is written is read back, and written again the same", arguments: whole)
    func inverse(text: String) throws {
        let bytes = Array(text.utf8)
        let found = AnnouncementMembers(bytes.span)
        let members = try #require(found)
        let reference = members.reference.map { Array(bytes[$0]) }
        var again: [UInt8] = []
        AnnouncementMembers.append(
            overdueAfterSeconds: members.overdueAfterSeconds, reference: reference?.span,
            metadata: bytes.span.extracting(members.metadata), announcedAt: members.announcedAt, to: &again)
        #expect(String(decoding: again, as: UTF8.self) == text)
        #expect((members.announcedAt != nil) == text.hasSuffix("\""))
    }

    @Test("cut anywhere, or with anything behind, nothing is read", arguments: whole)
    func cut(text: String) {
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            let isWhole = count == bytes.count - 42 && text.hasSuffix("\"")
            #expect(Self.reads(Array(bytes[..<count])) == isWhole, "\(count)")
        }
        for more in [" ", ",", "\"", ",\"x\":1", "0"] { #expect(!Self.reads(Array((text + more).utf8)), "\(more)") }
    }

    @Test("other members, other order, other kinds", arguments: [
        "", "{}", #""overdue_after":-1,"reference":null,"metadata":{}"#, #""overdue_after":1234567,"reference":null,"metadata":{}"#,
        #""overdue_after":1,"reference":1,"metadata":{}"#, #""overdue_after":1,"metadata":{},"reference":null"#,
        #""overdue_after":1,"reference":null,"metadata":[]"#, #""overdue_after":1,"reference":null,"metadata":null"#,
        #""overdue_after":1,"reference":null,"metadata":{},"announced_at":"2026-05-20T18:20:25Z""#,
    ])
    func wrong(text: String) { #expect(!Self.reads(Array(text.utf8))) }

    private static func reads(_ bytes: [UInt8]) -> Bool { AnnouncementMembers(bytes.span) != nil }
}
