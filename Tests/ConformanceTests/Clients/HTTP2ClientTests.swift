// HTTP/2 by prior knowledge as other people's clients speak it (RFC 9113): curl, h2, Node's http2, nghttp2's own.
//
// Promises: what the clients print and what the log holds must agree; each client is a judge of frames, windows and
// GOAWAY of its own, and ends with an error where the protocol is broken.
// Must not know: which library makes the server's frames.

import Foundation
import Testing
import TestSupport

@Suite("Clients over HTTP/2")
struct HTTP2ClientTests {
    private func integers(_ result: RawJSON, _ name: String) -> [Int?] { (result.array(name) ?? []).map { Int($0) } }

    /// The answer to GET over HTTP/1.1, to compare with.
    private func plainBody(_ server: ServerProcess, _ target: String) throws -> String { try server.get(target).text }

    // Each run of curl has one request: Debian 12's curl (7.88.1) cannot use a connection by prior knowledge a second time, nor
    // read an answer that comes before its body is sent. It fails so with nginx and nghttpd, too.

    @Test("curl: callbacks, statuses and refusals", .enabled(if: ClientRun.curl != nil, "no curl"))
    func curl() throws {
        let server = try Shared.server()
        let address = "http://127.0.0.1:\(server.port)"
        let identifier = Shared.freshIdentifier("curl2")
        let exchanges = [
            (["--data", sentPayload(identifier), address + "/callback?key=secret"], "2 200"), (["--data", sentPayload(identifier), address + "/callback/"], "2 200"),
            (["\(address)/v1/requests/\(identifier)"], "2 200"), (["--head", "\(address)/v1/requests/\(identifier)"], "2 200"),
            ([address + "/missing"], "2 404"), (["--data", "no JSON", address + "/callback"], "2 400"),
            (["--header", "Expect: 100-continue", "--data", sentPayload(identifier), address + "/callback"], "2 200"), ([address + "/callback"], "2 405"),
        ]
        for (arguments, answer) in exchanges {
            let all = ["--silent", "--http2-prior-knowledge", "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}\n"] + arguments
            #expect(try ClientRun.lines(ClientRun.curl, all) == [answer], "\(arguments)")
        }
        #expect(try server.log().records(of: identifier).count == 1)
    }

    @Test("curl: an upload of unknown length", .enabled(if: ClientRun.curl != nil, "no curl"))
    func upload() throws {
        let server = try Shared.server()
        let place = try TemporaryDirectory()
        for bytes in [200, 65_536] {
            let start = #"{"request_id":"\#(Shared.freshIdentifier("curl2"))","padding":""#
            let file = try place.write(start + String(repeating: "p", count: bytes - start.utf8.count - 2) + "\"}", to: "body")
            let command =
                "'\(ClientRun.curl ?? "")' -s --http2-prior-knowledge -X POST -T - -o /dev/null -w '%{http_version} %{http_code}' 'http://127.0.0.1:\(server.port)/callback' < '\(file)'"
            #expect(try ClientRun.lines("/bin/sh", ["-c", command]) == ["2 200"])
        }
    }

    @Test("curl: the answer is the one that HTTP/1.1 gets, byte for byte", .enabled(if: ClientRun.curl != nil, "no curl"))
    func same() throws {
        let server = try Shared.server()
        let identifier = Shared.freshIdentifier("curl2")
        #expect(try server.post(sentPayload(identifier)).status == 200)
        for target in ["/v1/requests/\(identifier)", "/v1/requests/\(identifier)/callbacks", "/healthz", "/missing"] {
            let arguments = ["--silent", "--include", "http://127.0.0.1:\(server.port)\(target)"]
            let one = try ClientRun.lines(ClientRun.curl, ["--http1.1"] + arguments)
            let two = try ClientRun.lines(ClientRun.curl, ["--http2-prior-knowledge"] + arguments)
            // Fields but for the one that may tell two moments apart, names in lower case (RFC 9113 §8.2).
            func comparable(_ lines: [String]) -> Set<String> {
                Set(lines.dropFirst().map { line in
                    guard !line.hasPrefix("{"), let colon = line.firstIndex(of: ":") else { return line }
                    return line[..<colon].lowercased() + line[colon...]
                }.filter { !$0.hasPrefix("date:") })
            }
            #expect(comparable(one) == comparable(two))
            #expect(two.first == (target == "/missing" ? "HTTP/2 404 " : "HTTP/2 200 "))
        }
    }

    @Test("h2: 200 callbacks and 200 queries on one connection, as many at once as allowed", .enabled(if: ClientRun.pythonWithH2 != nil, "no python3 with h2 (python3-h2)"))
    func manyStreams() throws {
        let server = try Shared.server()
        let name = Shared.freshIdentifier("h2")
        let result = try ClientRun.result(ClientRun.pythonWithH2, script: "h2_client.py", ["many", "\(server.port)", name])
        #expect(integers(result, "posted") == Array(repeating: 200, count: 200))
        #expect(integers(result, "found") == Array(repeating: 200, count: 200))
        // RFC 9113 §6.5.2: no smaller than 100, so as not to limit parallelism.
        #expect(try #require(result.integer("streams_max")) >= 100)
        let log = try server.log()
        for index in 0..<200 { #expect(log.records(of: "\(name)-\(index)").count == 1) }
    }

    /// Compares large texts without printing them.
    private func expectSame(_ body: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let isSame = body == expected
        #expect(isSame, "\(body.utf8.count) and \(expected.utf8.count) bytes: \(body.commonPrefix(with: expected).utf8.count) are the same", sourceLocation: sourceLocation)
    }

    @Test("h2: a large answer goes through windows of 1,000 bytes, and holds no other stream up", .enabled(if: ClientRun.pythonWithH2 != nil, "no python3 with h2 (python3-h2)"))
    func window() throws {
        let server = try serverWithLargeList(of: "large", callbacks: 7)
        let result = try ClientRun.result(ClientRun.pythonWithH2, script: "h2_client.py", ["window", "\(server.port)", "large"])
        #expect(result.integer("status") == 200)
        #expect(integers(result, "small") == Array(repeating: 404, count: 5))
        #expect(try #require(result.integer("frame_bytes_max")) <= 1000)
        let plain = try plainBody(server, "/v1/requests/large/callbacks?limit=1000")
        #expect(plain.utf8.count > 200_000)
        expectSame(try #require(result.string("body")), plain)
    }

    @Test("h2: SIGTERM is a GOAWAY without an error, and the end of the connection", .enabled(if: ClientRun.pythonWithH2 != nil, "no python3 with h2 (python3-h2)"))
    func goawayIdle() throws {
        let server = try ServerProcess()
        let client = try ClientRun.start(ClientRun.pythonWithH2, script: "h2_client.py", ["goaway", "\(server.port)", "a"])
        try eventually("the client to be ready: \(client.standardError)") { client.standardOutput.hasPrefix("ready\n") || client.exitStatus != nil }
        #expect(try server.terminate() == .exited(0))
        let result = try RawJSON(object: ClientRun.lines(client).last ?? "")
        #expect(result.integer("status") == 200)
        // RFC 9113 §6.8: first the warning with the highest stream there can be, or at once the highest that was taken.
        let goaways = try #require(result.array("goaway"))
        #expect(goaways.first == "[0, 2147483647]" || goaways.first == "[0, 1]", "\(goaways)")
        #expect(try server.log().records.map(\.requestIdentifier) == ["a"])
    }

    @Test("Node: a callback that was half sent when SIGTERM came is still stored and answered", .enabled(if: ClientRun.node != nil, "no node"))
    func goawayHalfSent() throws {
        let server = try ServerProcess()
        let client = try ClientRun.start(ClientRun.node, script: "http2.mjs", ["goaway", "\(server.port)", "half"])
        try eventually("the client to be ready: \(client.standardError)") { client.standardOutput.hasPrefix("ready\n") || client.exitStatus != nil }
        #expect(try server.terminate() == .exited(0))
        let result = try RawJSON(object: ClientRun.lines(client).last ?? "")
        #expect(result.integer("status") == 200)
        let codes = integers(result, "goaway")
        #expect(!codes.isEmpty && codes.allSatisfy { $0 == 0 }, "\(codes)")
        #expect(result["refused"] == "true")
        #expect(result["closed"] == "true")
        let log = try server.log()
        #expect(log.violations() == [])
        #expect(log.records.map(\.requestIdentifier) == ["half"])
        #expect(log.lines.last?.kind == "checkpoint")
    }

    @Test("Node: cancelled streams harm no other; what was answered is there", .enabled(if: ClientRun.node != nil, "no node"))
    func cancelled() throws {
        let server = try Shared.server()
        let name = Shared.freshIdentifier("node2")
        let result = try ClientRun.result(ClientRun.node, script: "http2.mjs", ["many", "\(server.port)", name])
        let posted = try #require(result.array("posted"))
        let found = integers(result, "found")
        #expect(posted.count == 200 && found.count == 200)
        #expect(result["pinged"] == "true")
        for index in 0..<200 {
            // A cancelled callback may have been stored all the same: its answer was not awaited.
            if index % 3 != 0 { #expect(posted[index] == "200", "\(index)") }
            #expect(found[index] == 200 || (index % 3 == 0 && found[index] == 404), "\(index): \(String(describing: found[index]))")
        }
        let log = try server.log()
        for index in 0..<200 where index % 3 != 0 { #expect(log.records(of: "\(name)-\(index)").count == 1) }
    }

    @Test("Node: four large answers at once, read slowly, come whole", .enabled(if: ClientRun.node != nil, "no node"))
    func largeAnswers() throws {
        let server = try serverWithLargeList(of: "large", callbacks: 30)
        let result = try ClientRun.result(ClientRun.node, script: "http2.mjs", ["large", "\(server.port)", "large"])
        #expect(integers(result, "statuses") == [200, 200, 200, 200])
        #expect(result["same"] == "true")
        expectSame(try #require(result.string("body")), try plainBody(server, "/v1/requests/large/callbacks?limit=1000"))
    }

    @Test("h2load: 64 streams on each of 4 connections, every request answered 2xx, and one callback stored", .enabled(if: ClientRun.h2load != nil, "no h2load (nghttp2-client)"))
    func load() throws {
        let server = try Shared.server()
        let place = try TemporaryDirectory()
        let identifier = Shared.freshIdentifier("h2load2")
        let body = try place.write(sentPayload(identifier), to: "body")
        for (more, target) in [(["-d", body], "/callback?key=secret"), ([], "/v1/requests/\(identifier)")] {
            let lines = try ClientRun.lines(ClientRun.h2load, ["-n", "20000", "-c", "4", "-m", "64"] + more + ["http://127.0.0.1:\(server.port)\(target)"])
            #expect(lines.contains("Application protocol: h2c"), "\(lines)")
            #expect(lines.contains("requests: 20000 total, 20000 started, 20000 done, 20000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(lines)")
            #expect(lines.contains("status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx"), "\(lines)")
        }
        #expect(try server.log().records(of: identifier).count == 1)
    }

    @Test("nghttp: requests with priorities, padding and odd windows are answered like any other", .enabled(if: ClientRun.nghttp != nil, "no nghttp (nghttp2-client)"))
    func nghttp() throws {
        let server = try Shared.server()
        let place = try TemporaryDirectory()
        let identifier = Shared.freshIdentifier("nghttp")
        let body = try place.write(sentPayload(identifier), to: "body")
        let address = "http://127.0.0.1:\(server.port)"
        for more in [[], ["--padding=100"], ["--weight=256"], ["--window-bits=10", "--connection-window-bits=16"], ["--header-table-size=0"], ["--expect-continue"]] {
            let lines = try ClientRun.lines(ClientRun.nghttp, more + ["--data=" + body, address + "/callback?key=secret"])
            #expect(lines.last?.hasPrefix(#"{"request_id":"\#(identifier)","status":"sent","#) == true, "\(more): \(lines)")
        }
        // A body beyond callback.body-bytes-max, and a head beyond any sane limit, in CONTINUATION frames.
        let large = try place.write(String(repeating: "x", count: 200_000), to: "large")
        for (more, status) in [(["--data=" + large], 413), (["--continuation", "--data=" + body], 431)] {
            let problem = try ClientRun.lines(ClientRun.nghttp, more + [address + "/callback"]).joined()
            #expect(try RawJSON(object: problem).integer("status") == status, "\(more): \(problem)")
        }
        let status = try plainBody(server, "/v1/requests/\(identifier)")
        #expect(try ClientRun.lines(ClientRun.nghttp, ["--multiply=90", "\(address)/v1/requests/\(identifier)"]).joined() == String(repeating: status, count: 90))
        #expect(try server.log().records(of: identifier).count == 1)
    }
}
