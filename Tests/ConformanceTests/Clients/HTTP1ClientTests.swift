// HTTP/1.1 and 1.0 as other people's clients speak them (RFC 9112): curl, Python's http.client, Node's http.
//
// Promises: what the clients print and what the log holds must agree; each client's own idea of a connection that is
// kept, of chunks and of 100 (Continue) is what counts.
// Must not know: how the server frames what it sends.

import Foundation
import Testing
import TestSupport

@Suite("Clients over HTTP/1.1")
struct HTTP1ClientTests {
    private static let hasCurl = ClientRun.curl != nil

    /// Runs curl against the shared server; `$URL` in an argument is its address.
    private func curl(_ arguments: [String]) throws -> [String] {
        let address = "http://127.0.0.1:\(try Shared.server().port)"
        return try ClientRun.lines(ClientRun.curl, ["--silent", "--max-time", "30"] + arguments.map { $0.replacing("$URL", with: address) })
    }

    /// A file with one callback padded to so many bytes.
    private func callbackFile(_ identifier: String, bytes: Int, in place: TemporaryDirectory) throws -> String {
        let start = #"{"request_id":"\#(identifier)","whatsapp_message_id":"w","padding":""#
        return try place.write(start + String(repeating: "p", count: bytes - start.utf8.count - 2) + "\"}", to: identifier)
    }

    private func expectOnce(_ identifiers: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let log = try Shared.server().log()
        for identifier in identifiers { #expect(log.records(of: identifier).count == 1, "\(identifier)", sourceLocation: sourceLocation) }
    }

    @Test("curl is answered in the version it speaks", .enabled(if: hasCurl, "no curl"), arguments: [("--http1.1", "1.1"), ("--http1.0", "1.1"), ("--http2", "1.1")])
    func versions(option: String, answered: String) throws {
        // RFC 9110 §6.2: a server says its own version. --http2 offers an upgrade that nobody has to take (RFC 9110 §7.8).
        let identifier = Shared.freshIdentifier("curl")
        let lines = try curl([option, "--data", sentPayload(identifier), "--write-out", "\n%{http_code} %{http_version}\n", "$URL/callback?key=secret"])
        #expect(lines.first?.hasPrefix(#"{"request_id":"\#(identifier)","status":"sent","sequence":"#) == true)
        #expect(lines.last == "200 \(answered)")
        try expectOnce([identifier])
    }

    @Test("curl's several URLs in one command use one connection", .enabled(if: hasCurl, "no curl"))
    func keepAlive() throws {
        let identifiers = (0..<5).map { _ in Shared.freshIdentifier("curl") }
        let blocks = identifiers.map { ["--output", "/dev/null", "--write-out", "%{http_code} %{num_connects}\n", "--data", sentPayload($0), "$URL/callback"] }
        #expect(try curl(Array(blocks.joined(separator: ["--next", "--silent"]))) == ["200 1", "200 0", "200 0", "200 0", "200 0"])
        try expectOnce(identifiers)
    }

    @Test("curl over HTTP/1.0 gets one answer for each connection", .enabled(if: hasCurl, "no curl"))
    func version1_0() throws {
        let lines = try curl(["--http1.0", "--output", "/dev/null", "--output", "/dev/null", "--write-out", "%{http_code} %{num_connects}\n", "$URL/healthz", "$URL/healthz"])
        #expect(lines == ["200 1", "200 1"])
    }

    @Test("curl that expects 100 (Continue) is told so before it sends the body, or told 413 instead", .enabled(if: hasCurl, "no curl"))
    func expectContinue() throws {
        let place = try TemporaryDirectory()
        let identifier = Shared.freshIdentifier("curl")
        for (bytes, first, last) in [(60_000, "100", "200"), (5_000_000, "413", "413")] {
            let file = try callbackFile(identifier, bytes: bytes, in: place)
            let lines = try curl([
                "--header", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@" + file, "--output", "/dev/null",
                "--dump-header", "-", "--write-out", "%{http_code} %{size_upload}\n", "$URL/callback",
            ])
            let statuses = lines.filter { $0.hasPrefix("HTTP/") }.map { $0.split(separator: " ")[1] }
            #expect(statuses.first.map(String.init) == first, "\(lines)")
            #expect(lines.last == "\(last) \(last == "200" ? bytes : 0)")
        }
        try expectOnce([identifier])
    }

    @Test("curl's upload in chunks is taken, to the last byte that is allowed", .enabled(if: hasCurl, "no curl"))
    func chunked() throws {
        let place = try TemporaryDirectory()
        let identifier = Shared.freshIdentifier("curl")
        let address = "http://127.0.0.1:\(try Shared.server().port)"
        for (bytes, status) in [(100, "200"), (65_536, "200"), (65_537, "413")] {
            let file = try callbackFile("\(identifier)-\(bytes)", bytes: bytes, in: place)
            // -T - reads standard input, whose length curl does not know.
            let command = "'\(ClientRun.curl ?? "")' -s -X POST -T - -o /dev/null -w '%{http_code}' '\(address)/callback' < '\(file)'"
            #expect(try ClientRun.lines("/bin/sh", ["-c", command]) == [status])
        }
        try expectOnce(["\(identifier)-100", "\(identifier)-65536"])
    }

    @Test("curl's HEAD has the fields of GET and no body", .enabled(if: hasCurl, "no curl"))
    func head() throws {
        let identifier = Shared.freshIdentifier("curl")
        #expect(try Shared.server().post(sentPayload(identifier)).status == 200)
        let length = try #require(try curl(["$URL/v1/requests/\(identifier)"]).first).utf8.count
        let lines = try curl(["--head", "--write-out", "%{http_code} %{size_download}\n", "$URL/v1/requests/\(identifier)"])
        #expect(lines.contains { $0.lowercased() == "content-length: \(length)" }, "\(lines)")
        #expect(lines.last == "200 0")
    }

    @Test("Python's http.client does everything on one connection, with a length and in chunks", .enabled(if: ClientRun.python != nil, "no /usr/bin/python3"))
    func python() throws {
        let server = try Shared.server()
        let name = Shared.freshIdentifier("python")
        let lines = try ClientRun.lines(ClientRun.start(ClientRun.python, script: "http_client.py", ["\(server.port)", name])).map { try RawJSON(object: $0) }
        func statuses(_ step: String) -> [Int?] { lines.filter { $0.string("step") == step }.map { $0.integer("status") } }
        #expect(statuses("length") == Array(repeating: 200, count: 20))
        #expect(statuses("chunks") == Array(repeating: 200, count: 20))
        #expect(statuses("get") == [200])
        #expect(statuses("head") == [200])
        #expect(statuses("missing") == [404])
        #expect(statuses("refused") == [400])
        #expect(statuses("again") == [200])
        let (get, head) = (lines.first { $0.string("step") == "get" }, lines.first { $0.string("step") == "head" })
        #expect(head?.string("body") == "")
        #expect(head?.string("length") == get?.string("length"))
        #expect(try RawJSON(object: lines.first { $0.string("step") == "again" }?.string("body") ?? "")["duplicate"] == "true")
        #expect(lines.last?.integer("count") == 1)
        try expectOnce((0..<20).flatMap { ["\(name)-length-\($0)", "\(name)-chunks-\($0)"] })
    }

    @Test("Node's keep-alive agent needs no more than its four connections", .enabled(if: ClientRun.node != nil, "no node"))
    func node() throws {
        let server = try Shared.server()
        let name = Shared.freshIdentifier("node")
        let result = try ClientRun.result(ClientRun.node, script: "http.mjs", ["\(server.port)", name])
        func answers(_ step: String) throws -> [RawJSON] { try (result.array(step) ?? []).map { try RawJSON(object: $0) } }
        for (step, count, status) in [("length", 50, 200), ("chunks", 50, 200), ("expecting", 10, 200), ("get", 1, 200), ("head", 1, 200), ("refused", 5, 400)] {
            #expect(try answers(step).map { $0.integer("status") } == Array(repeating: status, count: count), "\(step)")
        }
        #expect(result.integer("continued") == 10)
        #expect(result.integer("connections") == 4)
        #expect(try answers("head")[0].string("body") == "")
        #expect(try answers("head")[0].string("length") == answers("get")[0].string("length"))
        try expectOnce((0..<50).flatMap { ["\(name)-length-\($0)", "\(name)-chunks-\($0)"] } + (0..<10).map { "\(name)-expecting-\($0)" })
    }

    @Test("h2load over HTTP/1.1: every request is answered 2xx, and one callback stored", .enabled(if: ClientRun.h2load != nil, "no h2load (nghttp2-client)"))
    func load() throws {
        let place = try TemporaryDirectory()
        let identifier = Shared.freshIdentifier("h2load")
        let body = try place.write(sentPayload(identifier), to: "body")
        let lines = try ClientRun.lines(
            ClientRun.h2load, ["--h1", "-n", "2000", "-c", "4", "-m", "8", "-d", body, "http://127.0.0.1:\(try Shared.server().port)/callback"])
        #expect(lines.contains("status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx"), "\(lines)")
        try expectOnce([identifier])
    }
}
