// API §3: a retry is recognized by its payload, but for white space between tokens, and appends nothing.
//
// Promises: a duplicate is looked at from three sides: its answer, the status of its request, the log.
// Must not know: how the server compares payloads.

import Testing
import TestSupport

@Suite("Duplicates")
struct DuplicateTests {
    @Test("an accepted callback is answered with exactly four members")
    func acceptedAnswer() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let answer = try server.post(sentPayload(identifier))
        let object = try answer.object()
        #expect(answer.status == 200)
        #expect(answer["Content-Type"]?.hasPrefix("application/json") == true)
        #expect(Set(object.names) == ["request_id", "status", "sequence", "duplicate"])
        #expect(object.names.count == 4)
        #expect(object.string("request_id") == identifier)
        #expect(object.string("status") == "sent")
        #expect(object["duplicate"] == "false")
        let sequence = try #require(object.integer("sequence"))
        #expect(try server.status(of: identifier).object().integer("sequence") == sequence)
    }

    @Test(
        "the same payload with other white space is a duplicate of the first record",
        arguments: [
            #"{"request_id":"$ID","message":"a b","n":[1,2]}"#,
            #" { "request_id" : "$ID" , "message" : "a b" , "n" : [ 1 , 2 ] } "#,
            "\r\n\t{\r\n\t\"request_id\":\t\"$ID\",\n\"message\":\r\"a b\",\"n\":[1,\n2]\n}\n",
            "\u{FEFF}" + #"{"request_id":"$ID","message":"a b","n":[1,2]}"#,
        ])
    func whiteSpace(template: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let first = try server.post(#"{"request_id":"\#(identifier)","message":"a b","n":[1,2]}"#).object()
        let second = try server.post(template.replacing("$ID", with: identifier))
        #expect(second.status == 200)
        #expect(try second.object()["duplicate"] == "true")
        #expect(try second.object().integer("sequence") == first.integer("sequence"))
        #expect(try server.status(of: identifier).object().integer("callbacks") == 1)
    }

    @Test(
        "a payload that differs in any token is another callback",
        arguments: [
            #"{"request_id":"$ID","message":"a  b","n":[1,2]}"#, #"{"message":"a b","request_id":"$ID","n":[1,2]}"#,
            #"{"request_id":"$ID","message":"a\u0020b","n":[1,2]}"#, #"{"request_id":"$ID","message":"a b","n":[1,2.0]}"#,
            #"{"request_id":"$ID","message":"a b","n":[12]}"#, #"{"request_id":"$ID","message":"a b","n":[1,2],"x":null}"#,
            #"{"request_id":"$ID","message":"ab","n":[1,2]}"#,
        ])
    func differentTokens(template: String) throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let first = try server.post(#"{"request_id":"\#(identifier)","message":"a b","n":[1,2]}"#).object()
        let second = try server.post(template.replacing("$ID", with: identifier)).object()
        #expect(second["duplicate"] == "false")
        #expect(try #require(second.integer("sequence")) > #require(first.integer("sequence")))
        #expect(try server.status(of: identifier).object().integer("callbacks") == 2)
    }

    @Test("a retry is recognized after other callbacks of its request came, and changes nothing")
    func olderCallback() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier()
        let failed = #"{"request_id":"\#(identifier)","error":true,"message":"later"}"#
        let first = try server.post(sentPayload(identifier)).object()
        _ = try server.post(sentPayload(Shared.freshIdentifier()))
        let newest = try server.post(failed).object()
        let retry = try server.post(sentPayload(identifier)).object()
        #expect(retry["duplicate"] == "true")
        #expect(retry.integer("sequence") == first.integer("sequence"))
        let status = try server.status(of: identifier).object()
        #expect(status.string("status") == "failed")
        #expect(status.integer("sequence") == newest.integer("sequence"))
        #expect(status.integer("callbacks") == 2)
    }

    @Test("the same members under another request_id are no duplicate")
    func otherIdentifier() throws {
        let server = try Shared.server()
        _ = try server.post(sentPayload(Shared.freshIdentifier()))
        #expect(try server.post(sentPayload(Shared.freshIdentifier())).object()["duplicate"] == "false")
    }

    @Test("a duplicate is recognized across a clean restart and across a kill", arguments: [true, false])
    func restart(clean: Bool) throws {
        let directory = try TemporaryDirectory()
        let before = try ServerProcess(directory: directory)
        let first = try before.post(sentPayload("a")).object()
        _ = try before.post(sentPayload("a", "wamid.2"))
        _ = try before.post(sentPayload("b"))
        if clean { try before.terminate() } else { try before.child.kill9() }

        let after = try ServerProcess(directory: directory)
        let retry = try after.post(" " + sentPayload("a")).object()
        #expect(retry["duplicate"] == "true")
        #expect(retry.integer("sequence") == first.integer("sequence"))
        #expect(try after.post(sentPayload("b")).object()["duplicate"] == "true")
        let fresh = try after.post(sentPayload("c")).object()
        #expect(fresh["duplicate"] == "false")
        try after.terminate()
        let log = try after.log()
        #expect(log.violations() == [])
        #expect(log.records(of: "a").count == 2)
        #expect(log.records(of: "b").count == 1)
        #expect(log.records(of: "c").map(\.sequence) == [fresh.integer("sequence")])
    }
}
