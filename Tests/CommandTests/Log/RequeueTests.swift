// `log requeue`: what was refused is taken in again, by the command itself or by the server that runs.
//
// Promises: entries of the quarantine are written by hand, as the README says, or come of a real refusal.
// Must not know: how they are read.

import Foundation
import TestSupport
import Testing

@Suite("log requeue")
struct RequeueTests {
    /// A body as it was refused by a server that did not understand it, though this one does.
    private func quarantine(_ bodies: [String], in directory: TemporaryDirectory, ring: String = "refused") throws {
        let path = directory.path + "/quarantine"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (number, body) in bodies.enumerated() {
            let line = #"{"last_at":"2026-05-20T18:20:25.031Z","count":1         ,"at":"2026-05-20T18:20:25.031Z","peer":"192.0.2.7","status":422,"detail":"It has no request_id."}"#
            try Data((line + "\n" + body).utf8).write(to: URL(fileURLWithPath: path + "/177930122503\(number)-000001.\(ring)"))
        }
    }

    private func names(_ directory: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path + "/quarantine").sorted()
    }

    private func requeue(_ directory: TemporaryDirectory, _ arguments: [String] = [], url: String = "http://127.0.0.1:1") throws -> (
        status: TestSupport.ExitStatus, output: String, error: String
    ) {
        try runToExit(["log", "requeue", "--data-directory", directory.path] + arguments, environment: ["CALLBACK_RECEIVER_CLIENT_URL": url])
    }

    private let sound = #"{"request_id":"r1","whatsapp_message_id":"w1"}"#

    @Test("with the server stopped: a callback goes into the log and leaves the quarantine, the rest stays; again there is nothing to do")
    func stopped() throws {
        let directory = try TemporaryDirectory()
        try quarantine([sound, "{}", sound], in: directory)
        let dry = try requeue(directory, ["--dry-run"])
        #expect(dry.status == .exited(0) && dry.output.contains("would be taken in"), "\(dry.error)")
        #expect(try names(directory).count == 3)

        let run = try requeue(directory)
        #expect(run.status == .exited(0), "\(run.error)")
        #expect(run.output == "1 callback taken in, 1 there already, 1 still no callback and left in the quarantine\n")
        #expect(try names(directory).map { String($0.prefix(13)) } == ["1779301225031"])
        let log = try LogReader(directory: directory.path)
        #expect(log.violations() == [] && log.records(of: "r1").map(\.payload) == [sound])
        #expect(try requeue(directory).output == "0 callbacks taken in, 0 there already, 1 still no callback and left in the quarantine\n")

        let server = try ServerProcess(directory: directory)
        #expect(try server.status(of: "r1").status == 200)
    }

    @Test("a dry run changes nothing of the log, not even what a crash tore; what is cut off otherwise is said")
    func dryRun() throws {
        let log = HandmadeLog(records: 2, each: 2)
        try log.write()
        let directory = try #require(log.directory)
        let file = URL(fileURLWithPath: directory.path + "/" + HandmadeLog.name(1))
        let bytes = try Data(contentsOf: file) + Data("{\"sequence\":3,\"rec".utf8)
        try bytes.write(to: file)
        try quarantine([sound.replacing("r1", with: "fresh"), "{}"], in: directory)
        let before = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        let dry = try requeue(directory, ["--dry-run"])
        #expect(dry.status == .exited(0) && dry.output.hasPrefix("1 callback would be taken in, 0 there already, 1 still"), "\(dry)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == before && Data(contentsOf: file) == bytes)
        let run = try requeue(directory)
        #expect(run.status == .exited(0) && run.output.hasPrefix("1 callback taken in") && run.error.contains("cut off what a crash tore"), "\(run)")
        let server = try ServerProcess(directory: directory)
        #expect(try requeue(directory, ["--dry-run"], url: "http://127.0.0.1:\(server.port)").status == .exited(1))
    }

    @Test("a body that was cut is not taken in, even where its beginning is a callback")
    func cut() throws {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory, configuration: "callback:\n  body-bytes-max: 1MiB\n")
        let begin = #"{"request_id":"cut","whatsapp_message_id":"w"}"#
        let body = begin + String(repeating: " ", count: 65_536 - begin.utf8.count) + "},{"
        #expect(try server.post(body).status == 400)
        let early = try server.connect()
        try early.send("POST /callback HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n" + begin)
        early.halfClose()
        #expect(try early.readAnswer().status == 400)
        #expect(try server.get("/v1/quarantine").text.components(separatedBy: #""id":"#).count == 3)
        try server.terminate()
        #expect(try requeue(directory).output == "0 callbacks taken in, 0 there already, 2 still no callback and left in the quarantine\n")
    }

    @Test("what was refused with 401 is taken in where it is asked for, and only there")
    func unauthorized() throws {
        let directory = try TemporaryDirectory()
        try quarantine([sound], in: directory, ring: "unauthorized")
        #expect(try requeue(directory).output.hasPrefix("0 callbacks taken in"))
        #expect(try requeue(directory, ["--unauthorized"]).output.hasPrefix("1 callback taken in"))
        #expect(try names(directory) == [])
    }

    @Test("sound callbacks of a torn file are taken in once, and the file stays")
    func torn() throws {
        let log = HandmadeLog(records: 2, each: 2)
        try log.write()
        let name = HandmadeLog.name(1) + ".torn"
        try log.write(Array((HandmadeLog.record(3, "torn") + "\n{\"sequence\":4,\"rec").utf8), to: name)
        let directory = try #require(log.directory)
        #expect(try requeue(directory).output.hasPrefix("1 callback taken in, 0 there already"))
        #expect(try requeue(directory).output.hasPrefix("0 callbacks taken in, 1 there already"))
        #expect(try LogReader(directory: directory.path).records(of: "torn").map(\.sequence) == [3])
        #expect(FileManager.default.fileExists(atPath: directory.path + "/" + name))
    }

    @Test("with a server on the directory it is that server which does it, without a pause; where it does not answer, that is said")
    func running() throws {
        let directory = try TemporaryDirectory()
        try quarantine([sound, "{}"], in: directory)
        let server = try ServerProcess(directory: directory)
        #expect(try server.status(of: "r1").status == 404)
        let run = try requeue(directory, url: "http://127.0.0.1:\(server.port)")
        #expect(run.status == .exited(0), "\(run.error)")
        #expect(run.output == "1 callback taken in, 0 there already, 1 still no callback and left in the quarantine\n")
        #expect(try server.status(of: "r1").status == 200)
        #expect(try server.get("/v1/quarantine").text.contains(#""body":"{}""#))
        let lost = try requeue(directory)
        #expect(lost.status == .exited(1) && lost.error.contains("127.0.0.1:1"), "\(lost.error)")
    }

    @Test("a body refused for want of proof is kept before the 401, and can be taken in once it is known whose it is")
    func proof() throws {
        let server = try ServerProcess(configuration: "callback:\n  keys:\n    - \"0123456789abcdef0123456789abcdef\"\n")
        #expect(try server.post(sound).status == 401)
        #expect(try names(server.directory).allSatisfy { $0.hasSuffix(".unauthorized") })
        #expect(try names(server.directory).count == 1)
        let url = "http://127.0.0.1:\(server.port)"
        #expect(try requeue(server.directory, url: url).output.hasPrefix("0 callbacks taken in"))
        #expect(try requeue(server.directory, ["--unauthorized"], url: url).output.hasPrefix("1 callback taken in"))
        #expect(try server.status(of: "r1").status == 200)
        #expect(try names(server.directory) == [])
    }

    @Test("a directory without a log is said to be none")
    func missing() throws {
        let place = try TemporaryDirectory()
        for (path, said) in [(place.path + "/nowhere", "does not exist; name"), (place.path, "there is no log in")] {
            let run = try runToExit(["log", "requeue", "--data-directory", path])
            #expect(run.status == .exited(1) && run.error.contains(said), "\(run.error)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty)
    }
}
