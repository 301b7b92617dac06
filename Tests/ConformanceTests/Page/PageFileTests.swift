// GET /, the page, as files: what is sent, to whom, how much, and what a browser is told not to do with it.
//
// Promises: over real sockets. Must not know: what the page shows (PageTests, in a browser).

import Foundation
import Testing
import TestSupport

@Suite("The page's files")
struct PageFileTests {
    private static let files = [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]

    @Test("each is what it says, may do nothing but ask this server, and is kept by nobody", arguments: files)
    func fields(target: String, type: String) throws {
        let answer = try Shared.server().get(target)
        #expect(answer.status == 200)
        #expect(answer["Content-Type"] == "\(type); charset=utf-8")
        #expect(answer["X-Content-Type-Options"] == "nosniff" && answer["Referrer-Policy"] == "no-referrer" && answer["Cache-Control"] == "no-store")
        let policy = try #require(answer["Content-Security-Policy"]).split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        for directive in [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors 'none'",
        ] { #expect(policy.contains(directive), "\(policy)") }
        #expect(!policy.contains { $0.contains("unsafe") || $0.contains("http") || $0.contains("*") })
        let head = try Shared.server().exchange(requestBytes("HEAD", target), toHEAD: true)
        #expect(head.status == 200 && head["Content-Length"] == "\(answer.body.count)" && head.body.isEmpty)
    }

    @Test("all of it is less than 60 KB, and asks for nothing from elsewhere")
    func size() throws {
        let texts = try Self.files.map { try Shared.server().get($0.0).text }
        let count = texts.map(\.utf8.count).reduce(0, +)
        #expect(count < 60_000, "\(count) bytes")
        for text in texts {
            // The namespace of SVG is a name, not an address.
            let addresses = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!addresses.contains("http://") && !addresses.contains("https://") && !addresses.contains("url(") && !addresses.contains("@import"))
        }
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] { #expect(!texts[2].contains(forbidden), "\(forbidden)") }
    }

    @Test("every word is in one place: the frame has none but the title's and what stands where there are no scripts")
    func words() throws {
        let html = try Shared.server().get("/").text
        let rest = html.replacing(/<!--[\s\S]*?-->|<noscript>[\s\S]*?<\/noscript>|<title>[^<]*<\/title>|<[^>]*>/, with: "")
        #expect(rest.split(whereSeparator: \.isWhitespace) == [])
    }

    @Test("who has no token gets none of it, and the browser is asked for one", arguments: files.map(\.0))
    func challenge(target: String) throws {
        let directory = try TemporaryDirectory()
        let read = try Token.create(in: directory, name: "read"), metrics = try Token.create(in: directory, name: "metrics", scope: "metrics")
        let server = try ServerProcess(directory: directory)
        let answer = try server.get(target)
        try expectProblem(answer, 401, instance: target)
        #expect(answer["WWW-Authenticate"] == #"Basic realm="callback-receiver", charset="UTF-8""#)
        #expect(try server.get(target, metrics).status == 403)
        #expect(try server.get(target, read).status == 200)
    }

    @Test("without tokens it is for this machine only, and not through a proxy")
    func openDoor() throws {
        let server = try Shared.server()
        #expect(try server.exchange(requestBytes("GET", "/", host: "localhost")).status == 200)
        try expectProblem(server.exchange(requestBytes("GET", "/", host: "evil.example")), 401, instance: "/")
        try expectProblem(server.exchange(requestBytes("GET", "/", fields: ["X-Forwarded-For: 127.0.0.1"])), 401, instance: "/")
    }
}
