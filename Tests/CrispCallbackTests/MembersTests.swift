// The walk over an object's members: what it shows, and that it lets nothing pass that the grammar does not.

import Testing

@testable import CrispCallback

@Suite("Members of an object")
struct MembersTests {
    /// Each value of a member named `a` or `b`, with its kind, in the order they stand in.
    private func walk(_ text: String) throws -> [String]? {
        let text = bytes(text)
        guard var members = try JSONMembers(text.span) else { return nil }
        var seen: [String] = []
        while let member = try members.next(text.span) {
            let name = member.isNamed("a", in: text.span) ? "a" : member.isNamed("overdue_after", in: text.span) ? "overdue_after" : "?"
            seen.append("\(name) \(member.value.kind) \(String(decoding: text[member.value.range], as: UTF8.self))")
        }
        #expect(try members.next(text.span) == nil, "behind the end there is nothing")
        return seen
    }

    @Test("each member is shown with kind and text, its name by value")
    func shown() throws {
        #expect(try walk("{}") == [])
        #expect(try walk("\u{FEFF} { } ") == [])
        #expect(
            try walk(#"{"a": 1, "\u0061":-1.5,"overdue\u005fafter":"x\"y","":{"a":[1]},"aa":[],"a":true,"A":null}"#)
                == ["a integer 1", "a decimal -1.5", #"overdue_after string "x\"y""#, #"? object {"a":[1]}"#, "? array []", "a boolean true", "? null null"])
    }

    @Test("what is JSON but no object is told apart from what is no JSON", arguments: ["[]", "1", "null", "\"{}\"", " true "])
    func noObject(text: String) throws { #expect(try walk(text) == nil) }

    @Test(
        "what breaks the grammar anywhere is thrown",
        arguments: ["", "{", "{]", "{}x", "{}{}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":01}", "[1", "{\"a\":\"\u{1}\"}", "{'a':1}", "nul"])
    func malformed(text: String) { #expect(throws: JSONRejection.self) { try walk(text) } }

    @Test("half a surrogate pair is noted, and the object counts as the first level of nesting")
    func surrogatesAndDepth() throws {
        let text = bytes(#"{"a":"\ud800","b":"\ud83d\ude00"}"#)
        var members = try #require(try JSONMembers(text.span))
        #expect(try members.next(text.span)?.value.hasLoneSurrogate == true)
        #expect(try members.next(text.span)?.value.hasLoneSurrogate == false)
        let deep = "{\"a\":" + String(repeating: "[", count: 63) + String(repeating: "]", count: 63) + "}"
        #expect(try walk(deep)?.count == 1)
        #expect(throws: JSONRejection.self) { try walk("{\"a\":[" + deep.dropFirst(5).dropLast() + "]}") }
    }
}
