// What `log repair` makes of a damaged log: a sound one, and a list of what was lost; and `log redecode`.

import Foundation
import TestSupport
import Testing

@Suite("log repair")
struct RepairTests {
    /// Three segments: record 2 is damaged, 6 and 7 are gone, a line is torn at the end.
    private func damagedLog() throws -> HandmadeLog {
        let log = HandmadeLog(records: 9, each: 3)
        log.segments[1]?[1] = "damaged"
        log.segments[4]?.removeLast()
        log.segments[7]?.removeFirst()
        log.segments[7]?.append("{\"sequence\":10,\"rec")
        try log.write()
        return log
    }

    @Test("the copy is sound and dense: every sound line as it was, lost ones in their place, nothing of the tear")
    func copy() throws {
        let log = try damagedLog()
        let before = try log.content()
        let place = try TemporaryDirectory()
        let target = place.path(of: "copy")
        let run = try log.run("repair", "--to", target)
        #expect(run.status == .exited(0), "\(run.error)")
        #expect(
            run.output.lines == [
                "\(HandmadeLog.name(1)): byte \(log.offset(1, line: 1)): damaged, record 2 is lost",
                "\(HandmadeLog.name(4)): byte \(log.bytes(4).count): damaged, record 6 is lost",
                "\(HandmadeLog.name(7)): byte 0: damaged, record 7 is lost",
                "\(HandmadeLog.name(7)): byte \(log.offset(7, line: 3)): torn by a crash, or being written just now; no damage: nothing from here on was acknowledged",
                "\(target): 3 files, 6 records copied, 3 records marked as lost; synchronized and verified",
            ])
        #expect(try log.content() == before)

        let reader = try LogReader(directory: target)
        #expect(reader.violations() == [])
        #expect(reader.files == [1, 4, 7].map(HandmadeLog.name))
        let sound = reader.records.filter { $0.kind == "callback" }
        #expect(sound.map(\.text) == [1, 3, 4, 5, 8, 9].map { HandmadeLog.record($0, "r\($0)") })
        #expect(reader.records.filter { $0.kind == "lost" }.map(\.sequence) == [2, 6, 7])
        #expect(reader.lines.last?.kind == "checkpoint" && reader.lines.last?.durable == 9)
        #expect(try runToExit(["log", "verify", "--data-directory", target]).status == .exited(0))
    }

    @Test("a server opens the copy without complaint, answers for every record that was sound, and gives no sequence again")
    func served() throws {
        let log = try damagedLog()
        let place = try TemporaryDirectory()
        #expect(try log.run("repair", "--to", place.path).status == .exited(0))
        let server = try ServerProcess(directory: place)
        #expect(!server.child.standardError.contains("log is damaged") && !server.child.standardError.contains("level=error"))
        for number in [1, 3, 4, 5, 8, 9] { #expect(try server.status(of: "r\(number)").status == 200) }
        for identifier in ["r2", "r6", "r7", "lost:6"] { #expect(try server.status(of: identifier).status == 404) }
        #expect(try String(decoding: server.get("/readyz").body, as: UTF8.self).contains("\"damage_count\":0"))
        let answer = try server.post("{\"request_id\":\"r10\"}")
        #expect(String(decoding: answer.body, as: UTF8.self).contains("\"sequence\":10"))
        #expect(try server.terminate() == .exited(0))
    }

    @Test("the identity goes along, and tokens and what was refused or torn off; what else is in the directory is named and stays")
    func others() throws {
        let log = try damagedLog()
        try log.write(Array("who".utf8), to: "identity")
        try log.write([1], to: "tokens")
        try log.write([4], to: "tokens-required")
        try FileManager.default.createDirectory(atPath: log.path + "/quarantine", withIntermediateDirectories: false)
        try log.write([5], to: "quarantine/1.json")
        try log.write([6], to: "notes")
        // No files of a server's: they end nothing.
        for name in ["quarantine/stray", HandmadeLog.name(7) + ".torn"] {
            try FileManager.default.createDirectory(atPath: log.path + "/" + name, withIntermediateDirectories: false)
        }
        try log.write([2], to: HandmadeLog.index(1))
        try log.write([3], to: HandmadeLog.name(4) + ".torn")
        let place = try TemporaryDirectory()
        let run = try log.run("repair", "--to", place.path)
        #expect(run.status == .exited(0))
        let torn = "\(HandmadeLog.name(4)).torn"
        #expect(place.entries.sorted() == ([1, 4, 7].map(HandmadeLog.name) + [torn, "identity", "quarantine", "tokens", "tokens-required"]).sorted())
        #expect(try String(contentsOfFile: place.path(of: "identity"), encoding: .utf8) == "who")
        for (name, bytes) in [("tokens", [1]), ("tokens-required", [4]), ("quarantine/1.json", [5]), (torn, [3])] as [(String, [UInt8])] {
            #expect(FileManager.default.contents(atPath: place.path(of: name)) == Data(bytes), "\(name)")
        }
        for name in ["tokens", "tokens-required", "quarantine", torn] { #expect(run.output.contains("\(name): copied\n")) }
        #expect(run.output.contains("notes: left behind\n") && run.output.contains("\(HandmadeLog.name(7)).torn: left behind\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path(of: "quarantine")) == ["1.json"])
        #expect(!run.output.contains("\(HandmadeLog.index(1)): left behind"))
    }

    @Test("the end of the log that a checkpoint alone knows of is lost and said so")
    func lostEnd() throws {
        let log = HandmadeLog(records: 3, each: 3)
        log.segments[1]?.remove(at: 2)
        try log.write()
        let place = try TemporaryDirectory()
        let run = try log.run("repair", "--to", place.path)
        #expect(run.output.contains("damaged, record 3 is lost"))
        let reader = try LogReader(directory: place.path)
        #expect(reader.violations() == [])
        #expect(reader.records.last?.sequence == 3 && reader.records.last?.kind == "lost")
    }

    @Test("never into a directory that holds something, least of all the log's own")
    func notEmpty() throws {
        let log = try damagedLog()
        let before = try log.content()
        let run = try log.run("repair", "--to", log.path)
        #expect(run.status == .exited(1))
        #expect(run.error.lines.last == "callback-receiver: \(log.path) is not empty; name a directory that is, or that does not exist yet")
        #expect(try log.content() == before)
    }

    @Test("a file with the name of another makes more lost records than there can be: said, and nothing is written")
    func tooManyLost() throws {
        let log = HandmadeLog(records: 3, each: 3)
        log.segments[90_000_000] = [HandmadeLog.record(90_000_000, "r")]
        try log.write()
        let place = try TemporaryDirectory()
        let run = try log.run("repair", "--to", place.path(of: "copy"))
        #expect(run.status == .exited(1))
        #expect(run.error.contains("89999996 records are missing, which no damage explains"), "\(run.error)")
        #expect(place.entries == [])
    }

    @Test("without a target it is wrong usage", arguments: [[], ["--to", ""], ["--to", "~/x"]])
    func usage(arguments: [String]) throws {
        #expect(try runToExit(["log", "repair"] + arguments).status == .exited(64))
    }

    @Test("a log without damage is copied as it is")
    func undamaged() throws {
        let log = HandmadeLog(records: 6, each: 3)
        try log.write()
        let place = try TemporaryDirectory()
        #expect(try log.run("repair", "--to", place.path).status == .exited(0))
        let reader = try LogReader(directory: place.path)
        #expect(reader.lines.map(\.text) == ([1, 4].flatMap { log.segments[$0] ?? [] }))
    }

    @Test("the copy is made, and damage is 1, though nobody reads what is said")
    func unread() throws {
        let log = try damagedLog()
        let place = try TemporaryDirectory()
        func unread(_ arguments: String) throws -> TestSupport.ExitStatus {
            let command = "'\(ServerProcess.executable)' log \(arguments) --data-directory '\(log.path)' | true; exit ${PIPESTATUS[0]}"
            return try ChildProcess(executable: "/bin/bash", arguments: ["-c", command]).waitForExit()
        }
        #expect(try unread("repair --to '\(place.path)'") == .exited(0))
        #expect(try LogReader(directory: place.path).records.count == 9)
        #expect(try unread("verify") == .exited(1))
    }
}

@Suite("log redecode")
struct RedecodeTests {
    @Test("lists what the present decoder sees otherwise, one JSON line each; the summary goes to standard error")
    func redecode() throws {
        let log = HandmadeLog()
        log.segments = [
            1: [
                HandmadeLog.record(1, "r1"), HandmadeLog.record(2, "r\\\"2", status: "unrecognized", payload: #"{"message":"no"}"#),
                HandmadeLog.record(3, "r3", status: "failed", payload: #"{"whatsapp_message_id":"w"}"#),
                HandmadeLog.record(4, "r4", status: "failed", payload: #"{"message":"no"}"#),
            ]
        ]
        try log.write()
        let run = try log.run("redecode")
        #expect(run.status == .exited(0))
        #expect(
            run.output.lines == [
                #"{"segment":"\#(HandmadeLog.name(1))","offset":\#(log.offset(1, line: 1)),"sequence":2,"received_at":"\#(HandmadeLog.moment(2))","request_id":"r\"2","recorded":"unrecognized","present":"failed"}"#,
                #"{"segment":"\#(HandmadeLog.name(1))","offset":\#(log.offset(1, line: 2)),"sequence":3,"received_at":"\#(HandmadeLog.moment(3))","request_id":"r3","recorded":"failed","present":"sent"}"#,
            ])
        #expect(run.error == "4 callbacks, 2 seen otherwise by decoder version 1\n")
    }

    @Test("a log that is seen as on arrival prints nothing")
    func same() throws {
        let log = HandmadeLog(records: 5, each: 2)
        try log.write()
        let run = try log.run("redecode")
        #expect(run.status == .exited(0))
        #expect(run.output == "")
        #expect(run.error == "5 callbacks, 0 seen otherwise by decoder version 1\n")
    }
}
