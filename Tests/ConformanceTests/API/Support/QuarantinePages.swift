// What GET /v1/quarantine shows, page by page, and the bodies in it.
//
// Promises: every page has the members of the contract and no more entries than asked for. Must not know: how it is kept.

import Foundation
import Testing
import TestSupport

extension ServerProcess {
    /// All entries, over all pages, each of which is asked for by `page`; without it over HTTP/1.1.
    func quarantined(limit: Int = 100, page: ((String) throws -> Answer)? = nil) throws -> [RawJSON] {
        var entries: [RawJSON] = []
        var target = "/v1/quarantine?limit=\(limit)"
        for _ in 0..<1000 {
            let answer = try page?(target) ?? get(target)
            #expect(answer.status == 200, "\(answer.text)")
            let page = try answer.object()
            #expect(page.names == ["entries", "next"])
            let these = try #require(page.array("entries")).map { try RawJSON(object: $0) }
            #expect(these.count <= limit)
            entries += these
            guard let cursor = page.string("next") else { return entries }
            target = "/v1/quarantine?limit=\(limit)&cursor=\(percentEncoded(cursor))"
        }
        throw TestFailure.unreadable("the pages do not end")
    }
}

extension RawJSON {
    /// The body of an entry as bytes.
    func quarantinedBody() throws -> [UInt8] {
        let text = try #require(string("body"))
        if string("body_encoding") == "utf-8" { return Array(text.utf8) }
        #expect(string("body_encoding") == "base64")
        return [UInt8](try #require(Data(base64Encoded: text)))
    }
}
