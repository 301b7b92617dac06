// API §4 across restarts: what was answered before a stop or a kill is answered after it, word for word.
//
// Promises: the same questions are asked on both sides.
// Must not know: what is derived and what is stored.

import Foundation
import Testing
import TestSupport

@Suite("What a restart keeps")
struct PersistenceTests {
    static let targets =
        Panorama.newestFirst.flatMap { ["/v1/requests/\($0)", "/v1/requests/\($0)/callbacks"] } + [
            "/v1/requests", "/v1/requests?status=failed", "/v1/requests?status=pending", "/v1/requests?status=overdue", "/v1/requests?class=template",
            "/v1/requests?reference=order-7", "/v1/requests?session_id=session_a", "/v1/requests?session_id=session_old", "/v1/requests?crisp_fingerprint=163239623329114",
            "/v1/statistics", "/v1/statistics?interval=minute", "/v1/export?format=jsonl", "/v1/export?format=csv", "/v1/quarantine",
        ]

    private func answers(_ server: ServerProcess) throws -> [String: String] {
        var answers: [String: String] = [:]
        for target in Self.targets {
            let answer = try eventually("an answer to \(target)") { () -> Answer? in
                let answer = try server.get(target)
                return answer.status == 503 ? nil : answer
            }
            #expect(answer.status == 200, "\(target): \(answer.text)")
            answers[target] = answer.text
        }
        return answers
    }

    private func events(_ server: ServerProcess, _ count: Int) throws -> [ServerSentEvent] { try EventStream(server, "?after=0").next(count) }

    @Test("after a stop and after a kill every answer is what it was", arguments: [SIGTERM, SIGKILL])
    func everything(signal: Int32) throws {
        let directory = try TemporaryDirectory()
        let first = try Panorama(directory: directory).server
        _ = try first.post("refused")
        let before = try answers(first)
        let count = try #require(try first.requests("?limit=1").first?.integer("sequence"))
        let told = try events(first, count)
        first.child.send(signal: signal)
        try first.child.waitForExit()

        let second = try ServerProcess(directory: directory)
        let after = try answers(second)
        for target in Self.targets { #expect(after[target] == before[target], "\(target)") }
        #expect(try events(second, count) == told)
        #expect(try second.put("pending", #"{"reference":"order-1042","metadata":{"a":1}}"#).status == 200)
        #expect(try second.requests("?limit=1").first?.integer("sequence") == count)
    }

    @Test("with everything derived deleted, too", arguments: [SIGTERM, SIGKILL])
    func derived(signal: Int32) throws {
        let directory = try TemporaryDirectory()
        let first = try Panorama(directory: directory, configuration: "log:\n  segment-bytes-max: 1MiB\n").server
        try first.postAll((0..<60).map { failedPayload("filler\($0)", code: 131_026, message: String(repeating: "f", count: 50_000)) })
        let before = try answers(first)
        first.child.send(signal: signal)
        try first.child.waitForExit()
        // API §7: only the segments count; identity is the log's own, and quarantine and tokens are no part of it.
        for name in directory.entries where name.hasSuffix(".index") || ["superseded", "expectations"].contains(name) {
            try FileManager.default.removeItem(atPath: directory.path(of: name))
        }
        let second = try ServerProcess(directory: directory)
        let after = try answers(second)
        for target in Self.targets { #expect(after[target] == before[target], "\(target)") }
    }

    @Test("a cursor goes on after a restart")
    func cursor() throws {
        let directory = try TemporaryDirectory()
        let first = try Panorama(directory: directory).server
        let page = try first.object("/v1/requests?limit=4")
        let cursor = percentEncoded(try #require(page.string("next")))
        try first.child.kill9()
        let second = try ServerProcess(directory: directory)
        _ = try second.post(sentPayload("since"))
        #expect(try second.identifiers("?limit=100&cursor=\(cursor)") == Array(Panorama.newestFirst.dropFirst(4)))
    }
}
