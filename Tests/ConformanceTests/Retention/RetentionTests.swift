// `log.retention.bytes-max` and `log.retention.days`: whole sealed segments go, oldest first; the newest never does.
//
// Promises: sizes and ages are the test's own: small segments filled over HTTP, and segments written by hand with the times
// that the case needs (API §7).
// Must not know: when the server looks. What must go goes within seconds; what must stay is looked for after that.

import Foundation
import Testing
import TestSupport

@Suite("Retention", .serialized)
struct RetentionTests {
    private static func segments(_ directory: TemporaryDirectory) -> [String] {
        directory.entries.filter { $0.hasSuffix(".jsonl") }
    }

    /// Of lines: without the line feeds that are written ahead.
    private static func bytes(_ directory: TemporaryDirectory) -> Int {
        segments(directory).reduce(0) { sum, name in
            let content = (try? Data(contentsOf: URL(fileURLWithPath: directory.path(of: name)))) ?? Data()
            return sum + (content.lastIndex { $0 != 0x0A }.map { $0 + 2 } ?? 0)
        }
    }

    // MARK: By size

    private static func configuration(mebibytes: Int) -> String {
        "log:\n  segment-bytes-max: 1MiB\n  retention:\n    bytes-max: \(mebibytes)MiB\n"
    }

    /// Those whose segment is gone, and those whose is there.
    private func split(_ load: CallbackLoad, at floor: Int) -> (gone: Set<String>, kept: CallbackLoad) {
        let gone = Set(load.order.filter { (load.acknowledged[$0]?.sequences.max() ?? 0) < floor })
        return (gone, load.without(gone))
    }

    private func floor(_ directory: TemporaryDirectory) throws -> Int {
        try #require(Self.segments(directory).first.flatMap { Int($0.prefix(20)) })
    }

    /// What is wrong with the answers about those that are there. Retention goes on while one asks: what it took meanwhile is no loss.
    private func wrongAnswers(_ load: CallbackLoad, of server: ServerProcess, in directory: TemporaryDirectory) throws -> [String] {
        while true {
            let before = try floor(directory)
            let wrong = try split(load, at: before).kept.wrongAnswers(of: server)
            if try floor(directory) == before { return wrong }
        }
    }

    @Test("beyond bytes-max the oldest segments go with their index; what is gone is 404, what stays is served, sequences go on", arguments: [true, false])
    func bySize(killing: Bool) throws {
        let directory = try TemporaryDirectory()
        let configuration = Self.configuration(mebibytes: 3)
        let server = try ServerProcess(directory: directory, configuration: configuration)
        var load = CallbackLoad(paddingBytes: 10_000...60_000)
        load.retriedMax = 20
        try load.run(on: server) { $0.acknowledged.count >= 200 }
        // Seven mebibytes came.
        try eventually("the log within its bound: \(directory.entries)") { Self.bytes(directory) <= 3 << 20 }
        try eventually("index files of what is left: \(directory.entries)") {
            directory.entries.filter { $0.hasSuffix(".index") } == Self.segments(directory).dropLast().map { $0.replacing(".jsonl", with: ".index") }
        }
        let first = try floor(directory)
        let (gone, kept) = split(load, at: first)
        #expect(first > 50 && gone.count > 50 && kept.order.count > 30)
        #expect(load.refusalCount == 0 && load.violations == [])
        #expect(try gone.filter { try server.status(of: $0).status != 404 } == [])
        #expect(try kept.wrongAnswers(of: server) == [])
        #expect(try kept.wrongRetries(on: server) == [])
        #expect(try server.get("/readyz").status == 200)
        #expect(try server.log().violations() == [])

        if killing { try server.child.kill9() } else { #expect(try server.terminate() == .exited(0)) }
        let again = try ServerProcess(directory: directory, configuration: configuration)
        #expect(try wrongAnswers(load, of: again, in: directory) == [])
        #expect(try gone.filter { try again.status(of: $0).status != 404 } == [])
        #expect(try !again.get("/readyz").text.contains(".jsonl"))
        // One whose first record is gone is new again, behind the highest sequence ever told.
        let highest = load.acknowledged.values.flatMap(\.sequences).max() ?? 0
        let retried = try #require(gone.first)
        let answer = try again.post(try #require(load.acknowledged[retried]?.payload)).object()
        #expect(answer["duplicate"] == "false" && answer.integer("sequence") == highest + 1, "\(answer)")
        try again.terminate()
        #expect(try again.log().violations() == [])
    }

    @Test("the newest segment stays, whatever bytes-max says")
    func newestStays() throws {
        let server = try ServerProcess(configuration: Self.configuration(mebibytes: 2))
        var load = CallbackLoad(paddingBytes: 10_000...60_000)
        load.retriedMax = 0
        for round in 1...3 {
            try load.run(on: server, connections: 1) { $0.acknowledged.count >= 40 * round }
            // The last one acknowledged is in the newest segment, and that never goes.
            let last = try #require(load.order.last)
            #expect(try server.status(of: last).status == 200)
            #expect(try server.log().records(of: last).count == 1)
        }
        try eventually("the log within its bound: \(server.directory.entries)") { Self.bytes(server.directory) <= 2 << 20 }
        #expect(load.refusalCount == 0 && load.violations == [])
    }

    @Test("a lower bytes-max takes effect at the next start, before the first callback")
    func lowered() throws {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory, configuration: "log:\n  segment-bytes-max: 1MiB\n")
        var load = CallbackLoad(paddingBytes: 10_000...60_000)
        try load.run(on: server) { $0.acknowledged.count >= 160 }
        try server.terminate()
        #expect(Self.bytes(directory) > 4 << 20)
        let again = try ServerProcess(directory: directory, configuration: Self.configuration(mebibytes: 2))
        try eventually("the log within its bound: \(directory.entries)") { Self.bytes(directory) <= 2 << 20 }
        #expect(try wrongAnswers(load, of: again, in: directory) == [])
        let (gone, kept) = split(load, at: try floor(directory))
        #expect(gone.count > 50 && !kept.order.isEmpty)
        #expect(try gone.filter { try again.status(of: $0).status != 404 } == [])
    }

    @Test("without retention nothing goes")
    func none() throws {
        let server = try ServerProcess(configuration: "log:\n  segment-bytes-max: 1MiB\n")
        var load = CallbackLoad(paddingBytes: 10_000...60_000)
        try load.run(on: server) { $0.acknowledged.count >= 100 }
        #expect(try floor(server.directory) == 1)
        #expect(try load.wrongAnswers(of: server) == [])
    }

    // MARK: Killed

    @Test("killed under load time after time while segments come and go: what is in the log's range is there, once")
    func killed() throws {
        let directory = try TemporaryDirectory()
        let configuration = Self.configuration(mebibytes: 3)
        var load = CallbackLoad(paddingBytes: 10_000...60_000)
        load.retriedMax = 20
        var highest = 0
        for round in 1...5 {
            let server = try ServerProcess(directory: directory, configuration: configuration)
            let before = try floor(directory)
            #expect(try wrongAnswers(load, of: server, in: directory) == [], "round \(round)")
            load = split(load, at: before).kept
            let goal = load.acknowledged.count + 30 + 7 * round
            try load.run(on: server, ending: .killed) { $0.acknowledged.count >= goal }
            let log = try server.log()
            #expect(split(load, at: try floor(directory)).kept.violations(in: log) == [], "round \(round)")
            let told = load.acknowledged.values.flatMap(\.sequences).max() ?? 0
            #expect(told > highest)
            highest = told
        }
        let last = try ServerProcess(directory: directory, configuration: configuration)
        try eventually("the log within its bound: \(directory.entries)") { Self.bytes(directory) <= 3 << 20 }
        #expect(try wrongAnswers(load, of: last, in: directory) == [])
        let (gone, _) = split(load, at: try floor(directory))
        #expect(try gone.filter { try last.status(of: $0).status != 404 } == [])
        #expect(try !last.get("/readyz").text.contains(".jsonl"))
        try last.terminate()
        // An index file that was made meanwhile may have made the log too large again.
        let left = split(load, at: try floor(directory)).kept
        #expect(!left.order.isEmpty)
        #expect(try left.violations(in: last.log()) == [])
        #expect(try last.log().violations() == [])
    }
}
