// The body of PUT, by tables: what is an announcement, what is 400 and what is 422 (API.md §4).

import CrispCallback
import Testing

@testable import CallbackReceiver

@Suite("The body of an announcement")
struct AnnouncementTests {
    private static func read(_ body: String) -> Result<Announcement, AnnouncementRejection> {
        let body = Array(body.utf8)
        do throws(AnnouncementRejection) {
            return .success(try Announcement(body.span, overdueAfterSeconds: 300))
        } catch {
            return .failure(error)
        }
    }

    @Test("what is said, and what stands in for what is left out", arguments: [
        ("", 300, nil, "{}"), ("{}", 300, nil, "{}"), (#" { "overdue_after" : 1 } "#, 1, nil, "{}"), (#"{"overdue_after":604800}"#, 604_800, nil, "{}"),
        (#"{"reference":"order-1042"}"#, 300, #""order-1042""#, "{}"), (#"{"reference":null}"#, 300, nil, "{}"),
        (#"{"reference":"\u0061\/\n\""}"#, 300, #""a/\n\"""#, "{}"), (#"{"metadata":{"a" : [1.50, "x y"], "a":null}}"#, 300, nil, #"{"a":[1.50,"x y"],"a":null}"#),
        (#"{"overdue\u005fafter":7,"overdue_after":8}"#, 8, nil, "{}"), ("\u{FEFF}{\"metadata\":{ }}", 300, nil, "{}"),
    ] as [(String, Int, String?, String)])
    func taken(body: String, seconds: Int, reference: String?, metadata: String) throws {
        let announcement = try Self.read(body).get()
        #expect(announcement.overdueAfterSeconds == seconds)
        #expect(announcement.reference.map { String(decoding: $0, as: UTF8.self) } == reference)
        #expect(String(decoding: announcement.metadata, as: UTF8.self) == metadata)
    }

    @Test("what is no JSON object is a 400, whatever its members", arguments: [
        " ", "[]", "null", "1", "\"{}\"", "{", "{\"x\":1", "{\"overdue_after\":0,}", "overdue_after=3", "{}{}",
    ])
    func noObject(body: String) { #expect(throws: AnnouncementRejection.self) { try Self.read(body).get() } }

    @Test("statuses and details", arguments: [
        ("[", 400, nil), ("[]", 400, AnnouncementRejection.notAnObject), (#"{"overdue_after":0}"#, 422, .overdueAfter),
        (#"{"overdue_after":604801}"#, 422, .overdueAfter), (#"{"overdue_after":99999999999999999999}"#, 422, .overdueAfter),
        (#"{"overdue_after":-1}"#, 422, .overdueAfter), (#"{"overdue_after":1.0}"#, 422, .overdueAfter), (#"{"overdue_after":1e2}"#, 422, .overdueAfter),
        (#"{"overdue_after":"300"}"#, 422, .overdueAfter), (#"{"overdue_after":null}"#, 422, .overdueAfter), (#"{"reference":""}"#, 422, .reference),
        (#"{"reference":1}"#, 422, .reference), (#"{"reference":"\ud800"}"#, 422, .reference), (#"{"metadata":[]}"#, 422, .metadata),
        (#"{"metadata":null}"#, 422, .metadata), (#"{"metadata":"x"}"#, 422, .metadata), (#"{"Reference":"a"}"#, 422, .unknownMember),
        (#"{"":1}"#, 422, .unknownMember), (#"{"overdue_after":0,"x":1}"#, 422, .overdueAfter),
    ] as [(String, Int, AnnouncementRejection?)])
    func refused(body: String, status: Int, rejection: AnnouncementRejection?) throws {
        guard case .failure(let found) = Self.read(body) else {
            Issue.record("was taken: \(body)")
            return
        }
        #expect(Int(found.status) == status && found.detail.hasSuffix("."))
        if let rejection { #expect(found == rejection) }
    }

    @Test("bounds are about the value: 128 bytes of reference unescaped, 4 KiB of metadata without white space")
    func bounds() throws {
        let euro = String(repeating: "\\u20ac", count: 42)
        #expect(try Self.read(#"{"reference":"\#(euro)aa"}"#).get().reference?.count == 130)
        #expect(throws: AnnouncementRejection.reference) { try Self.read(#"{"reference":"\#(euro)aaa"}"#).get() }
        let text = String(repeating: "x", count: 4_096 - #"{"a":""}"#.utf8.count)
        #expect(try Self.read(#"{"metadata":{ "a" : "\#(text)" }}"#).get().metadata.count == 4_096)
        #expect(throws: AnnouncementRejection.metadataTooLong) { try Self.read(#"{"metadata":{"a":"\#(text)x"}}"#).get() }
    }
}
