// Taking in again what was refused, asked of a running server: beside everything else, and to the end.
//
// Promises: a real server, quarantine and log, whose disk is held. Must not know: the command that asks.

import CallbackLog
import Platform
import TestSupport
import Testing

@testable import CallbackReceiver

@Suite("Requeue beside other questions")
struct RequeueRouteTests {
    /// Entries of the quarantine of a server that has not looked at it yet.
    private func quarantine(_ bodies: [String], at path: String) throws {
        let directory = try SystemDirectory(creating: path + "/" + QuarantineStore.directoryName)
        let at = Timestamp(milliseconds: 1_779_301_225_031)
        for (serial, body) in bodies.enumerated() {
            let bytes = QuarantineEntry.file(at: at, peer: .unspecified, status: 422, detail: "", body: Array(body.utf8))
            let file = try directory.create(QuarantineEntry.name(at: at, serial: serial, ring: .refused))
            #expect(try file.write(bytes, from: 0, at: 0) == bytes.count)
        }
    }

    @Test("while it waits for the disk, questions and pages are answered; its own answer says what became of all, however long that took")
    func beside() throws {
        let running = try RunningServer()
        let count = Requeue.togetherMax + 10
        try quarantine((0..<count).map { callback("r\($0)") } + ["{}"], at: running.path)
        running.disk.hold()
        let connection = try running.connect()
        try connection.send(requestBytes("POST", "/v1/quarantine/requeue"))
        try eventually("its callbacks wait for the disk", holds: { running.disk.isHolding })
        #expect(try running.get("/v1/requests").text == #"{"requests":[],"next":null}"#)
        #expect(try running.get("/v1/quarantine?limit=1").text.contains(#""body":"{}""#))
        try running.advance(seconds: 60)
        #expect(!connection.isReadable(milliseconds: 0))
        running.disk.release()
        #expect(try connection.readAnswer().text == #"{"taken":\#(count),"duplicates":0,"left":1,"failed":0}"#)
        #expect(try running.get("/v1/requests/r\(count - 1)").status == 200)
    }

    @Test("a log that does not answer is handed no more; all counts as failed and stays, and what it stored after all is a duplicate the next time")
    func unanswered() throws {
        let directory = try TemporaryDirectory()
        let count = Requeue.togetherMax + 10
        try quarantine((0..<count).map { callback("r\($0)") }, at: directory.path)
        let disk = try HeldDirectory(directory.path)
        let log = try CallbackLog(directory: disk)
        defer { log.close() }
        let lines = KeptLog()
        let requeue = Requeue(
            log: log, quarantine: Quarantine(logDirectory: directory.path, bytesMax: 64 << 20, logger: lines.logger), answerSeconds: 1)
        var expected = Requeue.Summary()
        expected.failed = count
        disk.hold()
        #expect(requeue.run(includesUnauthorized: false) == expected)
        disk.release()
        expected.failed = 0
        expected.taken = count - Requeue.togetherMax
        expected.duplicates = Requeue.togetherMax
        #expect(requeue.run(includesUnauthorized: false) == expected)
        #expect(requeue.run(includesUnauthorized: false) == Requeue.Summary())
    }
}
