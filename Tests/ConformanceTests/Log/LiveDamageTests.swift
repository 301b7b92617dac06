// API §7: bytes of the log that change underneath the running server, in sealed segments and in the open one.
//
// Promises: what is changed is written through another descriptor, as a failing disk or a careless hand would; intake goes
// on, the rest is served, and at the latest a restart names file and offset of each bad line.
// Must not know: which lines the server keeps in memory, and when it reads which.

import Foundation
import Testing
import TestSupport

@Suite("Damage while the server runs")
struct LiveDamageTests {
    private static let configuration = "log:\n  segment-bytes-max: 1MiB\n"

    /// What happens to a line.
    enum Change: CaseIterable {
        case flippedByte, zeroed, overwritten, lineFeedLost
    }

    private func change(_ line: LogLine, _ change: Change, in directory: TemporaryDirectory) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: directory.path(of: line.file)))
        defer { try? handle.close() }
        let length = line.text.utf8.count
        let (place, bytes): (Int, [UInt8]) =
            switch change {
            case .flippedByte: (length / 2, [Array(line.text.utf8)[length / 2] ^ 0x01])
            case .zeroed: (0, [UInt8](repeating: 0, count: length))
            case .overwritten: (0, Array(String(repeating: "{garbage} ", count: length / 10 + 1).utf8.prefix(length)))
            case .lineFeedLost: (length, [0x20])
            }
        try handle.seek(toOffset: UInt64(line.offset + place))
        try handle.write(contentsOf: Data(bytes))
    }

    /// A server with sealed segments, and callbacks that stand in them and in the open one.
    private func running() throws -> (ServerProcess, CallbackLoad) {
        let server = try ServerProcess(configuration: Self.configuration)
        var load = CallbackLoad(paddingBytes: 8_000...30_000)
        try load.run(on: server) { _ in server.directory.entries.count { $0.hasSuffix(".jsonl") } >= 3 }
        try load.run(on: server) { [count = load.acknowledged.count] in $0.acknowledged.count >= count + 5 }
        // Proved: damage from here on is damage, and no tear.
        let newest = server.directory.path(of: try #require(server.directory.entries.last { $0.hasSuffix(".jsonl") }))
        try eventually("a checkpoint") {
            let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: newest)), as: UTF8.self)
            return text.split(separator: "\n").last?.contains(#""kind":"checkpoint""#) == true
        }
        return (server, load)
    }

    /// - Parameter change: of a zeroed line nothing is left but a gap, which shows at the next line.
    private func names(_ text: String, _ line: LogLine, _ change: Change = .flippedByte) -> Bool {
        text.contains(line.file) && (change == .zeroed || text.contains("\(line.offset)"))
    }

    /// Of what is lost a server may say what it still knows, that it knows nothing, or that it cannot read it.
    private func answersThatInvent(_ server: ServerProcess, _ load: CallbackLoad, _ lost: Set<String>) throws -> [String] {
        try lost.sorted().compactMap { identifier in
            let answer = try server.status(of: identifier)
            if [404, 500, 503].contains(answer.status) { return nil }
            let sequence = try answer.object().integer("sequence")
            let isRight = answer.status == 200 && sequence.map { load.acknowledged[identifier]?.sequences.contains($0) == true } == true
            return isRight ? nil : "\(identifier): \(answer.status) \(answer.text)"
        }
    }

    // A lost line feed is not among these: with an index, each of the two records is still read as it was written.
    @Test("a changed line of a sealed segment: never a wrong answer, named once it is read, and the rest is served",
        arguments: [Change.flippedByte, .zeroed, .overwritten])
    func sealed(change: Change) throws {
        try damaged(change, isNamedOnceRead: true) { log in
            let lines = log.records.filter { $0.file == log.files[1] }
            return lines[lines.count / 2]
        }
    }

    @Test("a changed line of the open segment: never a wrong answer, named at the latest by the next start, and the rest is served", arguments: Change.allCases)
    func open(change: Change) throws {
        try damaged(change, isNamedOnceRead: false) { log in log.records.filter { $0.file == log.files.last }[1] }
    }

    private func damaged(_ change: Change, isNamedOnceRead: Bool, choose: (LogReader) -> LogLine) throws {
        var (server, load) = try running()
        let log = try server.log()
        let victim = choose(log)
        let lost = try #require(victim.requestIdentifier)
        // Without its line feed a line takes the next one along.
        let next = try #require(log.records.first { $0.sequence == (victim.sequence ?? 0) + 1 }?.requestIdentifier)
        let gone = Set(change == .lineFeedLost ? [lost, next] : [lost])
        try self.change(victim, change, in: server.directory)

        // Whatever it knows of the lost one, it does not say what is not there: the answer, or that there is none now.
        #expect(try answersThatInvent(server, load, gone) == [])
        for identifier in gone {
            let payloads = try server.get("/v1/requests/\(identifier)/callbacks")
            #expect(!payloads.text.contains("garbage"), "\(payloads.status) \(payloads.text.prefix(300))")
        }
        if isNamedOnceRead {
            try eventually("readyz to name it: \(try server.get("/readyz").text)") { names(try server.get("/readyz").text, victim, change) }
        }
        let promised = load.acknowledged
        load = load.without(gone)
        #expect(try load.wrongAnswers(of: server) == [])
        let count = load.acknowledged.count
        try load.run(on: server) { $0.acknowledged.count >= count + 40 }
        #expect(load.refusalCount == 0)

        #expect(try server.terminate() == .exited(0), "\(server.child.standardError)")
        let again = try ServerProcess(directory: server.directory, configuration: Self.configuration)
        try eventually("readyz to name it: \(try again.get("/readyz").text)") { names(try again.get("/readyz").text, victim, change) }
        #expect(try again.get("/readyz").status == 200)
        try eventually("a line about it") { again.child.standardError.split(separator: "\n").contains { names(String($0), victim, change) } }
        #expect(try load.wrongAnswers(of: again) == [])
        for identifier in gone {
            #expect(try again.status(of: identifier).status == 404)
            // It may be delivered again.
            let answer = try again.post(try #require(promised[identifier]?.payload))
            #expect(try answer.status == 200 && answer.object()["duplicate"] == "false", "\(answer.text)")
        }
        try again.terminate()
        let after = try again.log()
        #expect(load.violations(in: after) == [])
        // Of a zeroed line nothing is left to see, and two lines that became one are one.
        #expect(after.unsound == (change == .zeroed ? [] : ["\(victim.file)@\(victim.offset)"]))
    }

    @Test("damage that the running server reads is named by readyz and in a log line, while it runs")
    func namedWhileRunning() throws {
        let (server, load) = try running()
        let log = try server.log()
        let victim = log.records.filter { $0.file == log.files[1] }[3]
        let lost = try #require(victim.requestIdentifier)
        try change(victim, .flippedByte, in: server.directory)
        #expect(try server.get("/readyz").status == 200)
        let answer = try server.status(of: lost)
        #expect(answer.status != 200, "\(answer.text)")
        try eventually("readyz to name it") { names(try server.get("/readyz").text, victim) }
        try eventually("a log line to name it") { server.child.standardError.split(separator: "\n").contains { names(String($0), victim) } }
        #expect(try server.get("/readyz").status == 200)
        #expect(try load.without([lost]).wrongAnswers(of: server) == [])
    }

    @Test("a sealed segment cut short, or gone, under the running server: the rest is served and intake goes on", arguments: [true, false])
    func truncated(wholly: Bool) throws {
        var (server, load) = try running()
        let log = try server.log()
        let file = log.files[1]
        let lines = log.records.filter { $0.file == file }
        let cut = wholly ? 0 : lines[lines.count / 2].offset + 10
        if wholly {
            try FileManager.default.removeItem(atPath: server.directory.path(of: file))
        } else {
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: server.directory.path(of: file)))
            try handle.truncate(atOffset: UInt64(cut))
            try handle.close()
        }
        let gone = Set(lines.filter { $0.offset + $0.text.utf8.count > cut }.compactMap(\.requestIdentifier))
        let promised = load
        load = load.without(gone)
        #expect(try load.wrongAnswers(of: server) == [])
        #expect(try answersThatInvent(server, promised, gone) == [])
        let count = load.acknowledged.count
        try load.run(on: server) { $0.acknowledged.count >= count + 60 }
        try server.child.kill9()
        let again = try ServerProcess(directory: server.directory, configuration: Self.configuration)
        #expect(try load.wrongAnswers(of: again) == [])
        #expect(try again.post(sentPayload("fresh")).status == 200)
        try again.terminate()
        #expect(load.violations(in: try again.log()) == [])
    }
}
